CREATE INDEX directory_names_by_id ON {schema}.directory_names (id);
CREATE INDEX directory_name_versions_by_id ON {schema}.directory_name_versions (id, recorded_at);
CREATE INDEX calendars_by_name ON {schema}.calendars (name, id);
CREATE INDEX policies_by_name ON {schema}.policies (name, id);
CREATE INDEX actions_of_actor ON {schema}.actions (actor_id, recorded_at, sequence);
CREATE INDEX digests_by_end ON {schema}.digests (ended_at);
CREATE INDEX profiles_by_name ON {schema}.profiles (kind, name, id);
CREATE INDEX profiles_by_definition ON {schema}.profiles USING gin (definition jsonb_path_ops);
-- Looked at for each request: a customer sees the tickets of projects that they follow.
CREATE INDEX projects_followed ON {schema}.profiles USING gin (definition jsonb_path_ops) WHERE kind = 'project';
CREATE INDEX profiles_by_part ON {schema}.profiles USING gin ((name || E'\n' || COALESCE(definition ->> 'email', '')) gin_trgm_ops);
-- For lists of users in other orders than by name.
CREATE INDEX users_by_last_name ON {schema}.profiles ((COALESCE(definition ->> 'last_name', '')), name, id) WHERE kind = 'user';
CREATE INDEX users_by_first_name ON {schema}.profiles ((COALESCE(definition ->> 'first_name', '')), name, id) WHERE kind = 'user';
CREATE INDEX users_by_position ON {schema}.profiles ((COALESCE(definition ->> 'position', '')), name, id) WHERE kind = 'user';
CREATE INDEX users_by_email ON {schema}.profiles ((COALESCE(definition ->> 'email', '')), name, id) WHERE kind = 'user';
