-- What readers use of the projection `directory`: the generation {schema}.
CREATE OR REPLACE VIEW desk.directory_names AS SELECT * FROM {schema}.directory_names;
CREATE OR REPLACE VIEW desk.directory_name_versions AS SELECT * FROM {schema}.directory_name_versions;
CREATE OR REPLACE VIEW desk.calendars AS SELECT * FROM {schema}.calendars;
CREATE OR REPLACE VIEW desk.calendar_versions AS SELECT * FROM {schema}.calendar_versions;
CREATE OR REPLACE VIEW desk.policies AS SELECT * FROM {schema}.policies;
CREATE OR REPLACE VIEW desk.policy_versions AS SELECT * FROM {schema}.policy_versions;
CREATE OR REPLACE VIEW desk.contracts AS SELECT * FROM {schema}.contracts;
CREATE OR REPLACE VIEW desk.contract_versions AS SELECT * FROM {schema}.contract_versions;
CREATE OR REPLACE VIEW desk.digests AS SELECT * FROM {schema}.digests;
CREATE OR REPLACE VIEW desk.users AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'user';
CREATE OR REPLACE VIEW desk.user_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'user';
CREATE OR REPLACE VIEW desk.groups AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'group';
CREATE OR REPLACE VIEW desk.group_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'group';
CREATE OR REPLACE VIEW desk.organisations AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'organisation';
CREATE OR REPLACE VIEW desk.organisation_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'organisation';
