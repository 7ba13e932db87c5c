"""Name resolution for webhooks, whose names their users choose."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from shared.webhooks.destination import AddressInfo, AddressRefused, DestinationPolicy

OTHER_SHARE = 4
"""Threads for each attempt at once that names of unknown speed may take; the quick have one more.

An attempt that is slow makes room for another one, while its look-up goes on.
"""
QUICK_SECONDS = 1
MAX_QUICK = 10_000
"""Quick hosts that a process remembers."""
MAX_ADDRESSES = 4
"""A name with many addresses would make one attempt many connections to them."""


class ThreadedResolver(AbstractResolver):
    """Resolves names on threads of its own, and leaves out addresses that the policy refuses.

    The loop's few threads also resolve the names of PostgreSQL and Redis. A name server that never
    answers holds a thread for seconds, also after the attempt. So attempts to a host share its
    look-up, and hosts whose last look-up was quick have threads that no other host takes.
    """

    def __init__(self, policy: DestinationPolicy, concurrency: int) -> None:
        """Have threads for so many attempts at once."""
        self._policy = policy
        self._most_others = OTHER_SHARE * concurrency
        self._most = self._most_others + concurrency
        self._threads = ThreadPoolExecutor(self._most, thread_name_prefix="webhook-names")
        self._look_ups: dict[str, asyncio.Future[list[Any]]] = {}
        self._quick: dict[str, None] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the first addresses of a name.

        Raises:
            AddressRefused: all of them are refused.
            OSError: it has none, or is no name, or too many names are being looked up.
        """
        # The dot ends the name, else a search domain could turn it into one of this network.
        name = host if self._policy.internal_names else f"{host.rstrip('.')}."
        look_up = self._look_ups.get(name) or self._start(name, family)
        try:
            found = await asyncio.shield(look_up)
        except UnicodeError:  # a label of more than 63 characters
            raise socket.gaierror(socket.EAI_NONAME, "no name") from None
        permitted = [info for info in found[:MAX_ADDRESSES] if self._permits(info, port)]
        if found and not permitted:
            raise AddressRefused("expected a public address")
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in permitted
        ]

    async def close(self) -> None:
        """Start no other look-up; those that run end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(self, name: str, family: int) -> "asyncio.Future[list[Any]]":
        most = self._most if name in self._quick else self._most_others
        if len(self._look_ups) >= most:
            raise socket.gaierror(socket.EAI_AGAIN, "too many names are being looked up")
        ask = partial(
            socket.getaddrinfo,
            name,
            None,
            family,
            socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        loop = asyncio.get_running_loop()
        look_up = self._look_ups[name] = loop.run_in_executor(self._threads, ask)
        look_up.add_done_callback(partial(self._on_done, name, loop.time()))
        return look_up

    def _on_done(self, name: str, began: float, look_up: "asyncio.Future[list[Any]]") -> None:
        del self._look_ups[name]
        self._quick.pop(name, None)
        failed = look_up.cancelled() or look_up.exception()
        if not failed and asyncio.get_running_loop().time() - began < QUICK_SECONDS:
            self._quick[name] = None
            if len(self._quick) > MAX_QUICK:
                del self._quick[next(iter(self._quick))]

    def _permits(self, info: AddressInfo, port: int) -> bool:
        try:
            self._policy.require_peer(info[4][0], port)
        except AddressRefused:
            return False
        return True
