"""What has ended is removed, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from auth_service.commands import run_purge
from auth_service.keyring import Keyring
from auth_service.settings import AuthSettings
from auth_service.wiring import Wiring
from shared.entropy import SystemEntropy
from tests.conftest import SECRET
from tests.support.accounts import PASSWORD, activate, next_code, post, register
from tests.support.auth_client import AuthClient
from tests.support.authenticator import begin, enrol, refresh
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.waiting import until

EMAIL, WAITING = "asha@example.com", "meera@example.com"
Run = Callable[[], Any]


@pytest.fixture
def purge(auth_settings: Callable[..., AuthSettings], clock: MovableClock) -> Run:
    async def run() -> int:
        return await run_purge(Wiring(auth_settings(), clock=clock, entropy=SystemEntropy()))

    return run


async def count(auth_db: Connection, table: str) -> int:
    return int(await auth_db.fetchval(f"select count(*) from {table}"))


async def test_purge_registrations_after_seven_days_are_deleted(
    auth: AuthClient,
    auth_db: Connection,
    clock: MovableClock,
    purge: Run,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await activate(auth, email=EMAIL)
    await register(auth, email=WAITING, password=PASSWORD)
    clock.advance(days=6, hours=23)
    await register(auth, email="younger@example.com")
    capsys.readouterr()
    assert await purge() == 0
    assert await count(auth_db, "users") == 3
    clock.advance(hours=1, seconds=1)
    assert await purge() == 0
    emails = await auth_db.fetch("select email from users order by email")
    assert [row["email"] for row in emails] == [EMAIL, "younger@example.com"]
    said = [line for line in capsys.readouterr().out.splitlines() if line[0].isdigit()]
    assert "1 registrations, 0 tickets, 0 sessions, 0 factors, 0 devices, 0 events" in said


async def test_purge_ended_tickets_and_sessions_are_deleted(
    auth: AuthClient, auth_db: Connection, clock: MovableClock, purge: Run
) -> None:
    await activate(auth, email=EMAIL, password=PASSWORD)
    _, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    exchanged = await post(auth, "/verify-reset", email=EMAIL, otp=code)
    await purge()
    assert await count(auth_db, "tokens") == 2
    clock.advance(seconds=601)
    await purge()
    assert await auth_db.fetchval("select scope from tokens") == "refresh"
    body = {"reset_ticket": exchanged.body["reset_ticket"], "new_password": "battery staple"}
    assert (await post(auth, "/reset-password", **body)).code == "otp_invalid"
    clock.advance(days=30)
    await purge()
    assert await count(auth_db, "sessions") == 1  # until its last access token is long dead
    clock.advance(days=1)
    await purge()
    assert (await count(auth_db, "sessions"), await count(auth_db, "tokens")) == (0, 0)
    assert await count(auth_db, "users") == 1


@pytest.mark.usefixtures("rare_jobs")
async def test_purge_runs_in_the_running_service(
    serving_auth: Callable[..., Any], auth_db: Connection, clock: MovableClock
) -> None:
    async with serving_auth() as auth:
        await register(auth, email=WAITING)
    clock.advance(days=8)

    async def gone() -> bool:
        return await count(auth_db, "users") == 0

    async with serving_auth():
        await until(gone)


async def test_purge_without_database_prints_error_and_fails(
    auth_settings: Callable[..., AuthSettings],
    clock: MovableClock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = auth_settings(auth_database_url="postgresql://nobody@127.0.0.1:1/nothing")
    assert await run_purge(Wiring(settings, clock=clock, entropy=SystemEntropy())) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("purge: ServiceUnavailable: The database cannot be reached, caused by ")


async def test_purge_secrets_are_sealed_under_the_newest_key(
    serving_auth: Callable[..., Any],
    auth_settings: Callable[..., AuthSettings],
    auth_db: Connection,
    clock: MovableClock,
) -> None:
    """So that the older key can be dropped, even if nobody has used the authenticator since."""
    new = "another-secret-of-the-test-suite-0123456789ab"
    async with serving_auth() as auth:
        pair = await activate(auth, email=EMAIL, password=PASSWORD)
        await enrol(auth, clock, pair["access_token"])
    stored = await auth_db.fetchval("select secret from factors")
    settings = auth_settings(secret_keys=f"{new},{SECRET}")
    assert await run_purge(Wiring(settings, clock=clock, entropy=SystemEntropy())) == 0
    resealed = await auth_db.fetchval("select secret from factors")
    keyring = Keyring([new.encode()], SystemEntropy())
    before = Keyring([SECRET.encode()], SystemEntropy()).open("totp", stored)
    assert keyring.open("totp", resealed) == before
    assert await run_purge(Wiring(settings, clock=clock, entropy=SystemEntropy())) == 0
    assert await auth_db.fetchval("select secret from factors") == resealed


async def test_purge_unconfirmed_factors_are_deleted_after_ten_minutes(
    auth: AuthClient, auth_db: Connection, clock: MovableClock, purge: Run
) -> None:
    pair = await activate(auth, email=EMAIL)
    await enrol(auth, clock, pair["access_token"])
    await begin(auth, clock, (await refresh(auth, pair))["access_token"])
    assert await purge() == 0
    assert await count(auth_db, "factors") == 2
    clock.advance(minutes=10)
    assert await purge() == 0
    assert await count(auth_db, "factors") == 1
