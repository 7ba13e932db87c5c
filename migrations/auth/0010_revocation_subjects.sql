-- migrate:up

-- A revocation is answered once Redis has all of the user's live rows, found by their subjects.
CREATE INDEX revocations_by_subject ON revocations (subject);

-- migrate:down

DROP INDEX revocations_by_subject;
