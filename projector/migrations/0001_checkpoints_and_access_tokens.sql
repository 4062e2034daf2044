-- How far each projection has come, and the mirror of the access tokens.
-- These outlive a generation of read models, so they have a schema of their own.
CREATE SCHEMA IF NOT EXISTS recourse;

CREATE TABLE recourse.checkpoints (
    projection text     NOT NULL,
    generation integer  NOT NULL,
    partition  integer  NOT NULL,
    sequence   bigint   NOT NULL CONSTRAINT checkpoints_sequence_not_negative CHECK (sequence >= 0),
    record_id  uuid,
    epoch      uuid,
    state      text     NOT NULL CONSTRAINT checkpoints_state_known CHECK (state IN ('running', 'halted')),
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
COMMENT ON COLUMN recourse.checkpoints.error IS 'Why the projection halted.';
COMMENT ON COLUMN recourse.checkpoints.filled IS
    'Whether the rows have ever held all that the log did. Until then readers are told that the read model is being built.';
COMMENT ON COLUMN recourse.checkpoints.head IS 'The last sequence known to be in the log; head - sequence is the lag.';

CREATE TABLE recourse.access_tokens (
    hash    bytea NOT NULL,
    granted jsonb NOT NULL,
    CONSTRAINT access_tokens_pkey PRIMARY KEY (hash)
);

COMMENT ON TABLE recourse.access_tokens IS
    'A mirror of the bucket of token hashes, so that queries need Postgres alone.';
