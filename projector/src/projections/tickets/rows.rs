//! The rows that the projection `tickets` writes.

use jiff_sqlx::{Date, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use crate::table::{Column as _, ColumnSpec, Greatest, IfPresent, Least, Statement, Table, table};

table! {
    /// A ticket as it stands.
    #[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
    TicketRow in "tickets" key (id) if_present Replace {
        id: Uuid,
        partition: i32,
        sequence: i64,
        revision: i64,
        number: i64,
        subject: String,
        description_revision: i64,
        edited: bool,
        status: String,
        status_rank: i16,
        ticket_type: String,
        awaits: Option<String>,
        priority: String,
        priority_rank: i16,
        category: Option<String>,
        system: Option<String>,
        environment: Option<String>,
        service: Option<String>,
        product: Option<String>,
        platform_version: Option<String>,
        custom_fields: Value,
        requester_id: Uuid,
        organisation_id: Option<Uuid>,
        group_id: Option<Uuid>,
        project_id: Option<Uuid>,
        assignee_id: Option<Uuid>,
        followers: Vec<Uuid>,
        wait_kind: Option<String>,
        wait_number: Option<i32>,
        wait_policy: Option<String>,
        due_at: Option<Timestamp>,
        waits: i32,
        rating: Option<i16>,
        created_at: Timestamp,
        updated_at: Timestamp,
        first_response_at: Option<Timestamp>,
        closed_at: Option<Timestamp>,
        recorded_at: Timestamp,
    }
}

/// What a ticket was until the next record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VersionRow {
    pub(crate) row: TicketRow,
    pub(crate) valid_to: Timestamp,
}

impl Table for VersionRow {
    const NAME: &'static str = "ticket_versions";
    const KEY: &'static [&'static str] = &["id", "revision"];
    const IF_PRESENT: IfPresent = IfPresent::Refuse;

    fn columns() -> Vec<ColumnSpec> {
        let mut columns = TicketRow::columns();
        columns.push(ColumnSpec::of::<Timestamp>("valid_to"));
        columns
    }

    fn bind<'r>(statement: Statement, rows: impl Iterator<Item = &'r Self> + Clone) -> Statement {
        let statement = TicketRow::bind(statement, rows.clone().map(|version| &version.row));
        statement.bind(rows.map(|version| version.valid_to).collect::<Vec<_>>())
    }

    fn copy(&self, tuple: &mut Vec<u8>) {
        self.row.copy(tuple);
        self.valid_to.copy(tuple);
    }
}

table! {
    /// A description, by the record that wrote it.
    #[derive(Debug, Clone, PartialEq)]
    DescriptionRow in "descriptions" key (ticket_id, revision) if_present Refuse {
        ticket_id: Uuid,
        revision: i64,
        partition: i32,
        description: String,
    }
}

table! {
    /// An event.
    #[derive(Debug, Clone, PartialEq)]
    TimelineRow in "timeline" key (ticket_id, revision, place) if_present Refuse {
        ticket_id: Uuid,
        revision: i64,
        place: i32,
        partition: i32,
        sequence: i64,
        event: &'static str,
        status: &'static str,
        actor_id: Uuid,
        actor_kind: &'static str,
        via_id: Option<Uuid>,
        occurred_at: Timestamp,
        recorded_at: Timestamp,
        visibility: &'static str,
        details: Value,
        origin_id: Option<Uuid>,
    }
}

table! {
    /// A wait that runs.
    #[derive(Debug, Clone, PartialEq)]
    TimerRow in "ticket_timers" key (ticket_id) if_present Replace {
        ticket_id: Uuid,
        partition: i32,
        kind: &'static str,
        number: i32,
        due_at: Timestamp,
    }
}

table! {
    /// A promised time.
    #[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
    ClockRow in "ticket_clocks" key (ticket_id, target, number) if_present Replace {
        ticket_id: Uuid,
        partition: i32,
        target: String,
        number: i32,
        policy: String,
        policy_version: i64,
        calendar: String,
        calendar_version: i64,
        counts: String,
        within_micros: i64,
        started_at: Timestamp,
        started_by: i64,
        paused_in: Option<String>,
        paused_at: Option<Timestamp>,
        paused_by: Option<i64>,
        warn_at: Option<Timestamp>,
        due_at: Option<Timestamp>,
        warned_at: Option<Timestamp>,
        breached_at: Option<Timestamp>,
        ended_at: Option<Timestamp>,
        ended_by: Option<i64>,
        cancelled: Option<String>,
        wakes: Option<String>,
        wakes_at: Option<Timestamp>,
    }
}

table! {
    /// A change of a counter.
    #[derive(Debug, Clone, PartialEq)]
    CounterRow in "counters" key (dimension, value, partition) if_present Add {
        dimension: &'static str,
        value: String,
        partition: i32,
        total: i64,
        open: i64,
    }
}

table! {
    /// A change of a day's counts, and the numbers of the tickets created on it.
    #[derive(Debug, Clone, PartialEq)]
    DayRow in "daily" key (day, partition) if_present Add {
        day: Date,
        partition: i32,
        created: i64,
        closed: i64,
        first_number: Least,
        last_number: Greatest,
    }
}

table! {
    /// A change of a day's ratings.
    #[derive(Debug, Clone, PartialEq)]
    RatingsRow in "daily_ratings" key (day, score, partition) if_present Add {
        day: Date,
        score: i16,
        partition: i32,
        total: i64,
    }
}

table! {
    /// How long something took.
    #[derive(Debug, Clone, PartialEq)]
    MeasureRow in "measures" key (ticket_id, revision, place, kind) if_present Refuse {
        ticket_id: Uuid,
        revision: i64,
        place: i32,
        partition: i32,
        kind: &'static str,
        occurred_at: Timestamp,
        micros: i64,
        working_micros: i64,
        bucket: i16,
        working_bucket: i16,
    }
}

table! {
    /// How many measures of a day or a month fall into each bucket.
    #[derive(Debug, Clone, PartialEq)]
    MeasureCountRow in "measure_counts" key (kind, clock, span, starts, partition) if_present Replace {
        kind: &'static str,
        clock: &'static str,
        span: &'static str,
        starts: Date,
        partition: i32,
        totals: Vec<i32>,
    }
}
