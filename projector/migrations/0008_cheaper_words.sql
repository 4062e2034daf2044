-- The functions that live projection calls most, without what cost most in them. What they return is the same.

-- An immutable expression alone is put in place of the call; concat_ws is not one.
CREATE OR REPLACE FUNCTION recourse.said(details jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE(details ->> 'comment' || E'\n', '') || COALESCE(details ->> 'solution' || E'\n', '')
        || COALESCE(details ->> 'body' || E'\n', '') || COALESCE(details ->> 'reason' || E'\n', '')
        || COALESCE(details ->> 'reference', '');

-- Catching an error takes a subtransaction. Postgres takes words of up to 2 KiB, and up to 255 places of each, two bytes
-- for one: so few words fit into the megabyte.
CREATE OR REPLACE FUNCTION recourse.joined(a tsvector, b tsvector) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF length(a) + length(b) <= 400 THEN
        RETURN a || b;
    END IF;
    BEGIN
        RETURN a || b;
    EXCEPTION WHEN program_limit_exceeded THEN
        RETURN a;
    END;
END
$$;

-- recourse.added is for the release before this one: counts of durations are added by the projector now.
