"""Many tries from many networks: the owner of another one is served after one try of each."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

from auth_service.password.hasher import MAX_IN_HAND, Hasher
from shared.errors import ServiceUnavailable
from shared.networks import network_of
from tests.support.accounts import PASSWORD, activate, post
from tests.support.auth_client import Answer, AuthClient, many_at_once
from tests.support.blocked_hashes import ASHA, MANY_CLIENTS, OWNER, BlockedHashes, Open, login
from tests.support.long_runs import amount
from tests.support.waiting import until

NETWORKS, TRIES = 40, 50
ATTACKERS: dict[str, Callable[[int, int], str]] = {
    "IPv4": lambda network, host: f"10.0.{network}.{host}",
    "IPv6": lambda network, host: f"2001:db8:{network:x}:{host:x}::1",  # a /64 of its own each
}


async def attempt(hasher: Hasher, password: str, client: str) -> bool:
    return await hasher.verify(password, None, network_of(ip_address(client)))


@pytest.mark.parametrize("family", ATTACKERS)
async def test_hash_queue_40_networks_of_50_tries_serves_owner_within_41_hashes(
    opened: Open, threads: BlockedHashes, family: str
) -> None:
    async with opened() as hasher:
        attack = [
            asyncio.create_task(attempt(hasher, "guess", ATTACKERS[family](network, host)))
            for host in range(TRIES)
            for network in range(NETWORKS)
        ]
        await until(lambda: threads.tried)
        owner = asyncio.create_task(attempt(hasher, "owner", OWNER))
        await asyncio.sleep(0)
        threads.go.set()
        await asyncio.gather(owner, *attack, return_exceptions=True)
    assert threads.tried.index("owner") <= NETWORKS + 1  # the one under way, one of each network
    assert not owner.exception()


@pytest.mark.long
async def test_login_beside_40_networks_is_served_every_time(
    serving_auth: Callable[..., Any], threads: BlockedHashes
) -> None:
    """Each sign-in of the owner finds the queue full of the attackers' tries."""
    threads.go.set()
    async with serving_auth(**MANY_CLIENTS) as one, many_at_once(one) as auth:
        await activate(auth, **ASHA)
        for _ in range(amount(3, 12)):
            threads.go.clear()
            threads.tried.clear()
            attack = await _attack(auth)
            own = asyncio.create_task(login(auth, PASSWORD, OWNER))
            await _arrived(attack, own)
            threads.go.set()
            assert (await own).status == 200
            assert threads.tried.index(PASSWORD) <= NETWORKS + 1
            assert {answer.status for answer in await asyncio.gather(*attack)} == {401, 503}


async def _attack(auth: AuthClient) -> list[asyncio.Task[Answer]]:
    """More tries of each network than may wait; those that are over are refused."""
    more_than_fit = NETWORKS * (MAX_IN_HAND // NETWORKS + 2)
    address = ATTACKERS["IPv6"]
    attack = [
        asyncio.create_task(login(auth, "guess", address(try_ % NETWORKS, try_)))
        for try_ in range(more_than_fit)
    ]
    await until(lambda: _ended(attack) == more_than_fit - MAX_IN_HAND)
    return attack


async def _arrived(attack: list[asyncio.Task[Answer]], own: asyncio.Task[Answer]) -> None:
    """The owner's try has its place when an attacker's has lost one, or when it is refused."""
    places = len(attack) - MAX_IN_HAND
    await until(lambda: own.done() or _ended(attack) > places)


def _ended(attack: list[asyncio.Task[Answer]]) -> int:
    return sum(task.done() for task in attack)


async def test_hash_queue_full_refuses_newest_try_of_the_longest_line(
    opened: Open, threads: BlockedHashes
) -> None:
    async with opened() as hasher:
        few = [asyncio.create_task(attempt(hasher, f"few {n}", "10.0.1.1")) for n in range(2)]
        many = [
            asyncio.create_task(attempt(hasher, f"many {n}", f"10.0.2.{n}"))
            for n in range(MAX_IN_HAND - 2)
        ]
        await until(lambda: threads.tried)
        newcomer = asyncio.create_task(attempt(hasher, "newcomer", "10.0.3.1"))
        await asyncio.wait([many[-1]], timeout=10)
        if not many[-1].done():
            threads.go.set()
            pytest.fail("the queue has no bound")
        with pytest.raises(ServiceUnavailable) as refused:
            await many[-1]
        assert refused.value.headers() == {"Retry-After": "1"}
        with pytest.raises(ServiceUnavailable):
            await attempt(hasher, "one more", "10.0.2.200")
        assert not any(task.done() for task in (*few, *many[:-1], newcomer))
        threads.go.set()
        await asyncio.gather(*few, *many[:-1], newcomer)


async def test_login_full_hash_queue_is_503_and_health_is_served(
    serving_auth: Callable[..., Any], threads: BlockedHashes
) -> None:
    async with serving_auth(**MANY_CLIENTS) as one, many_at_once(one) as auth:
        await activate(auth, **ASHA)
        logins = [
            asyncio.create_task(login(auth, PASSWORD, OWNER)) for _ in range(MAX_IN_HAND + 30)
        ]
        await until(lambda: _ended(logins) == 30, seconds=60)
        async with auth.http.get("/healthz") as alive:
            assert alive.status == 200
        refused = [await task for task in logins if task.done()]
        assert {answer.code for answer in refused} == {"service_unavailable"}
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
        threads.go.set()
        # A slow machine refuses more of them: for lack of time.
        assert {answer.status for answer in await asyncio.gather(*logins)} == {200, 503}


async def test_login_refused_by_full_queue_counts_no_attempt(
    serving_auth: Callable[..., Any], threads: BlockedHashes
) -> None:
    async with (
        serving_auth(**MANY_CLIENTS, limit_login_failures="1/hour") as one,
        many_at_once(one) as auth,
    ):
        await activate(auth, **ASHA)
        attack = [
            asyncio.create_task(
                post(auth, "/login", address="10.0.1.1", username=f"name{n}", password="guess")
            )
            for n in range(MAX_IN_HAND + 5)
        ]
        await until(lambda: _ended(attack) == 5)
        refused = [await task for task in attack if task.done()]
        assert {answer.status for answer in refused} == {503}
        assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
        threads.go.set()
        await asyncio.gather(*attack)
        again = [
            await post(auth, "/login", address="10.0.1.1", username=f"name{n}", password="guess")
            for n in range(MAX_IN_HAND + 5)
        ]
    assert [answer.status for answer in again].count(401) == 5  # those that were not counted


async def test_register_refused_by_full_queue_counts_no_attempt(
    serving_auth: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> str:
        raise ServiceUnavailable

    async with serving_auth(limit_login_per_ip="1/hour") as auth:
        with monkeypatch.context() as patch:
            patch.setattr(Hasher, "hash", full)
            assert (await post(auth, "/register", **ASHA)).status == 503
        assert (await post(auth, "/register", **ASHA)).status == 201
        assert (await post(auth, "/register", **ASHA)).status == 429


async def test_hash_queue_callers_that_leave_at_once_free_their_slots(
    opened: Open, threads: BlockedHashes
) -> None:
    async with opened() as hasher:
        tasks = [
            asyncio.create_task(attempt(hasher, str(n), f"10.0.{n % 7}.1"))
            for n in range(MAX_IN_HAND)
        ]
        await until(lambda: threads.tried)
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}
        assert hasher.waiting == 0
        owner = asyncio.create_task(attempt(hasher, "owner", OWNER))
        await asyncio.sleep(0)
        assert hasher.waiting == 1  # the hash under way has its thread, though nobody waits for it
        threads.go.set()
        assert await owner is False
    assert threads.tried == ["0", "owner"]


async def test_hash_queue_callers_that_leave_as_a_thread_is_freed_lose_no_thread(
    opened: Open, threads: BlockedHashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread is handed to a caller that is cancelled in the same step of the loop."""
    async with opened() as hasher:
        first = asyncio.create_task(attempt(hasher, "first", "10.0.1.1"))
        await until(lambda: threads.tried)
        waiting = [asyncio.create_task(attempt(hasher, str(n), "10.0.2.1")) for n in range(3)]
        await asyncio.sleep(0)
        original = hasher._queue.release

        def release_as_they_leave(thread: int) -> None:
            waiting[0].cancel()
            original(thread)
            waiting[1].cancel()
            monkeypatch.setattr(hasher._queue, "release", original)

        monkeypatch.setattr(hasher._queue, "release", release_as_they_leave)
        threads.go.set()
        await first
        assert await waiting[2] is False
        assert await attempt(hasher, "owner", OWNER) is False
        await until(lambda: hasher._queue.has_free_item)


@pytest.mark.parametrize(
    ("some", "others", "one_line"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:1:2::1", "2001:db8:1:ffff::1", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
    ],
)
def test_network_of_addresses_in_one_prefix_is_equal(
    *, some: str, others: str, one_line: bool
) -> None:
    networks = {network_of(ip_address(address)) for address in (some, others)}
    assert (len(networks) == 1) is one_line
