-- A row of everything, in the order in which one refers to another.
INSERT INTO users (id, username, name, email, email_verified, phone_number, phone_verified,
                   password, status, created_at)
VALUES ('01980000-0000-7000-8000-000000000001', 'Asha', 'Asha', 'a@example.com', true,
        '+919876543210', true, '$argon2id$', 'active', now()),
       ('01980000-0000-7000-8000-000000000009', 'Asha', 'Asha', 'a@example.com', false,
        '+919876543210', false, null, 'pending', now());
INSERT INTO sessions (id, user_id, ip, amr, auth_time, created_at, last_used_at, expires_at)
VALUES ('01980000-0000-7000-8000-000000000002', '01980000-0000-7000-8000-000000000001',
        '127.0.0.1', '{otp}', now(), now(), now(), now());
INSERT INTO tokens (hash, scope, user_id, session_id, created_at, expires_at)
VALUES (sha256('a'), 'refresh', '01980000-0000-7000-8000-000000000001',
        '01980000-0000-7000-8000-000000000002', now(), now()),
       (sha256('b'), 'reset', '01980000-0000-7000-8000-000000000001', null, now(), now()),
       (sha256('c'), 'mfa', '01980000-0000-7000-8000-000000000001', null, now(), now()),
       (sha256('e'), 'mfa_enrolment', '01980000-0000-7000-8000-000000000001', null, now(), now());
INSERT INTO factors (id, user_id, kind, name, secret, created_at, confirmed_at)
VALUES ('01980000-0000-7000-8000-000000000004', '01980000-0000-7000-8000-000000000001', 'totp',
        'Phone', '\x00', now(), now());
INSERT INTO factors (id, user_id, kind, name, created_at, confirmed_at)
VALUES ('01980000-0000-7000-8000-000000000006', '01980000-0000-7000-8000-000000000001', 'passkey',
        'Key', now(), now());
INSERT INTO passkeys (credential_id, factor_id, public_key, sign_count, transports,
                      backup_eligible, backed_up)
VALUES ('\x01', '01980000-0000-7000-8000-000000000006', '\x02', 0, '{usb}', false, false);
INSERT INTO recovery_codes (hash, user_id, created_at)
VALUES (sha256('d'), '01980000-0000-7000-8000-000000000001', now());
INSERT INTO remembered_devices (id, user_id, device_id, created_at, expires_at)
VALUES ('01980000-0000-7000-8000-000000000005', '01980000-0000-7000-8000-000000000001', '\x00',
        now(), now());
INSERT INTO revocations (kind, subject, reason, created_at, expires_at, entry)
VALUES ('session', '01980000-0000-7000-8000-000000000002', 'logout', now(), now(), '1-1');
INSERT INTO audit_events (id, event, outcome, user_id, address, details, created_at)
VALUES ('01980000-0000-7000-8000-000000000003', 'user.signed_in', 'success',
        '01980000-0000-7000-8000-000000000001', '127.0.0.1', '{}', now());
INSERT INTO events (id, user_id, type, occurred_at, data)
VALUES ('01980000-0000-7000-8000-000000000010', '00000000-0000-0000-0000-000000000000',
        'user.created', now(), '{}');
INSERT INTO webhook_endpoints (id, user_id, url, events, description, status, secret, created_at,
                               updated_at)
VALUES ('01980000-0000-7000-8000-000000000007', '00000000-0000-0000-0000-000000000000',
        'https://receiver.example/', '{*}', '', 'enabled', 'x', now(), now());
INSERT INTO webhook_deliveries (id, endpoint_id, event_id, type, body, created_at)
VALUES ('01980000-0000-7000-8000-000000000008', '01980000-0000-7000-8000-000000000007',
        '01980000-0000-7000-8000-000000000010', 'user.created', '{}', now());
