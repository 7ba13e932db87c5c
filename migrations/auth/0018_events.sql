-- migrate:up

-- What happened to accounts, for operators' webhooks: written by the statement that does it. `id`
-- identifies the event to receivers, `user_id` the owner of the webhooks. `position` orders events.
-- `queued`: whether the deliveries of the event are queued.
CREATE TABLE events (
    id          uuid PRIMARY KEY,
    position    bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    user_id     uuid NOT NULL,
    type        text NOT NULL,
    occurred_at timestamptz NOT NULL,
    data        json NOT NULL,
    queued      boolean NOT NULL DEFAULT false
);

CREATE INDEX events_by_age ON events (occurred_at);
CREATE INDEX events_to_queue ON events (position) WHERE NOT queued;

-- migrate:down

DROP TABLE events;
