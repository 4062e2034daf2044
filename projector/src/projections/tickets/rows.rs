//! The rows that the projection `tickets` writes.

use jiff_sqlx::{Date, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use crate::table::table;

table! {
    /// A ticket as it stands.
    #[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
    TicketRow in "desk_1.tickets" key (id) if_present Replace {
        id: Uuid,
        partition: i32,
        sequence: i64,
        revision: i64,
        number: i64,
        subject: String,
        description: String,
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
        platform_version: Option<String>,
        custom_fields: Value,
        requester_id: Uuid,
        organisation_id: Option<Uuid>,
        group_id: Option<Uuid>,
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
        closed_at: Option<Timestamp>,
    }
}

table! {
    /// An event.
    #[derive(Debug, Clone, PartialEq)]
    TimelineRow in "desk_1.timeline" key (ticket_id, revision, place) if_present Refuse {
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
    }
}

table! {
    /// A wait that runs.
    #[derive(Debug, Clone, PartialEq)]
    TimerRow in "desk_1.ticket_timers" key (ticket_id) if_present Replace {
        ticket_id: Uuid,
        kind: &'static str,
        number: i32,
        due_at: Timestamp,
    }
}

table! {
    /// A change of a counter.
    #[derive(Debug, Clone, PartialEq)]
    CounterRow in "desk_1.counters" key (dimension, value, partition) if_present Add {
        dimension: &'static str,
        value: String,
        partition: i32,
        total: i64,
        open: i64,
    }
}

table! {
    /// A change of a day's counts.
    #[derive(Debug, Clone, PartialEq)]
    DayRow in "desk_1.daily" key (day, partition) if_present Add {
        day: Date,
        partition: i32,
        created: i64,
        closed: i64,
    }
}
