-- The tables of the projection `tickets`, in the schema of one generation: {schema}.
-- Nothing here comes from anywhere but the log: a rebuild makes equal rows.
CREATE SCHEMA {schema};

CREATE TABLE {schema}.tickets (
    id                   uuid        NOT NULL,
    partition            integer     NOT NULL,
    sequence             bigint      NOT NULL,
    revision             bigint      NOT NULL,
    number               bigint      NOT NULL,
    subject              text        NOT NULL,
    description_revision bigint      NOT NULL,
    edited               boolean     NOT NULL,
    status               text        NOT NULL,
    status_rank          smallint    NOT NULL,
    ticket_type          text        NOT NULL,
    awaits               text,
    priority             text        NOT NULL,
    priority_rank        smallint    NOT NULL,
    category             text,
    system               text,
    environment          text,
    service              text,
    product              text,
    platform_version     text,
    custom_fields        jsonb       NOT NULL,
    requester_id         uuid        NOT NULL,
    organisation_id      uuid,
    group_id             uuid,
    project_id           uuid,
    assignee_id          uuid,
    followers            uuid[]      NOT NULL,
    wait_kind            text,
    wait_number          integer,
    wait_policy          text,
    due_at               timestamptz,
    waits                integer     NOT NULL,
    rating               smallint,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    first_response_at    timestamptz,
    closed_at            timestamptz,
    recorded_at          timestamptz NOT NULL,
    CONSTRAINT tickets_status_known CHECK (status IN (
        'new', 'in_progress', 'waiting_for_info', 'waiting_for_fix', 'waiting_for_implementation',
        'waiting_for_closure', 'closed', 'reopened')),
    CONSTRAINT tickets_awaits_known CHECK (awaits IN ('fix', 'implementation')),
    CONSTRAINT tickets_wait_kind_known CHECK (wait_kind IN ('information', 'closure')),
    CONSTRAINT tickets_wait_is_whole CHECK (
        num_nonnulls(wait_kind, wait_number, wait_policy, due_at) IN (0, 4))
);

COMMENT ON TABLE {schema}.tickets IS 'Projection tickets: every ticket as it stands.';
COMMENT ON COLUMN {schema}.tickets.created_at IS 'occurred_at of the first record.';
COMMENT ON COLUMN {schema}.tickets.updated_at IS 'The greatest occurred_at of the ticket''s records.';
COMMENT ON COLUMN {schema}.tickets.first_response_at IS 'When staff first said something that the requester can read.';
COMMENT ON COLUMN {schema}.tickets.closed_at IS 'When it was last closed; null while it is open.';
COMMENT ON COLUMN {schema}.tickets.recorded_at IS 'Since when the row holds: recorded_at of the last record, never before that of the record before it.';
COMMENT ON COLUMN {schema}.tickets.description_revision IS 'Which row of descriptions is its description.';
COMMENT ON COLUMN {schema}.tickets.edited IS 'Whether its subject or description were ever another.';

-- The same columns, and until when they held.
CREATE TABLE {schema}.ticket_versions (
    LIKE {schema}.tickets,
    valid_to timestamptz NOT NULL
);

COMMENT ON TABLE {schema}.ticket_versions IS 'Projection tickets: what every ticket was after each of its records but the last.';
COMMENT ON COLUMN {schema}.ticket_versions.valid_to IS 'recorded_at of the record after it: the row holds from recorded_at until then.';

CREATE TABLE {schema}.descriptions (
    ticket_id   uuid    NOT NULL,
    revision    bigint  NOT NULL,
    partition   integer NOT NULL,
    description text    NOT NULL
);

COMMENT ON TABLE {schema}.descriptions IS 'Projection tickets: descriptions, by the record that wrote them.';

CREATE TABLE {schema}.timeline (
    ticket_id   uuid        NOT NULL,
    revision    bigint      NOT NULL,
    place       integer     NOT NULL,
    partition   integer     NOT NULL,
    sequence    bigint      NOT NULL,
    event       text        NOT NULL,
    status      text        NOT NULL,
    actor_id    uuid        NOT NULL,
    actor_kind  text        NOT NULL,
    via_id      uuid,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    visibility  text        NOT NULL,
    details     jsonb       NOT NULL,
    origin_id   uuid,
    CONSTRAINT timeline_actor_kind_known CHECK (actor_kind IN ('staff', 'customer', 'system')),
    CONSTRAINT timeline_visibility_known CHECK (visibility IN ('public', 'internal'))
);

COMMENT ON TABLE {schema}.timeline IS 'Projection tickets: every event of every ticket.';
COMMENT ON COLUMN {schema}.timeline.place IS 'The event''s place within its record, from 0.';
COMMENT ON COLUMN {schema}.timeline.status IS 'Where the ticket stood after the event.';

CREATE TABLE {schema}.ticket_texts (
    ticket_id    uuid     NOT NULL,
    partition    integer  NOT NULL,
    label        text     NOT NULL,
    head         tsvector NOT NULL,
    talk         tsvector NOT NULL DEFAULT '',
    internal     tsvector,
    public_words tsvector NOT NULL GENERATED ALWAYS AS (recourse.joined(head, talk)) STORED,
    all_words    tsvector GENERATED ALWAYS AS (
        CASE WHEN internal IS NOT NULL THEN recourse.joined(recourse.joined(head, talk), internal) END) STORED,
    CONSTRAINT ticket_texts_pkey PRIMARY KEY (ticket_id)
);

COMMENT ON TABLE {schema}.ticket_texts IS 'Projection tickets: the words by which a ticket is found.';
COMMENT ON COLUMN {schema}.ticket_texts.label IS 'Number and subject, for fragments.';
COMMENT ON COLUMN {schema}.ticket_texts.head IS 'Words of the subject (weight A) and the description (B).';
COMMENT ON COLUMN {schema}.ticket_texts.talk IS 'Words of what was said in public since (weight C).';
COMMENT ON COLUMN {schema}.ticket_texts.internal IS 'Words of internal comments (weight D); null if there are none.';
COMMENT ON COLUMN {schema}.ticket_texts.all_words IS 'All of them, for staff; null if that is no more than public_words.';

CREATE TABLE {schema}.ticket_timers (
    ticket_id uuid        NOT NULL,
    partition integer     NOT NULL,
    kind      text        NOT NULL,
    number    integer     NOT NULL,
    due_at    timestamptz NOT NULL,
    CONSTRAINT ticket_timers_pkey PRIMARY KEY (ticket_id),
    CONSTRAINT ticket_timers_kind_known CHECK (kind IN ('information', 'closure'))
);

COMMENT ON TABLE {schema}.ticket_timers IS 'Projection tickets: the waits that run, for the scheduler.';

CREATE TABLE {schema}.ticket_clocks (
    ticket_id        uuid        NOT NULL,
    partition        integer     NOT NULL,
    target           text        NOT NULL,
    number           integer     NOT NULL,
    policy           text        NOT NULL,
    policy_version   bigint      NOT NULL,
    calendar         text        NOT NULL,
    calendar_version bigint      NOT NULL,
    counts           text        NOT NULL,
    within_micros    bigint      NOT NULL,
    started_at       timestamptz NOT NULL,
    started_by       bigint      NOT NULL,
    paused_in        text,
    paused_at        timestamptz,
    paused_by        bigint,
    warn_at          timestamptz,
    due_at           timestamptz,
    warned_at        timestamptz,
    breached_at      timestamptz,
    ended_at         timestamptz,
    ended_by         bigint,
    cancelled        text,
    wakes            text,
    wakes_at         timestamptz,
    CONSTRAINT ticket_clocks_target_known CHECK (target IN ('first_response', 'next_response', 'resolution')),
    CONSTRAINT ticket_clocks_counts_known CHECK (counts IN ('working', 'elapsed')),
    CONSTRAINT ticket_clocks_cancelled_known CHECK (cancelled IN ('resolved', 'withdrawn')),
    CONSTRAINT ticket_clocks_pause_is_whole CHECK (num_nonnulls(paused_in, paused_at, paused_by) IN (0, 3)),
    CONSTRAINT ticket_clocks_end_is_whole CHECK (num_nonnulls(ended_at, ended_by) IN (0, 2)),
    CONSTRAINT ticket_clocks_wakes_known CHECK (wakes IN ('warning', 'breach')),
    CONSTRAINT ticket_clocks_timer_is_whole CHECK (num_nonnulls(wakes, wakes_at) IN (0, 2))
);

COMMENT ON TABLE {schema}.ticket_clocks IS 'Projection tickets: every time that a ticket was promised, as it stands.';
COMMENT ON COLUMN {schema}.ticket_clocks.policy IS 'Id of the policy that it runs by, at version policy_version.';
COMMENT ON COLUMN {schema}.ticket_clocks.counts IS 'Working time of the calendar, or time by the clock.';
COMMENT ON COLUMN {schema}.ticket_clocks.started_by IS 'The ticket''s record that started it.';
COMMENT ON COLUMN {schema}.ticket_clocks.paused_in IS 'The status in which it stands still; null if it does not.';
COMMENT ON COLUMN {schema}.ticket_clocks.cancelled IS 'Why it ended without its target; null if it was met, in time or late.';
COMMENT ON COLUMN {schema}.ticket_clocks.wakes_at IS 'When it warns or is over next if nobody does anything, for the scheduler.';

CREATE TABLE {schema}.measures (
    ticket_id       uuid        NOT NULL,
    revision        bigint      NOT NULL,
    place           integer     NOT NULL,
    partition       integer     NOT NULL,
    kind            text        NOT NULL,
    occurred_at     timestamptz NOT NULL,
    micros          bigint      NOT NULL,
    working_micros  bigint      NOT NULL,
    bucket          smallint    NOT NULL,
    working_bucket  smallint    NOT NULL,
    CONSTRAINT measures_kind_known CHECK (kind IN ('first_response', 'closing'))
);

COMMENT ON TABLE {schema}.measures IS
    'Projection tickets: how long it took from the ticket''s creation to staff''s first answer, and to each closing.';
COMMENT ON COLUMN {schema}.measures.working_micros IS 'The part of it in which the desk worked, by the calendar of its policy.';
COMMENT ON COLUMN {schema}.measures.bucket IS 'Which bucket of measure_counts it falls into.';

-- Partitions never contend for a counter: each has its own, and readers add them up.
-- Half-empty pages keep the many updates of few rows within their page.
CREATE TABLE {schema}.measure_counts (
    kind      text      NOT NULL,
    clock     text      NOT NULL,
    span      text      NOT NULL,
    starts    date      NOT NULL,
    partition integer   NOT NULL,
    totals    integer[] NOT NULL,
    CONSTRAINT measure_counts_pkey PRIMARY KEY (kind, clock, span, starts, partition),
    CONSTRAINT measure_counts_clock_known CHECK (clock IN ('elapsed', 'working')),
    CONSTRAINT measure_counts_span_known CHECK (span IN ('day', 'month'))
) WITH (fillfactor = 50);

COMMENT ON TABLE {schema}.measure_counts IS
    'Projection tickets: how many measures of a day or a month (occurred_at, UTC) fall into each bucket of durations.';
COMMENT ON COLUMN {schema}.measure_counts.totals IS 'By bucket, from bucket 0.';

CREATE TABLE {schema}.counters (
    dimension text    NOT NULL,
    value     text    NOT NULL,
    partition integer NOT NULL,
    total     bigint  NOT NULL,
    open      bigint  NOT NULL,
    CONSTRAINT counters_pkey PRIMARY KEY (dimension, value, partition)
) WITH (fillfactor = 50);

COMMENT ON TABLE {schema}.counters IS
    'Projection tickets: how many tickets have each value of each dimension. An empty value: nobody, none.';

CREATE TABLE {schema}.daily (
    day          date    NOT NULL,
    partition    integer NOT NULL,
    created      bigint  NOT NULL,
    closed       bigint  NOT NULL,
    first_number bigint,
    last_number  bigint,
    CONSTRAINT daily_pkey PRIMARY KEY (day, partition)
) WITH (fillfactor = 50);

COMMENT ON TABLE {schema}.daily IS
    'Projection tickets: creations and closings by day of occurred_at, in UTC. A ticket closed twice counts twice.';
COMMENT ON COLUMN {schema}.daily.first_number IS 'The least number of a ticket created on that day.';
COMMENT ON COLUMN {schema}.daily.last_number IS 'The greatest.';

CREATE TABLE {schema}.daily_ratings (
    day       date     NOT NULL,
    score     smallint NOT NULL,
    partition integer  NOT NULL,
    total     bigint   NOT NULL,
    CONSTRAINT daily_ratings_pkey PRIMARY KEY (day, score, partition)
) WITH (fillfactor = 50);

COMMENT ON TABLE {schema}.daily_ratings IS 'Projection tickets: ratings by day of occurred_at, in UTC, and by score.';
