"""auth_service as it was: it answers a sign-out once it is published, whoever has applied it."""

import asyncio
from typing import Any

from auth_service.app import create_app
from auth_service.revocation.service import Publisher
from auth_service.revocation.subscribers import Subscribers
from auth_service.settings import AuthSettings
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.logs import configure_logs
from shared.server import run
from shared.settings import load_settings


async def confirm_nothing(*_: Any) -> None:
    """Wait for no subscriber."""


async def hear_nothing(_: Subscribers) -> None:
    """Read no acknowledgement."""
    await asyncio.Event().wait()


def main() -> None:
    patched: Any = Publisher, Subscribers
    patched[0]._confirm, patched[1].listen = confirm_nothing, hear_nothing
    settings = load_settings(AuthSettings)
    configure_logs(settings.log_level, settings.log_format)
    run(create_app(settings, clock=SystemClock(), entropy=SystemEntropy()), settings)


if __name__ == "__main__":
    main()
