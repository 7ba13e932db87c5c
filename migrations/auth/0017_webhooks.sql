-- migrate:up

-- The tables of webhooks, as in media_service's database: `shared/webhooks` has the statements.

-- Where operators want to get events. `user_id` is the same for all: the administrators own
-- them together. `secret` and `previous_secret` are encrypted: a reader of the table can forge no
-- webhook. `failing_since`: since when no attempt to deliver an event was accepted.
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
    updated_at      timestamptz NOT NULL,
    failing_since   timestamptz
);

CREATE INDEX webhook_endpoints_of_user ON webhook_endpoints (user_id, id);
CREATE INDEX webhook_endpoints_failing ON webhook_endpoints (status)
    WHERE failing_since IS NOT NULL;

-- What is sent to an endpoint. `body` has the exact bytes that every attempt signs. A delivery is due
-- at `next_attempt_at`, which is NULL when the delivery is over. The process that makes an attempt has
-- it until `leased_until`, by the database's clock; then another one takes over. `tries`: attempts
-- since the delivery was queued, or queued again; `attempts` has earlier ones too.
CREATE TABLE webhook_deliveries (
    id              uuid PRIMARY KEY,
    endpoint_id     uuid NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    event_id        uuid NOT NULL,
    type            text NOT NULL,
    body            text NOT NULL,
    status          text NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'delivered', 'failed', 'dead')),
    attempts        jsonb NOT NULL DEFAULT '[]',
    next_attempt_at timestamptz,
    leased_until    timestamptz,
    created_at      timestamptz NOT NULL,
    tries           integer NOT NULL DEFAULT 0,
    redelivered     boolean NOT NULL DEFAULT false
);

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (endpoint_id, next_attempt_at, id)
    WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_by_status ON webhook_deliveries (endpoint_id, status, id);
CREATE INDEX webhook_deliveries_by_type ON webhook_deliveries (endpoint_id, type, status, id);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at);
CREATE UNIQUE INDEX webhook_deliveries_of_event ON webhook_deliveries (event_id, endpoint_id);

-- migrate:down

DROP TABLE webhook_deliveries;
DROP TABLE webhook_endpoints;
