//! The instant that a question is about: the present, or one that is past.
//!
//! Every row of `desk.ticket_history` says since when it holds and until when. At an instant exactly one row
//! of a ticket holds, so that a list of the past is the list of the present, from another table.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use sqlx::{Postgres, QueryBuilder};

use crate::params::{Params, time};

/// What happened was recorded afterwards, but for the difference between the clocks of those who wrote: by far
/// less than this. Of a past moment it follows that tickets created or changed much later were not there, and
/// lists by those times need not pass them.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(1);

/// When tickets are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// As they stand. What is due is compared with this instant.
    Present(Timestamp),
    /// As they stood, by what was recorded until then.
    Past(Timestamp),
}

impl Moment {
    /// Takes `as_of` out of the parameters of a request that came `now`.
    pub(crate) fn read(params: &mut Params, now: Timestamp) -> Self {
        let not_ahead = |text: &str| match time(text)? {
            at if at > now => Err(format!("must not be in the future; by this desk's clock it is {now}")),
            at => Ok(at),
        };
        params.one("as_of", not_ahead).map_or(Self::Present(now), Self::Past)
    }

    /// The instant itself.
    pub(crate) const fn at(self) -> Timestamp {
        match self {
            Self::Present(at) | Self::Past(at) => at,
        }
    }

    /// Appends the tickets `t` that may have been there.
    pub(crate) fn push_from(self, sql: &mut QueryBuilder<Postgres>) {
        sql.push(match self {
            Self::Present(_) => " FROM desk.tickets t",
            Self::Past(_) => " FROM desk.ticket_history t",
        });
    }

    /// The latest that a ticket of a past moment can have been created or changed, by the clock of whoever did.
    pub(crate) fn latest(self) -> Option<Timestamp> {
        match self {
            Self::Present(_) => None,
            Self::Past(at) => Some(at.saturating_add(CLOCKS_APART).unwrap_or(at)),
        }
    }

    /// Appends the condition that the row `t` held then.
    pub(crate) fn push_held(self, sql: &mut QueryBuilder<Postgres>) {
        if let (Self::Past(at), Some(latest)) = (self, self.latest()) {
            for column in ["t.created_at", "t.updated_at"] {
                sql.push(format_args!(" AND {column} <= ")).push_bind(latest.to_sqlx());
            }
            sql.push(" AND t.recorded_at <= ")
                .push_bind(at.to_sqlx())
                .push(" AND t.valid_to > ")
                .push_bind(at.to_sqlx());
        }
    }
}
