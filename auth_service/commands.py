"""The commands of `python -m auth_service`; most return an exit status."""

import argparse
import json
import sys
from dataclasses import asdict
from ipaddress import IPv4Address

from auth_service.admin.dead_letter_service import DeadLetterAdministration
from auth_service.admin.errors import DeadLetterExpired
from auth_service.admin.model import Actor
from auth_service.audit.model import Origin
from auth_service.client import Client
from auth_service.destination import parse_mail_address
from auth_service.phone import parse_phone_number
from auth_service.revocation.errors import RevocationPending
from auth_service.user.model import User
from auth_service.wiring import Wiring
from shared.clock_check import watch_clock
from shared.errors import NotFound, ServiceUnavailable
from shared.logs import describe_error
from shared.server import stop_signal

OPERATOR = Actor(Origin())
NO_CLIENT = Client(IPv4Address("127.0.0.1"), None, "")
NO_USER = "no user has this verified address"


async def run_worker(wiring: Wiring) -> None:
    """Send deliveries and webhooks until SIGTERM; another worker takes over the unfinished ones."""
    async with wiring.open_database(), wiring.open_redis():
        with stop_signal() as stop:
            async with (
                watch_clock(wiring.clock_check),
                wiring.run_delivery_worker(),
                wiring.open_webhook_worker() as webhooks,
                wiring.run_webhooks(webhooks),
            ):
                await stop.wait()


async def run_purge(wiring: Wiring) -> int:
    """Remove expired rows and print how many: the hourly purge of `serve`, at once."""
    async with wiring.open_database():
        try:
            removed = await wiring.purge_service.run()
        except ServiceUnavailable as away:
            return _fail(f"purge: {describe_error(away)}")
    return _succeed(", ".join(f"{count} {kind}" for kind, count in removed.items()))


async def run_admin(wiring: Wiring, arguments: argparse.Namespace) -> int:
    """Grant or revoke a role of the user with the verified address, the first administrator's too.

    Every change is audited as that of an operator.
    """
    async with wiring.open_database(), wiring.open_redis():
        try:
            return await _change_role(wiring, arguments)
        finally:
            await wiring.publisher.close()


async def run_reset_factors(wiring: Wiring, arguments: argparse.Namespace) -> int:
    """Remove the second factors of the user with the verified address, an administrator's too.

    It is audited as an operator's change, and mail and SMS tell the user.
    """
    async with wiring.open_database(), wiring.open_redis():
        user = await _find_user(wiring, arguments.address)
        if user is None:
            return _fail(NO_USER)
        await wiring.factor_administration.reset(OPERATOR, user.id, arguments.reason, NO_CLIENT)
    return _succeed(f"{user.id} has no second factor any more")


async def _find_user(wiring: Wiring, text: str) -> User | None:
    number = parse_phone_number(text, wiring.settings.default_region, ("*",))
    address = number or parse_mail_address(text) or ""
    return await wiring.user_administration.find_verified_user(address)


async def _change_role(wiring: Wiring, arguments: argparse.Namespace) -> int:
    user = await _find_user(wiring, arguments.address)
    if user is None:
        return _fail(NO_USER)
    try:
        user = await wiring.user_administration.change_roles(
            OPERATOR, user.id, arguments.action, [arguments.role]
        )
    except RevocationPending:
        sys.stderr.write("done; the services learn of it as soon as Redis answers\n")
        return 0
    roles = " ".join(user.roles) or "has no role"
    return _succeed(f"{user.id} {roles}; signed out everywhere, it counts from the next sign-in")


async def run_deliveries(wiring: Wiring, action: str, delivery_id: str) -> int:
    """Print the dead letters as lines of JSON, or retry or delete one; a change is audited."""
    async with wiring.open_database(), wiring.open_redis():
        if action != "dead":
            return await _change_dead_letter(wiring.dead_letter_administration, action, delivery_id)
        for letter in await wiring.dead_letters.all():
            sys.stdout.write(json.dumps(asdict(letter)) + "\n")
        return 0


async def _change_dead_letter(
    dead_letters: DeadLetterAdministration, action: str, delivery_id: str
) -> int:
    try:
        if action == "delete":
            await dead_letters.delete(OPERATOR, delivery_id)
            return _succeed("deleted")
        await dead_letters.retry(OPERATOR, delivery_id)
        return _succeed("back in the queue")
    except NotFound:
        return _fail("there is none")
    except DeadLetterExpired:
        return _fail("its life has ended: what it says is not true any more; delete it")
    except ServiceUnavailable as away:
        return _fail(f"deliveries: {describe_error(away)}")


def _succeed(message: str) -> int:
    sys.stdout.write(f"{message}\n")
    return 0


def _fail(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return 1
