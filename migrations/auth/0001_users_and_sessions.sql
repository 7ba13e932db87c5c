-- migrate:up

-- A phone number, email or username belongs to one verified holder at a time.
CREATE TABLE users (
    id             uuid PRIMARY KEY,
    username       text,
    name           text NOT NULL,
    first_name     text,
    last_name      text,
    email          text,
    email_verified boolean NOT NULL DEFAULT false,
    phone_number   text,
    phone_verified boolean NOT NULL DEFAULT false,
    roles          text[] NOT NULL DEFAULT '{}',
    status         text NOT NULL CHECK (status IN ('pending', 'active', 'disabled')),
    generation     bigint NOT NULL DEFAULT 0,
    last_login_at  timestamptz,
    created_at     timestamptz NOT NULL,
    version        integer NOT NULL DEFAULT 1
) WITH (fillfactor = 90);

CREATE UNIQUE INDEX users_verified_phone_number ON users (phone_number) WHERE phone_verified;

-- One signed-in device.
CREATE TABLE sessions (
    id             uuid PRIMARY KEY,
    user_id        uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_agent     text,
    ip             inet NOT NULL,
    amr            text[] NOT NULL,
    auth_time      timestamptz NOT NULL,
    created_at     timestamptz NOT NULL,
    last_used_at   timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    revoked_reason text
) WITH (fillfactor = 90);

CREATE INDEX sessions_of_user ON sessions (user_id, created_at);

-- Opaque secrets handed out, by their SHA-256 alone. A refresh token that was exchanged keeps its
-- row, with its successor's hash, so that using it again is recognised.
CREATE TABLE tokens (
    hash           bytea PRIMARY KEY,
    scope          text NOT NULL CHECK (scope IN ('refresh')),
    user_id        uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id     uuid REFERENCES sessions (id) ON DELETE CASCADE,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    used_at        timestamptz,
    successor_hash bytea
) WITH (fillfactor = 90);

CREATE INDEX tokens_of_user ON tokens (user_id, scope);
CREATE INDEX tokens_of_session ON tokens (session_id);

-- What is cut off: written in the transaction that cuts it off, published after.
CREATE TABLE revocations (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('session', 'token', 'user')),
    subject      text NOT NULL,
    generation   bigint CHECK ((kind = 'user') = (generation IS NOT NULL)),
    reason       text NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    published_at timestamptz
);

CREATE INDEX revocations_pending ON revocations (id) WHERE published_at IS NULL;
CREATE INDEX revocations_live ON revocations (expires_at);

-- migrate:down

DROP TABLE revocations;
DROP TABLE tokens;
DROP TABLE sessions;
DROP TABLE users;
