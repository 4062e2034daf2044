-- The tables of the projection `directory`, in the schema of one generation: {schema}.
CREATE SCHEMA {schema};

CREATE TABLE {schema}.directory_names (
    kind        text        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT directory_names_pkey PRIMARY KEY (kind, id),
    CONSTRAINT directory_names_kind_known CHECK (kind IN (
        'user', 'group', 'organisation', 'role', 'permission_set', 'project', 'portal',
        'type', 'priority', 'category', 'system', 'environment', 'product', 'service_catalogue', 'service', 'custom_field'
    ))
);

COMMENT ON TABLE {schema}.directory_names IS 'Projection directory: the names of users, groups, organisations, roles, permission sets, projects, portals and items of the catalogue.';

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

CREATE TABLE {schema}.calendars (
    id      uuid   NOT NULL,
    version bigint NOT NULL,
    name    text   NOT NULL,
    CONSTRAINT calendars_pkey PRIMARY KEY (id)
);

COMMENT ON TABLE {schema}.calendars IS 'Projection directory: every calendar, its last version and the name that it has there.';

CREATE TABLE {schema}.calendar_versions (
    id             uuid        NOT NULL,
    version        bigint      NOT NULL,
    change         text        NOT NULL,
    name           text        NOT NULL,
    time_zone      text        NOT NULL,
    definition     jsonb       NOT NULL,
    effective_from date,
    actor_id       uuid        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    CONSTRAINT calendar_versions_pkey PRIMARY KEY (id, version)
);

COMMENT ON TABLE {schema}.calendar_versions IS
    'Projection directory: every version of every calendar, who wrote it and when. definition has week, holidays, overrides and closures as the API writes them.';

CREATE TABLE {schema}.policies (
    id      uuid   NOT NULL,
    version bigint NOT NULL,
    name    text   NOT NULL,
    CONSTRAINT policies_pkey PRIMARY KEY (id)
);

COMMENT ON TABLE {schema}.policies IS 'Projection directory: every policy, its last version and the name that it has there.';

CREATE TABLE {schema}.policy_versions (
    id          uuid        NOT NULL,
    version     bigint      NOT NULL,
    change      text        NOT NULL,
    name        text        NOT NULL,
    definition  jsonb       NOT NULL,
    actor_id    uuid        NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT policy_versions_pkey PRIMARY KEY (id, version)
);

COMMENT ON TABLE {schema}.policy_versions IS
    'Projection directory: every version of every policy, who wrote it and when. definition has all but the name as the API writes it.';

CREATE TABLE {schema}.contracts (
    party    text   NOT NULL,
    id       uuid   NOT NULL,
    version  bigint NOT NULL,
    workflow text,
    CONSTRAINT contracts_pkey PRIMARY KEY (party, id),
    CONSTRAINT contracts_party_known CHECK (party IN ('organisation', 'user'))
);

COMMENT ON TABLE {schema}.contracts IS
    'Projection directory: every organisation and user with whom something was agreed, the last version of that and its workflow.';

CREATE TABLE {schema}.contract_versions (
    party         text        NOT NULL,
    id            uuid        NOT NULL,
    version       bigint      NOT NULL,
    workflow      text,
    support_from  timestamptz,
    support_until timestamptz,
    actor_id      uuid        NOT NULL,
    recorded_at   timestamptz NOT NULL,
    CONSTRAINT contract_versions_pkey PRIMARY KEY (party, id, version)
);

COMMENT ON TABLE {schema}.contract_versions IS
    'Projection directory: everything that was ever agreed with an organisation or a user, by whom and when. A user has no workflow of their own.';

CREATE TABLE {schema}.digests (
    id       uuid        NOT NULL,
    began_at timestamptz,
    ended_at timestamptz NOT NULL,
    CONSTRAINT digests_pkey PRIMARY KEY (id)
);

COMMENT ON TABLE {schema}.digests IS
    'Projection directory: of which stretches of time digests are; began_at is the end of the one before and not in it.';

CREATE TABLE {schema}.profiles (
    kind       text   NOT NULL,
    id         uuid   NOT NULL,
    version    bigint NOT NULL,
    name       text   NOT NULL,
    definition jsonb  NOT NULL,
    CONSTRAINT profiles_pkey PRIMARY KEY (kind, id),
    CONSTRAINT profiles_kind_known CHECK (kind IN (
        'user', 'group', 'organisation', 'role', 'permission_set', 'project', 'portal',
        'type', 'priority', 'category', 'system', 'environment', 'product', 'service_catalogue', 'service', 'custom_field'
    ))
);

COMMENT ON TABLE {schema}.profiles IS
    'Projection directory: every user, group, organisation, role, permission set, project, portal and item of the catalogue that has a profile, as its last version says. definition has all but the name as the API writes it: of a product its characteristics and systems, too.';

CREATE TABLE {schema}.profile_versions (
    kind        text        NOT NULL,
    id          uuid        NOT NULL,
    version     bigint      NOT NULL,
    change      text        NOT NULL,
    name        text        NOT NULL,
    definition  jsonb       NOT NULL,
    actor_id    uuid        NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT profile_versions_pkey PRIMARY KEY (kind, id, version)
);

COMMENT ON TABLE {schema}.profile_versions IS
    'Projection directory: every version of every profile, who wrote it and when. definition has all but the name as the API writes it.';

CREATE TABLE {schema}.actions (
    sequence    bigint      NOT NULL,
    actor_id    uuid        NOT NULL,
    action      text        NOT NULL,
    kind        text        NOT NULL,
    id          uuid        NOT NULL,
    version     bigint      NOT NULL,
    name        text,
    recorded_at timestamptz NOT NULL,
    origin_id   uuid,
    CONSTRAINT actions_pkey PRIMARY KEY (sequence)
);

COMMENT ON TABLE {schema}.actions IS
    'Projection directory: what people did with profiles, calendars, policies and contracts. A name that is null is that of the entry.';
