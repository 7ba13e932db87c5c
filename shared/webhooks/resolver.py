"""Name resolution for webhooks, whose names their users choose."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult

THREADS = 64
"""A name server that never answers holds a thread for up to half a minute."""
MAX_ADDRESSES = 4
"""A name with many addresses would make one attempt many connections to them."""


class ThreadedResolver(AbstractResolver):
    """Resolves names on threads of its own.

    The loop's few threads also resolve the names of PostgreSQL and Redis.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the first addresses of a name.

        Raises:
            OSError: it has none, or is no name.
        """
        look_up = partial(
            socket.getaddrinfo,
            host,
            port,
            family,
            socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        except UnicodeError:  # a label of more than 63 characters
            raise socket.gaierror(socket.EAI_NONAME, "no name") from None
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found[:MAX_ADDRESSES]
        ]

    async def close(self) -> None:
        """Start no other look-up; those that run end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)
