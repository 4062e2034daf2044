-- What readers use of the projection `directory`: the generation {schema}.
CREATE OR REPLACE VIEW desk.directory_names AS SELECT * FROM {schema}.directory_names;
CREATE OR REPLACE VIEW desk.directory_name_versions AS SELECT * FROM {schema}.directory_name_versions;
CREATE OR REPLACE VIEW desk.calendars AS SELECT * FROM {schema}.calendars;
CREATE OR REPLACE VIEW desk.calendar_versions AS SELECT * FROM {schema}.calendar_versions;
CREATE OR REPLACE VIEW desk.policies AS SELECT * FROM {schema}.policies;
CREATE OR REPLACE VIEW desk.policy_versions AS SELECT * FROM {schema}.policy_versions;
CREATE OR REPLACE VIEW desk.contracts AS SELECT * FROM {schema}.contracts;
CREATE OR REPLACE VIEW desk.contract_versions AS SELECT * FROM {schema}.contract_versions;
CREATE OR REPLACE VIEW desk.actions AS SELECT * FROM {schema}.actions;

CREATE OR REPLACE VIEW desk.digests AS SELECT * FROM {schema}.digests;
CREATE OR REPLACE VIEW desk.users AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'user';
CREATE OR REPLACE VIEW desk.user_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'user';
CREATE OR REPLACE VIEW desk.groups AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'group';
CREATE OR REPLACE VIEW desk.group_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'group';
CREATE OR REPLACE VIEW desk.organisations AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'organisation';
CREATE OR REPLACE VIEW desk.organisation_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'organisation';
CREATE OR REPLACE VIEW desk.roles AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'role';
CREATE OR REPLACE VIEW desk.role_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'role';
CREATE OR REPLACE VIEW desk.permission_sets AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'permission_set';
CREATE OR REPLACE VIEW desk.permission_set_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'permission_set';
CREATE OR REPLACE VIEW desk.projects AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'project';
CREATE OR REPLACE VIEW desk.project_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'project';
CREATE OR REPLACE VIEW desk.portals AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'portal';
CREATE OR REPLACE VIEW desk.portal_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'portal';

-- The catalogue. The types and priorities that every desk has from the start are version 0 of theirs, which nobody wrote: until there is a
-- version 1 they are as domain::catalogue has them. Ids are those that command-service derives from codes; a test holds all this together.
CREATE OR REPLACE VIEW desk.catalogue_type_versions AS
SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'type'
UNION ALL
SELECT id, 0::bigint, 'built_in', name, definition, NULL::uuid, NULL::timestamptz FROM (VALUES
    ('163459a2-ad0a-52b9-b292-f76ac4828a82'::uuid, 'Outage', '{"code": "outage", "awaits": "fix", "default_priority": "critical", "archived": false}'::jsonb),
    ('52d772d7-175a-53a2-903a-3555ba5928ed'::uuid, 'Defect', '{"code": "defect", "awaits": "fix", "default_priority": "high", "archived": false}'::jsonb),
    ('9ad9c771-5467-5518-96a3-1d46aa7693e3'::uuid, 'Consultation', '{"code": "consultation", "awaits": null, "default_priority": "medium", "archived": false}'::jsonb),
    ('72188d86-d438-56b1-a01d-11cf48a1d0dd'::uuid, 'Feature request', '{"code": "feature_request", "awaits": "implementation", "default_priority": "low", "archived": false}'::jsonb)
) AS built_in (id, name, definition);
CREATE OR REPLACE VIEW desk.catalogue_types AS
SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'type'
UNION ALL
SELECT id, version, name, definition FROM desk.catalogue_type_versions b
WHERE version = 0 AND NOT EXISTS (SELECT FROM {schema}.profiles p WHERE p.kind = 'type' AND p.id = b.id);
CREATE OR REPLACE VIEW desk.catalogue_priority_versions AS
SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'priority'
UNION ALL
SELECT id, 0::bigint, 'built_in', name, definition, NULL::uuid, NULL::timestamptz FROM (VALUES
    ('4025c208-fb5e-5a9d-85cb-7bcf4afe4877'::uuid, 'Low', '{"code": "low", "rank": 0, "archived": false}'::jsonb),
    ('b5748e07-3972-5cd5-9284-272da056fe2b'::uuid, 'Medium', '{"code": "medium", "rank": 1, "archived": false}'::jsonb),
    ('4392e8d0-c031-5129-840e-4289b05d487d'::uuid, 'High', '{"code": "high", "rank": 2, "archived": false}'::jsonb),
    ('3ecdfd25-e1c8-5207-96c6-fb76692ff2f0'::uuid, 'Critical', '{"code": "critical", "rank": 3, "archived": false}'::jsonb)
) AS built_in (id, name, definition);
CREATE OR REPLACE VIEW desk.catalogue_priorities AS
SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'priority'
UNION ALL
SELECT id, version, name, definition FROM desk.catalogue_priority_versions b
WHERE version = 0 AND NOT EXISTS (SELECT FROM {schema}.profiles p WHERE p.kind = 'priority' AND p.id = b.id);
CREATE OR REPLACE VIEW desk.catalogue_categories AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'category';
CREATE OR REPLACE VIEW desk.catalogue_category_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'category';
CREATE OR REPLACE VIEW desk.catalogue_systems AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'system';
CREATE OR REPLACE VIEW desk.catalogue_system_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'system';
CREATE OR REPLACE VIEW desk.catalogue_environments AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'environment';
CREATE OR REPLACE VIEW desk.catalogue_environment_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'environment';
CREATE OR REPLACE VIEW desk.catalogue_products AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'product';
CREATE OR REPLACE VIEW desk.catalogue_product_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'product';
CREATE OR REPLACE VIEW desk.catalogue_service_catalogues AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'service_catalogue';
CREATE OR REPLACE VIEW desk.catalogue_service_catalogue_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'service_catalogue';
CREATE OR REPLACE VIEW desk.catalogue_services AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'service';
CREATE OR REPLACE VIEW desk.catalogue_service_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'service';
CREATE OR REPLACE VIEW desk.catalogue_custom_fields AS SELECT id, version, name, definition FROM {schema}.profiles WHERE kind = 'custom_field';
CREATE OR REPLACE VIEW desk.catalogue_custom_field_versions AS SELECT id, version, change, name, definition, actor_id, recorded_at FROM {schema}.profile_versions WHERE kind = 'custom_field';
