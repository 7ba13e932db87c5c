"""Users, sessions, creatives and revocations by the hundred thousand, with ids that are known."""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from tests.bench.stack import Stack
from tests.support.products import pieces_sql

FIRST_NUMBER = 9_870_000_000
FRESH_NUMBER = 9_900_000_000  # nobody's: for codes that are only asked for
EACH = 20
PROBES = 100

USERS = """
INSERT INTO users (id, name, phone_number, phone_verified, status, created_at)
SELECT ('01980000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'Asha',
       '+91' || ($2::bigint + i), true, 'active', now() - interval '5 days'
FROM generate_series($1::bigint, $1 + $3 - 1) i"""

SESSIONS = """
INSERT INTO sessions (id, user_id, user_agent, ip, amr, auth_time, created_at, last_used_at,
                      expires_at)
SELECT ('01980000-0000-7000-9000-' || lpad(to_hex(i), 12, '0'))::uuid,
       ('01980000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
       'bench', '127.0.0.1', '{otp,sms}', now(), now(), now(), now() + interval '30 days'
FROM generate_series($1::bigint, $1 + $2 - 1) i"""

CREATIVES = """
INSERT INTO creatives (id, user_id, title, file_name, content_type, size, width, height, sha256,
                       placeholder, due_at, timezone, variants, created_at, updated_at)
SELECT ('01980000-0000-7000-a000-' || lpad(to_hex(i), 12, '0'))::uuid,
       ('01980000-0000-7000-8000-' || lpad(to_hex(i / $2), 12, '0'))::uuid,
       'Diwali greeting ' || i, 'photo.jpg', 'image/jpeg', 204800, 1080, 1350,
       sha256(i::text::bytea), 'LEHV6nWB2yk8pyo0adR*.7kCMdnj',
       date_trunc('day', now(), 'UTC') + (i % $2) * interval '48 hours' / $2,
       'UTC', '{original}', now(), now()
FROM generate_series(0::bigint, $1::bigint - 1) i"""

DUE = """
INSERT INTO creatives (id, user_id, file_name, content_type, size, width, height, sha256, due_at,
                       timezone, variants, created_at, updated_at)
SELECT gen_random_uuid(), coalesce($4, gen_random_uuid()), 'photo.jpg', 'image/jpeg', 204800,
       1080, 1350, sha256('x'), $2::timestamptz + i * $3::interval, 'UTC', '{original}', now(),
       now()
FROM generate_series(0::bigint, $1::bigint - 1) i"""
PUBLISHED_AFTER = """
SELECT CASE WHEN status = 'published' AND told.times = 1
            THEN extract(epoch FROM published_at - due_at)::float8 ELSE 'NaN' END
FROM creatives LEFT JOIN publications ON creative_id = creatives.id LEFT JOIN (
    SELECT (data ->> 'id')::uuid AS id, count(*) AS times FROM events
    WHERE type = 'creative.due' GROUP BY 1
) AS told ON told.id = creatives.id"""

# All but the newest few are lamps.
_THING = "CASE WHEN i <= $1 - $2::bigint THEN ' lamp' ELSE ' chair' END"
_WORDS = f"ARRAY[' desk', {_THING}, ' ' || i, ' bright', ' and', ' small', ' no']"
PRODUCTS = f"""
INSERT INTO products (id, user_id, name, description, price, currency, visibility, created_at,
                      updated_at, folded, pieces)
SELECT 'PR-' || lpad(i::text, 12, '0'),
       ('01980000-0000-7000-8000-' || lpad(to_hex(i % 1000), 12, '0'))::uuid,
       CASE WHEN i <= $1 - $2::bigint THEN 'Desk lamp ' ELSE 'Chair ' END || i,
       'Bright and small, no. ' || i, 49900, 'INR', 'public',
       now() - ($1 - i) * interval '1 second', now(),
       array_to_string({_WORDS}, ''), {pieces_sql(_WORDS)}
FROM generate_series(1::bigint, $1::bigint) i"""

# Published long ago, so that nothing but a reseeding brings them to Redis.
REVOCATIONS = """
INSERT INTO revocations (kind, subject, reason, created_at, expires_at, published_at)
SELECT 'session', '01980000-0000-7000-9000-' || lpad(to_hex(i), 12, '0'), 'logout',
       now() - interval '5 minutes' - i * interval '1 microsecond', now() + interval '30 minutes',
       now() - interval '5 minutes'
FROM generate_series($1::bigint, $1 + $2 - 1) i"""


def user_id(index: int) -> UUID:
    return UUID(f"01980000-0000-7000-8000-{index:012x}")


def session_id(index: int) -> UUID:
    return UUID(f"01980000-0000-7000-9000-{index:012x}")


def number(index: int) -> str:
    """Phone number of the user with that index."""
    return f"+91{FIRST_NUMBER + index}"


class Seeds:
    """What is in the databases. Each row asks for what it needs; users stay."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._users = 0
        self._used = 0

    async def users(self, count: int) -> None:
        """Have at least so many users, each with one session on the device `bench`."""
        more = count - self._users
        if more <= 0:
            return
        connection = await asyncpg.connect(self._stack.dsn("auth"))
        await connection.execute(USERS, self._users, FIRST_NUMBER, more, timeout=600)
        await connection.execute(SESSIONS, self._users, more, timeout=600)
        await connection.execute("vacuum analyze users, sessions", timeout=600)
        await connection.close()
        self._users = count

    async def no_users(self) -> None:
        """Take them away, with everything that is theirs."""
        connection = await asyncpg.connect(self._stack.dsn("auth"))
        await connection.execute("truncate users cascade")
        await connection.close()
        self._users = 0

    async def sessions(self, count: int) -> list[tuple[UUID, str]]:
        """So many live sessions that no row has used, each with its access token."""
        first = self._used
        self._used += count
        await self.users(self._used)
        mint = self._stack.mint()
        return [
            (session_id(index), mint.token(user_id(index), sid=str(session_id(index))))
            for index in range(first, self._used)
        ]

    async def creatives(self, count: int) -> None:
        """Have so many creatives, 20 a user, all of them due today or tomorrow."""
        connection = await asyncpg.connect(self._stack.dsn("media"))
        await connection.execute(CREATIVES, count, EACH, timeout=600)
        await connection.execute("vacuum analyze creatives", timeout=600)
        await connection.close()

    async def due(
        self, count: int, first: datetime, apart: timedelta, owner: UUID | None = None
    ) -> None:
        """Have so many more creatives fall due in turn; each has its own owner by default."""
        connection = await asyncpg.connect(self._stack.dsn("media"))
        await connection.execute(DUE, count, first, apart, owner)
        await connection.close()

    async def publications(self) -> list[float]:
        """Seconds after which each creative was published; NaN for one that is not, or not once."""
        connection = await asyncpg.connect(self._stack.dsn("media"))
        rows = await connection.fetch(PUBLISHED_AFTER)
        await connection.close()
        return [row[0] for row in rows]

    async def no_creatives(self) -> None:
        """Take them away, so that no service that starts looks for their files."""
        connection = await asyncpg.connect(self._stack.dsn("media"))
        await connection.execute("truncate creatives, events cascade")
        await connection.close()

    async def no_webhooks(self) -> None:
        """Take them away, with their deliveries."""
        connection = await asyncpg.connect(self._stack.dsn("media"))
        await connection.execute("truncate webhook_endpoints cascade")
        await connection.close()

    async def products(self, count: int, chairs: int = 1_000) -> None:
        """Have so many visible products: lamps, and the newest are chairs."""
        connection = await asyncpg.connect(self._stack.dsn("media"))
        await connection.execute(PRODUCTS, count, chairs, timeout=600)
        await connection.execute("vacuum analyze products", timeout=600)
        await connection.close()

    async def no_products(self) -> None:
        """Take them away."""
        connection = await asyncpg.connect(self._stack.dsn("media"))
        await connection.execute("truncate products")
        await connection.close()

    async def revocations(self, count: int) -> list[str]:
        """Store so many live revocations; return tokens of some of their sessions."""
        first = 10**9
        connection = await asyncpg.connect(self._stack.dsn("auth"))
        await connection.execute(REVOCATIONS, first, count, timeout=600)
        await connection.execute("analyze revocations", timeout=600)
        await connection.close()
        some = [*range(0, count, count // PROBES), count - 1]
        return [self._stack.token(user_id(0), session_id(first + index)) for index in some]
