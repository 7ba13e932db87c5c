"""The embedded stack from its start to its end, whichever way that comes."""

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any

from deploy.local.data_dir import Vault
from deploy.local.environment import Servers, service_environment
from deploy.local.proxy import create_front
from deploy.local.service_processes import Children, ServiceEndedError, finish
from deploy.local.upstream import Upstream
from shared.shutdown import listening

END_SECONDS = 0.5  # for what is in hand at the front
READY_SECONDS = 60
LOOK_AGAIN_SECONDS = 0.1
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StackError(RuntimeError):
    """The stack cannot start or go on; the message is for whoever started it."""


async def run(port: int, data: Path) -> None:
    """Run everything on one address until a signal comes; print `ready <address>` when it is.

    Raises:
        StackError: it cannot start, or a part of it ended.
    """
    with _stop_signal() as stop:
        vault = Vault(data)
        address = f"http://127.0.0.1:{port}"
        front = create_front(vault.socket("auth"), vault.socket("media"), address)
        try:
            # First of all: that the port is taken must be known before anything else starts.
            async with (
                listening(front, "127.0.0.1", port, grace=END_SECONDS, cancel_abandoned=True),
                _services(vault, address) as (servers, children),
            ):
                await _first(
                    stop.wait(),
                    servers.watch(),
                    children.watch(),
                    _announce(vault, address, children),
                )
        except ServiceEndedError as error:
            raise StackError(str(error)) from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise StackError(
                f"port {port} is taken, perhaps by another `make run`; try PORT={port + 1}"
                " DATA=var2"
            ) from error


@contextlib.asynccontextmanager
async def _services(vault: Vault, address: str) -> AsyncIterator[tuple[Servers, Children]]:
    with Servers(vault) as servers:
        if servers.joined:
            raise StackError(f"{vault.data} is in use by another stack; end it, or try DATA=var2")
        _say_where(servers)
        await servers.prepare()
        environments = {
            name: service_environment(name, servers, address) for name in ("auth", "media")
        }
        await _ensure_keys(environments["auth"])
        async with Children() as children:
            for name, environment in environments.items():
                await children.start(f"{name}_service", environment)
            yield servers, children


def _say_where(servers: Servers) -> None:
    for server in (servers.postgres, servers.valkey):
        if server.external:
            print(f"{server.title}: the one that the environment names", flush=True)
        elif server.folder != server.data:
            print(f"{server.title} keeps its data in {server.folder}", flush=True)


async def _ensure_keys(environment: dict[str, str]) -> None:
    """Let auth_service make a first signing key and the public set, where there is none."""
    private, public = Path(environment["JWT_PRIVATE_KEYS_DIR"]), Path(environment["JWKS_FILE"])
    if public.exists() and private.is_dir() and any(private.iterdir()):
        return
    code = await finish(["-m", "auth_service", "keys", "generate"], environment)
    if code:
        raise StackError(f"auth_service could not make a signing key (exit code {code})")


async def _announce(vault: Vault, address: str, children: Children) -> None:
    """Print the one line that others wait for, once both services are ready; then idle.

    Raises:
        StackError: they are not, within a minute.
    """
    async with (
        Upstream(vault.socket("auth")) as auth,
        Upstream(vault.socket("media")) as media,
    ):
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not (await auth.ready() and await media.ready()):  # noqa: ASYNC110 -- they do not tell
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)
        except TimeoutError:
            raise StackError(f"not ready after {READY_SECONDS} s: see {address}/readyz") from None
    children.served = True
    print(f"ready {address}", flush=True)
    await asyncio.Event().wait()


async def _first(*works: Coroutine[Any, Any, object]) -> None:
    """Wait until one of the works ends, pass its error on, and end the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def _stop_signal() -> Iterator[asyncio.Event]:
    """Give an event that a first signal sets; a second one ends us, and all that is ours, now."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, on_signal)
    try:
        yield stop
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
