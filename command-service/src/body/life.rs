//! Commands that end a ticket's life, or begin it again.

use std::ops::RangeInclusive;

use domain::text::Body;
use domain::ticket::{Close, Command, ProposeClosure, Rate, Reopen};

use super::fields::{Fields, Unreadable, text};

/// What a rating may be.
pub(crate) const SCORES: RangeInclusive<u8> = 1..=5;

pub(super) fn propose_closure(fields: &mut Fields<'_>) -> Option<Command> {
    let solution = fields.required("solution", text(Body::parse))?;
    Some(Command::ProposeClosure(ProposeClosure { solution }))
}

pub(super) fn close(fields: &mut Fields<'_>) -> Command {
    Command::Close(Close {
        comment: fields.optional("comment", text(Body::parse)),
        reason: fields.optional("reason", text(Body::parse)),
    })
}

pub(super) fn reopen(fields: &mut Fields<'_>) -> Option<Command> {
    let comment = fields.required("comment", text(Body::parse))?;
    Some(Command::Reopen(Reopen { comment }))
}

pub(super) fn rate(fields: &mut Fields<'_>) -> Option<Command> {
    let score = fields.required("score", |value| {
        let score = value.as_i64().ok_or(Unreadable::Type("a whole number"))?;
        u8::try_from(score)
            .ok()
            .filter(|score| SCORES.contains(score))
            .ok_or_else(|| {
                Unreadable::Value(
                    "invalid",
                    format!("must be from {} to {}", SCORES.start(), SCORES.end()),
                )
            })
    });
    let comment = fields.optional("comment", text(Body::parse));
    Some(Command::Rate(Rate { score: score?, comment }))
}
