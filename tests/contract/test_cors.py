"""A page of another origin asks for, and reads the refusals of, every route there is."""

from uuid import uuid4

from tests.contract.conftest import Services
from tests.contract.test_route_table import ROUTES

PAGE = "http://localhost:5173"


async def test_every_route_answers_preflights_and_refusals_to_pages(services: Services) -> None:
    for route in ROUTES:
        method, path = route.operation.method, route.path(uuid4())
        asks = {"Origin": PAGE, "Access-Control-Request-Method": method}
        asked = await services.call(route.prefix, "OPTIONS", path, headers=asks)
        assert asked.status == 204, str(route)
        assert method in asked.headers["Access-Control-Allow-Methods"].split(", "), str(route)
        answer = await services.call(route.prefix, method, path, headers={"Origin": PAGE})
        for one in (asked, answer):
            assert one.headers["Access-Control-Allow-Origin"] == PAGE, str(route)
            assert "Origin" in one.headers["Vary"].split(", "), str(route)
