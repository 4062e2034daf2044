-- Made after the tables are filled, where they are filled at once.
ALTER TABLE {schema}.tickets ADD CONSTRAINT tickets_pkey PRIMARY KEY (id);
ALTER TABLE {schema}.ticket_versions ADD CONSTRAINT ticket_versions_pkey PRIMARY KEY (id, revision);
ALTER TABLE {schema}.descriptions ADD CONSTRAINT descriptions_pkey PRIMARY KEY (ticket_id, revision);
ALTER TABLE {schema}.timeline ADD CONSTRAINT timeline_pkey PRIMARY KEY (ticket_id, revision, place);
ALTER TABLE {schema}.measures ADD CONSTRAINT measures_pkey PRIMARY KEY (ticket_id, revision, place, kind);
ALTER TABLE {schema}.ticket_clocks ADD CONSTRAINT ticket_clocks_pkey PRIMARY KEY (ticket_id, target, number);

-- One index for each sort, whole. Ties are broken by id, so that a page has one right end. A filter that
-- many tickets pass is served by walking the sort's index: how far does not depend on how many there are.
-- Every index has what most filters look at besides, so that tickets that do not pass are passed over without being
-- read; only those of the page are. The filters of few different values are by their rank: a text would be in the way.
CREATE INDEX tickets_by_number ON {schema}.tickets (number, id)
    INCLUDE (created_at, updated_at, due_at, priority_rank, status_rank, rating, recorded_at);
CREATE INDEX tickets_by_created ON {schema}.tickets (created_at, id)
    INCLUDE (number, updated_at, due_at, priority_rank, status_rank, rating, recorded_at);
CREATE INDEX tickets_by_updated ON {schema}.tickets (updated_at, id)
    INCLUDE (number, created_at, due_at, priority_rank, status_rank, rating, recorded_at);
CREATE INDEX tickets_by_priority ON {schema}.tickets (priority_rank, id)
    INCLUDE (number, created_at, updated_at, due_at, status_rank, rating, recorded_at);
CREATE INDEX tickets_by_status ON {schema}.tickets (status_rank, id)
    INCLUDE (number, created_at, updated_at, due_at, priority_rank, rating, recorded_at);
-- A ticket without a due time comes last either way, hence two.
CREATE INDEX tickets_by_due_ascending ON {schema}.tickets ((COALESCE(due_at, 'infinity'::timestamptz)), id)
    INCLUDE (number, created_at, updated_at, due_at, priority_rank, status_rank, rating, recorded_at);
CREATE INDEX tickets_by_due_descending ON {schema}.tickets ((COALESCE(due_at, '-infinity'::timestamptz)), id)
    INCLUDE (number, created_at, updated_at, due_at, priority_rank, status_rank, rating, recorded_at);

-- Open tickets are few and new: from the other end, a walk would pass all the closed ones first. 6 is the rank of closed.
CREATE INDEX open_tickets_by_number ON {schema}.tickets (number, id)
    INCLUDE (created_at, updated_at, due_at, priority_rank, status_rank, rating, recorded_at)
    WHERE status_rank <> 6;
CREATE INDEX open_tickets_by_created ON {schema}.tickets (created_at, id)
    INCLUDE (number, updated_at, due_at, priority_rank, status_rank, rating, recorded_at)
    WHERE status_rank <> 6;
CREATE INDEX open_tickets_by_updated ON {schema}.tickets (updated_at, id)
    INCLUDE (number, created_at, due_at, priority_rank, status_rank, rating, recorded_at)
    WHERE status_rank <> 6;
CREATE INDEX open_tickets_by_priority ON {schema}.tickets (priority_rank, id)
    INCLUDE (number, created_at, updated_at, due_at, status_rank, rating, recorded_at)
    WHERE status_rank <> 6;

-- The filters that pick few tickets out of many. Where these are thousands, they are sorted without being read.
CREATE INDEX tickets_of_organisation ON {schema}.tickets (organisation_id, created_at, id)
    INCLUDE (number, updated_at, due_at, priority_rank, status_rank, rating, recorded_at);
CREATE INDEX tickets_of_requester ON {schema}.tickets (requester_id, created_at, id)
    INCLUDE (number, updated_at, due_at, priority_rank, status_rank, rating, recorded_at);
CREATE INDEX tickets_of_assignee ON {schema}.tickets (assignee_id, created_at, id)
    INCLUDE (number, updated_at, due_at, priority_rank, status_rank, rating, recorded_at);
CREATE INDEX tickets_of_group ON {schema}.tickets (group_id, created_at, id)
    INCLUDE (number, updated_at, due_at, priority_rank, status_rank, rating, recorded_at);
-- Most tickets are in no project.
CREATE INDEX tickets_of_project ON {schema}.tickets (project_id, created_at, id)
    INCLUDE (number, updated_at, due_at, priority_rank, status_rank, rating, recorded_at)
    WHERE project_id IS NOT NULL;
CREATE INDEX tickets_edited ON {schema}.tickets (recorded_at) WHERE edited;
CREATE INDEX tickets_followed ON {schema}.tickets USING gin (followers) WITH (fastupdate = off);
CREATE INDEX tickets_due ON {schema}.tickets (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX tickets_rated ON {schema}.tickets (rating, id) WHERE rating IS NOT NULL;
CREATE INDEX tickets_of_category ON {schema}.tickets (category) WHERE category IS NOT NULL;
CREATE INDEX tickets_of_system ON {schema}.tickets (system) WHERE system IS NOT NULL;
CREATE INDEX tickets_of_environment ON {schema}.tickets (environment) WHERE environment IS NOT NULL;
CREATE INDEX tickets_of_service ON {schema}.tickets (service) WHERE service IS NOT NULL;
CREATE INDEX tickets_of_product ON {schema}.tickets (product) WHERE product IS NOT NULL;
CREATE INDEX tickets_of_platform_version ON {schema}.tickets (platform_version) WHERE platform_version IS NOT NULL;

-- The same for what tickets were, as far as lists of the past need it. They are seven times as many, so that their
-- indexes have less besides.
CREATE INDEX ticket_versions_by_number ON {schema}.ticket_versions (number, id)
    INCLUDE (created_at, updated_at, priority_rank, status_rank, rating, recorded_at, valid_to);
CREATE INDEX ticket_versions_by_created ON {schema}.ticket_versions (created_at, id)
    INCLUDE (updated_at, priority_rank, status_rank, rating, recorded_at, valid_to);
CREATE INDEX ticket_versions_by_updated ON {schema}.ticket_versions (updated_at, id)
    INCLUDE (created_at, priority_rank, status_rank, rating, recorded_at, valid_to);
CREATE INDEX ticket_versions_by_priority ON {schema}.ticket_versions (priority_rank, id)
    INCLUDE (created_at, updated_at, status_rank, rating, recorded_at, valid_to);
CREATE INDEX ticket_versions_by_status ON {schema}.ticket_versions (status_rank, id)
    INCLUDE (created_at, updated_at, priority_rank, rating, recorded_at, valid_to);
CREATE INDEX ticket_versions_by_due_ascending ON {schema}.ticket_versions ((COALESCE(due_at, 'infinity'::timestamptz)), id)
    INCLUDE (number, due_at, created_at, updated_at, priority_rank, status_rank, rating, recorded_at, valid_to);
CREATE INDEX ticket_versions_by_due_descending ON {schema}.ticket_versions ((COALESCE(due_at, '-infinity'::timestamptz)), id)
    INCLUDE (number, due_at, created_at, updated_at, priority_rank, status_rank, rating, recorded_at, valid_to);
CREATE INDEX ticket_versions_of_organisation ON {schema}.ticket_versions (organisation_id, created_at, id)
    INCLUDE (number, updated_at, priority_rank, status_rank, rating, recorded_at, valid_to);
CREATE INDEX ticket_versions_of_assignee ON {schema}.ticket_versions (assignee_id, created_at, id)
    INCLUDE (number, updated_at, priority_rank, status_rank, rating, recorded_at, valid_to);
CREATE INDEX ticket_versions_of_group ON {schema}.ticket_versions (group_id, created_at, id)
    INCLUDE (number, updated_at, priority_rank, status_rank, rating, recorded_at, valid_to);
CREATE INDEX ticket_versions_of_project ON {schema}.ticket_versions (project_id, created_at, id)
    INCLUDE (number, updated_at, priority_rank, status_rank, rating, recorded_at, valid_to)
    WHERE project_id IS NOT NULL;
CREATE INDEX ticket_versions_of_requester ON {schema}.ticket_versions (requester_id, created_at, id);
CREATE INDEX ticket_versions_followed ON {schema}.ticket_versions USING gin (followers) WITH (fastupdate = off);
CREATE INDEX ticket_versions_by_end ON {schema}.ticket_versions (valid_to);

CREATE INDEX timeline_by_position ON {schema}.timeline (partition, sequence, place);
-- What somebody did, whoever it was done as: one line for each record of a person.
CREATE INDEX timeline_of_doer ON {schema}.timeline (COALESCE(via_id, actor_id), recorded_at, partition, sequence)
    WHERE place = 0 AND actor_kind <> 'system';
CREATE INDEX timeline_closings ON {schema}.timeline (occurred_at, ticket_id)
    WHERE event IN ('closed', 'closure_wait_expired');
CREATE INDEX timeline_ratings ON {schema}.timeline (occurred_at, ticket_id) WHERE event = 'rated';
CREATE INDEX measures_by_time ON {schema}.measures (kind, occurred_at);
CREATE INDEX ticket_timers_by_due ON {schema}.ticket_timers (due_at, ticket_id);
CREATE INDEX ticket_clocks_by_warning ON {schema}.ticket_clocks (warned_at) WHERE warned_at IS NOT NULL;
CREATE INDEX ticket_clocks_by_breach ON {schema}.ticket_clocks (breached_at) WHERE breached_at IS NOT NULL;
CREATE INDEX ticket_clocks_by_wake ON {schema}.ticket_clocks (wakes_at, ticket_id) WHERE wakes_at IS NOT NULL;

-- Whether a word is rare decides how it is looked for. By default Postgres counts the thousand commonest, and takes
-- all others for half as common as the last of these: in millions of tickets, for far too common.
ALTER TABLE {schema}.ticket_texts
    ALTER COLUMN public_words SET STATISTICS 1000,
    ALTER COLUMN all_words SET STATISTICS 1000;
CREATE INDEX ticket_texts_public ON {schema}.ticket_texts USING gin (public_words);
CREATE INDEX ticket_texts_all ON {schema}.ticket_texts USING gin (all_words) WHERE all_words IS NOT NULL;
CREATE INDEX ticket_texts_label ON {schema}.ticket_texts USING gin (label gin_trgm_ops);
