-- migrate:up

-- How often the session's refresh token was exchanged, and after how many of these exchanges
-- auth_service has seen an access token: until then the exchange's answer may have been lost.
ALTER TABLE sessions
    ADD COLUMN rotations      integer NOT NULL DEFAULT 0,
    ADD COLUMN rotations_seen integer NOT NULL DEFAULT 0;

-- migrate:down

ALTER TABLE sessions
    DROP COLUMN rotations_seen,
    DROP COLUMN rotations;
