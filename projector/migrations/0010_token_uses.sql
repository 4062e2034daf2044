-- Where query-api, which needs no log, leaves word of when tokens were last used. A projector takes it to the
-- log and forgets it here.
CREATE TABLE recourse.token_uses (
    hash    bytea       NOT NULL,
    used_at timestamptz NOT NULL,
    CONSTRAINT token_uses_pkey PRIMARY KEY (hash)
);

COMMENT ON TABLE recourse.token_uses IS 'When tokens were last used, until the log has been told.';
