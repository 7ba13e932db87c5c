-- migrate:up

-- The day that the client gave last; NULL where it gave a time. `due_at` alone does not tell a day
-- from its first instant. A creative of the release before has no row. It is a table of its own
-- because an earlier release reads whole rows of `creatives`.
CREATE TABLE due_days (
    creative_id uuid PRIMARY KEY REFERENCES creatives ON DELETE CASCADE,
    due_day     date
);

-- migrate:down

DROP TABLE due_days;
