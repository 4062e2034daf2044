-- Since when a generation is what it is, so that one which was kept for long enough can be dropped.
ALTER TABLE recourse.generations ADD COLUMN since timestamptz NOT NULL DEFAULT now();

COMMENT ON COLUMN recourse.generations.since IS 'When it came to be in that state.';
