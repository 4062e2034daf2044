//! One command, from its JSON to its outcome. Single requests and lines of a bulk request
//! come here alike.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::actor::{Actor, ActorKind, Permission};
use domain::catalogue::Item;
use domain::directory::EntryKind;
use domain::ids::{CalendarId, CommandId, PolicyId, ProjectId, Revision, TicketId, UserId};
use domain::ticket::{Command, CommandName, Created};
use event_log::{Outcome, Request};
use serde_json::{Map, Value};
use service_kit::problem::{FieldError, Problem, types};
use uuid::Uuid;

use crate::app::App;
use crate::body::{self, Given, OnBehalfOf};
use crate::problem;

/// Names of the ids that are derived from callers' keys. Fixed: derived ids are stored.
const COMMAND_IDS: Uuid = Uuid::from_u128(0x8f1d_62d4_6f0e_4c63_9a54_1d0b_2f7a_90c1);
const TICKET_IDS: Uuid = Uuid::from_u128(0x2b9c_4a0e_3d57_4f86_b1e8_77c0_5e6d_13a2);

const CALENDAR_IDS: Uuid = Uuid::from_u128(0x6c1e_8d52_07b4_4a19_9f3e_c25a_b0d7_4e66);
const ENTRY_IDS: Uuid = Uuid::from_u128(0x91d6_2c5e_47a8_4b0b_b3f2_6e8c_1d95_7a04);
const ITEM_IDS: Uuid = Uuid::from_u128(0x5a20_c7f1_9e34_4d68_8b17_43d2_a9e6_0c5f);
const POLICY_IDS: Uuid = Uuid::from_u128(0xd14b_70e9_3c85_4f2a_8a6d_5b91_e07c_2f38);

/// A command as its caller sent it.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) name: CommandName,
    pub(crate) ticket: TicketId,
    pub(crate) key: Option<String>,
    pub(crate) if_match: Option<Revision>,
    pub(crate) traceparent: Option<String>,
    pub(crate) origin: Option<Uuid>,
    pub(crate) body: Map<String, Value>,
}

/// The ticket that a caller's creation with this key makes. The same key makes the same
/// ticket, so that creating is repeatable without looking anything up.
pub(crate) fn created_ticket(caller: UserId, key: Option<&str>) -> TicketId {
    key.map_or_else(Uuid::new_v4, |key| derived(TICKET_IDS, caller, key))
        .into()
}

pub(crate) fn command_id(caller: UserId, key: Option<&str>) -> CommandId {
    key.map_or_else(Uuid::new_v4, |key| derived(COMMAND_IDS, caller, key))
        .into()
}

/// The calendar that a caller's creation with this key makes.
pub(crate) fn created_calendar(caller: UserId, key: Option<&str>) -> CalendarId {
    key.map_or_else(Uuid::new_v4, |key| derived(CALENDAR_IDS, caller, key))
        .into()
}

/// The entry of the directory that a caller's creation with this key makes.
pub(crate) fn created_entry(kind: EntryKind, caller: UserId, key: Option<&str>) -> Uuid {
    key.map_or_else(Uuid::new_v4, |key| {
        derived(ENTRY_IDS, caller, &format!("{}:{key}", kind.as_str()))
    })
}

/// The item of the catalogue that this one says something of: its code or name alone tells which, so that there are no two.
/// `None`: it tells nothing, because it may change.
pub(crate) fn identified(item: &Item) -> Option<Uuid> {
    let (_, identity) = item.identity()?;
    let name = format!("{}:{identity}", item.kind().as_str());
    Some(Uuid::new_v5(&ITEM_IDS, name.as_bytes()))
}

/// The policy that a caller's creation with this key makes.
pub(crate) fn created_policy(caller: UserId, key: Option<&str>) -> PolicyId {
    key.map_or_else(Uuid::new_v4, |key| derived(POLICY_IDS, caller, key))
        .into()
}

fn derived(namespace: Uuid, caller: UserId, key: &str) -> Uuid {
    let name: Vec<u8> = [&caller.to_bytes(), key.as_bytes()].concat();
    Uuid::new_v5(&namespace, &name)
}

impl App {
    /// Carries a command out for its caller.
    pub(crate) async fn carry_out(&self, caller: &Arc<Actor>, sent: Sent) -> Result<Outcome, Problem> {
        let digest = body::digest(sent.name.as_str(), &sent.body);
        let given = body::read(sent.name, &sent.body, &self.books.catalogue(), caller.portal.as_deref())?;
        check_permissions(caller, sent.name, &given)?;
        for (kind, id, name) in &given.mentions {
            // In a box, because it is rare and its future large, and that of every command would be.
            Box::pin(self.directory.name(*kind, *id, name, caller))
                .await
                .map_err(|error| problem::of_directory(&error))?;
        }
        let Given {
            mut command,
            on_behalf_of,
            occurred_at,
            honour_deadlines,
            ..
        } = given;
        let mut project = None;
        if let Command::Create(create, within) = &mut command {
            self.name_requester(create, caller, on_behalf_of.as_ref())?;
            project = *within;
        }
        let (actor, via) = match on_behalf_of.filter(|_| speaks_for_others(caller)) {
            Some(mut person) => {
                // Whoever has a profile belongs to the organisation that it says, if the importer says nothing else.
                let profile = self.books.people().user(person.id);
                person.organisation = person.organisation.or(profile.and_then(|profile| profile.organisation));
                (Arc::new(acting(&person, sent.name, project)), Some(caller.user))
            }
            None => (Arc::clone(caller), None),
        };
        let request = Request {
            command_id: command_id(caller.user, sent.key.as_deref()),
            digest,
            actor,
            via,
            occurred_at,
            honour_deadlines,
            if_match: sent.if_match,
            origin: sent.origin,
            traceparent: sent.traceparent,
        };
        let outcome = self.tickets.execute(sent.ticket, &command, &request).await;
        outcome.map_err(|error| problem::of_execution(&error, &request.actor))
    }

    /// Says whose wish it is, and of which organisation they are: what their profile says, where they have one. Importers may
    /// say otherwise, because history may.
    fn name_requester(
        &self,
        create: &mut Created,
        caller: &Actor,
        on_behalf_of: Option<&OnBehalfOf>,
    ) -> Result<(), Problem> {
        let Some(person) = on_behalf_of else {
            (create.requester, create.organisation) = (caller.user, caller.organisation);
            return Ok(());
        };
        let profile = self.books.people().user(person.id);
        let theirs = profile.as_ref().map(|profile| profile.organisation);
        create.requester = person.id;
        create.organisation = person.organisation.or(theirs.flatten());
        if speaks_for_others(caller) || theirs.is_none_or(|theirs| theirs == create.organisation) {
            return Ok(());
        }
        let detail = "is not the one that their profile says; leave it out";
        Err(Problem::new(&types::INVALID_FIELDS)
            .detail("Somebody who has a profile belongs to the organisation that it says.")
            .field(FieldError::new("/on_behalf_of/organisation", "invalid", detail)))
    }
}

/// The person in whose name an importer acts. What the importer does not say about them
/// follows from the command.
fn acting(person: &OnBehalfOf, command: CommandName, project: Option<ProjectId>) -> Actor {
    let usual = match command {
        CommandName::Create | CommandName::ProvideInfo | CommandName::Rate => ActorKind::Customer,
        _ => ActorKind::Staff,
    };
    Actor {
        name: person.name.clone(),
        organisation: person.organisation,
        // History is imported as it happened: whoever closed a ticket then, or opened it in a project, could.
        permissions: BTreeSet::from([Permission::CloseAny]),
        projects: project.into_iter().collect(),
        ..Actor::plain(person.id, person.kind.unwrap_or(usual))
    }
}

/// Whether somebody gives commands as anybody, who may see any ticket. Staff who see some tickets alone would see all by that.
fn speaks_for_others(caller: &Actor) -> bool {
    caller.may(Permission::Import) && caller.sees_everything()
}

/// Which fields this caller may not use. All of them at once.
fn check_permissions(caller: &Actor, command: CommandName, given: &Given) -> Result<(), Problem> {
    let importer = caller.may(Permission::Import);
    let staff = caller.kind == ActorKind::Staff;
    let create = command == CommandName::Create;
    let mut errors = Vec::new();
    let mut forbid = |used: bool, pointer: &str, who: &str| {
        if used {
            errors.push(FieldError::new(
                pointer,
                "not_permitted",
                format!("only {who} may use this field"),
            ));
        }
    };
    let importers = "callers with the permission import";
    forbid(given.occurred_at.is_some() && !importer, "/occurred_at", importers);
    forbid(given.honour_deadlines && !importer, "/honour_deadlines", importers);
    if create {
        forbid(
            given.on_behalf_of.is_some() && !importer && !staff,
            "/on_behalf_of",
            "staff",
        );
    } else {
        forbid(
            given.on_behalf_of.is_some() && !speaks_for_others(caller),
            "/on_behalf_of",
            "callers with the permission import who see every ticket",
        );
    }
    forbid(
        !given.mentions.is_empty() && !importer && !staff,
        "",
        "staff (with a name beside an id; send the id alone)",
    );
    if errors.is_empty() {
        return Ok(());
    }
    Err(Problem::new(&types::NOT_PERMITTED)
        .detail("Some fields are not for this caller. Leave them out.")
        .fields(errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_makes_the_same_ticket_for_the_same_caller_alone() {
        let (one, other) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        assert_eq!(created_ticket(one, Some("a")), created_ticket(one, Some("a")));
        assert_ne!(created_ticket(one, Some("a")), created_ticket(other, Some("a")));
        assert_ne!(created_ticket(one, Some("a")), created_ticket(one, Some("b")));
        assert_ne!(created_ticket(one, None), created_ticket(one, None));
    }
}
