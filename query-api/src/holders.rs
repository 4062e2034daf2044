//! `GET /v1/permissions/{permission}/holders`: who holds a permission by now, wherever it comes from.
//!
//! The rule is `domain::rights`; Postgres finds those of whom it can be true.

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use domain::actor::Permission;
use domain::ids::GroupId;
use serde::{Deserialize, Serialize};
use service_kit::Problem;
use service_kit::http::Caller;
use service_kit::problem::types::NOT_FOUND;
use sqlx::{Postgres, QueryBuilder};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::for_staff;
use crate::app::App;
use crate::database::problem;
use crate::page::{LIMIT_DEFAULT, Page, limit};
use crate::params::Params;
use crate::rights::{ENTRIES_OF_USER, Found, Standing};

/// Somebody who holds the permission.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Holder)]
pub(crate) struct Holder {
    id: Uuid,
    name: String,
    /// For the whole desk.
    everywhere: bool,
    /// Of single groups, those with whose tickets they may use it, by a role that they hold within them.
    within: Vec<Uuid>,
}

/// Where a page begins: after this one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    name: String,
    id: Uuid,
}

/// Somebody who may hold it.
#[derive(Debug, sqlx::FromRow)]
struct Candidate {
    id: Uuid,
    called: String,
    #[sqlx(flatten)]
    found: Found,
}

/// Enabled staff, by name. A page can have fewer of them than its limit, and another can follow all the same.
pub(crate) async fn holders(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    for_staff(&actor, "Who may do what is for staff.")?;
    let mut params = Params::read(&uri, &["limit", "cursor"])?;
    let page_size = params.one("limit", limit).unwrap_or(LIMIT_DEFAULT);
    let cursor = params.one("cursor", |text| Ok(text.to_owned()));
    params.finish()?;
    let permission = Permission::parse(&path?).ok_or_else(|| {
        Problem::new(&NOT_FOUND).detail("There is no such permission. GET /v1/permissions lists them.")
    })?;
    let after: Option<After> = cursor.map(|text| app.cursors.read(&uri, &text)).transpose()?;
    let mut sql = QueryBuilder::new("");
    push_candidates(&mut sql, permission, after, i64::from(page_size) + 1);
    let mut candidates: Vec<Candidate> = sql.build_query_as().fetch_all(&app.db).await.map_err(problem)?;
    let more = candidates.len() > usize::from(page_size);
    candidates.truncate(page_size.into());
    let next_cursor = candidates.last().filter(|_| more).map(|last| {
        let after = After {
            name: last.called.clone(),
            id: last.id,
        };
        app.cursors.write(&uri, &after)
    });
    let holders: Result<Vec<_>, Problem> = candidates.into_iter().map(|one| one.holds(permission)).collect();
    Ok(Page {
        items: holders?.into_iter().flatten().collect(),
        next_cursor,
        total: None,
    }
    .answer(&uri))
}

/// Appends the query for all whose profile names the permission, or a group or a role that gives it.
fn push_candidates(sql: &mut QueryBuilder<Postgres>, permission: Permission, after: Option<After>, limit: i64) {
    sql.push(
        "WITH sets AS (
            SELECT s.id::text AS id FROM desk.permission_sets s
            WHERE s.definition @> '{\"archived\": false}' AND s.definition @> jsonb_build_object('permissions', jsonb_build_array(",
    )
    .push_bind(permission.as_str())
    .push(
        "::text))
        ), givers AS (
            SELECT array_agg(g.id::text) AS ids FROM desk.groups g WHERE g.definition -> 'permission_sets' ?| ARRAY(SELECT id FROM sets)
        ), roles AS (
            SELECT r.id::text AS id FROM desk.roles r WHERE r.definition -> 'permission_sets' ?| ARRAY(SELECT id FROM sets)
        )
        SELECT u.id, u.name AS called, u.name, u.definition, rights.entries, NULL::uuid[] AS projects
        FROM desk.users u",
    )
    .push(ENTRIES_OF_USER)
    .push(
        " WHERE u.definition @> '{\"kind\": \"staff\", \"enabled\": true}'
            AND (u.definition @> jsonb_build_object('permissions', jsonb_build_array(",
    )
    .push_bind(permission.as_str())
    .push(
        "::text))
                OR u.definition -> 'groups' ?| (SELECT ids FROM givers)
                OR EXISTS (SELECT FROM jsonb_array_elements(u.definition -> 'roles') AS held (role)
                           WHERE held.role ->> 'role' IN (SELECT id FROM roles)))",
    );
    if let Some(After { name, id }) = after {
        sql.push(" AND (u.name, u.id) > (")
            .push_bind(name)
            .push(", ")
            .push_bind(id)
            .push(")");
    }
    sql.push(" ORDER BY u.name, u.id LIMIT ").push_bind(limit);
}

impl Candidate {
    fn holds(self, permission: Permission) -> Result<Option<Holder>, Problem> {
        let Standing::Actor(actor) = self.found.standing(self.id.into())? else {
            return Ok(None);
        };
        let within = actor.within.iter().filter(|(_, given)| given.contains(&permission));
        let within: Vec<Uuid> = within.map(|(group, _)| GroupId::as_uuid(*group)).collect();
        let everywhere = actor.may(permission);
        Ok((everywhere || !within.is_empty()).then_some(Holder {
            id: self.id,
            name: self.called,
            everywhere,
            within,
        }))
    }
}
