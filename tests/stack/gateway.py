"""Further gateways in front of the same services, told otherwise."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession

from tests.stack.stack import Stack
from tests.support.waiting import until


def settings(stack: Stack) -> dict[str, str]:
    """What such a gateway is told unless a test says otherwise."""
    return {
        "PUBLIC_URL": stack.address,
        "GATEWAY_RATE": "100000",
        "GATEWAY_CONNECTIONS": "128",
        "GATEWAY_BODY_LIMIT": "12m",
        "GATEWAY_SCHEME": "http",
    }


@contextmanager
def gateway(
    stack: Stack,
    network: str | None = None,
    files: dict[Path, str] | None = None,
    **environment: str,
) -> Iterator[str]:
    """Run a gateway in that network (the services' own); yields its address.

    `files` are mounted: from here, to there.
    """
    chosen = network or stack.network("edge")
    container = stack.engine.containers.run(
        stack.image("gateway"),
        environment=settings(stack) | environment,
        labels=stack.labels,
        network=chosen,
        volumes=[
            f"{stack.project}_files:/files:ro",
            *(f"{here}:{there}:ro" for here, there in (files or {}).items()),
        ],
        detach=True,
    )
    try:
        container.reload()
        address = container.attrs["NetworkSettings"]["Networks"][chosen]["IPAddress"]
        yield f"http://{address}:8080"
    finally:
        container.remove(force=True)


def reload(stack: Stack, address: str, files: dict[Path, str], **environment: str) -> None:
    """Do with the gateway at that address what deploy/reload does with the stack's own."""
    told = settings(stack) | environment
    given = [word for name, value in told.items() for word in ("-e", f"{name}={value}")]
    mounted = [word for here, there in files.items() for word in ("-v", f"{here}:{there}:ro")]
    edge, host = stack.network("edge"), urlsplit(address).hostname
    networks = {
        one.id: one.attrs["NetworkSettings"]["Networks"]
        for one in stack.engine.containers.list(filters={"network": edge})
    }
    [running] = [name for name, found in networks.items() if found[edge]["IPAddress"] == host]
    packed = stack.run("docker", "run", "--rm", *given, *mounted, stack.image("gateway"), "pack")
    stack.run("docker", "exec", "-i", str(running), "gateway", "load", given=packed)


@contextmanager
def impostor(stack: Stack, program: str) -> Iterator[str]:
    """A network of its own in which auth_service is a Python program; yields its name."""
    name = f"{stack.project}_impostor"
    network = stack.engine.networks.create(name, labels=stack.labels)
    container = stack.engine.containers.create(
        stack.image("auth_service"), ["-c", program], entrypoint="python", labels=stack.labels
    )
    try:
        network.connect(container, aliases=["auth_service"])
        container.start()
        yield name
    finally:
        container.remove(force=True)
        network.remove()


async def until_it_listens(http: ClientSession) -> None:
    """Return when the service behind that gateway takes connections."""

    async def listens() -> bool:
        async with http.get("/v1/auth/me") as answer:
            return answer.status != 502

    await until(listens, seconds=20)


@asynccontextmanager
async def sent(address: str, what: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """A connection on which that much was sent, and nothing more will be."""
    place = urlsplit(address)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(what)
    try:
        yield reader
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def answered(reader: asyncio.StreamReader) -> bytes:
    """Whatever comes until the other side ends, in whatever way it does."""
    said = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while piece := await reader.read(65536):
            said += piece
    return bytes(said)


@asynccontextmanager
async def client_of(address: str) -> AsyncIterator[ClientSession]:
    """A client, once somebody listens there."""
    async with ClientSession(address) as http:
        async with asyncio.timeout(20):
            while not await _listens(http):
                await asyncio.sleep(0.05)
        yield http


async def _listens(http: ClientSession) -> bool:
    try:
        async with http.get("/page.css", allow_redirects=False):
            return True
    except ClientError:
        return False
