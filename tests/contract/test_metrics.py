"""The services expose the metrics that the documents list: dashboards and alarms name them."""

import re
from pathlib import Path

import pytest

from tests.contract.conftest import Services

DOCUMENT = Path(__file__).parents[2] / "docs/operations/monitor.md"
PREFIXES = {"auth_service": "/v1/auth", "media_service": "/v1/media"}
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (\w+) \|", re.MULTILINE)
EXPOSED = re.compile(r"^# TYPE (\w+) (\w+)$", re.MULTILINE)


def documented_metrics(service: str) -> dict[str, str]:
    """Return the types of the metrics that the document lists for a service, by name."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("\n## Metrics\n")[2]
    rows = ROW.findall(section.partition("\n## ")[0])
    return {name: kind for name, kind, where in rows if where in {service, "both"}}


@pytest.mark.parametrize("service", PREFIXES)
async def test_metrics_of_a_service_are_those_documented(services: Services, service: str) -> None:
    async with services.clients[PREFIXES[service]].get("/metrics") as answer:
        exposed = dict(EXPOSED.findall(await answer.text()))
    # The client library adds the time at which each counter and histogram was created.
    named = {name: kind for name, kind in exposed.items() if not name.endswith("_created")}
    assert named == documented_metrics(service)
