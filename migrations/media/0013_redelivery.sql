-- migrate:up

-- Attempts since the delivery was queued, or queued again; `attempts` has earlier ones too.
ALTER TABLE webhook_deliveries ADD COLUMN tries integer NOT NULL DEFAULT 0;

-- Whether the user asked for it again. Its creative may have become failed before.
ALTER TABLE webhook_deliveries ADD COLUMN redelivered boolean NOT NULL DEFAULT false;

-- migrate:down

ALTER TABLE webhook_deliveries DROP COLUMN redelivered;
ALTER TABLE webhook_deliveries DROP COLUMN tries;
