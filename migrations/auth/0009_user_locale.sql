-- migrate:up

-- The language of the user's messages, a BCP 47 tag; null follows what the client sends.
ALTER TABLE users ADD COLUMN locale text;

-- migrate:down

ALTER TABLE users DROP COLUMN locale;
