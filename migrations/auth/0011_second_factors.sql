-- migrate:up

-- The kinds of the user's second factors. A sign-in reads them under the row's lock, so that a
-- factor that is being confirmed counts.
ALTER TABLE users ADD COLUMN factor_kinds text[] NOT NULL DEFAULT '{}';

-- A second factor; pending until `confirmed_at`. `secret` is sealed, `last_step` was used last.
CREATE TABLE factors (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind         text NOT NULL CHECK (kind IN ('totp')),
    name         text NOT NULL,
    secret       bytea NOT NULL,
    last_step    bigint NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL,
    confirmed_at timestamptz,
    last_used_at timestamptz
);

CREATE INDEX factors_of_user ON factors (user_id);
CREATE UNIQUE INDEX factors_pending ON factors (user_id) WHERE confirmed_at IS NULL;

-- The ticket of a sign-in that waits for its second factor: its device, its first methods, and how
-- often it was tried.
ALTER TABLE tokens
    ADD COLUMN device_id bytea,
    ADD COLUMN amr text[],
    ADD COLUMN tries smallint NOT NULL DEFAULT 0,
    DROP CONSTRAINT tokens_scope_check,
    ADD CONSTRAINT tokens_scope_check CHECK (scope IN ('refresh', 'reset', 'registration', 'mfa'));

-- migrate:down

DELETE FROM tokens WHERE scope = 'mfa';

ALTER TABLE tokens
    DROP COLUMN tries,
    DROP COLUMN amr,
    DROP COLUMN device_id,
    DROP CONSTRAINT tokens_scope_check,
    ADD CONSTRAINT tokens_scope_check CHECK (scope IN ('refresh', 'reset', 'registration'));

DROP TABLE factors;

ALTER TABLE users DROP COLUMN factor_kinds;
