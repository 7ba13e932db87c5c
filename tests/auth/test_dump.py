"""Who has copied Redis and PostgreSQL, and not the server's secrets, has nothing to get in with."""

import asyncio
import hashlib
import re
from datetime import datetime
from typing import Any

from redis.asyncio import Redis

from auth_service.keyring import Keyring
from auth_service.rate_limit.model import key_digest
from shared.entropy import SystemEntropy
from tests.conftest import SECRET
from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import AuthClient
from tests.support.database import Connection

EMAIL = "asha.rao@example.com"
TABLES = ("users", "sessions", "tokens", "revocations", "audit_events")


async def dump_stores(redis: Redis, auth_db: Connection) -> bytes:
    """Every key and every value of both, but times, whose digits may look like a code."""
    rows = [row for table in TABLES for row in await auth_db.fetch(f"select * from {table}")]
    found = [str([value for value in row if not isinstance(value, datetime)]) for row in rows]
    client: Any = redis
    async for key in client.scan_iter():
        readers = {
            b"string": client.get,
            b"hash": client.hgetall,
            b"list": lambda name: client.lrange(name, 0, -1),
            b"stream": client.xrange,
            b"zset": lambda name: client.zrange(name, 0, -1),
        }
        found += [str(key), str(await readers[await client.type(key)](key))]
    return "\n".join(found).encode()


def brute_force_code(copy: bytes, purpose: str) -> list[str]:
    """Every code whose unkeyed hash, made as ours is made, is in the copy."""
    hashes = set(re.findall(rb"[0-9a-f]{64}", copy))
    prefix = hashlib.sha256(f"{purpose}\0{EMAIL}\0".encode())
    right = []
    for number in range(10**6):
        candidate = prefix.copy()
        code = b"%06d" % number
        candidate.update(code)
        if candidate.hexdigest().encode() in hashes:
            right.append(code.decode())
    return right


async def test_dump_of_stores_brute_force_finds_no_code(
    auth: AuthClient, auth_db: Connection, redis: Redis
) -> None:
    await activate(auth, email=EMAIL, password=PASSWORD)
    _, code = await next_code(auth, EMAIL, "/login", email=EMAIL)
    copy = await dump_stores(redis, auth_db)
    message = f"login\0{EMAIL}\0{code}".encode()
    # What is looked for is there, and only the secret finds it.
    assert Keyring([SECRET.encode()], SystemEntropy()).mac("otp", message).hex().encode() in copy
    assert await asyncio.to_thread(brute_force_code, copy, "login") == []
    planted = copy + hashlib.sha256(message).hexdigest().encode()
    assert await asyncio.to_thread(brute_force_code, planted, "login") == [code]


async def test_dump_of_stores_holds_no_usable_secret(
    auth: AuthClient, auth_db: Connection, redis: Redis
) -> None:
    pair = await activate(auth, email=EMAIL, password=PASSWORD)
    sent, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    mail = (await auth.inbox(EMAIL))[0]["text"]
    link = mail.partition("#reset_ticket=")[2].split()[0]
    exchanged = await post(auth, "/verify-reset", email=EMAIL, otp=code)
    login, other = await next_code(auth, EMAIL, "/login", email=EMAIL)
    copy = await dump_stores(redis, auth_db)
    for secret in (
        PASSWORD,
        code,
        other,
        link,
        sent.body["challenge"],
        login.body["challenge"],
        exchanged.body["reset_ticket"],
        pair["refresh_token"],
        pair["access_token"],
        pair["device"],
    ):
        # six digits may be a part of something else
        whole = rf"(?<![0-9A-Za-z.]){re.escape(secret)}(?![0-9A-Za-z])"
        assert not re.search(whole.encode(), copy), secret
    assert key_digest(login.body["challenge"]).encode() in copy
