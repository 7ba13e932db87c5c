-- migrate:up

-- Files whose row is gone, until the store has let go of them. Written in the transaction that
-- deletes the row, whoever deletes it: a store that is away loses nothing.
CREATE TABLE removals (
    user_id     uuid NOT NULL,
    creative_id uuid NOT NULL,
    variants    text[] NOT NULL,
    due_at      timestamptz NOT NULL,
    attempts    integer NOT NULL DEFAULT 0,
    PRIMARY KEY (creative_id)
);

CREATE INDEX removals_by_due ON removals (due_at);

CREATE FUNCTION note_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO removals (user_id, creative_id, variants, due_at)
    VALUES (old.user_id, old.id, old.variants, now());
    RETURN NULL;
END
$$;

CREATE TRIGGER creative_deleted AFTER DELETE ON creatives
    FOR EACH ROW EXECUTE FUNCTION note_removal();

-- migrate:down

DROP TRIGGER creative_deleted ON creatives;
DROP FUNCTION note_removal;
DROP TABLE removals;
