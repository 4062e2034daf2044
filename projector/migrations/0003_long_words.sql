-- Postgres' parser takes a time that grows with the square of a text's length, if there is no white space in it
-- but signs such as `_`: a minute for 64 KiB. Nobody looks for words of more than two hundred characters, so that
-- longer runs are cut.
CREATE OR REPLACE FUNCTION recourse.words(body text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector('pg_catalog.russian'::regconfig, regexp_replace(body, '(\S{200})', '\1 ', 'g'))
        || to_tsvector('pg_catalog.spanish'::regconfig, regexp_replace(body, '(\S{200})', '\1 ', 'g'));
