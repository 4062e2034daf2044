//! Whether somebody is supported, by what was agreed with them and with their organisation.

use domain::contract::{Support, SupportPeriod, support};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::{Postgres, QueryBuilder};

use crate::moment::Moment;

/// The periods of support of a user and their organisation, each as its first instant and the first after it. Where a statement
/// does not ask for them, there are none.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Periods {
    #[sqlx(default)]
    organisation_support: Option<Vec<Option<jiff_sqlx::Timestamp>>>,
    #[sqlx(default)]
    user_support: Option<Vec<Option<jiff_sqlx::Timestamp>>>,
}

/// Appends both as columns after others: of the organisation and the user that these expressions are, as they were agreed at that moment.
pub(crate) fn push_periods(sql: &mut QueryBuilder<Postgres>, organisation: &str, user: &str, moment: Moment) {
    for (party, id) in [("organisation", organisation), ("user", user)] {
        sql.push(format_args!(
            ", (SELECT ARRAY[c.support_from, c.support_until] FROM desk.contract_versions c
              WHERE c.party = '{party}' AND c.id = {id}"
        ));
        if let Moment::Past(at) = moment {
            sql.push(" AND c.recorded_at <= ").push_bind(at.to_sqlx());
        }
        sql.push(format_args!(" ORDER BY c.version DESC LIMIT 1) AS {party}_support"));
    }
}

impl Periods {
    /// Whether they are supported at an instant.
    pub(crate) fn at(&self, at: Timestamp) -> Support {
        let period = |bounds: &Vec<Option<jiff_sqlx::Timestamp>>| {
            let mut bounds = bounds.iter().map(|bound| bound.map(jiff_sqlx::Timestamp::to_jiff));
            SupportPeriod {
                from: bounds.next().flatten(),
                until: bounds.next().flatten(),
            }
        };
        let agreed = [&self.organisation_support, &self.user_support];
        support(agreed.into_iter().flatten().map(period), at)
    }
}
