"""Start the embedded stack, wait for a stop signal or a failure, and stop everything."""

import asyncio
import contextlib
import errno
import signal
from collections.abc import AsyncIterator, Coroutine, Iterable
from pathlib import Path
from typing import Any

from deploy.local.data_dir import DataDir
from deploy.local.environment import EmbeddedServers, read_origins, service_environment
from deploy.local.process import loopback_addresses
from deploy.local.proxy import UPSTREAMS, create_proxy
from deploy.local.service_processes import ServiceEndedError, ServiceProcesses, spawn_python
from deploy.local.upstream import Upstream
from shared.server import Lifecycle, listening, stop_signal

PROXY_GRACE_SECONDS = 0.5  # for requests that the proxy is still answering
READY_SECONDS = 60
POLL_SECONDS = 0.1


class StackError(RuntimeError):
    """The stack cannot start or cannot continue; the message is for its user."""


async def run_stack(port: int, data: Path) -> None:
    """Run everything on one address until a signal arrives; print `ready <address>` once ready.

    Raises:
        StackError: the stack cannot start, or one of its processes ended.
    """
    with stop_signal(signal.SIGHUP) as stop:
        data_dir = DataDir(data)
        address = f"http://localhost:{port}"
        origins = read_origins(address)
        proxy = create_proxy(data_dir.socket("auth"), data_dir.socket("media"), origins)
        try:
            # Listens first, so that a taken port is reported before anything else starts.
            async with (
                listening(
                    proxy,
                    loopback_addresses(),
                    port,
                    lifecycle=Lifecycle(grace=PROXY_GRACE_SECONDS),
                    cancel_abandoned=True,
                ),
                _run_services(data_dir, address) as (servers, services),
            ):
                await _wait_for_first(
                    stop.wait(),
                    servers.watch(),
                    services.watch(),
                    _print_ready(proxy[UPSTREAMS].values(), address, services),
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
async def _run_services(
    data_dir: DataDir, address: str
) -> AsyncIterator[tuple[EmbeddedServers, ServiceProcesses]]:
    with EmbeddedServers(data_dir) as servers:
        if servers.owned_by_other_process:
            raise StackError(
                f"{data_dir.path} is in use by another stack; end it, or try DATA=var2"
            )
        _print_data_dirs(servers)
        await servers.create_and_migrate()
        environments = {
            name: service_environment(name, servers, address) for name in ("auth", "media")
        }
        await _ensure_keys(environments["auth"])
        async with ServiceProcesses() as services:
            for name, environment in environments.items():
                await services.start(f"{name}_service", environment)
            yield servers, services


def _print_data_dirs(servers: EmbeddedServers) -> None:
    for server in (servers.postgres, servers.valkey):
        if server.external_url:
            print(f"{server.title}: using the server that the environment names", flush=True)
        elif server.data_dir != server.requested_dir:
            print(f"{server.title} keeps its data in {server.data_dir}", flush=True)


async def _ensure_keys(environment: dict[str, str]) -> None:
    """Have auth_service create the first signing key and the public key set if they are missing."""
    private, public = Path(environment["JWT_PRIVATE_KEYS_DIR"]), Path(environment["JWKS_FILE"])
    if public.exists() and private.is_dir() and any(private.iterdir()):
        return
    process = await spawn_python(["-m", "auth_service", "keys", "generate"], environment)
    if code := await process.wait():
        raise StackError(f"auth_service could not make a signing key (exit code {code})")


async def _print_ready(
    upstreams: Iterable[Upstream], address: str, services: ServiceProcesses
) -> None:
    """Print the `ready` line once both services are ready, then wait for ever.

    Raises:
        StackError: a service is not ready within a minute.
    """
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not all([await one.is_ready() for one in upstreams]):  # noqa: ASYNC110 -- only polling tells
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise StackError(f"not ready after {READY_SECONDS} s: see {address}/readyz") from None
    services.were_ready = True
    print(f"ready {address}", flush=True)
    await asyncio.Event().wait()


async def _wait_for_first(*coroutines: Coroutine[Any, Any, object]) -> None:
    """Wait until one coroutine ends, raise its error, and cancel the others."""
    tasks = [asyncio.ensure_future(one) for one in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
