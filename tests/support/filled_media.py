"""media_service's tables with 100,000 rows each."""

from tests.support.database import Connection
from tests.support.products import pieces_sql

ROWS = 100_000
TABLES = (
    *("publications", "due_days", "creatives", "products", "photos", "owners"),
    *("counted_pictures", "idempotency_keys", "removals", "events", "webhook_deliveries"),
    *("webhook_endpoints", "feeds", "followed_streams"),
)
FILL = f"""
INSERT INTO creatives (
    id, user_id, file_name, content_type, size, width, height, sha256, due_at, timezone, status,
    variants, created_at, updated_at
)
SELECT md5('c' || n)::uuid, md5((n % 1000)::text)::uuid, 'a.jpg', 'image/jpeg', 1, 1, 1,
       sha256('x'), timestamptz '2026-01-01Z' + n * interval '1 minute', 'UTC', 'scheduled',
       '{{original}}', now(), now()
FROM generate_series(1, {ROWS}) n;
INSERT INTO due_days SELECT id, due_at FROM creatives;
INSERT INTO photos
SELECT md5('f' || n)::uuid, md5((n % 1000)::text)::uuid, 'a.jpg', 'image/jpeg', 1, 1, 1,
       sha256('x'), '{{original}}', now()
FROM generate_series(1, {ROWS}) n;
INSERT INTO products (
    id, user_id, name, description, price, currency, visibility, photo_id, created_at, updated_at,
    folded, pieces
)
SELECT 'PR-' || lpad(n::text, 12, '0'), md5((n % 1000)::text)::uuid, 'thing' || n, 'w' || n % 999,
       1, 'EUR', CASE WHEN n % 2 = 0 THEN 'public' ELSE 'hidden' END, md5('f' || n)::uuid,
       timestamptz '2026-01-01Z' + n * interval '1 minute', now(),
       ' thing' || n || ' w' || n % 999, {pieces_sql("ARRAY[' thing' || n, ' w' || n % 999]")}
FROM generate_series(1, {ROWS}) n;
INSERT INTO owners (user_id, bytes, deleted_at)
SELECT md5(n::text)::uuid, 1, CASE WHEN n % 1000 = 0 THEN now() END
FROM generate_series(1, {ROWS}) n;
INSERT INTO followed_streams SELECT n, '1-1' FROM generate_series(1, {ROWS}) n;
INSERT INTO counted_pictures SELECT md5('c' || n)::uuid, 1 FROM generate_series(1, {ROWS}) n;
INSERT INTO idempotency_keys (user_id, route, key, lease, leased_until, created_at)
SELECT md5((n % 1000)::text)::uuid, 'creatives', n::text, md5(n::text)::uuid, now(),
       timestamptz '2026-01-01Z' + n * interval '1 minute'
FROM generate_series(1, {ROWS}) n;
INSERT INTO removals (user_id, creative_id, variants, due_at)
SELECT md5((n % 1000)::text)::uuid, md5('r' || n)::uuid, '{{original}}',
       now() + n * interval '1 minute'
FROM generate_series(1, {ROWS}) n;
INSERT INTO publications SELECT md5('c' || n)::uuid, now() FROM generate_series(1, {ROWS}) n;
INSERT INTO feeds (user_id, token_hash, created_at)
SELECT md5(n::text)::uuid, sha256(n::text::bytea), now() FROM generate_series(1, {ROWS}) n;
INSERT INTO events (id, user_id, type, occurred_at, data, queued)
SELECT md5('e' || n)::uuid, md5((n % 1000)::text)::uuid, 'creative.due',
       timestamptz '2026-01-01Z' + n * interval '1 minute', '{{}}', n % 1000 > 0
FROM generate_series(1, {ROWS}) n;
INSERT INTO webhook_endpoints (id, user_id, url, events, description, status, secret, failing_since,
                               created_at, updated_at)
SELECT md5('h' || n)::uuid, md5((n / 10)::text)::uuid, 'https://receiver.example/', '{{*}}', '',
       'enabled', 'x', CASE WHEN n % 1000 = 0 THEN now() END, now(), now()
FROM generate_series(1, {ROWS}) n;
INSERT INTO webhook_deliveries (id, endpoint_id, event_id, type, body, status, next_attempt_at,
                                created_at)
SELECT md5('d' || n)::uuid, md5('h' || CASE WHEN n % 2 = 0 THEN 0 ELSE n % 1000 END)::uuid,
       md5('e' || n)::uuid, 'creative.due', '{{}}',
       CASE WHEN n % 1000 = 0 THEN 'pending' ELSE 'delivered' END,
       CASE WHEN n % 1000 = 0 THEN now() END,
       timestamptz '2026-01-01Z' + n * interval '1 minute'
FROM generate_series(1, {ROWS}) n;
"""

INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""


async def fill_media_tables(connection: Connection) -> None:
    """Give every table its rows and its statistics.

    Rows first, without a log or checks of keys, and indexes after: five times as fast.
    """
    for table in TABLES:
        await connection.execute(f"ALTER TABLE {table} SET UNLOGGED")
    await connection.execute("SET session_replication_role = replica")
    indexes = await connection.fetch(INDEXES)
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    await connection.execute(FILL)
    for index in indexes:
        await connection.execute(index["indexdef"])
    await connection.execute("ANALYZE")
