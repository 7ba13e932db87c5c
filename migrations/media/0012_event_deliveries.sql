-- migrate:up

-- Whether the deliveries of an event are queued. No webhook is older than the events so far.
ALTER TABLE events ADD COLUMN queued boolean NOT NULL DEFAULT true;
ALTER TABLE events ALTER COLUMN queued SET DEFAULT false;
CREATE INDEX events_to_queue ON events (position) WHERE NOT queued;

-- An endpoint gets an event once. The index also finds all deliveries of an event.
CREATE UNIQUE INDEX webhook_deliveries_of_event ON webhook_deliveries (event_id, endpoint_id);

-- Users of whom a replica of the release before, which does not know these tables, has left rows.
CREATE INDEX owners_deleted ON owners (deleted_at) WHERE deleted_at IS NOT NULL;

-- migrate:down

DROP INDEX owners_deleted;
DROP INDEX webhook_deliveries_of_event;
DROP INDEX events_to_queue;
ALTER TABLE events DROP COLUMN queued;
