-- The tables of the projection `directory`, in the schema of one generation: {schema}.
CREATE SCHEMA {schema};

CREATE TABLE {schema}.directory_names (
    kind        text        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT directory_names_pkey PRIMARY KEY (kind, id),
    CONSTRAINT directory_names_kind_known CHECK (kind IN ('user', 'group', 'organisation'))
);

COMMENT ON TABLE {schema}.directory_names IS 'Projection directory: the names of users, groups and organisations.';

CREATE TABLE {schema}.directory_name_versions (
    kind        text        NOT NULL,
    id          uuid        NOT NULL,
    sequence    bigint      NOT NULL,
    name        text        NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT directory_name_versions_pkey PRIMARY KEY (kind, id, sequence)
);

COMMENT ON TABLE {schema}.directory_name_versions IS
    'Projection directory: every name that anybody ever had, from recorded_at until the next one.';
