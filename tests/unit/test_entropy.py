"""Ids: their bits, and that they sort by the time at which they were made."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SystemClock, milliseconds, rfc3339
from shared.entropy import SystemEntropy, new_id

FIRST, LAST = datetime.fromisoformat("1970-01-01"), datetime.fromisoformat("9999-12-31")
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


class StoppedClock(SystemClock):
    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class ChosenEntropy(SystemEntropy):
    """Draws what it was given."""

    def __init__(self, drawn: bytes) -> None:
        self.drawn = drawn

    def bytes(self, count: int) -> bytes:
        assert count == len(self.drawn)
        return self.drawn


@given(MOMENTS, st.binary(min_size=10, max_size=10))
def test_new_id_is_uuid_7_with_its_milliseconds(moment: datetime, drawn: bytes) -> None:
    made = new_id(StoppedClock(moment), ChosenEntropy(drawn))
    assert made.version == 7
    assert made.variant == RFC_4122
    assert made.int >> 80 == milliseconds(moment)


@given(st.binary(min_size=10, max_size=10))
def test_new_id_other_bits_are_random(drawn: bytes) -> None:
    made = new_id(StoppedClock(datetime(2027, 1, 1, tzinfo=UTC)), ChosenEntropy(drawn))
    fixed = 0xF << 76 | 0x3 << 62
    random_bits = ((1 << 80) - 1) & ~fixed
    assert random_bits.bit_count() == 74
    assert made.int & random_bits == int.from_bytes(drawn) & random_bits


@given(MOMENTS, st.integers(1, 10**9))
def test_new_id_later_sorts_after_earlier(moment: datetime, later: int) -> None:
    span = timedelta(milliseconds=later)
    if moment > datetime(9990, 1, 1, tzinfo=UTC):
        moment -= span
    earlier_id = new_id(StoppedClock(moment), ChosenEntropy(b"\xff" * 10))
    later_id = new_id(StoppedClock(moment + span), ChosenEntropy(b"\x00" * 10))
    assert earlier_id < later_id
    assert str(earlier_id) < str(later_id)


def test_new_ids_of_one_millisecond_differ() -> None:
    clock = StoppedClock(datetime(2027, 1, 1, tzinfo=UTC))
    made: set[UUID] = {new_id(clock, SystemEntropy()) for _ in range(10_000)}
    assert len(made) == 10_000


@given(st.integers(1, 10**7))
def test_entropy_below_stays_below_its_bound(bound: int) -> None:
    assert 0 <= SystemEntropy().below(bound) < bound


def test_entropy_bytes_have_their_length_and_never_repeat() -> None:
    drawn = [SystemEntropy().bytes(16) for _ in range(1000)]
    assert {len(each) for each in drawn} == {16}
    assert len(set(drawn)) == 1000


def test_system_clock_is_in_utc_and_monotonic() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    readings = [clock.monotonic() for _ in range(1000)]
    assert readings == sorted(readings)


def test_rfc3339_writes_utc_with_z() -> None:
    moment = datetime.fromisoformat("2027-03-01T05:30:00+05:30")
    assert rfc3339(moment) == "2027-03-01T00:00:00Z"
    assert rfc3339(moment.replace(microsecond=25)) == "2027-03-01T00:00:00.000025Z"
