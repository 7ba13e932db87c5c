-- migrate:up

-- The creatives that are still to be published, by due time.
CREATE INDEX creatives_to_publish ON creatives (due_at, id) WHERE status = 'scheduled';

-- When a creative was published. It is a table of its own because the release before reads whole
-- rows of `creatives`.
CREATE TABLE publications (
    creative_id  uuid PRIMARY KEY REFERENCES creatives ON DELETE CASCADE,
    published_at timestamptz NOT NULL
);

-- What happened, for webhooks: written in the transaction that does it. `id` identifies the event
-- to receivers. `position` orders events that fell due together, and those of several replicas.
CREATE TABLE events (
    id          uuid PRIMARY KEY,
    position    bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    user_id     uuid NOT NULL,
    type        text NOT NULL,
    occurred_at timestamptz NOT NULL,
    data        json NOT NULL
);

CREATE INDEX events_of_user ON events (user_id);
CREATE INDEX events_by_age ON events (occurred_at);

-- migrate:down

DROP TABLE events;
DROP TABLE publications;
DROP INDEX creatives_to_publish;
