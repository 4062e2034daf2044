//! Reading a stretch of the feed.

use domain::actor::Actor;
use serde_json::Value;
use service_kit::Problem;
use sqlx::postgres::{PgPool, PgRow};
use sqlx::types::Json;
use sqlx::{FromRow as _, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::vector::{Mark, Vector};
use crate::access::push_visible;
use crate::database::{problem, unavailable};
use crate::portal;
use crate::positions::{CheckpointRow, Reached};

/// How far ahead of a reader one statement looks, in records of each partition. Who sees little of
/// what happened must not have a statement search all of it.
const AHEAD_MAX: i64 = 20_000;

/// How many such stretches are searched in one go until something is found. The reader who still has
/// nothing is told how far it got, and goes on from there.
const STRETCHES_MAX: u32 = 8;

/// What a reader wants of the feed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Names of events; all, if there are none.
    pub(crate) events: Vec<&'static str>,
    /// Of one ticket alone.
    pub(crate) ticket: Option<OfTicket>,
}

/// A ticket by its id or its number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OfTicket {
    Id(Uuid),
    Number(i64),
}

/// How much is read at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amount {
    /// The most events.
    pub(crate) events: u16,
    /// Details beyond this are left for the next time. The first event is read whatever its size.
    pub(crate) bytes: i64,
}

/// An event as the read model has it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct EventRow {
    pub(crate) partition: i32,
    pub(crate) sequence: i64,
    pub(crate) place: i32,
    pub(crate) ticket_id: Uuid,
    pub(crate) number: i64,
    pub(crate) revision: i64,
    pub(crate) event: String,
    pub(crate) status: String,
    pub(crate) actor_id: Uuid,
    pub(crate) actor_kind: String,
    pub(crate) via_id: Option<Uuid>,
    pub(crate) occurred_at: jiff_sqlx::Timestamp,
    pub(crate) recorded_at: jiff_sqlx::Timestamp,
    pub(crate) details: Value,
    /// Whether the next event is of the same record.
    unfinished: bool,
}

impl EventRow {
    pub(crate) fn partition(&self) -> u16 {
        self.partition.try_into().unwrap_or_default()
    }

    /// Where a reader stands who has got the event.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            sequence: self.sequence,
            place: self.unfinished.then_some(self.place),
        }
    }
}

/// A stretch of the feed.
#[derive(Debug)]
pub(crate) struct Stretch {
    /// Its events, in order.
    pub(crate) rows: Vec<EventRow>,
    /// Where a reader stands who has got them all.
    pub(crate) end: Vector,
    /// Whether more is there already.
    pub(crate) more: bool,
    /// What the read model held.
    pub(crate) reached: Reached,
}

/// Reads what comes after `after`, as far as `actor` may see it. Without events only if there are
/// none, or none within [`STRETCHES_MAX`].
pub(crate) async fn read(
    db: &PgPool,
    actor: &Actor,
    wanted: &Wanted,
    after: &Vector,
    amount: Amount,
) -> Result<Stretch, Problem> {
    let mut stretch = one(db, actor, wanted, after, amount).await?;
    for _ in 1..STRETCHES_MAX {
        if !stretch.rows.is_empty() || !stretch.more {
            break;
        }
        stretch = one(db, actor, wanted, &stretch.end, amount).await?;
    }
    Ok(stretch)
}

async fn one(db: &PgPool, actor: &Actor, wanted: &Wanted, after: &Vector, amount: Amount) -> Result<Stretch, Problem> {
    // A ticket's events are found by the ticket, however far apart they lie.
    let ahead = if wanted.ticket.is_some() { i64::MAX } else { AHEAD_MAX };
    let mut sql = statement(actor, wanted, after, amount, ahead);
    let found = sql.build().fetch_all(db).await.map_err(problem)?;
    let (reached, mut rows, candidates) = parse(&found).map_err(problem)?;
    if !reached.filled() {
        return Err(unavailable(
            "The read model is being built from the log. Try again in a moment.",
        ));
    }
    rows.truncate(amount.events.into());
    let mut end = after.clone();
    let cut = candidates > rows.len();
    let is_told = |row: &mut EventRow| portal::is_told(actor, &row.event, &mut row.details);
    if cut {
        for row in &rows {
            end.pass(row.partition(), row.mark());
        }
        rows.retain_mut(is_told);
        return Ok(Stretch {
            rows,
            end,
            more: true,
            reached,
        });
    }
    for (partition, sequence) in reached.sequences() {
        let until = after.mark(partition).sequence.saturating_add(ahead);
        end.pass_all(partition, sequence.min(until));
    }
    let more = end.is_before(&reached);
    rows.retain_mut(is_told);
    Ok(Stretch {
        rows,
        end,
        more,
        reached,
    })
}

/// What the read model has reached, the events, and how many there were before they were cut.
fn parse(found: &[PgRow]) -> Result<(Reached, Vec<EventRow>, usize), sqlx::Error> {
    let mut reached = Reached::default();
    let mut rows = Vec::new();
    let mut candidates = 0;
    for row in found {
        if let Some(Json(checkpoints)) = row.try_get::<Option<Json<Vec<CheckpointRow>>>, _>("reached")? {
            reached = Reached::of(&checkpoints);
        }
        if let Some(count) = row.try_get::<Option<i64>, _>("candidates")? {
            candidates = usize::try_from(count).unwrap_or_default();
            rows.push(EventRow::from_row(row)?);
        }
    }
    Ok((reached, rows, candidates))
}

/// One statement, and so one moment: were the checkpoints read apart from the events, then a rebuild
/// or a switch of generations in between would lose some.
///
/// Within a partition the order is that of the log; partitions are merged by the time of recording. A
/// clock that went back must not turn a partition's order round, hence the greatest time so far.
fn statement(actor: &Actor, wanted: &Wanted, after: &Vector, amount: Amount, ahead: i64) -> QueryBuilder<Postgres> {
    let (mut partitions, mut sequences, mut places, mut untils) = (vec![], vec![], vec![], vec![]);
    for (partition, mark) in after.marks() {
        partitions.push(i32::from(partition));
        sequences.push(mark.sequence);
        places.push(mark.place.unwrap_or(i32::MAX));
        untils.push(mark.sequence.saturating_add(ahead));
    }
    let candidates_max = i64::from(amount.events) + 1;
    let mut sql = QueryBuilder::new(
        "WITH reached AS (
             SELECT projection, partition, sequence, filled
             FROM desk.checkpoints
             WHERE projection IN ('tickets', 'directory')
         ), begun AS (
             SELECT reached.partition, COALESCE(passed.sequence, 0) AS sequence, COALESCE(passed.place, 0) AS place,
                    LEAST(reached.sequence, COALESCE(passed.until, ",
    );
    sql.push_bind(ahead).push(")) AS until FROM reached LEFT JOIN UNNEST(");
    sql.push_bind(partitions).push(", ").push_bind(sequences).push(", ");
    sql.push_bind(places).push(", ").push_bind(untils);
    sql.push(
        ") AS passed (partition, sequence, place, until) ON passed.partition = reached.partition
             WHERE reached.projection = 'tickets'
         ), ahead AS (
             SELECT event.*, MAX(recorded_at) OVER (PARTITION BY event.partition ORDER BY event.sequence, event.place) AS at
             FROM begun CROSS JOIN LATERAL (
                 SELECT e.partition, e.sequence, e.place, e.ticket_id, t.number, e.revision, e.event, e.status, e.actor_id,
                        e.actor_kind, e.via_id, e.occurred_at, e.recorded_at, e.details
                 FROM desk.timeline e JOIN desk.tickets t ON t.id = e.ticket_id
                 WHERE e.partition = begun.partition
                   AND (e.sequence, e.place) > (begun.sequence, begun.place)
                   AND e.sequence <= begun.until
                   AND ",
    );
    push_visible(&mut sql, actor);
    portal::push_told(&mut sql, "e.", actor);
    wanted.push(&mut sql);
    sql.push(" ORDER BY e.sequence, e.place LIMIT ")
        .push_bind(candidates_max);
    sql.push(
        ") AS event
         ), first AS (
             SELECT * FROM ahead ORDER BY at, partition, sequence, place LIMIT ",
    );
    sql.push_bind(candidates_max);
    sql.push(
        "), measured AS (
             SELECT first.*, COUNT(*) OVER () AS candidates, ROW_NUMBER() OVER in_order AS nth,
                    SUM(OCTET_LENGTH(details::text)) OVER in_order AS bytes,
                    COALESCE((LEAD(partition) OVER in_order, LEAD(sequence) OVER in_order) = (partition, sequence), FALSE)
                        AS unfinished
             FROM first
             WINDOW in_order AS (ORDER BY at, partition, sequence, place)
         )
         SELECT CASE WHEN COALESCE(nth, 1) = 1 THEN (SELECT jsonb_agg(to_jsonb(reached)) FROM reached) END AS reached,
                measured.*
         FROM (VALUES (1)) AS always LEFT JOIN measured ON nth = 1 OR bytes <= ",
    );
    sql.push_bind(amount.bytes).push(" ORDER BY nth");
    sql
}

impl Wanted {
    fn push(&self, sql: &mut QueryBuilder<Postgres>) {
        if !self.events.is_empty() {
            let events: Vec<String> = self.events.iter().map(|event| (*event).to_owned()).collect();
            sql.push(" AND e.event = ANY(").push_bind(events).push(")");
        }
        match self.ticket {
            Some(OfTicket::Id(id)) => {
                sql.push(" AND e.ticket_id = ").push_bind(id);
            }
            Some(OfTicket::Number(number)) => {
                sql.push(" AND t.number = ").push_bind(number);
            }
            None => {}
        }
    }
}
#[cfg(test)]
mod tests {
    use domain::actor::ActorKind;
    use domain::testing::{AGENT, CUSTOMER, agent, customer};
    use test_harness::postgres;

    use super::*;

    const AMOUNT: Amount = Amount {
        events: 100,
        bytes: 1_000_000,
    };

    /// A read model with one partition, in which a ticket of nobody's is spoken of at the sequences
    /// `1..last`, and one of the customer's at `seen`.
    async fn database(last: i64, seen: &[i64]) -> PgPool {
        let db = PgPool::connect(&postgres().await.database().await).await.unwrap();
        projector::testing::prepare(&db).await.unwrap();
        for (n, requester) in [(1_i64, AGENT), (2, CUSTOMER)] {
            sqlx::query(
                "INSERT INTO tickets_1.tickets (id, requester_id, followers, status, partition, sequence, revision, number,
                     subject, description_revision, edited, status_rank, ticket_type, priority, priority_rank,
                     custom_fields, waits, created_at, updated_at, recorded_at)
                 VALUES ($1, $2, '{}', 'new', 0, 1, 1, $3, 'x', 1, false, 0, 'defect', 'low', 0, '{}', 0, now(), now(),
                     now())",
            )
            .bind(Uuid::from_u128(n.try_into().unwrap()))
            .bind(requester.as_uuid())
            .bind(n)
            .execute(&db)
            .await
            .unwrap();
        }
        sqlx::query(
            "INSERT INTO tickets_1.timeline (ticket_id, revision, place, partition, sequence, event, status, actor_id,
                 actor_kind, occurred_at, recorded_at, visibility, details)
             SELECT CASE WHEN n = ANY($2) THEN $4 ELSE $3 END, n, 0, 0, n, 'reopened', 'reopened', $3, 'staff', now(), now(),
                 'public', jsonb_build_object('comment', repeat('x', 1000))
             FROM generate_series(1, $1) AS n",
        )
        .bind(last)
        .bind(seen)
        .bind(Uuid::from_u128(1))
        .bind(Uuid::from_u128(2))
        .execute(&db)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO recourse.checkpoints (projection, generation, partition, sequence, state, head, filled)
             VALUES ('tickets', 1, 0, $1, 'running', $1, TRUE), ('directory', 1, 0, 0, 'running', 0, TRUE)
             ON CONFLICT (projection, generation, partition)
             DO UPDATE SET sequence = excluded.sequence, head = excluded.head, filled = TRUE",
        )
        .bind(last)
        .execute(&db)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO recourse.generations (projection, generation, state) VALUES ('tickets', 1, 'serving'),
             ('directory', 1, 'serving') ON CONFLICT (projection, generation) DO UPDATE SET state = 'serving'",
        )
        .execute(&db)
        .await
        .unwrap();
        db
    }

    async fn stretch(db: &PgPool, actor: &Actor, after: &Vector, amount: Amount) -> Stretch {
        read(db, actor, &Wanted::default(), after, amount).await.unwrap()
    }

    #[tokio::test]
    async fn who_sees_little_gets_it_however_far_apart_it_lies() {
        let in_one_go = AHEAD_MAX * i64::from(STRETCHES_MAX);
        let last = in_one_go + 10;
        let seen = [AHEAD_MAX + 5, 2 * AHEAD_MAX, last];
        let db = database(last, &seen).await;
        let mut after = Vector::default();
        let mut got = Vec::new();
        let mut reads = 0;
        loop {
            let next = stretch(&db, &customer(), &after, AMOUNT).await;
            got.extend(next.rows.iter().map(|row| row.sequence));
            after = next.end;
            reads += 1;
            if !next.more {
                break;
            }
        }
        assert_eq!(got, seen);
        assert_eq!(after.to_string(), format!("0:{last}"));
        assert!(reads <= 3, "{reads}");

        // Where nothing at all is visible a reader is told how far it came, and not kept waiting.
        let nobody = Actor::plain(Uuid::from_u128(77).into(), ActorKind::Customer);
        let nothing = stretch(&db, &nobody, &Vector::default(), AMOUNT).await;
        assert!(nothing.rows.is_empty() && nothing.more);
        assert_eq!(nothing.end.to_string(), format!("0:{in_one_go}"));
    }

    #[tokio::test]
    async fn what_is_read_at_once_is_bounded_and_is_never_nothing() {
        let db = database(20, &[]).await;
        for (bytes, expected) in [(1, 1), (3_500, 3), (1_000_000, 20)] {
            let next = stretch(&db, &agent(), &Vector::default(), Amount { events: 100, bytes }).await;
            assert_eq!((next.rows.len(), next.more), (expected, expected < 20), "{bytes}");
            assert_eq!(next.end.to_string(), format!("0:{expected}"));
        }
    }

    #[tokio::test]
    async fn a_read_model_that_is_being_built_gives_nothing_and_loses_nothing() {
        let db = database(3, &[]).await;
        sqlx::query("UPDATE recourse.checkpoints SET filled = FALSE WHERE projection = 'tickets'")
            .execute(&db)
            .await
            .unwrap();
        let refused = read(&db, &agent(), &Wanted::default(), &Vector::default(), AMOUNT).await;
        assert_eq!(refused.unwrap_err().kind.code, "read-model-unavailable");
        // It has not come as far as the one before it.
        sqlx::query("UPDATE recourse.checkpoints SET filled = TRUE")
            .execute(&db)
            .await
            .unwrap();
        let ahead: Vector = "0:10".parse().unwrap();
        let next = stretch(&db, &agent(), &ahead, AMOUNT).await;
        assert_eq!((next.rows.len(), next.more, next.end), (0, false, ahead));
    }
}
