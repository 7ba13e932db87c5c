-- migrate:up

-- What is sent to an endpoint. `body` has the exact bytes that every attempt signs. A delivery is due
-- at `next_attempt_at`, which is NULL when the delivery is over. The process that makes an attempt has
-- it until `leased_until`, by the database's clock; then another one takes over.
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
    created_at      timestamptz NOT NULL
);

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (endpoint_id, next_attempt_at, id)
    WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_by_status ON webhook_deliveries (endpoint_id, status, id);
CREATE INDEX webhook_deliveries_by_type ON webhook_deliveries (endpoint_id, type, status, id);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at);

-- migrate:down

DROP TABLE webhook_deliveries;
