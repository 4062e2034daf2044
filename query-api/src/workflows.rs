//! `GET /v1/workflows`, `GET /v1/workflows/{name}`
//!
//! For everybody: a portal shows statuses by these names.

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::Uri;
use axum::response::Response;
use domain::ticket::{CommandName, Status};
use domain::workflow::{self, Workflow};
use serde::Serialize;
use service_kit::Problem;
use service_kit::problem::types::WORKFLOW_NOT_FOUND;
use utoipa::ToSchema;

use crate::openapi;
use crate::page::Page;
use crate::params::Params;

/// A way of working.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Workflow)]
pub(crate) struct Item {
    name: &'static str,
    /// Goes up when a release changes what it says.
    #[schema(minimum = 1)]
    version: u32,
    /// Whether a public comment of the requester's side takes a waiting ticket back into work, if its policy says so too.
    reply_resumes: bool,
    /// What may be done with tickets besides creating them.
    #[schema(schema_with = openapi::commands)]
    commands: Vec<&'static str>,
    /// Every status of a ticket.
    statuses: Vec<StatusItem>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowStatus)]
struct StatusItem {
    #[schema(schema_with = openapi::statuses)]
    status: &'static str,
    /// Whether tickets come to it.
    used: bool,
    labels: Labels,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowLabels)]
struct Labels {
    /// For those who work on tickets.
    staff: Translations,
    /// For those who open them. Several statuses may share one.
    customers: Translations,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowTranslations)]
struct Translations {
    en: &'static str,
    ru: &'static str,
    es: &'static str,
}

impl From<workflow::Labels> for Translations {
    fn from(workflow::Labels { en, ru, es }: workflow::Labels) -> Self {
        Self { en, ru, es }
    }
}

/// All of them.
pub(crate) async fn list(uri: Uri) -> Result<Response, Problem> {
    Params::read(&uri, &[])?.finish()?;
    Ok(Page {
        items: Workflow::ALL.iter().map(item).collect(),
        next_cursor: None,
        total: None,
    }
    .answer(&uri))
}

/// One of them.
pub(crate) async fn one(path: Result<Path<String>, PathRejection>, uri: Uri) -> Result<Json<Item>, Problem> {
    Params::read(&uri, &[])?.finish()?;
    let Path(name) = path?;
    let workflow = Workflow::parse(&name).ok_or_else(|| {
        let names = Workflow::ALL.map(|workflow| workflow.name).join(", ");
        Problem::new(&WORKFLOW_NOT_FOUND).detail(format!("There is no workflow of this name. There are: {names}."))
    })?;
    Ok(Json(item(&workflow)))
}

fn item(workflow: &Workflow) -> Item {
    Item {
        name: workflow.name,
        version: workflow.version,
        reply_resumes: workflow.reply_resumes,
        commands: workflow.commands.iter().copied().map(CommandName::as_str).collect(),
        statuses: Status::ALL.into_iter().map(|status| named(workflow, status)).collect(),
    }
}

fn named(workflow: &Workflow, status: Status) -> StatusItem {
    let labels = workflow.labels(status);
    StatusItem {
        status: status.as_str(),
        used: workflow.statuses.contains(&status),
        labels: Labels {
            staff: labels.staff.into(),
            customers: labels.customers.into(),
        },
    }
}
