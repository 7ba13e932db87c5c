"""The users of `make soak` at both services: what they do is what the services answer."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from auth_service.signing.keystore import KeyStore
from tests.conftest import ISSUER
from tests.contract.conftest import Services
from tests.soak.codes import Codes
from tests.soak.record import Client, Pacer, Record, UnexpectedAnswer
from tests.soak.users import KEPT, Administrator, User
from tests.soak.warm_up import AUDIENCE, PATHS
from tests.support.auth_client import Answer, AuthClient
from tests.support.database import Connection
from tests.support.tokens import Mint

LIFE = 600


@dataclass(frozen=True)
class DirectClient(Client):
    """Goes to the service that a path belongs to, without a gateway."""

    services: Services

    async def call(self, step: str, method: str, path: str, *expected: int, **more: Any) -> Answer:
        http = next(
            client for prefix, client in self.services.clients.items() if path.startswith(prefix)
        )
        return await Client(http, self.record, self.pacer).call(
            step, method, path, *expected, **more
        )


@dataclass
class InboxCodes(Codes):
    """Reads codes in the development inbox."""

    auth: AuthClient | None = None
    read_before: Counter[str] = field(default_factory=Counter)

    async def read(self, number: str) -> str:
        assert self.auth is not None
        self.read_before[number] += 1
        return await self.auth.code(number, self.read_before[number])


@pytest.fixture
def user(services: Services) -> User:
    client = DirectClient(services.auth.http, Record(), Pacer(), services)
    return User(client, InboxCodes(auth=services.auth), LIFE, seed=1)


async def test_soak_user_every_step_is_answered_as_expected(user: User) -> None:
    uses = (user.upload, user.download, user.offer, user.list_creatives, user.list_products)
    reads = (user.read_me, user.read_schedule, user.search)
    await user.sign_out(await user.register())
    for sign_in in (user.sign_in_by_password, user.sign_in_by_code):
        session = await sign_in()
        for step in (*uses, *reads):
            await step(session)
        await user.refresh(session)
        await user.sign_out(session)
    await user.invite()
    record = user.client.record
    assert record.refusals == []
    assert record.wrong_bytes == []
    assert record.sign_outs == 4


async def test_soak_user_keeps_a_bounded_number_of_products(user: User) -> None:
    session = await user.register()
    for _ in range(KEPT + 2):
        await user.offer(session)
    listed = await user.client.call(
        "products", "GET", "/v1/media/products", 200, token=session.token
    )
    assert len(listed.body["items"]) == KEPT


async def test_soak_administrator_reads_are_answered(user: User, auth_db: Connection) -> None:
    administrator = Administrator(user.client, user.codes, LIFE, seed=2)
    await administrator.sign_out(await administrator.register())
    await auth_db.execute("update users set roles = '{admin}'")
    session = await administrator.sign_in_by_password()
    await administrator.use(session)
    assert user.client.record.statuses["admin: audit"] == {200: 1}


async def test_soak_user_unexpected_answer_is_recorded(user: User) -> None:
    await user.register()
    with pytest.raises(UnexpectedAnswer):
        await user.client.call("/me", "GET", "/v1/auth/me", 200)
    [refusal] = user.client.record.refusals
    assert (refusal.step, refusal.status, refusal.is_server_error) == ("/me", 401, False)


@pytest.mark.parametrize("service", PATHS)
async def test_soak_warm_up_token_of_unknown_user_is_answered_as_expected(
    services: Services, keys_folder: Path, service: str
) -> None:
    key = KeyStore(keys_folder).load()[0]
    token = Mint(key.private, ISSUER, AUDIENCE, key.kid).token(uuid4())
    path, expected = PATHS[service]
    prefix = f"/v1/{service}"
    answer = await services.call(prefix, "GET", path.removeprefix(prefix), token)
    assert answer.status == expected
