//! All rows of a selection, from one moment of the database.

use domain::actor::Actor;
use jiff::Timestamp;
use sqlx::{Postgres, QueryBuilder, Transaction};

use super::super::item::{COLUMNS, TicketRow};
use super::super::list::Selection;
use crate::app::App;
use crate::database::{ONE_MOMENT, begin};
use crate::moment::Moment;
use crate::names::Names;

/// How long one statement of an export may take, instead of what lists have: the first batch may
/// need all that the filters leave to be sorted, which for millions of tickets takes a minute.
/// Readers that are slow do not count, because no statement runs while they are waited for.
const STATEMENT_MAX: &str = "120s";

/// A batch: enough that the way to the database does not count, few enough that the longest
/// subjects and names of all of them are some megabytes.
const FETCH: &str = "FETCH FORWARD 1000 FROM tickets_export";

/// Some rows, and what it takes to write them down.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) rows: Vec<TicketRow>,
    pub(super) names: Names,
    /// The instant by which a ticket is overdue, the same for all batches.
    pub(super) now: Timestamp,
}

/// A cursor of the database that has not come to its end. Dropping it gives its connection back.
#[derive(Debug)]
pub(super) struct Reading {
    transaction: Transaction<'static, Postgres>,
    moment: Moment,
}

impl Reading {
    /// Opens a cursor on what `actor` selected.
    pub(super) async fn open(app: &App, selection: &Selection, actor: &Actor) -> Result<Self, sqlx::Error> {
        let mut transaction = begin(&app.db, ONE_MOMENT).await?;
        sqlx::query("SELECT set_config('statement_timeout', $1, true)")
            .bind(STATEMENT_MAX)
            .execute(&mut *transaction)
            .await?;
        let mut sql = QueryBuilder::new("DECLARE tickets_export NO SCROLL CURSOR FOR SELECT ");
        sql.push(COLUMNS);
        selection.push_conditions(&mut sql, actor);
        selection.walk().push_order(&mut sql);
        // Neither statement may be kept by the connection: what they mean depends on the other.
        sql.build().persistent(false).execute(&mut *transaction).await?;
        Ok(Self {
            transaction,
            moment: selection.moment,
        })
    }

    /// The next rows; none, if that was all.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>, sqlx::Error> {
        let rows: Vec<TicketRow> = sqlx::query_as(FETCH)
            .persistent(false)
            .fetch_all(&mut *self.transaction)
            .await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let ids = rows.iter().flat_map(TicketRow::ids).collect();
        let names = Names::at(&mut *self.transaction, ids, self.moment).await?;
        let now = self.moment.at();
        Ok(Some(Batch { rows, names, now }))
    }
}
