-- A row of everything, in the order in which one refers to another.
INSERT INTO owners (user_id, bytes) VALUES ('01980000-0000-7000-8000-000000000001', 35);
INSERT INTO creatives (id, user_id, file_name, content_type, size, width, height, sha256, due_at,
                       timezone, variants, created_at, updated_at)
SELECT id::uuid, '01980000-0000-7000-8000-000000000001', 'a.jpg', 'image/jpeg', 10, 1, 1,
       sha256('x'), now(), 'UTC', '{original}', now(), now()
FROM unnest(ARRAY['01980000-0000-7000-8000-000000000003',
                  '01980000-0000-7000-8000-000000000004']) id;
INSERT INTO photos (id, user_id, file_name, content_type, size, width, height, sha256, variants,
                    created_at)
VALUES ('01980000-0000-7000-8000-000000000005', '01980000-0000-7000-8000-000000000001', 'a.jpg',
        'image/jpeg', 10, 1, 1, sha256('x'), '{original}', now());
INSERT INTO products (id, user_id, name, description, price, currency, visibility, photo_id,
                      created_at, updated_at)
VALUES ('PR-0123456789AB', '01980000-0000-7000-8000-000000000001', 'Lamp', '', 1, 'EUR', 'public',
        '01980000-0000-7000-8000-000000000005', now(), now());
INSERT INTO idempotency_keys (user_id, route, key, lease, leased_until, created_at)
VALUES ('01980000-0000-7000-8000-000000000001', 'POST /products', 'lamp',
        '01980000-0000-7000-8000-000000000006', now(), now());
INSERT INTO followed_streams (name, entry) VALUES ('revocations:deleted', '1-1');
INSERT INTO counted_pictures (picture_id, bytes)
VALUES ('01980000-0000-7000-8000-000000000003', 15);
INSERT INTO publications VALUES ('01980000-0000-7000-8000-000000000003', now());
INSERT INTO due_days VALUES ('01980000-0000-7000-8000-000000000003', '2026-12-24');
INSERT INTO feeds VALUES ('01980000-0000-7000-8000-000000000001', sha256('x'), now());
INSERT INTO events (id, user_id, type, occurred_at, data)
VALUES ('01980000-0000-7000-8000-000000000007', '01980000-0000-7000-8000-000000000001',
        'creative.due', now(), '{}');
INSERT INTO webhook_endpoints (id, user_id, url, events, description, status, secret, created_at,
                               updated_at)
VALUES ('01980000-0000-7000-8000-000000000007', '01980000-0000-7000-8000-000000000001',
        'https://receiver.example/', '{*}', '', 'enabled', 'x', now(), now());
INSERT INTO webhook_deliveries (id, endpoint_id, event_id, type, body, created_at)
VALUES ('01980000-0000-7000-8000-000000000008', '01980000-0000-7000-8000-000000000007',
        '01980000-0000-7000-8000-000000000009', 'webhook.test', '{}', now());
-- A trigger notes its files.
DELETE FROM creatives WHERE id = '01980000-0000-7000-8000-000000000004';
