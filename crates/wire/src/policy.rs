//! Stored form of a policy's versions.

use domain::ids::{CalendarId, OrganisationId, PolicyId};
use domain::sla::stored::{Change, Revised, Version};
use domain::sla::{BreachAction, Delivery, Scope, Target, TargetKind};
use domain::text::{Code, Label};
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::payload::{KindVersion, exact};
use crate::promise::{
    LengthV1, read_length, read_status, read_target, read_whom, stored_length, stored_status, stored_target,
    stored_whom,
};
use crate::value;

pub(crate) const CREATED_V1: KindVersion = KindVersion { kind: 1011, version: 1 };
pub(crate) const CHANGED_V1: KindVersion = KindVersion { kind: 1012, version: 1 };

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct RevisedV1<'b> {
    policy: [u8; 16],
    number: u32,
    name: &'b str,
    in_force: bool,
    organisation: Option<[u8; 16]>,
    service: Option<&'b str>,
    ticket_type: Option<&'b str>,
    priority: Option<&'b str>,
    calendar: Option<[u8; 16]>,
    #[serde(borrow)]
    targets: Vec<TargetV1<'b>>,
    information: Option<LengthV1>,
    closure: Option<LengthV1>,
    reply_resumes: bool,
}

/// FROZEN. `kind`: 1 first response, 2 next response, 3 resolution. Statuses go from 1 for new to
/// 8 for reopened.
#[derive(Serialize, Deserialize)]
struct TargetV1<'b> {
    kind: u8,
    within: LengthV1,
    paused_in: Vec<u8>,
    warn_percent: Option<u8>,
    #[serde(borrow)]
    on_breach: Vec<ActionV1<'b>>,
}

/// FROZEN. `whom`: 1 the assignee, 2 the group, 3 the followers. `delivery`: 1 at once, 2 in
/// working hours.
#[derive(Serialize, Deserialize)]
enum ActionV1<'b> {
    RaisePriority(&'b str),
    Reassign([u8; 16]),
    Notify { whom: u8, delivery: u8 },
}

pub(crate) const fn kind(revised: &Revised) -> KindVersion {
    match revised.change {
        Change::Created => CREATED_V1,
        Change::Changed => CHANGED_V1,
    }
}

pub(crate) fn encode(revised: &Revised) -> Result<Vec<u8>, postcard::Error> {
    let version = &revised.version;
    let scope = &version.scope;
    postcard::to_stdvec(&RevisedV1 {
        policy: revised.policy.to_bytes(),
        number: revised.number,
        name: version.name.as_str(),
        in_force: version.in_force,
        organisation: scope.organisation.map(OrganisationId::to_bytes),
        service: scope.service.as_ref().map(Label::as_str),
        ticket_type: scope.ticket_type.as_ref().map(Code::as_str),
        priority: scope.priority.as_ref().map(Code::as_str),
        calendar: version.calendar.map(CalendarId::to_bytes),
        targets: version
            .targets
            .iter()
            .map(|(kind, target)| stored(*kind, target))
            .collect(),
        information: version.information.map(stored_length),
        closure: version.closure.map(stored_length),
        reply_resumes: version.reply_resumes,
    })
}

/// `None`: the kind is none of a policy's.
pub(crate) fn decode(kind: KindVersion, bytes: &[u8]) -> Option<Result<Revised, DecodeError>> {
    let change = match kind {
        CREATED_V1 => Change::Created,
        CHANGED_V1 => Change::Changed,
        _ => return None,
    };
    Some(exact(bytes).and_then(|stored| read(change, stored)))
}

fn stored(kind: TargetKind, target: &Target) -> TargetV1<'_> {
    TargetV1 {
        kind: stored_target(kind),
        within: stored_length(target.within),
        paused_in: target.paused_in.iter().map(|status| stored_status(*status)).collect(),
        warn_percent: target.warn_percent,
        on_breach: target.on_breach.iter().map(stored_action).collect(),
    }
}

fn stored_action(action: &BreachAction) -> ActionV1<'_> {
    match action {
        BreachAction::RaisePriority(code) => ActionV1::RaisePriority(code.as_str()),
        BreachAction::Reassign(group) => ActionV1::Reassign(group.to_bytes()),
        BreachAction::Notify(whom, delivery) => ActionV1::Notify {
            whom: stored_whom(*whom),
            delivery: match delivery {
                Delivery::AtOnce => 1,
                Delivery::WorkingHours => 2,
            },
        },
    }
}

fn read(change: Change, stored: RevisedV1<'_>) -> Result<Revised, DecodeError> {
    let length = |stored: Option<LengthV1>| stored.as_ref().map(read_length).transpose();
    Ok(Revised {
        change,
        policy: PolicyId::from_bytes(stored.policy),
        number: stored.number,
        version: Version {
            name: value::label(stored.name)?,
            in_force: stored.in_force,
            scope: Scope {
                organisation: stored.organisation.map(value::organisation),
                service: value::optional_label(stored.service)?,
                ticket_type: stored.ticket_type.map(Code::new),
                priority: stored.priority.map(Code::new),
            },
            calendar: stored.calendar.map(CalendarId::from_bytes),
            targets: stored
                .targets
                .into_iter()
                .map(read_promise)
                .collect::<Result<_, DecodeError>>()?,
            information: length(stored.information)?,
            closure: length(stored.closure)?,
            reply_resumes: stored.reply_resumes,
        },
    })
}

fn read_promise(stored: TargetV1<'_>) -> Result<(TargetKind, Target), DecodeError> {
    let statuses = stored.paused_in.into_iter().map(read_status);
    let target = Target {
        within: read_length(&stored.within)?,
        paused_in: statuses.collect::<Result<_, DecodeError>>()?,
        warn_percent: stored.warn_percent,
        on_breach: stored
            .on_breach
            .iter()
            .map(read_action)
            .collect::<Result<_, DecodeError>>()?,
    };
    Ok((read_target(stored.kind)?, target))
}

fn read_action(stored: &ActionV1<'_>) -> Result<BreachAction, DecodeError> {
    Ok(match *stored {
        ActionV1::RaisePriority(code) => BreachAction::RaisePriority(Code::new(code)),
        ActionV1::Reassign(group) => BreachAction::Reassign(value::group(group)),
        ActionV1::Notify { whom, delivery } => BreachAction::Notify(
            read_whom(whom)?,
            match delivery {
                1 => Delivery::AtOnce,
                2 => Delivery::WorkingHours,
                _ => return Err(DecodeError::Value { field: "delivery" }),
            },
        ),
    })
}
