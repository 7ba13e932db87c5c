-- migrate:up

-- What happened to whom, by whom, from where, and how it ended. Rows are only ever added, and
-- removed by age: a user who is gone keeps theirs, so there is no reference to `users`.
CREATE TABLE audit_events (
    id         uuid PRIMARY KEY,
    event      text NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('success', 'failure')),
    user_id    uuid,
    actor_id   uuid,
    session_id uuid,
    address    inet,
    user_agent text,
    request_id text,
    details    jsonb NOT NULL,
    created_at timestamptz NOT NULL
);

-- Ids begin with the time, so they are the order of every list.
CREATE INDEX audit_events_of_user ON audit_events (user_id, id);
CREATE INDEX audit_events_by_event ON audit_events (event, id);

CREATE FUNCTION refuse_to_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.created_at < now() - interval '180 days' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit_events is append-only';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_to_forget();
CREATE TRIGGER append_only_as_a_whole BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_forget();

-- Administration finds users by how a name, an address or a number begins.
CREATE INDEX users_by_name ON users (lower(name) text_pattern_ops);
CREATE INDEX users_by_username ON users (lower(username) text_pattern_ops)
    WHERE username IS NOT NULL;
CREATE INDEX users_by_email ON users (lower(email) text_pattern_ops) WHERE email IS NOT NULL;
CREATE INDEX users_by_phone_number ON users (phone_number text_pattern_ops)
    WHERE phone_number IS NOT NULL;

-- migrate:down

DROP INDEX users_by_phone_number;
DROP INDEX users_by_email;
DROP INDEX users_by_username;
DROP INDEX users_by_name;
DROP TABLE audit_events;
DROP FUNCTION refuse_to_forget();
