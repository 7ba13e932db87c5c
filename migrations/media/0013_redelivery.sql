-- migrate:up

-- Attempts since the delivery was queued, or queued again; `attempts` has earlier ones too.
ALTER TABLE webhook_deliveries ADD COLUMN tries integer NOT NULL DEFAULT 0;

-- migrate:down

ALTER TABLE webhook_deliveries DROP COLUMN tries;
