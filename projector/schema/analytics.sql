-- What analysts may rely on: views of the read models that serve, whichever generation that is.
--
-- A view keeps its columns for as long as its name ends with the same number. Columns are added at its end;
-- whatever else changes is a view with the next number, and the old one stays for a while beside it.
--
-- This runs as a whole whenever it is another text than the one that was run last.
CREATE SCHEMA IF NOT EXISTS analytics;

CREATE OR REPLACE VIEW analytics.tickets_v1 AS
SELECT
    t.id,
    t.number,
    t.subject,
    t.status,
    t.status <> 'closed' AS is_open,
    t.ticket_type AS type,
    t.priority,
    t.category,
    t.system,
    t.environment,
    t.service,
    t.platform_version,
    t.custom_fields,
    t.requester_id,
    requester.name AS requester,
    t.organisation_id,
    organisation.name AS organisation,
    t.group_id,
    team.name AS group_name,
    t.assignee_id,
    assignee.name AS assignee,
    cardinality(t.followers) AS followers,
    t.created_at,
    t.updated_at,
    t.first_response_at,
    first_response.micros / 1e6::double precision AS first_response_seconds,
    first_response.working_micros / 1e6::double precision AS first_response_working_seconds,
    t.closed_at,
    closing.micros / 1e6::double precision AS closing_seconds,
    closing.working_micros / 1e6::double precision AS closing_working_seconds,
    t.wait_kind AS wait,
    t.due_at,
    COALESCE(t.due_at < now(), false) AS overdue,
    t.rating,
    t.revision,
    t.project_id,
    project.name AS project,
    t.product
FROM desk.tickets t
LEFT JOIN desk.directory_names requester ON requester.kind = 'user' AND requester.id = t.requester_id
LEFT JOIN desk.directory_names organisation
    ON organisation.kind = 'organisation' AND organisation.id = t.organisation_id
LEFT JOIN desk.directory_names team ON team.kind = 'group' AND team.id = t.group_id
LEFT JOIN desk.directory_names assignee ON assignee.kind = 'user' AND assignee.id = t.assignee_id
LEFT JOIN desk.directory_names project ON project.kind = 'project' AND project.id = t.project_id
LEFT JOIN desk.measures first_response ON first_response.ticket_id = t.id AND first_response.kind = 'first_response'
LEFT JOIN LATERAL (
    SELECT m.micros, m.working_micros
    FROM desk.measures m
    WHERE m.ticket_id = t.id AND m.kind = 'closing'
    ORDER BY m.revision DESC, m.place DESC
    LIMIT 1
) AS closing ON t.closed_at IS NOT NULL;

COMMENT ON VIEW analytics.tickets_v1 IS 'Every ticket as it stands: one row each.';
COMMENT ON COLUMN analytics.tickets_v1.id IS 'The ticket''s id, by which the other views refer to it.';
COMMENT ON COLUMN analytics.tickets_v1.number IS 'Its number for people, from 1, with gaps.';
COMMENT ON COLUMN analytics.tickets_v1.subject IS 'What it is about, in one line.';
COMMENT ON COLUMN analytics.tickets_v1.status IS 'new, in_progress, waiting_for_info, waiting_for_fix, waiting_for_implementation, waiting_for_closure, closed or reopened.';
COMMENT ON COLUMN analytics.tickets_v1.is_open IS 'Whether it is anything but closed.';
COMMENT ON COLUMN analytics.tickets_v1.type IS 'The code of its type, such as outage or consultation.';
COMMENT ON COLUMN analytics.tickets_v1.priority IS 'The code of its priority, such as low or critical.';
COMMENT ON COLUMN analytics.tickets_v1.category IS 'Its category; null if it has none.';
COMMENT ON COLUMN analytics.tickets_v1.system IS 'The system that it is about; null if none was named.';
COMMENT ON COLUMN analytics.tickets_v1.environment IS 'The environment that it is about; null if none was named.';
COMMENT ON COLUMN analytics.tickets_v1.service IS 'The service that it is about; null if none was named.';
COMMENT ON COLUMN analytics.tickets_v1.platform_version IS 'The version of the platform; null if none was named.';
COMMENT ON COLUMN analytics.tickets_v1.custom_fields IS 'An object of the fields that this desk has beside the others.';
COMMENT ON COLUMN analytics.tickets_v1.requester_id IS 'The user who asked for it.';
COMMENT ON COLUMN analytics.tickets_v1.requester IS 'That user''s name of today; null if the desk knows none.';
COMMENT ON COLUMN analytics.tickets_v1.organisation_id IS 'The requester''s organisation; null if there is none.';
COMMENT ON COLUMN analytics.tickets_v1.organisation IS 'The organisation''s name of today; null if the desk knows none.';
COMMENT ON COLUMN analytics.tickets_v1.group_id IS 'The group that is responsible; null if none is.';
COMMENT ON COLUMN analytics.tickets_v1.group_name IS 'The group''s name of today; null if the desk knows none.';
COMMENT ON COLUMN analytics.tickets_v1.assignee_id IS 'The member of staff who has it; null if nobody has.';
COMMENT ON COLUMN analytics.tickets_v1.assignee IS 'The assignee''s name of today; null if the desk knows none.';
COMMENT ON COLUMN analytics.tickets_v1.followers IS 'How many users follow it.';
COMMENT ON COLUMN analytics.tickets_v1.created_at IS 'When it was created, in the business: an import keeps the original time.';
COMMENT ON COLUMN analytics.tickets_v1.updated_at IS 'When something happened to it last, in the business.';
COMMENT ON COLUMN analytics.tickets_v1.first_response_at IS 'When staff first said something that the requester can read; null if they have not.';
COMMENT ON COLUMN analytics.tickets_v1.first_response_seconds IS 'From its creation until then, in seconds.';
COMMENT ON COLUMN analytics.tickets_v1.first_response_working_seconds IS 'The part of that in which the desk worked.';
COMMENT ON COLUMN analytics.tickets_v1.closed_at IS 'When it was last closed; null while it is open.';
COMMENT ON COLUMN analytics.tickets_v1.closing_seconds IS 'From its creation until then, in seconds; null while it is open.';
COMMENT ON COLUMN analytics.tickets_v1.closing_working_seconds IS 'The part of that in which the desk worked.';
COMMENT ON COLUMN analytics.tickets_v1.wait IS 'The wait that runs, with a limit of time: information or closure; null if none does.';
COMMENT ON COLUMN analytics.tickets_v1.due_at IS 'When that wait is over.';
COMMENT ON COLUMN analytics.tickets_v1.overdue IS 'Whether that was before now.';
COMMENT ON COLUMN analytics.tickets_v1.rating IS 'The rating of its last closing, from 1 to 5; null if there is none.';
COMMENT ON COLUMN analytics.tickets_v1.revision IS 'How many records its history has.';
COMMENT ON COLUMN analytics.tickets_v1.project_id IS 'The project that it is one of; null if of none.';
COMMENT ON COLUMN analytics.tickets_v1.project IS 'The project''s name of today; null if the desk knows none.';
COMMENT ON COLUMN analytics.tickets_v1.product IS 'The product that it is about; null if none was named.';

CREATE OR REPLACE VIEW analytics.status_periods_v1 AS
SELECT
    p.ticket_id,
    t.number AS ticket_number,
    row_number() OVER period AS place,
    p.status,
    p.event AS began_with,
    p.occurred_at AS began_at,
    lead(p.event) OVER period AS ended_with,
    lead(p.occurred_at) OVER period AS ended_at,
    extract(epoch FROM lead(p.occurred_at) OVER period - p.occurred_at)::double precision AS seconds
FROM (
    SELECT l.ticket_id, l.revision, l.place, l.event, l.status, l.occurred_at,
           lag(l.status) OVER (PARTITION BY l.ticket_id ORDER BY l.revision, l.place) AS before
    FROM desk.timeline l
) AS p
JOIN desk.tickets t ON t.id = p.ticket_id
WHERE p.before IS DISTINCT FROM p.status
WINDOW period AS (PARTITION BY p.ticket_id ORDER BY p.revision, p.place);

COMMENT ON VIEW analytics.status_periods_v1 IS 'Every stretch of time that a ticket was in one status: one row each, without gaps.';
COMMENT ON COLUMN analytics.status_periods_v1.ticket_id IS 'The ticket.';
COMMENT ON COLUMN analytics.status_periods_v1.ticket_number IS 'Its number.';
COMMENT ON COLUMN analytics.status_periods_v1.place IS 'Which stretch of this ticket it is, counted from 1.';
COMMENT ON COLUMN analytics.status_periods_v1.status IS 'The status.';
COMMENT ON COLUMN analytics.status_periods_v1.began_with IS 'The event that brought the ticket into it.';
COMMENT ON COLUMN analytics.status_periods_v1.began_at IS 'When that happened, in the business.';
COMMENT ON COLUMN analytics.status_periods_v1.ended_with IS 'The event that ended it; null while it lasts.';
COMMENT ON COLUMN analytics.status_periods_v1.ended_at IS 'When it ended; null while it lasts.';
COMMENT ON COLUMN analytics.status_periods_v1.seconds IS 'How long it lasted, by the clock; null while it lasts.';

CREATE OR REPLACE VIEW analytics.waits_v1 AS
SELECT
    w.ticket_id,
    t.number AS ticket_number,
    CASE w.status WHEN 'waiting_for_info' THEN 'information' ELSE 'closure' END AS wait,
    (w.wait ->> 'number')::integer AS number,
    w.wait ->> 'policy' AS policy,
    w.occurred_at AS began_at,
    (w.wait ->> 'due_at')::timestamptz AS due_at,
    w.ended_with,
    w.ended_at,
    extract(epoch FROM w.ended_at - w.occurred_at)::double precision AS seconds,
    COALESCE(w.ended_with IN ('information_wait_expired', 'closure_wait_expired'), false) AS expired
FROM (
    SELECT l.ticket_id, l.status, l.occurred_at, l.details -> 'wait' AS wait,
           lead(l.event) OVER change AS ended_with,
           lead(l.occurred_at) OVER change AS ended_at
    FROM (
        SELECT e.ticket_id, e.revision, e.place, e.event, e.status, e.occurred_at, e.details,
               lag(e.status) OVER (PARTITION BY e.ticket_id ORDER BY e.revision, e.place) AS before
        FROM desk.timeline e
    ) AS l
    WHERE l.before IS DISTINCT FROM l.status
    WINDOW change AS (PARTITION BY l.ticket_id ORDER BY l.revision, l.place)
) AS w
JOIN desk.tickets t ON t.id = w.ticket_id
WHERE w.status IN ('waiting_for_info', 'waiting_for_closure');

COMMENT ON VIEW analytics.waits_v1 IS 'Every wait for the requester: for information, or for the closing of the ticket.';
COMMENT ON COLUMN analytics.waits_v1.ticket_id IS 'The ticket.';
COMMENT ON COLUMN analytics.waits_v1.ticket_number IS 'Its number.';
COMMENT ON COLUMN analytics.waits_v1.wait IS 'What was waited for: information or closure.';
COMMENT ON COLUMN analytics.waits_v1.number IS 'Which of this ticket''s waits with a limit it is, counted from 1; null if it has no limit.';
COMMENT ON COLUMN analytics.waits_v1.policy IS 'The policy that set the limit, with its version; null if it has no limit.';
COMMENT ON COLUMN analytics.waits_v1.began_at IS 'When it began, in the business.';
COMMENT ON COLUMN analytics.waits_v1.due_at IS 'When the desk goes on by itself; null if it has no limit.';
COMMENT ON COLUMN analytics.waits_v1.ended_with IS 'The event that ended it; null while it lasts.';
COMMENT ON COLUMN analytics.waits_v1.ended_at IS 'When it ended; null while it lasts.';
COMMENT ON COLUMN analytics.waits_v1.seconds IS 'How long it lasted, by the clock; null while it lasts.';
COMMENT ON COLUMN analytics.waits_v1.expired IS 'Whether it ended because its time was over.';

CREATE OR REPLACE VIEW analytics.promises_v1 AS
SELECT
    c.ticket_id,
    t.number AS ticket_number,
    c.target,
    c.number,
    CASE
        WHEN c.breached_at IS NOT NULL OR (c.ended_at IS NULL AND c.due_at < now()) THEN 'breached'
        WHEN c.cancelled IS NOT NULL THEN 'cancelled'
        WHEN c.ended_at IS NOT NULL THEN 'met'
        WHEN c.paused_in IS NOT NULL THEN 'paused'
        ELSE 'running'
    END AS state,
    c.within_micros / 1e6::double precision AS within_seconds,
    c.counts,
    c.started_at,
    CASE WHEN c.ended_at IS NULL THEN c.due_at END AS due_at,
    c.warned_at,
    c.breached_at,
    c.ended_at,
    extract(epoch FROM c.ended_at - c.started_at)::double precision AS seconds,
    c.cancelled,
    c.paused_in,
    c.policy AS policy_id,
    policy.name AS policy,
    c.policy_version,
    c.calendar AS calendar_id,
    calendar.name AS calendar,
    c.calendar_version
FROM desk.ticket_clocks c
JOIN desk.tickets t ON t.id = c.ticket_id
LEFT JOIN desk.policies policy ON policy.id::text = c.policy
LEFT JOIN desk.calendars calendar ON calendar.id::text = c.calendar;

COMMENT ON VIEW analytics.promises_v1 IS 'Every time that was promised to a ticket: one row for each clock, as it stands.';
COMMENT ON COLUMN analytics.promises_v1.ticket_id IS 'The ticket.';
COMMENT ON COLUMN analytics.promises_v1.ticket_number IS 'Its number.';
COMMENT ON COLUMN analytics.promises_v1.target IS 'What was promised: first_response, next_response or resolution.';
COMMENT ON COLUMN analytics.promises_v1.number IS 'Which clock of this target and ticket it is, counted from 1.';
COMMENT ON COLUMN analytics.promises_v1.state IS 'running, paused, met, breached or cancelled. Breached stays breached, whatever came after.';
COMMENT ON COLUMN analytics.promises_v1.within_seconds IS 'The time allowed.';
COMMENT ON COLUMN analytics.promises_v1.counts IS 'Which time that is: working, by the calendar, or elapsed, by the clock.';
COMMENT ON COLUMN analytics.promises_v1.started_at IS 'When it started.';
COMMENT ON COLUMN analytics.promises_v1.due_at IS 'When its time is over if it goes on as it does; null once it has ended, or while it stands still with time left.';
COMMENT ON COLUMN analytics.promises_v1.warned_at IS 'When it warned; null if it has not.';
COMMENT ON COLUMN analytics.promises_v1.breached_at IS 'When its time was over, as recorded; null if it was not, or is about to be recorded.';
COMMENT ON COLUMN analytics.promises_v1.ended_at IS 'When it was done, in time or late, or cancelled; null before that.';
COMMENT ON COLUMN analytics.promises_v1.seconds IS 'From its start to its end, by the clock; null before that.';
COMMENT ON COLUMN analytics.promises_v1.cancelled IS 'Why it ended without being done: resolved or withdrawn; null if it did not.';
COMMENT ON COLUMN analytics.promises_v1.paused_in IS 'The status in which it stands still; null if it does not.';
COMMENT ON COLUMN analytics.promises_v1.policy_id IS 'The policy that it runs by; a name in place of an id is that of the command line.';
COMMENT ON COLUMN analytics.promises_v1.policy IS 'The policy''s name of today; null if it is that of the command line.';
COMMENT ON COLUMN analytics.promises_v1.policy_version IS 'The version of the policy that it runs by.';
COMMENT ON COLUMN analytics.promises_v1.calendar_id IS 'The calendar by which it counts.';
COMMENT ON COLUMN analytics.promises_v1.calendar IS 'The calendar''s name of today; null if it is none of the desk''s.';
COMMENT ON COLUMN analytics.promises_v1.calendar_version IS 'The version of the calendar by which it counts.';

CREATE OR REPLACE VIEW analytics.comments_v1 AS
SELECT
    l.ticket_id,
    t.number AS ticket_number,
    l.revision,
    l.event,
    l.actor_id AS author_id,
    author.name AS author,
    l.actor_kind AS author_kind,
    l.occurred_at,
    l.recorded_at,
    l.visibility,
    said.characters
FROM desk.timeline l
JOIN desk.tickets t ON t.id = l.ticket_id
CROSS JOIN LATERAL (
    SELECT COALESCE(char_length(l.details ->> 'body'), 0) + COALESCE(char_length(l.details ->> 'comment'), 0)
         + COALESCE(char_length(l.details ->> 'solution'), 0) + COALESCE(char_length(l.details ->> 'reason'), 0)
) AS said (characters)
LEFT JOIN desk.directory_names author ON author.kind = 'user' AND author.id = l.actor_id
WHERE said.characters > 0;

COMMENT ON VIEW analytics.comments_v1 IS 'Everything that somebody wrote on a ticket after its creation, comments and what stood beside other commands: who, when, for whom and how long, without the words.';
COMMENT ON COLUMN analytics.comments_v1.ticket_id IS 'The ticket.';
COMMENT ON COLUMN analytics.comments_v1.ticket_number IS 'Its number.';
COMMENT ON COLUMN analytics.comments_v1.revision IS 'The record that it came with.';
COMMENT ON COLUMN analytics.comments_v1.event IS 'What happened with it: commented, information_requested, closure_proposed and so on.';
COMMENT ON COLUMN analytics.comments_v1.author_id IS 'The user who wrote it.';
COMMENT ON COLUMN analytics.comments_v1.author IS 'The author''s name of today; null if the desk knows none.';
COMMENT ON COLUMN analytics.comments_v1.author_kind IS 'staff, customer or system.';
COMMENT ON COLUMN analytics.comments_v1.occurred_at IS 'When it was written, in the business.';
COMMENT ON COLUMN analytics.comments_v1.recorded_at IS 'When the desk recorded it.';
COMMENT ON COLUMN analytics.comments_v1.visibility IS 'public, or internal: for staff alone.';
COMMENT ON COLUMN analytics.comments_v1.characters IS 'How long it is.';

CREATE OR REPLACE VIEW analytics.ratings_v1 AS
SELECT
    l.ticket_id,
    t.number AS ticket_number,
    (l.details ->> 'score')::integer AS score,
    l.details ? 'comment' AS has_comment,
    l.actor_id AS rater_id,
    rater.name AS rater,
    l.occurred_at,
    t.organisation_id,
    organisation.name AS organisation,
    t.group_id,
    team.name AS group_name,
    t.assignee_id,
    assignee.name AS assignee
FROM desk.timeline l
JOIN desk.tickets t ON t.id = l.ticket_id
LEFT JOIN desk.directory_names rater ON rater.kind = 'user' AND rater.id = l.actor_id
LEFT JOIN desk.directory_names organisation
    ON organisation.kind = 'organisation' AND organisation.id = t.organisation_id
LEFT JOIN desk.directory_names team ON team.kind = 'group' AND team.id = t.group_id
LEFT JOIN desk.directory_names assignee ON assignee.kind = 'user' AND assignee.id = t.assignee_id
WHERE l.event = 'rated';

COMMENT ON VIEW analytics.ratings_v1 IS 'Every rating: a ticket has one for each of its closings at most.';
COMMENT ON COLUMN analytics.ratings_v1.ticket_id IS 'The ticket.';
COMMENT ON COLUMN analytics.ratings_v1.ticket_number IS 'Its number.';
COMMENT ON COLUMN analytics.ratings_v1.score IS 'From 1 to 5.';
COMMENT ON COLUMN analytics.ratings_v1.has_comment IS 'Whether there are words beside it.';
COMMENT ON COLUMN analytics.ratings_v1.rater_id IS 'The user who rated.';
COMMENT ON COLUMN analytics.ratings_v1.rater IS 'That user''s name of today; null if the desk knows none.';
COMMENT ON COLUMN analytics.ratings_v1.occurred_at IS 'When, in the business.';
COMMENT ON COLUMN analytics.ratings_v1.organisation_id IS 'The ticket''s organisation; null if there is none.';
COMMENT ON COLUMN analytics.ratings_v1.organisation IS 'The organisation''s name of today; null if the desk knows none.';
COMMENT ON COLUMN analytics.ratings_v1.group_id IS 'The group that the ticket is with now; null if with none.';
COMMENT ON COLUMN analytics.ratings_v1.group_name IS 'The group''s name of today; null if the desk knows none.';
COMMENT ON COLUMN analytics.ratings_v1.assignee_id IS 'The member of staff who has the ticket now; null if nobody has.';
COMMENT ON COLUMN analytics.ratings_v1.assignee IS 'The assignee''s name of today; null if the desk knows none.';

CREATE OR REPLACE VIEW analytics.daily_v1 AS
SELECT
    d.day,
    sum(d.created)::bigint AS created,
    sum(d.closed)::bigint AS closed,
    sum(d.ratings)::bigint AS ratings,
    (sum(d.points) / NULLIF(sum(d.ratings), 0))::double precision AS rating_average
FROM (
    SELECT day, created, closed, 0::bigint AS ratings, 0::bigint AS points FROM desk.daily
    UNION ALL
    SELECT day, 0, 0, total, total * score FROM desk.daily_ratings
) AS d
GROUP BY d.day
HAVING sum(d.created) + sum(d.closed) + sum(d.ratings) > 0;

COMMENT ON VIEW analytics.daily_v1 IS 'What happened on each day, in UTC and in the business; days on which nothing did have no row. Reading it costs the same however many tickets there are.';
COMMENT ON COLUMN analytics.daily_v1.day IS 'The day.';
COMMENT ON COLUMN analytics.daily_v1.created IS 'How many tickets were created.';
COMMENT ON COLUMN analytics.daily_v1.closed IS 'How many times a ticket was closed; one that was closed twice counts twice.';
COMMENT ON COLUMN analytics.daily_v1.ratings IS 'How many ratings were given.';
COMMENT ON COLUMN analytics.daily_v1.rating_average IS 'The average of their scores; null if there are none.';

REVOKE ALL ON SCHEMA analytics FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA analytics FROM PUBLIC;
