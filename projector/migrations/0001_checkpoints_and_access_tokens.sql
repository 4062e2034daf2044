-- How far each projection has come, its generations, and the mirror of the access tokens.
-- These outlive a generation of read models, so they have a schema of their own.
CREATE SCHEMA IF NOT EXISTS recourse;

CREATE TABLE recourse.generations (
    projection text        NOT NULL,
    generation integer     NOT NULL CONSTRAINT generations_from_one CHECK (generation > 0),
    state      text        NOT NULL CONSTRAINT generations_state_known CHECK (state IN ('filling', 'ready', 'serving', 'kept')),
    made_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT generations_pkey PRIMARY KEY (projection, generation)
);

COMMENT ON TABLE recourse.generations IS
    'The generations of each projection''s tables; the tables of generation 3 of tickets are in schema tickets_3.';
COMMENT ON COLUMN recourse.generations.state IS
    'filling: made from the log and not whole; ready: whole and following; serving: what readers see; kept: served once, and follows still.';

CREATE UNIQUE INDEX generations_one_serves ON recourse.generations (projection) WHERE state = 'serving';

CREATE TABLE recourse.checkpoints (
    projection text     NOT NULL,
    generation integer  NOT NULL,
    partition  integer  NOT NULL,
    sequence   bigint   NOT NULL CONSTRAINT checkpoints_sequence_not_negative CHECK (sequence >= 0),
    record_id  uuid,
    epoch      uuid,
    state      text     NOT NULL CONSTRAINT checkpoints_state_known CHECK (state IN ('running', 'halted', 'paused')),
    error      text,
    head       bigint   NOT NULL,
    filled     boolean  NOT NULL,
    CONSTRAINT checkpoints_pkey PRIMARY KEY (projection, generation, partition)
);

COMMENT ON TABLE recourse.checkpoints IS
    'The only cursor of a projection on a partition. Advanced by compare-and-set in the transaction that changes the rows.';
COMMENT ON COLUMN recourse.checkpoints.sequence IS 'The last record whose rows are committed; 0: none yet.';
COMMENT ON COLUMN recourse.checkpoints.record_id IS 'That record''s id, by which a reader notices a log that went backwards.';
COMMENT ON COLUMN recourse.checkpoints.epoch IS 'Which log the sequence belongs to.';
COMMENT ON COLUMN recourse.checkpoints.state IS 'halted: by a record that cannot be applied; paused: by an operator.';
COMMENT ON COLUMN recourse.checkpoints.error IS 'Why the projection halted.';
COMMENT ON COLUMN recourse.checkpoints.filled IS
    'Whether the rows have ever held all that the log did. Until then readers are told that the read model is being built.';
COMMENT ON COLUMN recourse.checkpoints.head IS 'The last sequence known to be in the log; head - sequence is the lag.';

CREATE TABLE recourse.skipped (
    projection   text        NOT NULL,
    generation   integer     NOT NULL,
    partition    integer     NOT NULL,
    sequence     bigint      NOT NULL,
    aggregate_id uuid,
    error        text,
    reason       text        NOT NULL,
    skipped_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT skipped_pkey PRIMARY KEY (projection, generation, partition, sequence)
);

COMMENT ON TABLE recourse.skipped IS
    'Records that an operator passed over. Later records of the same ticket are passed over as well: its rows stay as they were.';
COMMENT ON COLUMN recourse.skipped.aggregate_id IS 'The ticket; null if the record did not even tell.';

CREATE TABLE recourse.access_tokens (
    hash    bytea NOT NULL,
    granted jsonb NOT NULL,
    CONSTRAINT access_tokens_pkey PRIMARY KEY (hash)
);

COMMENT ON TABLE recourse.access_tokens IS
    'A mirror of the bucket of token hashes, so that queries need Postgres alone.';

-- What readers use: views of the generation that serves. Each projection's own are made with its tables.
CREATE SCHEMA desk;

CREATE VIEW desk.checkpoints AS
SELECT c.*
FROM recourse.checkpoints c
LEFT JOIN recourse.generations g USING (projection, generation)
WHERE g.state = 'serving' OR c.projection = 'tokens';
