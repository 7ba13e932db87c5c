-- migrate:up

-- The id of the backlog's entry that tells it, so that an entry which was lost is noticed.
ALTER TABLE revocations ADD COLUMN entry text;

CREATE INDEX revocations_by_age ON revocations (created_at) WHERE reason <> 'user_deleted';
CREATE INDEX revocations_of_deleted ON revocations (created_at) WHERE reason = 'user_deleted';

-- migrate:down

DROP INDEX revocations_of_deleted;
DROP INDEX revocations_by_age;
ALTER TABLE revocations DROP COLUMN entry;
