"""Who is cut off at auth_service is cut off at media_service, in the same moment."""

import asyncpg

from tests.contract.conftest import Services
from tests.support.database import Connection
from tests.support.media_client import FORM, picture_form
from tests.support.waiting import until

ADMIN, NUMBER = "+919876543200", "+919876543210"


async def read_refusals(services: Services, token: str) -> list[str]:
    """What both services say to the token once media_service has heard."""

    async def heard() -> bool:
        answer = await services.call("/v1/media", "GET", "/creatives", token)
        return answer.status == 401

    await until(heard, seconds=2)
    auth = await services.call("/v1/auth", "GET", "/me", token)
    media = await services.call("/v1/media", "GET", "/creatives", token)
    return [auth.code, media.code]


async def test_disabled_user_is_refused_by_both_services(
    services: Services, auth_db: Connection
) -> None:
    await services.auth.sign_in(ADMIN)
    await auth_db.execute("update users set roles = '{admin}'")
    admin = (await services.auth.sign_in(ADMIN))["access_token"]
    pair = await services.auth.sign_in(NUMBER)
    token, user = pair["access_token"], pair["user"]["id"]
    assert (await services.call("/v1/media", "GET", "/creatives", token)).status == 200
    done = await services.call("/v1/auth", "POST", f"/admin/users/{user}/disable", admin)
    assert done.status == 200
    assert await read_refusals(services, token) == ["token_revoked"] * 2


async def test_changed_roles_revoke_token_at_both_services(
    services: Services, auth_db: Connection
) -> None:
    await services.auth.sign_in(ADMIN)
    await auth_db.execute("update users set roles = '{admin}'")
    admin = (await services.auth.sign_in(ADMIN))["access_token"]
    pair = await services.auth.sign_in(NUMBER)
    path, body = f"/admin/users/{pair['user']['id']}/roles", {"roles": ["editor"]}
    assert (await services.auth.call("PUT", path, token=admin, json=body)).status == 200
    assert await read_refusals(services, pair["access_token"]) == ["token_revoked"] * 2
    refresh = {"refresh_token": pair["refresh_token"]}
    fresh = (await services.auth.call("POST", "/refresh", json=refresh)).body
    everybody = await services.call(
        "/v1/media", "GET", "/creatives", fresh["access_token"], params={"limit": "1"}
    )
    assert everybody.status == 200


async def test_deleted_user_is_refused_by_both_services_and_erased(
    services: Services, media_dsn: str
) -> None:
    pair = await services.auth.sign_in(NUMBER)
    token = pair["access_token"]
    made = await services.call(
        "/v1/media", "POST", "/creatives", token, data=picture_form(), headers=FORM
    )
    assert made.status == 201
    assert (await services.auth.call("DELETE", "/me", token=token)).status == 204
    assert await read_refusals(services, token) == ["token_revoked"] * 2
    connection = await asyncpg.connect(media_dsn)

    async def nothing_left() -> bool:
        return bool(await connection.fetchval("select count(*) from creatives") == 0)

    await until(nothing_left, seconds=10)
    await connection.close()
