-- migrate:up

-- argon2id in PHC form; an address is kept in lower case, so that one mailbox has one name.
ALTER TABLE users
    ADD COLUMN password text,
    ADD CONSTRAINT users_email_form CHECK (email = lower(email));

-- A username counts as verified with the account that carries it.
CREATE UNIQUE INDEX users_verified_email ON users (email) WHERE email_verified;
CREATE UNIQUE INDEX users_verified_username ON users (lower(username)) WHERE status <> 'pending';

-- Registrations that wait for their code.
CREATE INDEX users_pending_phone_number ON users (phone_number) WHERE status = 'pending';
CREATE INDEX users_pending_email ON users (email) WHERE status = 'pending';
CREATE INDEX users_pending_username ON users (lower(username)) WHERE status = 'pending';
CREATE INDEX users_pending_age ON users (created_at) WHERE status = 'pending';

ALTER TABLE tokens
    DROP CONSTRAINT tokens_scope_check,
    ADD CONSTRAINT tokens_scope_check CHECK (scope IN ('refresh', 'reset'));

-- migrate:down

DELETE FROM tokens WHERE scope = 'reset';

ALTER TABLE tokens
    DROP CONSTRAINT tokens_scope_check,
    ADD CONSTRAINT tokens_scope_check CHECK (scope IN ('refresh'));

DROP INDEX users_pending_age;
DROP INDEX users_pending_username;
DROP INDEX users_pending_email;
DROP INDEX users_pending_phone_number;
DROP INDEX users_verified_username;
DROP INDEX users_verified_email;

ALTER TABLE users
    DROP CONSTRAINT users_email_form,
    DROP COLUMN password;
