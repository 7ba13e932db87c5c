-- migrate:up

-- An export reads a user's tokens page by page, in the order of this index. It also serves what the
-- index before it did.
CREATE INDEX tokens_of_user_by_age ON tokens (user_id, scope, created_at);
DROP INDEX tokens_of_user;

-- migrate:down

CREATE INDEX tokens_of_user ON tokens (user_id, scope);
DROP INDEX tokens_of_user_by_age;
