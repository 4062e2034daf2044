//! Any version of a policy, also one that no rule would let pass: bytes know no rules.

use domain::directory;
use domain::policy::WaitLength;
use domain::sla::stored::{Change, Revised, Version};
use domain::sla::{BreachAction, Delivery, Notified, Scope, Target, TargetKind};
use domain::ticket::Status;
use jiff::SignedDuration;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::arbitrary::{code, group, label, organisation, uuid};

fn allowed() -> impl Strategy<Value = WaitLength> {
    (any::<bool>(), any::<i64>()).prop_map(|(working, micros)| {
        let length = SignedDuration::from_micros(micros);
        if working {
            WaitLength::Working(length)
        } else {
            WaitLength::Elapsed(length)
        }
    })
}

fn action() -> impl Strategy<Value = BreachAction> {
    let notify = (select(&Notified::ALL[..]), select(&Delivery::ALL[..]));
    prop_oneof![
        code().prop_map(BreachAction::RaisePriority),
        group().prop_map(BreachAction::Reassign),
        notify.prop_map(|(whom, delivery)| BreachAction::Notify(whom, delivery)),
    ]
}

fn target() -> impl Strategy<Value = Target> {
    let paused_in = btree_set(select(&Status::ALL[..]), 0..8);
    (allowed(), paused_in, option::of(any::<u8>()), vec(action(), 0..4)).prop_map(
        |(within, paused_in, warn_percent, on_breach)| Target {
            within,
            paused_in,
            warn_percent,
            on_breach,
        },
    )
}

fn scope() -> impl Strategy<Value = Scope> {
    let codes = (option::of(code()), option::of(code()));
    (option::of(organisation()), option::of(label()), codes).prop_map(
        |(organisation, service, (ticket_type, priority))| Scope {
            organisation,
            service,
            ticket_type,
            priority,
        },
    )
}

pub(crate) fn policy() -> impl Strategy<Value = directory::Event> {
    let change = select(&[Change::Created, Change::Changed][..]);
    let targets = btree_map(select(&TargetKind::ALL[..]), target(), 0..4);
    let waits = (option::of(allowed()), option::of(allowed()));
    let flags = (any::<bool>(), any::<bool>());
    let ids = (uuid(), any::<u32>(), option::of(uuid()));
    (change, ids, label(), scope(), targets, waits, flags).prop_map(
        |(change, (policy, number, calendar), name, scope, targets, (information, closure), (in_force, resumes))| {
            directory::Event::Policy(Box::new(Revised {
                change,
                policy: policy.into(),
                number,
                version: Version {
                    name,
                    in_force,
                    scope,
                    calendar: calendar.map(Into::into),
                    targets,
                    information,
                    closure,
                    reply_resumes: resumes,
                },
            }))
        },
    )
}
