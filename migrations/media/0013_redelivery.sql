-- migrate:up

-- Attempts that began since the delivery was queued, or queued again; `attempts` has earlier ones too.
-- One in which a process dies counts, else it would be repeated for ever.
ALTER TABLE webhook_deliveries ADD COLUMN tries integer NOT NULL DEFAULT 0;

-- Whether the user asked for it again. Its creative may have become failed before.
ALTER TABLE webhook_deliveries ADD COLUMN redelivered boolean NOT NULL DEFAULT false;

-- migrate:down

ALTER TABLE webhook_deliveries DROP COLUMN redelivered;
ALTER TABLE webhook_deliveries DROP COLUMN tries;
