-- migrate:up

-- Devices whose sign-ins need no second factor for a while, by the id in their device token.
CREATE TABLE remembered_devices (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id  bytea NOT NULL,
    user_agent text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    UNIQUE (user_id, device_id)
);

CREATE INDEX remembered_devices_expiry ON remembered_devices (expires_at);

-- migrate:down

DROP TABLE remembered_devices;
