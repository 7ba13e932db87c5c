-- migrate:up

-- A factor of the kind `passkey` has no secret, but a row of `passkeys`.
ALTER TABLE factors
    ALTER COLUMN secret DROP NOT NULL,
    DROP CONSTRAINT factors_kind_check,
    ADD CONSTRAINT factors_kind_check
        CHECK (kind = 'passkey' OR (kind = 'totp' AND secret IS NOT NULL));

-- What verifies a passkey. `public_key` is a COSE key, `sign_count` was used last.
CREATE TABLE passkeys (
    credential_id   bytea PRIMARY KEY,
    factor_id       uuid NOT NULL UNIQUE REFERENCES factors (id) ON DELETE CASCADE,
    public_key      bytea NOT NULL,
    sign_count      bigint NOT NULL,
    transports      text[] NOT NULL,
    backup_eligible boolean NOT NULL,
    backed_up       boolean NOT NULL
);

-- migrate:down

DROP TABLE passkeys;

UPDATE users SET factor_kinds = array_remove(factor_kinds, 'passkey')
WHERE 'passkey' = ANY (factor_kinds);

DELETE FROM factors WHERE kind = 'passkey';

ALTER TABLE factors
    ALTER COLUMN secret SET NOT NULL,
    DROP CONSTRAINT factors_kind_check,
    ADD CONSTRAINT factors_kind_check CHECK (kind IN ('totp'));
