-- migrate:up

-- Since when no attempt to deliver an event was accepted; NULL after one that was.
ALTER TABLE webhook_endpoints ADD COLUMN failing_since timestamptz;
CREATE INDEX webhook_endpoints_failing ON webhook_endpoints (status)
    WHERE failing_since IS NOT NULL;

-- migrate:down

ALTER TABLE webhook_endpoints DROP COLUMN failing_since;
