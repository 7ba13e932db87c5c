-- migrate:up

-- How often a ticket was used in vain and the audit trail says so: a few times for each.
ALTER TABLE tokens ADD COLUMN refusals smallint NOT NULL DEFAULT 0;

-- migrate:down

ALTER TABLE tokens DROP COLUMN refusals;
