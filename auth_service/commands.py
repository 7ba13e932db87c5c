"""The commands of `python -m auth_service`: each opens what it needs and runs one service."""

import argparse

from auth_service import services
from auth_service.admin.command import change_role
from auth_service.admin.dead_letters_command import delete_dead_letter, retry_dead_letter
from auth_service.delivery.command import print_dead_letters, run_until_stopped
from auth_service.purge.command import purge_now
from auth_service.wiring import Wiring


async def run_worker(wiring: Wiring) -> None:
    """Send deliveries until SIGTERM."""
    async with wiring.open_redis():
        await run_until_stopped(wiring.run_delivery_worker())


async def run_purge(wiring: Wiring) -> int:
    """Remove expired rows; return the exit status."""
    async with wiring.open_database():
        return await purge_now(services.purge_service(wiring))


async def run_admin(wiring: Wiring, arguments: argparse.Namespace) -> int:
    """Grant or revoke a role; return the exit status."""
    async with wiring.open_database(), wiring.open_redis():
        try:
            return await change_role(
                services.administration(wiring),
                wiring.settings.default_region,
                how=arguments.action,
                address=arguments.address,
                role=arguments.role,
            )
        finally:
            await wiring.publisher.close()


async def run_deliveries(wiring: Wiring, action: str, delivery_id: str) -> int:
    """List, retry or delete dead letters; return the exit status."""
    async with wiring.open_database(), wiring.open_redis():
        if action == "dead":
            return await print_dead_letters(wiring.dead_letters)
        change = retry_dead_letter if action == "retry" else delete_dead_letter
        return await change(services.dead_letter_administration(wiring), delivery_id)
