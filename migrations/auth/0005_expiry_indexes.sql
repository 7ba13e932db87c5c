-- migrate:up

-- What is removed by age, found without reading what stays.
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX tickets_by_end ON tokens (expires_at) WHERE scope <> 'refresh';

-- migrate:down

DROP INDEX tickets_by_end;
DROP INDEX sessions_by_end;
