-- The mirror of the bucket that says from where users did what they did: rows of the read models name its ids. Addresses
-- are forgotten here when they are forgotten there.
CREATE TABLE recourse.origins (
    key           text NOT NULL,
    id            uuid NOT NULL,
    address       text,
    forwarded_for text,
    agent         text,
    CONSTRAINT origins_pkey PRIMARY KEY (key)
);

CREATE INDEX origins_by_id ON recourse.origins (id);

COMMENT ON TABLE recourse.origins IS 'From where users did what they did.';
