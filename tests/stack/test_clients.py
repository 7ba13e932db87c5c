"""Real clients through the gateway, and at one replica of each service without it."""

from pathlib import Path

from tests.interop.programs import Workshop
from tests.interop.walk import Route, table, walk_all
from tests.stack.stack import PORTS, Stack


def routes(stack: Stack) -> dict[str, Route]:
    """The ways to the services."""
    auth, media = (stack.addresses(service)[0] for service in PORTS)
    gateway = stack.address
    return {
        "the gateway": Route(auth=gateway, media=gateway, front=gateway),
        "the services themselves": Route(auth=auth, media=media, front=gateway),
    }


async def test_every_client_walks_from_sign_up_to_sign_out(
    stack: Stack, tmp_path: Path, figures: list[str]
) -> None:
    workshop = Workshop(tmp_path)
    for way, route in routes(stack).items():
        walks = await walk_all(workshop, route)
        figures += ["", f"what clients see of {way}:", *table(walks)]
        faults = [f"{name}: {walk.fault}" for name, walk in walks.items() if walk.fault]
        assert not faults, "\n".join(faults)
