-- migrate:up

-- What each picture takes of its owner's quota: the bytes of all its files. It is a table of its own
-- because the release before reads whole rows of `creatives` and `photos`. A picture that is not
-- listed counts its original alone; the sweeper measures such pictures and lists them.
CREATE TABLE counted_pictures (
    picture_id uuid PRIMARY KEY,
    bytes      bigint NOT NULL CHECK (bytes >= 0)
);

CREATE OR REPLACE FUNCTION give_room_back() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    counted bigint;
BEGIN
    DELETE FROM counted_pictures WHERE picture_id = old.id RETURNING bytes INTO counted;
    UPDATE owners SET bytes = greatest(bytes - coalesce(counted, old.size), 0)
    WHERE user_id = old.user_id;
    RETURN NULL;
END
$$;

-- migrate:down

CREATE OR REPLACE FUNCTION give_room_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE owners SET bytes = greatest(bytes - old.size, 0) WHERE user_id = old.user_id;
    RETURN NULL;
END
$$;

UPDATE owners SET bytes = greatest(bytes - more, 0)
FROM (
    SELECT picture.user_id AS owner, sum(counted.bytes - picture.size) AS more
    FROM counted_pictures AS counted
    JOIN (
        SELECT id, user_id, size FROM creatives UNION ALL SELECT id, user_id, size FROM photos
    ) AS picture ON picture.id = counted.picture_id
    GROUP BY picture.user_id
) AS beyond_originals
WHERE user_id = owner;

DROP TABLE counted_pictures;
