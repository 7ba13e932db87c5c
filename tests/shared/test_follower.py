"""The follower: misses no revocation, and knows when it might have missed one."""

import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
import structlog

from shared.errors import ServiceUnavailable
from shared.revocation import follower
from shared.revocation.follower import Follower
from shared.revocation.message import CHANNEL, HEAD, LOG
from tests.shared.conftest import Follow
from tests.support.revocation_source import OTHER, Source, claims, in_touch, known, refused
from tests.support.waiting import until

LATE = "task.interrupted"  # on a busy machine an answer may come too late


async def said(logs: Sequence[Any], event: str, *, times: int) -> None:
    """The log tells that it looked so many times."""

    async def holds() -> bool:
        return len([one for one in logs if one["event"] == event]) >= times

    await until(holds)


async def test_what_was_revoked_before_is_known_once_in_touch(
    source: Source, follow: Follow
) -> None:
    sessions = [await source.revoke() for _ in range(50)]
    async with follow() as mirror:
        assert not mirror.in_touch
        await in_touch(mirror)
        assert [refused(mirror, session) for session in sessions] == [True] * 50
        assert not refused(mirror, uuid4())


async def test_a_backlog_of_several_pages_is_read_to_its_end(
    source: Source, quick: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "PAGE", 7)
    sessions = [await source.revoke_unheard() for _ in range(50)]
    async with quick() as mirror:
        await in_touch(mirror)
        assert [refused(mirror, session) for session in sessions] == [True] * 50


async def test_a_published_message_is_applied_within_100_ms(source: Source, follow: Follow) -> None:
    async with follow() as mirror:
        await in_touch(mirror)
        times = []
        for _ in range(10):
            started = time.monotonic()
            await known(mirror, await source.revoke())
            times.append(time.monotonic() - started)
    assert sorted(times)[4] < 0.1  # half of them: the machine is shared


async def test_what_is_published_while_the_backlog_is_read_is_applied(
    source: Source, quick: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, published = Follower._look, uuid4()

    async def late_look(self: Follower) -> None:
        monkeypatch.setattr(Follower, "_look", look)
        # subscribed, backlog not yet read; nothing is appended, so only the channel can tell
        assert await source.redis.publish(CHANNEL, source.message(published)) == 1
        await look(self)

    monkeypatch.setattr(Follower, "_look", late_look)
    async with quick() as mirror:
        await known(mirror, published)


async def test_a_message_that_was_not_heard_is_found_at_the_head(
    source: Source, follow: Follow
) -> None:
    async with follow() as mirror:
        await in_touch(mirror)
        await known(mirror, await source.revoke_unheard(), seconds=follower.LOOK_SECONDS + 1)
        assert mirror.in_touch


async def test_nothing_is_ever_revoked_less(source: Source, quick: Follow) -> None:
    async with quick() as mirror:
        session = await source.revoke()
        await known(mirror, session)
        await source.redis.delete(LOG)
        await source.begin("second")
        await known(mirror, await source.revoke())
        assert refused(mirror, session)


async def test_an_unverified_entry_puts_out_of_touch_until_it_is_gone(
    source: Source, quick: Follow
) -> None:
    async with quick() as mirror:
        await in_touch(mirror)
        await source.append(source.message(uuid4(), OTHER))
        await in_touch(mirror, wanted=False)
        with pytest.raises(ServiceUnavailable):
            mirror.check(claims(uuid4()))
        session = await source.revoke_unheard()  # what follows is applied all the same
        await known(mirror, session)
        assert not mirror.in_touch
        await source.redis.xtrim(LOG, maxlen=1, approximate=False)
        await in_touch(mirror)


@pytest.mark.parametrize(("minutes", "outlived"), [(79, False), (81, True)])
async def test_an_unverified_entry_that_can_hide_nothing_live_keeps_nobody_out(
    source: Source, quick: Follow, minutes: int, outlived: bool
) -> None:
    """The longest token life, a quarter of an hour for clocks, and as much as ours may be ahead."""
    entry = f"{int((time.time() - minutes * 60) * 1000)}-0"
    await source.redis.xadd(LOG, {"m": source.message(uuid4(), OTHER)}, id=entry)
    await source.begin()
    with structlog.testing.capture_logs() as logs:
        async with quick() as mirror:
            if outlived:
                await in_touch(mirror)  # though nothing was appended since
            else:
                await said(logs, "revocations.unverified_entry_blocks", times=2)
                assert not mirror.in_touch


@pytest.mark.parametrize("text", [b"", b"{", b"null", b"[" * 5000, b"\xff", b'{"mac":"x"}'])
async def test_an_entry_that_is_no_message_puts_out_of_touch_too(
    source: Source, quick: Follow, text: bytes
) -> None:
    await source.append(text.decode("latin-1"))
    with structlog.testing.capture_logs() as logs:
        async with quick() as mirror:
            await said(logs, "revocations.unverified_entry_blocks", times=2)
            assert not mirror.in_touch
    assert {event["event"] for event in logs} <= {"revocations.unverified_entry_blocks", LATE}


async def test_an_unverified_publication_is_ignored(source: Source, quick: Follow) -> None:
    session = uuid4()
    async with quick() as mirror:
        await in_touch(mirror)
        for text in (source.message(session, OTHER), "{", "[" * 100_000, ""):
            assert await source.redis.publish(CHANNEL, text) == 1
        await known(mirror, await source.revoke())  # which came later over the same connection
        assert not refused(mirror, session)
        assert mirror.in_touch


async def test_without_an_epoch_nothing_is_sure(source: Source, quick: Follow) -> None:
    await source.redis.delete(HEAD)
    session = await source.revoke()
    await source.redis.hdel(HEAD, "epoch")
    with structlog.testing.capture_logs() as logs:
        async with quick() as mirror:
            await said(logs, "revocations.epoch_missing", times=2)
            assert not mirror.in_touch
            await source.begin()
            await in_touch(mirror)
            assert refused(mirror, session)
    assert {event["event"] for event in logs} <= {"revocations.epoch_missing", LATE}


@pytest.mark.parametrize(("patience", "level"), [(60.0, "info"), (0.0, "warning")])
async def test_an_epoch_that_may_be_on_its_way_is_no_warning(
    source: Source, quick: Follow, monkeypatch: pytest.MonkeyPatch, patience: float, level: str
) -> None:
    monkeypatch.setattr(follower, "EPOCH_SECONDS", patience)
    await source.redis.delete(HEAD)
    with structlog.testing.capture_logs() as logs:
        async with quick() as mirror:
            await said(logs, "revocations.epoch_missing", times=1)
            await source.begin()
            await in_touch(mirror)
            await source.redis.hdel(HEAD, "epoch")
            await in_touch(mirror, wanted=False)
    levels = [one["log_level"] for one in logs if one["event"] == "revocations.epoch_missing"]
    assert (levels[0], levels[-1]) == (level, "warning"), "one that is lost is always told of"


async def test_a_new_epoch_means_reading_everything_again(source: Source, quick: Follow) -> None:
    async with quick() as mirror:
        await source.revoke()
        await in_touch(mirror)
        # a wiped Redis that was filled again: its ids may be lower than those known
        session = uuid4()
        await source.redis.delete(LOG)
        await source.redis.xadd(LOG, {"m": source.message(session)}, id="1-1")
        await source.begin("second")
        await known(mirror, session)
        assert mirror.in_touch


async def test_a_head_that_went_back_means_reading_everything_again(
    source: Source, quick: Follow
) -> None:
    async with quick() as mirror:
        await source.revoke()
        await in_touch(mirror)
        session = uuid4()
        await source.redis.delete(LOG)
        await source.redis.xadd(LOG, {"m": source.message(session)}, id="1-1")
        await source.redis.hset(HEAD, "last", "1-1")  # the epoch stays: a failover
        await known(mirror, session)
