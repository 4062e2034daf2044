-- The desk's read models, generation 1. A changed read model is a new generation in its own
-- schema; readers use the views of schema desk, which show the generation that serves.
-- Nothing here comes from anywhere but the log: a rebuild makes equal rows.
CREATE SCHEMA desk_1;

CREATE TABLE desk_1.tickets (
    id               uuid        NOT NULL,
    partition        integer     NOT NULL,
    sequence         bigint      NOT NULL,
    revision         bigint      NOT NULL,
    number           bigint      NOT NULL,
    subject          text        NOT NULL,
    description      text        NOT NULL,
    status           text        NOT NULL,
    status_rank      smallint    NOT NULL,
    ticket_type      text        NOT NULL,
    awaits           text,
    priority         text        NOT NULL,
    priority_rank    smallint    NOT NULL,
    category         text,
    system           text,
    environment      text,
    service          text,
    platform_version text,
    custom_fields    jsonb       NOT NULL,
    requester_id     uuid        NOT NULL,
    organisation_id  uuid,
    group_id         uuid,
    assignee_id      uuid,
    followers        uuid[]      NOT NULL,
    wait_kind        text,
    wait_number      integer,
    wait_policy      text,
    due_at           timestamptz,
    waits            integer     NOT NULL,
    rating           smallint,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    closed_at        timestamptz,
    CONSTRAINT tickets_pkey PRIMARY KEY (id),
    CONSTRAINT tickets_status_known CHECK (status IN (
        'new', 'in_progress', 'waiting_for_info', 'waiting_for_fix', 'waiting_for_implementation',
        'waiting_for_closure', 'closed', 'reopened')),
    CONSTRAINT tickets_awaits_known CHECK (awaits IN ('fix', 'implementation')),
    CONSTRAINT tickets_wait_kind_known CHECK (wait_kind IN ('information', 'closure')),
    CONSTRAINT tickets_wait_is_whole CHECK (
        num_nonnulls(wait_kind, wait_number, wait_policy, due_at) IN (0, 4))
);

COMMENT ON TABLE desk_1.tickets IS 'Projection tickets: every ticket as it stands.';
COMMENT ON COLUMN desk_1.tickets.created_at IS 'occurred_at of the first record.';
COMMENT ON COLUMN desk_1.tickets.updated_at IS 'The greatest occurred_at of the ticket''s records.';
COMMENT ON COLUMN desk_1.tickets.closed_at IS 'When it was last closed; null while it is open.';

-- One index for each sort, whole. Ties are broken by id, so that a page has one right end.
CREATE INDEX tickets_by_number ON desk_1.tickets (number, id);
CREATE INDEX tickets_by_created ON desk_1.tickets (created_at, id);
CREATE INDEX tickets_by_updated ON desk_1.tickets (updated_at, id);
CREATE INDEX tickets_by_priority ON desk_1.tickets (priority_rank, id);
CREATE INDEX tickets_by_status ON desk_1.tickets (status_rank, id);
-- A ticket without a due time comes last either way, hence two.
CREATE INDEX tickets_by_due_ascending ON desk_1.tickets ((COALESCE(due_at, 'infinity'::timestamptz)), id);
CREATE INDEX tickets_by_due_descending ON desk_1.tickets ((COALESCE(due_at, '-infinity'::timestamptz)), id);

-- The filters that pick few tickets out of many, with the sorts that people use.
CREATE INDEX tickets_of_organisation_by_created ON desk_1.tickets (organisation_id, created_at, id);
CREATE INDEX tickets_of_organisation_by_updated ON desk_1.tickets (organisation_id, updated_at, id);
CREATE INDEX tickets_of_requester_by_created ON desk_1.tickets (requester_id, created_at, id);
CREATE INDEX tickets_of_requester_by_updated ON desk_1.tickets (requester_id, updated_at, id);
CREATE INDEX tickets_of_assignee_by_created ON desk_1.tickets (assignee_id, created_at, id);
CREATE INDEX tickets_of_assignee_by_updated ON desk_1.tickets (assignee_id, updated_at, id);
CREATE INDEX tickets_of_group_by_created ON desk_1.tickets (group_id, created_at, id);
CREATE INDEX tickets_of_group_by_updated ON desk_1.tickets (group_id, updated_at, id);
CREATE INDEX tickets_in_status_by_created ON desk_1.tickets (status, created_at, id);
CREATE INDEX tickets_in_status_by_updated ON desk_1.tickets (status, updated_at, id);
CREATE INDEX tickets_followed ON desk_1.tickets USING gin (followers);
CREATE INDEX tickets_due ON desk_1.tickets (due_at) WHERE due_at IS NOT NULL;

-- The rest by equality alone; Postgres combines them with each other.
CREATE INDEX tickets_of_category ON desk_1.tickets (category) WHERE category IS NOT NULL;
CREATE INDEX tickets_of_system ON desk_1.tickets (system) WHERE system IS NOT NULL;
CREATE INDEX tickets_of_environment ON desk_1.tickets (environment) WHERE environment IS NOT NULL;
CREATE INDEX tickets_of_service ON desk_1.tickets (service) WHERE service IS NOT NULL;
CREATE INDEX tickets_of_platform_version ON desk_1.tickets (platform_version) WHERE platform_version IS NOT NULL;

CREATE TABLE desk_1.timeline (
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
    CONSTRAINT timeline_pkey PRIMARY KEY (ticket_id, revision, place),
    CONSTRAINT timeline_actor_kind_known CHECK (actor_kind IN ('staff', 'customer', 'system')),
    CONSTRAINT timeline_visibility_known CHECK (visibility IN ('public', 'internal'))
);

COMMENT ON TABLE desk_1.timeline IS 'Projection tickets: every event of every ticket.';
COMMENT ON COLUMN desk_1.timeline.place IS 'The event''s place within its record, from 0.';
COMMENT ON COLUMN desk_1.timeline.status IS 'Where the ticket stood after the event.';

CREATE INDEX timeline_closings ON desk_1.timeline (occurred_at, ticket_id)
    WHERE event IN ('closed', 'closure_wait_expired');

CREATE TABLE desk_1.ticket_timers (
    ticket_id uuid        NOT NULL,
    kind      text        NOT NULL,
    number    integer     NOT NULL,
    due_at    timestamptz NOT NULL,
    CONSTRAINT ticket_timers_pkey PRIMARY KEY (ticket_id),
    CONSTRAINT ticket_timers_kind_known CHECK (kind IN ('information', 'closure'))
);

COMMENT ON TABLE desk_1.ticket_timers IS 'Projection tickets: the waits that run, for the scheduler.';

CREATE INDEX ticket_timers_by_due ON desk_1.ticket_timers (due_at, ticket_id);

-- Partitions never contend for a counter: each has its own, and readers add them up.
-- Half-empty pages keep the many updates of few rows within their page.
CREATE TABLE desk_1.counters (
    dimension text    NOT NULL,
    value     text    NOT NULL,
    partition integer NOT NULL,
    total     bigint  NOT NULL,
    open      bigint  NOT NULL,
    CONSTRAINT counters_pkey PRIMARY KEY (dimension, value, partition)
) WITH (fillfactor = 50);

COMMENT ON TABLE desk_1.counters IS
    'Projection tickets: how many tickets have each value of each dimension. An empty value: nobody, none.';

CREATE TABLE desk_1.daily (
    day       date    NOT NULL,
    partition integer NOT NULL,
    created   bigint  NOT NULL,
    closed    bigint  NOT NULL,
    CONSTRAINT daily_pkey PRIMARY KEY (day, partition)
) WITH (fillfactor = 50);

COMMENT ON TABLE desk_1.daily IS
    'Projection tickets: creations and closings by day of occurred_at, in UTC. A ticket closed twice counts twice.';

CREATE TABLE desk_1.directory_names (
    kind text NOT NULL,
    id   uuid NOT NULL,
    name text NOT NULL,
    CONSTRAINT directory_names_pkey PRIMARY KEY (kind, id),
    CONSTRAINT directory_names_kind_known CHECK (kind IN ('user', 'group', 'organisation'))
);

COMMENT ON TABLE desk_1.directory_names IS 'Projection directory: the names of users, groups and organisations.';

-- What readers use. Another generation is switched to by replacing these in one transaction.
CREATE SCHEMA desk;
CREATE VIEW desk.tickets AS SELECT * FROM desk_1.tickets;
CREATE VIEW desk.timeline AS SELECT * FROM desk_1.timeline;
CREATE VIEW desk.ticket_timers AS SELECT * FROM desk_1.ticket_timers;
CREATE VIEW desk.counters AS SELECT * FROM desk_1.counters;
CREATE VIEW desk.daily AS SELECT * FROM desk_1.daily;
CREATE VIEW desk.directory_names AS SELECT * FROM desk_1.directory_names;
CREATE VIEW desk.checkpoints AS SELECT * FROM recourse.checkpoints WHERE generation = 1;
