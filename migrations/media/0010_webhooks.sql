-- migrate:up

-- Where users want to get events. `secret` and `previous_secret` are encrypted: a reader of
-- the table can forge no webhook.
CREATE TABLE webhook_endpoints (
    id              uuid PRIMARY KEY,
    user_id         uuid NOT NULL,
    url             text NOT NULL,
    events          text[] NOT NULL,
    description     text NOT NULL,
    status          text NOT NULL CHECK (status IN ('enabled', 'disabled')),
    secret          bytea NOT NULL,
    previous_secret bytea,
    rotated_at      timestamptz,
    attempted_at    timestamptz, -- to some seconds
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);

CREATE INDEX webhook_endpoints_of_user ON webhook_endpoints (user_id, id);

-- migrate:down

DROP TABLE webhook_endpoints;
