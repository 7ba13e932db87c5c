-- migrate:up

-- The ticket of a sign-in that waits for its user to add a second factor, which a role demands.
ALTER TABLE tokens
    DROP CONSTRAINT tokens_scope_check,
    ADD CONSTRAINT tokens_scope_check
        CHECK (scope IN ('refresh', 'reset', 'registration', 'mfa', 'mfa_enrolment'));

-- migrate:down

DELETE FROM tokens WHERE scope = 'mfa_enrolment';

ALTER TABLE tokens
    DROP CONSTRAINT tokens_scope_check,
    ADD CONSTRAINT tokens_scope_check CHECK (scope IN ('refresh', 'reset', 'registration', 'mfa'));
