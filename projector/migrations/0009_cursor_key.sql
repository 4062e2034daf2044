-- By which query-api signs where pages end, so that it knows its own cursors again whichever of its processes wrote them.
-- Random UUIDs are as random as Postgres has without an extension: 244 bits. Where Postgres was lost there is another key, and
-- callers begin at the first page again.
CREATE TABLE recourse.cursor_key (
    only_one boolean NOT NULL DEFAULT TRUE,
    key      bytea   NOT NULL,
    CONSTRAINT cursor_key_pkey PRIMARY KEY (only_one),
    CONSTRAINT cursor_key_only_one CHECK (only_one)
);

COMMENT ON TABLE recourse.cursor_key IS 'The secret by which cursors are signed.';

INSERT INTO recourse.cursor_key (key) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
