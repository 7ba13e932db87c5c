"""Challenges of passkeys: each counts once, for 5 minutes, for what it was issued."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from auth_service.passkey.challenges import PasskeyChallenges, Purpose
from deploy.local.valkey import Valkey
from shared.entropy import SystemEntropy
from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis, new_client, open_redis
from tests.support.clock import MovableClock
from tests.support.ports import own_port
from tests.support.software_authenticator import b64url

SESSION, OTHER_SESSION = "0198c0de-0000-7000-8000-000000000001", "another"


@pytest.fixture
async def challenges(
    valkey: Valkey, redis: Redis, clock: MovableClock
) -> AsyncIterator[PasskeyChallenges]:
    async with open_redis(valkey.url()) as batched:
        yield PasskeyChallenges(batched, clock, SystemEntropy())


async def test_challenge_consumed_twice_counts_once(challenges: PasskeyChallenges) -> None:
    challenge = await challenges.issue("sign_in")
    assert len(challenge) == 32
    assert await challenges.consume(b64url(challenge), "sign_in") == challenge
    assert await challenges.consume(b64url(challenge), "sign_in") is None


async def test_challenge_consumed_by_100_at_once_counts_once(
    challenges: PasskeyChallenges, valkey: Valkey
) -> None:
    challenge = await challenges.issue("second_factor", SESSION)
    async with open_redis(valkey.url()) as other_replica:
        replicas = [challenges, PasskeyChallenges(other_replica, challenges.clock, SystemEntropy())]
        found = await asyncio.gather(
            *(
                replica.consume(b64url(challenge), "second_factor", SESSION)
                for replica in replicas
                for _ in range(50)
            )
        )
    assert sorted(one for one in found if one) == [challenge]


@pytest.mark.parametrize(
    ("purpose", "bound_to"),
    [("sign_in", SESSION), ("step_up", OTHER_SESSION), ("step_up", "")],
)
async def test_challenge_of_other_purpose_or_session_is_unknown(
    challenges: PasskeyChallenges, purpose: Purpose, bound_to: str
) -> None:
    challenge = await challenges.issue("step_up", SESSION)
    assert await challenges.consume(b64url(challenge), purpose, bound_to) is None
    assert await challenges.consume(b64url(challenge), "step_up", SESSION) == challenge


async def test_challenge_bound_to_no_user_is_unknown_to_a_session(
    challenges: PasskeyChallenges,
) -> None:
    challenge = await challenges.issue("sign_in")
    assert await challenges.consume(b64url(challenge), "sign_in", SESSION) is None


@pytest.mark.parametrize(("seconds", "counts"), [(290, True), (300, False)])
async def test_challenge_after_five_minutes_is_unknown(
    challenges: PasskeyChallenges, clock: MovableClock, seconds: int, counts: bool
) -> None:
    challenge = await challenges.issue("registration", SESSION)
    clock.advance(seconds=seconds)
    found = await challenges.consume(b64url(challenge), "registration", SESSION)
    assert found == (challenge if counts else None)


async def test_challenge_in_redis_expires_by_itself(
    challenges: PasskeyChallenges, redis: Redis
) -> None:
    await challenges.issue("sign_in")
    (key,) = await redis.keys("*")
    assert 0 < await redis.pttl(key) <= 300_000


@pytest.mark.parametrize("text", ["", "A" * 42, "A" * 44, "A" * 42 + "=", "é" * 43, "A" * 43])
async def test_challenge_text_of_no_challenge_is_unknown(
    challenges: PasskeyChallenges, text: str
) -> None:
    assert await challenges.consume(text, "sign_in") is None


async def test_challenge_without_redis_is_unavailable(clock: MovableClock) -> None:
    away = BatchedRedis(new_client(f"redis://127.0.0.1:{own_port()}"))
    challenges = PasskeyChallenges(away, clock, SystemEntropy())
    with pytest.raises(ServiceUnavailable):
        await challenges.issue("sign_in")
    with pytest.raises(ServiceUnavailable):
        await challenges.consume("A" * 43, "sign_in")
    await away.close()
