-- migrate:up

-- What the device token stands for, and the program without its version: by these a device is known.
ALTER TABLE sessions
    ADD COLUMN device_id bytea,
    ADD COLUMN agent_family text;

-- From when on codes may sign the user in: those that were asked for before a sign-out may not.
ALTER TABLE users ADD COLUMN codes_valid_from timestamptz;

-- The handle of a registration's own answer, by its SHA-256.
ALTER TABLE tokens
    DROP CONSTRAINT tokens_scope_check,
    ADD CONSTRAINT tokens_scope_check CHECK (scope IN ('refresh', 'reset', 'registration'));

-- migrate:down

DELETE FROM tokens WHERE scope = 'registration';

ALTER TABLE tokens
    DROP CONSTRAINT tokens_scope_check,
    ADD CONSTRAINT tokens_scope_check CHECK (scope IN ('refresh', 'reset'));

ALTER TABLE users DROP COLUMN codes_valid_from;

ALTER TABLE sessions
    DROP COLUMN agent_family,
    DROP COLUMN device_id;
