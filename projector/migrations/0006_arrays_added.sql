-- Two lists of counts, added one by one; the shorter counts as followed by zeros.
CREATE FUNCTION recourse.added(a integer[], b integer[]) RETURNS integer[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT COALESCE(array_agg(COALESCE(one.a, 0) + COALESCE(one.b, 0) ORDER BY one.place), '{}')
    FROM unnest(a, b) WITH ORDINALITY AS one (a, b, place)
$$;
