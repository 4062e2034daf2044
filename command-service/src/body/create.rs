//! `POST /v1/tickets`.

use domain::catalogue::{Catalogue, Priority, TicketType};
use domain::ids::{TicketNumber, UserId};
use domain::portal::Showing;
use domain::text::{Body, Label, Subject};
use domain::ticket::{Command, Created};
use service_kit::body::{Fields, text, uuid};

use super::properties;

/// The requester and the number are filled in later: they are not in the body.
pub(super) fn create(fields: &mut Fields<'_>, catalogue: &Catalogue, portal: Option<&Showing>) -> Option<Command> {
    let subject = fields.required("subject", text(Subject::parse));
    let description = fields.required("description", text(Body::parse));
    let classified = type_and_priority(fields, catalogue, portal);
    let category = fields.optional("category", text(Label::parse));
    let system = fields.optional("system", text(Label::parse));
    let environment = fields.optional("environment", text(Label::parse));
    let service = fields.optional("service", text(Label::parse));
    let product = fields.optional("product", text(Label::parse));
    let platform_version = fields.optional("platform_version", text(Label::parse));
    let custom_fields = properties::custom_fields(fields);
    let project = fields.optional("project", uuid);
    let (ticket_type, priority) = classified?;
    let created = Created {
        number: TicketNumber(0),
        subject: subject?,
        description: description?,
        ticket_type,
        priority,
        category,
        system,
        environment,
        service,
        product,
        platform_version,
        custom_fields: custom_fields.unwrap_or_default(),
        requester: UserId::from_bytes([0; 16]),
        organisation: None,
    };
    Some(Command::Create(Box::new(created), project.map(Into::into)))
}

fn type_and_priority(
    fields: &mut Fields<'_>,
    catalogue: &Catalogue,
    portal: Option<&Showing>,
) -> Option<(TicketType, Priority)> {
    let known = |code: &str| catalogue.ticket_type_through(portal, code).cloned();
    let entry = fields.required("type", text(known));
    let chosen = fields.optional("priority", properties::priority(catalogue));
    let entry = entry?;
    let priority = match chosen {
        Some(priority) => priority,
        None => catalogue.priority(entry.default_priority.as_str()).ok()?.clone(),
    };
    Some((entry.ticket_type, priority))
}
