"""Pages of other origins read what the proxy itself answers, as they read the services' answers."""

import pytest
from aiohttp import ClientResponse, ClientSession

from deploy.local.environment import read_origins
from tests.local.conftest import APP, RunningProxy

ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
FOREIGN = "https://evil.example"


def is_readable(answer: ClientResponse, origin: str) -> bool:
    assert answer.headers.getall("Vary") == ["Origin"]
    return answer.headers.getall("Access-Control-Allow-Origin", []) == [origin]


async def test_listed_page_reads_every_answer_of_the_proxy(
    client: ClientSession, proxy: RunningProxy
) -> None:
    statuses = []
    for path in ("/nowhere", "/v1/media/echo", "/v1/media/leave", "/readyz"):
        async with client.get(f"{proxy.url}{path}", headers={"Origin": APP}) as answer:
            assert is_readable(answer, APP)
            statuses.append(answer.status)
        async with client.get(f"{proxy.url}{path}", headers={"Origin": FOREIGN}) as answer:
            assert not is_readable(answer, FOREIGN)
    assert statuses == [404, 200, 502, 200]


async def test_preflight_of_listed_page_passes_while_the_service_is_away(
    client: ClientSession, proxy: RunningProxy
) -> None:
    proxy.media_socket.unlink()
    headers = {"Origin": APP, **ASKS}
    async with client.options(f"{proxy.url}/v1/media/creatives", headers=headers) as answer:
        assert answer.status == 204
        assert is_readable(answer, APP)
        assert answer.headers["Access-Control-Allow-Headers"] == "authorization"
    async with client.get(f"{proxy.url}/v1/media/echo", headers={"Origin": APP}) as answer:
        assert answer.status == 502
        assert is_readable(answer, APP)


async def test_preflight_of_foreign_page_is_refused(
    client: ClientSession, proxy: RunningProxy
) -> None:
    headers = {"Origin": FOREIGN, **ASKS}
    async with client.options(f"{proxy.url}/v1/media/creatives", headers=headers) as answer:
        assert answer.status == 403
        assert not is_readable(answer, FOREIGN)


@pytest.mark.parametrize(
    ("env", "local"), [("", True), ("development", True), ("production", False)]
)
def test_origins_are_those_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, env: str, *, local: bool
) -> None:
    monkeypatch.setenv("ENV", env)
    monkeypatch.setenv("PUBLIC_URL", "https://Id.example/")
    monkeypatch.setenv("CORS_ORIGINS", f" {APP},, https://b.example:443")
    origins = read_origins("http://localhost:8000")
    assert (origins.own, origins.listed) == (
        "https://id.example",
        frozenset({APP, "https://b.example"}),
    )
    assert ("http://localhost:3000" in origins) is local


def test_origin_that_is_none_names_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "*")
    with pytest.raises(ValueError, match=r"^PUBLIC_URL or CORS_ORIGINS: expected scheme://host"):
        read_origins("http://localhost:8000")
