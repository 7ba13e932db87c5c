"""`python -m auth_service admin grant|revoke ADDRESS ROLE`: how the first administrator is made."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Literal

from auth_service.admin.model import Actor, Role
from auth_service.admin.service import Administration
from auth_service.audit.model import Origin
from auth_service.audit.service import AuditLog
from auth_service.device.service import KnownDevices
from auth_service.otp.invalidation import CodeInvalidator
from auth_service.phone import parse_phone_number
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.service import Publisher
from auth_service.session.model import SessionLifetimes
from auth_service.settings import AuthSettings
from shared.clock import Clock
from shared.db import open_database
from shared.entropy import Entropy
from shared.redis import open_redis


async def change_role(
    settings: AuthSettings,
    clock: Clock,
    entropy: Entropy,
    *,
    how: Literal["grant", "revoke"],
    address: str,
    role: Role,
) -> int:
    """Give the verified holder of a number or a mail address a role, or take it; 1 without one."""
    async with _open_administration(settings, clock, entropy) as administration:
        number = parse_phone_number(address, settings.default_region, ("*",))
        user = await administration.find_verified_user(number or address)
        if user is None:
            sys.stderr.write("nobody has that address, or it was not verified\n")
            return 1
        try:
            user = await administration.change_roles(Actor(Origin()), user.id, how, [role])
        except RevocationPending:
            sys.stderr.write("done; the services are told as soon as Redis answers\n")
            return 0
    roles = " ".join(user.roles) or "has no role"
    sys.stdout.write(f"{user.id} {roles}; signed out everywhere, it counts from the next sign-in\n")
    return 0


@asynccontextmanager
async def _open_administration(
    settings: AuthSettings, clock: Clock, entropy: Entropy
) -> AsyncIterator[Administration]:
    life = timedelta(seconds=settings.access_token_ttl)
    lives = SessionLifetimes(absolute=life, idle=life, refresh_grace=life, access_token=life)
    keys = [key.get_secret_value().encode() for key in settings.revocation_key]
    async with (
        open_database(settings.auth_database_url.get_secret_value()) as database,
        open_redis(settings.redis_url.get_secret_value()) as redis,
    ):
        publisher = Publisher(database, redis, keys, clock=clock, entropy=entropy, token_life=life)
        invalidator = CodeInvalidator(redis, KnownDevices(redis, clock), clock)
        audit = AuditLog(database, clock, entropy)
        try:
            yield Administration(database, publisher, invalidator, audit, lives, clock=clock)
        finally:
            await publisher.close()
