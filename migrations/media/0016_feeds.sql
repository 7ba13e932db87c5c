-- migrate:up

-- Where calendar programs read a user's creatives. The token in the address is stored as its SHA-256.
CREATE TABLE feeds (
    user_id      uuid PRIMARY KEY,
    token_hash   bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    created_at   timestamptz NOT NULL,
    last_read_at timestamptz
);

-- migrate:down

DROP TABLE feeds;
