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
        // 5.0 is as whole as 5.
        let whole = value.as_f64().filter(|number| number.fract().abs() < f64::EPSILON);
        let number = whole.ok_or(Unreadable::Type("a whole number"))?;
        let is_it = |score: &u8| (f64::from(*score) - number).abs() < f64::EPSILON;
        SCORES.into_iter().find(is_it).ok_or_else(|| {
            let detail = format!("must be from {} to {}", SCORES.start(), SCORES.end());
            Unreadable::Value("invalid", detail)
        })
    });
    let comment = fields.optional("comment", text(Body::parse));
    Some(Command::Rate(Rate { score: score?, comment }))
}
