-- migrate:up

-- What a search finds: the folded words of name and description, and their pieces, which an index
-- holds. The service makes both, because PostgreSQL folds no accents without an extension. They
-- are NULL in rows of the release before, until the service has filled them in.
ALTER TABLE products ADD COLUMN folded text, ADD COLUMN pieces text[];

CREATE INDEX products_pieces ON products USING gin (pieces)
    WHERE visibility = 'public' AND pieces IS NOT NULL;
CREATE INDEX products_unfolded ON products (id) WHERE pieces IS NULL;

-- The release before changes names without these columns.
CREATE FUNCTION forget_search_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.folded := NULL;
    new.pieces := NULL;
    RETURN new;
END
$$;

CREATE TRIGGER forgets_search_text BEFORE UPDATE OF name, description ON products
FOR EACH ROW WHEN ((old.name, old.description) IS DISTINCT FROM (new.name, new.description))
EXECUTE FUNCTION forget_search_text();

-- migrate:down

DROP TRIGGER forgets_search_text ON products;
DROP FUNCTION forget_search_text;
DROP INDEX products_unfolded;
DROP INDEX products_pieces;
ALTER TABLE products DROP COLUMN folded, DROP COLUMN pieces;
