-- Full-text search: the words of a text in the three languages of the desk, and a question about them.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- The Russian configuration stems words in Latin letters as English. Every word stands there by both
-- configurations, so that whichever language a question is in, its stems are found.
CREATE FUNCTION recourse.words(body text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector('pg_catalog.russian'::regconfig, body) || to_tsvector('pg_catalog.spanish'::regconfig, body);

CREATE FUNCTION recourse.asked(question text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN websearch_to_tsquery('pg_catalog.russian'::regconfig, question)
        || websearch_to_tsquery('pg_catalog.spanish'::regconfig, question);

-- What an event says, in the fields that are words of people.
CREATE FUNCTION recourse.said(details jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN concat_ws(E'\n', details ->> 'comment', details ->> 'solution', details ->> 'body', details ->> 'reason',
        details ->> 'reference');

-- Postgres holds at most a megabyte of words for one row. What is more is not found, and halts nothing.
CREATE FUNCTION recourse.joined(a tsvector, b tsvector) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN a || b;
EXCEPTION WHEN program_limit_exceeded THEN
    RETURN a;
END
$$;

CREATE AGGREGATE recourse.joined_all(tsvector) (SFUNC = recourse.joined, STYPE = tsvector, INITCOND = '');
