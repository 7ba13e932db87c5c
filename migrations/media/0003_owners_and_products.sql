-- migrate:up

-- What is counted and remembered of a user: the bytes that are stored, the uploads of a day, and
-- those under way, each with the Unix second until which it is believed to be alive. Whoever adds
-- something of a user's locks this row, in the statement that adds it; a deleted user's row stays,
-- so that nothing is added behind the deletion's back.
CREATE TABLE owners (
    user_id    uuid PRIMARY KEY,
    bytes      bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    day        date NOT NULL DEFAULT '-infinity',
    uploads    integer NOT NULL DEFAULT 0,
    under_way  jsonb NOT NULL DEFAULT '{}',
    deleted_at timestamptz
) WITH (fillfactor = 80);

INSERT INTO owners (user_id, bytes) SELECT user_id, sum(size) FROM creatives GROUP BY user_id;

-- The same creatives for everybody, as an editor sees them.
CREATE INDEX creatives_by_due ON creatives (due_at, id);

-- A picture of a product. Its files are stored under {user_id}/{id}/{variant}.
CREATE TABLE photos (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL,
    file_name    text NOT NULL CHECK (char_length(file_name) BETWEEN 1 AND 120),
    content_type text NOT NULL,
    size         bigint NOT NULL CHECK (size > 0),
    width        integer NOT NULL CHECK (width > 0),
    height       integer NOT NULL CHECK (height > 0),
    sha256       bytea NOT NULL CHECK (octet_length(sha256) = 32),
    variants     text[] NOT NULL CHECK ('original' = ANY (variants)),
    created_at   timestamptz NOT NULL
);

CREATE INDEX photos_of_user ON photos (user_id);

-- `price` is in the currency's smallest unit.
CREATE TABLE products (
    id          text PRIMARY KEY CHECK (id ~ '^PR-[0-9A-HJKMNP-TV-Z]{12}$'),
    user_id     uuid NOT NULL,
    name        text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    description text NOT NULL CHECK (char_length(description) <= 4000),
    price       bigint NOT NULL CHECK (price >= 0),
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    visibility  text NOT NULL CHECK (visibility IN ('public', 'hidden')),
    photo_id    uuid UNIQUE REFERENCES photos (id),
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    version     integer NOT NULL DEFAULT 1,
    words       tsvector NOT NULL
                GENERATED ALWAYS AS (to_tsvector('simple', name || ' ' || description)) STORED
);

CREATE INDEX products_of_user ON products (user_id, created_at, id);
CREATE INDEX products_public ON products (created_at, id) WHERE visibility = 'public';
CREATE INDEX products_words ON products USING gin (words) WHERE visibility = 'public';

-- Every row that has files in the store.
CREATE VIEW pictures AS
SELECT id, user_id, variants FROM creatives
UNION ALL
SELECT id, user_id, variants FROM photos;

-- Whoever removes a row, and for whatever reason, gives its owner the room back.
CREATE FUNCTION give_room_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE owners SET bytes = greatest(bytes - old.size, 0) WHERE user_id = old.user_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER gives_room_back AFTER DELETE ON creatives
FOR EACH ROW EXECUTE FUNCTION give_room_back();
CREATE TRIGGER gives_room_back AFTER DELETE ON photos
FOR EACH ROW EXECUTE FUNCTION give_room_back();

-- What a client calls a request that it may repeat. Until `answer` is there, the request with this
-- `lease` is under way, and believed to be alive until `leased_until`.
CREATE TABLE idempotency_keys (
    user_id      uuid NOT NULL,
    route        text NOT NULL,
    key          text NOT NULL,
    lease        uuid NOT NULL,
    leased_until timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    fingerprint  bytea,
    answer       text,
    location     text,
    PRIMARY KEY (user_id, route, key),
    CHECK ((answer IS NULL) = (fingerprint IS NULL))
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- migrate:down

DROP TABLE idempotency_keys;
DROP TRIGGER gives_room_back ON creatives;
DROP VIEW pictures;
DROP TABLE products;
DROP TABLE photos;
DROP FUNCTION give_room_back;
DROP INDEX creatives_by_due;
DROP TABLE owners;
