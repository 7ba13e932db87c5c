-- migrate:up

-- What fell due before there was a scheduler counts as published, at an unknown time. It causes no
-- event. A file of its own, so that no table is locked while it runs.
UPDATE creatives SET status = 'published', updated_at = now(), version = version + 1
WHERE status = 'scheduled' AND due_at <= now();

-- migrate:down

-- Nothing to revert: the release before knows this status too.
SELECT 1;
