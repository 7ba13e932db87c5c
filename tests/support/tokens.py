"""Access tokens as auth_service signs them, and revocations as it publishes them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from redis.asyncio import Redis

from shared.revocation.message import (
    DELETED_USERS_STREAM,
    REVOCATION_CHANNEL,
    REVOCATION_HEAD,
    REVOCATION_STREAM,
    Revocation,
)
from tests.support.revocation_messages import NO_ROUND_AWAITED, encode

EPOCH = "epoch-of-the-suite"


@dataclass(frozen=True)
class Mint:
    """A signing key and what its tokens say unless told otherwise."""

    key: Ed25519PrivateKey
    issuer: str
    audience: str
    kid: str = "suite"

    def token(self, user_id: UUID, **changes: Any) -> str:
        now = int(datetime.now(UTC).timestamp())
        since = now - 2 * 86_400  # tests move their clocks
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(user_id),
            "sid": str(uuid4()),
            "jti": uuid4().hex,
            "gen": 0,
            "iat": since,
            "nbf": since,
            "exp": now + 86_400,
            "auth_time": since,
            "amr": ["otp"],
            "roles": [],
        }
        header = {"typ": "at+jwt", "kid": self.kid}
        return jwt.encode(claims | changes, self.key, algorithm="EdDSA", headers=header)

    def write_jwks(self, path: Path) -> None:
        key = jwt.algorithms.OKPAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        path.write_text(json.dumps({"keys": [{**key, "kid": self.kid, "use": "sig"}]}))


async def open_epoch(redis: Redis) -> None:
    """Do what auth_service does before any cache can be fresh."""
    head = NO_ROUND_AWAITED | {"epoch": EPOCH, "last": "0-0"}
    await redis.hset(REVOCATION_HEAD, mapping=head)


async def tell_of_deleted(
    redis: Redis, user_id: UUID, key: str, entry: str = "*", reason: str = "user_deleted"
) -> str:
    """Append what auth_service appends when an account is deleted; return the entry's id."""
    now = datetime.now(UTC)
    revocation = Revocation("user", str(user_id), reason, now + timedelta(days=30), 1)
    message = encode([revocation], epoch=EPOCH, at=now, keys=[key.encode()])
    appended: Any = await redis.xadd(DELETED_USERS_STREAM, {"m": message}, id=entry)
    return str(appended.decode())


async def revoke_session(redis: Redis, session_id: str, key: str) -> None:
    now = datetime.now(UTC)
    revocation = Revocation("session", session_id, "logout", now + timedelta(minutes=10))
    message = encode([revocation], epoch=EPOCH, at=now, keys=[key.encode()])
    entry = await redis.xadd(REVOCATION_STREAM, {"m": message})
    await redis.hset(REVOCATION_HEAD, mapping={"last": entry})
    await redis.publish(REVOCATION_CHANNEL, message)


def unverified_claims(token: str) -> dict[str, Any]:
    """What an access token says."""
    return dict(jwt.decode(token, options={"verify_signature": False}))
