-- Which tables a generation has. A projector writes to those alone that it would make itself; another binary's stay
-- as they are. What was made before this column is nobody's, and is made again.
ALTER TABLE recourse.generations ADD COLUMN layout text NOT NULL DEFAULT '';

COMMENT ON COLUMN recourse.generations.layout IS
    'A digest of the statements that made the generation''s tables, indexes and views.';
