-- migrate:up

-- An image with the instant at which it falls due. Its files are stored under
-- {user_id}/{id}/{variant}; the row is written after them and removed before them.
CREATE TABLE creatives (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL,
    title        text CHECK (char_length(title) BETWEEN 1 AND 200),
    file_name    text NOT NULL CHECK (char_length(file_name) BETWEEN 1 AND 120),
    content_type text NOT NULL,
    size         bigint NOT NULL CHECK (size > 0),
    width        integer NOT NULL CHECK (width > 0),
    height       integer NOT NULL CHECK (height > 0),
    sha256       bytea NOT NULL CHECK (octet_length(sha256) = 32),
    placeholder  text,
    due_at       timestamptz NOT NULL,
    timezone     text NOT NULL,
    status       text NOT NULL DEFAULT 'scheduled'
                 CHECK (status IN ('scheduled', 'published', 'failed', 'cancelled')),
    variants     text[] NOT NULL CHECK ('original' = ANY (variants)),
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    version      integer NOT NULL DEFAULT 1
);

-- Lists and the schedule: one owner's creatives by due time, ties in the order of their ids.
CREATE INDEX creatives_of_user_by_due ON creatives (user_id, due_at, id);

-- migrate:down

DROP TABLE creatives;
