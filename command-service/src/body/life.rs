//! Commands that end a ticket's life, or begin it again.

use std::ops::RangeInclusive;

use domain::text::Body;
use domain::ticket::{Close, Command, ProposeClosure, Rate, Reopen};
use service_kit::body::{Fields, Unreadable, few, text};

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
        let score = Some(few(value)?).filter(|score| SCORES.contains(score));
        score.ok_or_else(|| {
            let detail = format!("must be from {} to {}", SCORES.start(), SCORES.end());
            Unreadable::Value("invalid", detail)
        })
    });
    let comment = fields.optional("comment", text(Body::parse));
    Some(Command::Rate(Rate { score: score?, comment }))
}
