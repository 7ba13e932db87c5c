"""Serving from start to end: listen, announce the shutdown, finish open requests, exit."""

import asyncio
import contextlib
import functools
import gc
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from shared.body_drain import DrainCounter
from shared.drain import close_after_backlog, finish_requests
from shared.health import READINESS
from shared.http_connection import HttpConnection, announce_close
from shared.problem import DOCS
from shared.settings import ServiceSettings

EXIT_SECONDS = 1
IDLE_SECONDS = 60
READY_SECONDS = 5  # a proxy sends to every listening replica; one that stays unready answers 503
READ_BYTES = 64 * 1024  # twice that is held for each connection
FORCED_SECONDS = 0.1  # for handlers that neither finish nor expire; zero would mean for ever
UNIX_PREFIX = "unix:"
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
BACKLOG = 4096
"""Connections that may wait to be accepted; the kernel may allow fewer (`net.core.somaxconn`).

A full Unix socket refuses at once, and asyncio takes that for a connection: the request is lost. A
full port makes the client try again a second later.
"""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """How a server begins and ends.

    `ready_within`: after so many seconds it listens without being ready. `grace`: seconds that open
    requests have to finish. `answers_backlog`: connections of the last moment are answered too,
    within half a second.
    """

    ready_within: float = 0
    grace: float = 1
    answers_backlog: bool = False


DEFAULT_LIFECYCLE = Lifecycle()


@contextlib.asynccontextmanager
async def listening(
    app: web.Application,
    host: str | Sequence[str],
    port: int,
    *,
    lifecycle: Lifecycle = DEFAULT_LIFECYCLE,
    cancel_abandoned: bool = False,
) -> AsyncIterator[str]:
    """Serve `app` inside the block; yields the address it listens on, the first of several.

    It listens once the application is ready. On leaving, nothing new is accepted. Each open
    request, its body included, has `lifecycle.grace` seconds to finish; then it is answered 503.
    `cancel_abandoned`: a handler ends when its client disconnects, as a proxy needs it.

    Raises:
        OSError: the address is taken.
    """
    app.on_response_prepare.append(announce_close)
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=cancel_abandoned,
        shutdown_timeout=FORCED_SECONDS,
    )
    await runner.setup()
    connections = runner.server
    if connections is None:
        raise RuntimeError("the application is not set up")
    try:
        if lifecycle.ready_within:
            await app[READINESS].wait_until_ready(lifecycle.ready_within)
        loop = asyncio.get_running_loop()
        connection = _connection_factory(connections, app[DOCS])
        if isinstance(host, str) and host.startswith(UNIX_PREFIX):
            server = await loop.create_unix_server(
                connection, sock=_bind_unix_socket(host), backlog=BACKLOG
            )
            address = host
        else:
            server = await loop.create_server(connection, host, port, backlog=BACKLOG)
            address = "http://{}:{}".format(*server.sockets[0].getsockname()[:2])
        try:
            yield address
        finally:
            if lifecycle.answers_backlog:
                await close_after_backlog(server, connections)
            server.close()
            await finish_requests(connections, lifecycle.grace)
    finally:
        await runner.cleanup()


def _connection_factory(connections: web.Server, docs: str) -> Callable[[], HttpConnection]:
    return functools.partial(
        HttpConnection,
        connections,
        loop=asyncio.get_running_loop(),
        docs=docs,
        access_log=None,
        keepalive_timeout=IDLE_SECONDS,
        drain_counter=DrainCounter(),
        read_bufsize=READ_BYTES,
        auto_decompress=False,  # no route takes an encoded body, so none is inflated
    )


def _bind_unix_socket(host: str) -> socket.socket:
    """Return a bound socket that only this user may connect to; replace an old one."""
    path = Path(host.removeprefix(UNIX_PREFIX))
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

    Readiness turns false first. Requests are still accepted for `DRAIN_SECONDS`, until load
    balancers have noticed. Then open requests have `SHUTDOWN_GRACE` seconds to finish.
    """
    asyncio.get_running_loop().set_exception_handler(ignore_failed_lookups)
    lifecycle = Lifecycle(
        READY_SECONDS, settings.shutdown_grace, answers_backlog=settings.drain_seconds > 0
    )
    with stop_signal() as stop:
        async with listening(app, settings.host, settings.port, lifecycle=lifecycle) as address:
            gc.collect()
            gc.freeze()  # everything loaded so far stays: collections skip it
            log.info("service.started", address=address)
            await stop.wait()
            log.info("service.draining", seconds=settings.drain_seconds)
            app[READINESS].draining = True
            await asyncio.sleep(settings.drain_seconds)
        log.info("service.stopped")


def ignore_failed_lookups(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report unhandled exceptions, except failed name look-ups.

    The caller of a look-up has its error, or has given up. While a server is away, each attempt
    would log a traceback.
    """
    if not isinstance(context.get("exception"), socket.gaierror):
        loop.default_exception_handler(context)


@contextlib.contextmanager
def stop_signal(*more: signal.Signals) -> Iterator[asyncio.Event]:
    """Yield an event that SIGTERM, SIGINT or one of `more` sets.

    A second signal ends the process at once.
    """
    stop, numbers = asyncio.Event(), (*STOP_SIGNALS, *more)

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in numbers:
        loop.add_signal_handler(number, on_signal)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def exit_after(work: Awaitable[None]) -> None:
    """Await the work; the process then ends within `EXIT_SECONDS`, with exit code 0.

    A name look-up cannot be cancelled, and a closing loop waits for it: half a minute while the
    name server is unreachable.
    """
    await work
    timer = threading.Timer(EXIT_SECONDS, os._exit, (0,))  # every log line is written at this point
    timer.daemon = True
    timer.start()


def run(app: web.Application, settings: ServiceSettings) -> None:
    """Run `serve` on uvloop, in a process of its own."""
    import uvloop  # noqa: PLC0415 - only a real process needs it, tests do not

    uvloop.run(exit_after(serve(app, settings)))
