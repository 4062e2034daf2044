//! Bodies of commands: JSON to domain commands, with everything that is wrong told at once.

mod create;
mod digest;
mod life;
mod person;
mod properties;
mod work;

use domain::Timestamp;
use domain::catalogue::Catalogue;
use domain::directory::EntryKind;
use domain::portal::Showing;
use domain::text::Label;
use domain::ticket::{Command, CommandName};
use serde_json::{Map, Value};
use service_kit::Problem;
use service_kit::body::{Fields, instant};
use uuid::Uuid;

pub(crate) use digest::digest;
pub(crate) use life::SCORES;
pub(crate) use person::OnBehalfOf;
pub(crate) use properties::{ASSIGNED, CLASSIFIED, CUSTOM_FIELDS_MAX, EDITED};

/// What a body says.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) command: Command,
    /// Names that stood beside ids.
    pub(crate) mentions: Vec<(EntryKind, Uuid, Label)>,
    pub(crate) on_behalf_of: Option<OnBehalfOf>,
    pub(crate) occurred_at: Option<Timestamp>,
    pub(crate) honour_deadlines: bool,
}

/// Reads the body of a command, of whoever comes through this portal.
pub(crate) fn read(
    name: CommandName,
    body: &Map<String, Value>,
    catalogue: &Catalogue,
    portal: Option<&Showing>,
) -> Result<Given, Problem> {
    let mut fields = Fields::new(body);
    let on_behalf_of = person::on_behalf_of(&mut fields);
    let occurred_at = fields.optional("occurred_at", instant);
    let honour_deadlines = fields.flag("honour_deadlines");
    let command = command(name, &mut fields, catalogue, portal);
    let mentions = fields.finish()?;
    // A command that could not be made has left an error behind, so that `finish` failed.
    let command = command.ok_or_else(Problem::internal)?;
    Ok(Given {
        command,
        mentions,
        on_behalf_of,
        occurred_at,
        honour_deadlines: honour_deadlines.unwrap_or(false),
    })
}

fn command(
    name: CommandName,
    fields: &mut Fields<'_>,
    catalogue: &Catalogue,
    portal: Option<&Showing>,
) -> Option<Command> {
    match name {
        CommandName::Create => create::create(fields, catalogue, portal),
        CommandName::Accept => Some(work::accept(fields)),
        CommandName::RequestInfo => work::request_info(fields),
        CommandName::ProvideInfo => work::provide_info(fields),
        CommandName::AwaitFix => Some(Command::AwaitFix(work::awaited(fields))),
        CommandName::AwaitImplementation => Some(Command::AwaitImplementation(work::awaited(fields))),
        CommandName::Resume => Some(work::resume(fields)),
        CommandName::Comment => work::comment(fields),
        CommandName::Follow => Some(Command::Follow(work::follower(fields))),
        CommandName::Unfollow => Some(Command::Unfollow(work::follower(fields))),
        CommandName::ProposeClosure => life::propose_closure(fields),
        CommandName::Close => Some(life::close(fields)),
        CommandName::Reopen => life::reopen(fields),
        CommandName::Rate => life::rate(fields),
        CommandName::Classify => Some(properties::classify(fields, catalogue, portal)),
        CommandName::Assign => Some(properties::assign(fields)),
        CommandName::Edit => Some(properties::edit(fields)),
        // The scheduler's commands have no route, and tickets are not re-evaluated one by one.
        CommandName::ExpireInformationWait
        | CommandName::ExpireClosureWait
        | CommandName::FireTimer
        | CommandName::ReEvaluate => None,
    }
}
