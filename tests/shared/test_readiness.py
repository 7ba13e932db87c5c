"""A service lets nobody in before it is ready, but does not hide what it lacks."""

from collections.abc import Callable
from itertools import count

from aiohttp import ClientSession

from shared.health import READINESS
from shared.server import Lifecycle, listening
from shared.settings import ServiceSettings
from tests.support.small_service import small_app

Make = Callable[..., ServiceSettings]


async def test_readiness_of_slow_start_is_reported_to_first_request(small_settings: Make) -> None:
    app, asked = small_app(small_settings()), count(1)

    async def at_the_third_look() -> bool:
        return next(asked) > 2

    app[READINESS].add("slow", at_the_third_look, lambda: "slow")
    async with (
        listening(app, "127.0.0.1", 0, lifecycle=Lifecycle(ready_within=20)) as address,
        ClientSession(address) as http,
        http.get("/readyz") as answer,
    ):
        assert answer.status == 200
    assert next(asked) == 5


async def test_readiness_of_unready_service_names_its_check(small_settings: Make) -> None:
    app = small_app(small_settings())

    async def never() -> bool:
        return False

    app[READINESS].add("lacking", never, lambda: "")
    async with (
        listening(app, "127.0.0.1", 0, lifecycle=Lifecycle(ready_within=0.05)) as address,
        ClientSession(address) as http,
        http.get("/readyz") as answer,
    ):
        assert answer.status == 503
        said = await answer.json()
        assert said["checks"] == {"lacking": False, "serving": True}
        assert said["reasons"] == {"lacking": ""}
