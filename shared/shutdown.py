"""Serving from start to end: listen, announce the end, finish what is in hand, leave."""

import asyncio
import contextlib
import functools
import gc
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from shared.drain import accept_backlog, finish_requests
from shared.health import READINESS
from shared.http_connection import HttpConnection
from shared.problem import DOCS
from shared.settings import ServiceSettings

EXIT_SECONDS = 1
IDLE_SECONDS = 60
LINGER_SECONDS = 2
READY_SECONDS = 5  # a proxy sends to whoever listens; who lacks something has to say so at last
READ_BYTES = 64 * 1024  # twice that is held for each connection
FORCED_SECONDS = 0.1  # for what neither finishes nor gives up; zero would mean for ever
UNIX = "unix:"
BACKLOG = 4096
"""Connections that may wait to be accepted; the kernel may allow fewer (`net.core.somaxconn`).

A full Unix socket refuses at once, and asyncio takes that for a connection: the request is lost. A
full port makes the client try again a second later.
"""
log = structlog.get_logger()


@contextlib.asynccontextmanager
async def listening(
    app: web.Application,
    host: str,
    port: int,
    *,
    grace: float = 1,
    cancel_abandoned: bool = False,
    patient: bool = False,
    ready_within: float = 0,
) -> AsyncIterator[str]:
    """Serve `app` inside the block; yields the address it listens on.

    Nobody is let in before it is ready, or `ready_within` seconds are over. On leaving, nothing
    new is accepted and each request in hand, its body included, has `grace` seconds to finish;
    then it is answered 503.
    `cancel_abandoned`: a handler ends when its client goes away; a proxy wants that. `patient`:
    who connects at the very end is answered too, for which half a second is taken.

    Raises:
        OSError: the address is taken.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=cancel_abandoned,
        shutdown_timeout=FORCED_SECONDS,
    )
    await runner.setup()
    try:
        if ready_within:
            await app[READINESS].wait(ready_within)
        loop = asyncio.get_running_loop()
        connection = _connections(runner, app)
        if host.startswith(UNIX):
            server = await loop.create_unix_server(
                connection, sock=_unix_socket(host), backlog=BACKLOG
            )
            address = host
        else:
            server = await loop.create_server(connection, host, port, backlog=BACKLOG)
            address = "http://{}:{}".format(*server.sockets[0].getsockname()[:2])
        try:
            yield address
        finally:
            if patient and runner.server is not None:
                await accept_backlog(server, runner.server)
            server.close()
            if runner.server is not None:
                await finish_requests(runner.server, grace)
    finally:
        await runner.cleanup()


def _connections(runner: web.AppRunner, app: web.Application) -> Callable[[], HttpConnection]:
    """Return what makes a connection of each client that comes."""
    if runner.server is None:
        raise RuntimeError("the application is not set up")
    return functools.partial(
        HttpConnection,
        runner.server,
        loop=asyncio.get_running_loop(),
        docs=app[DOCS],
        access_log=None,
        keepalive_timeout=IDLE_SECONDS,
        lingering_time=LINGER_SECONDS,
        read_bufsize=READ_BYTES,
        auto_decompress=False,  # no route takes an encoded body, so none is inflated
    )


def _unix_socket(host: str) -> socket.socket:
    """Return a bound socket that only this user may connect to, whatever lay there before."""
    path = Path(host.removeprefix(UNIX))
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        bound.bind(str(path))
    finally:
        os.umask(before)
    return bound


async def serve(app: web.Application, settings: ServiceSettings) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal ends the process at once.

    Readiness turns false first and requests are still taken for `DRAIN_SECONDS`, so that a load
    balancer can look away; then what is in hand has `SHUTDOWN_GRACE` seconds to finish.
    """
    asyncio.get_running_loop().set_exception_handler(pass_over_lookups)
    grace, patient = settings.shutdown_grace, settings.drain_seconds > 0
    with stop_signal() as stop:
        async with listening(
            app,
            settings.host,
            settings.port,
            grace=grace,
            patient=patient,
            ready_within=READY_SECONDS,
        ) as address:
            gc.collect()
            gc.freeze()  # what is here now stays: no collection has to look through it again
            log.info("service.started", address=address)
            await stop.wait()
            log.info("service.draining", seconds=settings.drain_seconds)
            app[READINESS].draining = True
            await asyncio.sleep(settings.drain_seconds)
        log.info("service.stopped")


def pass_over_lookups(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Tell of what nobody has handled, but for a name that was looked up in vain.

    Whoever wanted to connect was told, or has given up: while a server is away there would be a
    traceback for each try.
    """
    if not isinstance(context.get("exception"), socket.gaierror):
        loop.default_exception_handler(context)


@contextlib.contextmanager
def stop_signal() -> Iterator[asyncio.Event]:
    """Give an event that SIGTERM or SIGINT sets; a second one ends the process at once."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, on_signal)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def then_exit(work: Awaitable[None]) -> None:
    """Do the work; the process then ends within `EXIT_SECONDS`, with exit code 0.

    A name look-up cannot be cancelled. Both loops wait for it when they close, and for as long as
    a name server is out of reach, which is half a minute.
    """
    await work
    timer = threading.Timer(EXIT_SECONDS, os._exit, (0,))  # every log line is written by now
    timer.daemon = True
    timer.start()


def run(app: web.Application, settings: ServiceSettings) -> None:
    """Run `serve` on uvloop, in a process of its own."""
    import uvloop  # noqa: PLC0415 - the only place that needs it, and tests need it not

    uvloop.run(then_exit(serve(app, settings)))
