"""The sign-in by a passkey alone, against a bare handler around the library's own call."""

import secrets
import time
from dataclasses import replace
from hashlib import sha256

import asyncpg
import cbor2
from redis import Redis

from tests.bench.bench import Bench
from tests.bench.child import Child
from tests.bench.floors import PASSKEY_CHALLENGE, PASSKEY_ORIGIN, RP_ID
from tests.bench.paired import Side, compare, interleave
from tests.bench.raw_http import render
from tests.bench.seed import user_id
from tests.bench.stack import Stack
from tests.bench.table import Figure
from tests.support.software_authenticator import (
    ES256,
    SoftwareAuthenticator,
    b64url,
    cose_key,
    new_key,
)

USERS = 10_000
FASTEST = 2_500  # requests a second that no side reaches here
LIFE_MS = 300_000
KEY = new_key(ES256)
"""Of every passkey here: they differ by credential id."""

FACTORS = """
INSERT INTO factors (id, user_id, kind, name, created_at, confirmed_at, last_used_at)
SELECT id, id, 'passkey', 'Passkey', now(), now(), now() FROM unnest($1::uuid[]) id"""
PASSKEYS = """
INSERT INTO passkeys (credential_id, factor_id, public_key, sign_count, transports,
                      backup_eligible, backed_up)
SELECT sha256(id::text::bytea), id, $2, 0, '{internal}', true, true FROM unnest($1::uuid[]) id"""
KINDS = "UPDATE users SET factor_kinds = '{passkey}' WHERE id = ANY ($1)"


async def passkey_sign_in(bench: Bench) -> list[Figure]:
    """POST /passkeys/login, by users who have one passkey each.

    The whole request; the row `passkey check` has the target of its verification.
    """
    await bench.seeds.users(USERS)
    await _add_passkeys(bench.stack)
    origins = {"WEBAUTHN_RP_ID": RP_ID, "WEBAUTHN_ORIGINS": PASSKEY_ORIGIN}
    with bench.stack.auth(**origins) as auth, bench.stack.floors() as floors:
        real, floor = interleave(
            bench.generator,
            _side(bench, auth, "/v1/auth/passkeys/login"),
            _side(bench, floors, "/passkey"),
            rounds=bench.options.rounds,
            seconds=bench.options.seconds,
        )
    await bench.seeds.no_users()  # other rows sign users in without a factor
    return [replace(compare("passkey sign-in", real, floor, 0), target="", met=None)]


async def _add_passkeys(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.dsn("auth"))
    ids = [user_id(index) for index in range(USERS)]
    await connection.execute(FACTORS, ids)
    await connection.execute(PASSKEYS, ids, cbor2.dumps(cose_key(KEY, ES256)))
    await connection.execute(KINDS, ids)
    await connection.execute("vacuum analyze users, factors, passkeys")
    await connection.close()


def _side(bench: Bench, server: Child, path: str) -> Side:
    def requests() -> list[bytes]:
        """Responses to challenges that were given just now."""
        count = min(int(bench.options.seconds * FASTEST), USERS)
        challenges = [b64url(secrets.token_bytes(32)) for _ in range(count)]
        with Redis.from_url(bench.stack.redis_url(), protocol=2) as redis:
            given = redis.pipeline(transaction=False)
            expires_at = int(time.time() * 1000) + LIFE_MS
            for challenge in challenges:
                given.set(f"{PASSKEY_CHALLENGE}{challenge}", expires_at, px=LIFE_MS)
            given.execute()
        return [_render(path, index, challenge) for index, challenge in enumerate(challenges)]

    return Side(server, requests, expect=200, once=True)


def _render(path: str, index: int, challenge: str) -> bytes:
    """The response of the user's authenticator."""
    user = user_id(index)
    authenticator = SoftwareAuthenticator(
        PASSKEY_ORIGIN,
        credential_id=sha256(str(user).encode()).digest(),
        user_handle=user.bytes,
        key=KEY,
    )
    credential = authenticator.get({"challenge": challenge, "rpId": RP_ID})
    return render("POST", path, body={"challenge": challenge, "credential": credential})
