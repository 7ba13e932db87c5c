-- migrate:up

-- The recovery codes that are left, by their SHA-256. A code that is used loses its row.
CREATE TABLE recovery_codes (
    hash       bytea PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL
);

CREATE INDEX recovery_codes_of_user ON recovery_codes (user_id);

-- migrate:down

DROP TABLE recovery_codes;
