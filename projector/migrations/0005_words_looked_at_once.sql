-- Few texts have a run that is long enough to be cut, and looking for one costs much less than writing the text anew;
-- both configurations read what came of it.
CREATE OR REPLACE FUNCTION recourse.words(body text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    cut text := CASE WHEN body ~ '\S{201}' THEN regexp_replace(body, '(\S{200})', '\1 ', 'g') ELSE body END;
BEGIN
    RETURN to_tsvector('pg_catalog.russian'::regconfig, cut) || to_tsvector('pg_catalog.spanish'::regconfig, cut);
END
$$;
