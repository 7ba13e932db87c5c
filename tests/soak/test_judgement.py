"""The soak's verdicts: each kind of fault fails a run, and noise does not."""

import random
from collections.abc import Sequence

import pytest

from tests.bench.table import Figure
from tests.soak.judgement import (
    conduct_verdicts,
    growth_verdicts,
    is_clean,
    second_half,
    trend,
)
from tests.soak.options import Options
from tests.soak.processes import PARTS, Sample, Usage
from tests.soak.record import Record

HOUR = 3600
NOISE = random.Random(1)  # noqa: S311 -- the same noise each time


def minute_of(memory: float = 0, descriptors: float = 0, *, noise: float = 0) -> list[Sample]:
    """A minute in which auth_service grows by so much and nothing else does."""
    found = []
    for second in range(61):
        share = second / 60
        steady = dict.fromkeys(PARTS, Usage(1, 100, 50, 10))
        grown = 100 + memory * share + NOISE.uniform(-noise, noise)
        steady["auth_service"] = Usage(1, grown, round(50 + descriptors * share), 10)
        found.append(Sample(second, steady))
    return found


def served() -> Record:
    """A record of one request and one sign-out, both as they should be."""
    record = Record(sign_outs=1)
    with record.timed("/me") as status:
        status.append(200)
    return record


def conduct(
    record: Record, lines: Sequence[str] = (), *, strict: bool = False, code: int = 0
) -> list[Figure]:
    return conduct_verdicts(record, lines, Options(strict_sign_out=strict), code)


def missed(verdicts: Sequence[Figure]) -> list[str]:
    return [verdict.name for verdict in verdicts if verdict.met is False]


def test_trend_straight_line_is_found_exactly() -> None:
    found = trend([(at, 7 + 0.5 * at) for at in range(11)])
    assert found.growth == pytest.approx(5)
    assert found.span == 10
    assert found.error == pytest.approx(0, abs=1e-6)
    assert found.per_hour == pytest.approx(0.5 * HOUR)


def test_trend_too_few_points_shows_no_growth() -> None:
    assert trend([(0, 1), (1, 99)]).growth == 0


def test_trend_growth_within_noise_does_not_exceed() -> None:
    noisy = [(float(at), NOISE.uniform(0, 40)) for at in range(10)]
    steep = [(at, value + at * 20) for at, value in noisy]
    assert not trend(noisy).exceeds(0)
    assert trend(steep).exceeds(5)


def test_second_half_of_the_load_leaves_out_what_came_before_and_after() -> None:
    samples = [Sample(at, {}) for at in range(20)]
    assert [sample.at for sample in second_half(samples, 2, 12)] == [7, 8, 9, 10, 11, 12]


@pytest.mark.parametrize(
    ("samples", "faults"),
    [
        (minute_of(), []),
        (minute_of(memory=4), []),
        (minute_of(noise=19), []),
        (minute_of(memory=-50, descriptors=-20), []),
        (minute_of(memory=6), ["auth_service: growth of memory"]),
        (minute_of(descriptors=7), ["auth_service: growth of descriptors"]),
    ],
)
def test_growth_above_its_tolerance_names_the_part(
    samples: list[Sample], faults: list[str]
) -> None:
    assert missed(growth_verdicts(samples, Options())) == faults


@pytest.mark.parametrize(("leak", "faults"), [(0.0, []), (2.0, ["PostgreSQL: growth of memory"])])
def test_growth_of_postgresql_is_that_of_each_connection(leak: float, faults: list[str]) -> None:
    samples = minute_of()
    for sample in samples:
        connections = 10 + round(sample.at / 6)
        memory = connections * (6 + leak * sample.at / 60)
        usage = Usage(connections, memory, 9 * connections, connections)
        sample.usage["PostgreSQL"] = usage
    assert missed(growth_verdicts(samples, Options())) == faults


def test_growth_without_samples_is_no_success() -> None:
    assert len(missed(growth_verdicts([], Options()))) == 2 * len(PARTS)


def test_growth_tolerance_can_be_chosen() -> None:
    assert not missed(growth_verdicts(minute_of(memory=6), Options(memory_growth=8)))


def test_conduct_clean_run_is_clean() -> None:
    assert is_clean(conduct(served()))


def test_conduct_no_request_is_no_success() -> None:
    assert missed(conduct(Record())) == ["requests", "sign-outs"]


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (0, "5xx, or no answer"),
        (502, "5xx, or no answer"),
        (503, "5xx, or no answer"),
        (403, "honest requests refused"),
        (422, "honest requests refused"),
        (429, "honest requests refused"),
    ],
)
def test_conduct_unexpected_answer_fails_the_run(status: int, fault: str) -> None:
    record = served()
    record.refuse("/me", status, "why")
    assert missed(conduct(record)) == [fault]


def test_conduct_honoured_token_fails_the_run_only_when_strict() -> None:
    record = served()
    record.honoured.append("/v1/auth/me, 2 ms after the 204")
    assert is_clean(conduct(record))
    assert missed(conduct(record, strict=True)) == ["tokens honoured after the 204"]


def test_conduct_wrong_bytes_warning_or_exit_code_fails_the_run() -> None:
    record = served()
    record.wrong_bytes.append("/v1/media/creatives/1/file")
    assert missed(conduct(record, ["a warning"], code=1)) == [
        "downloads of other bytes",
        "warnings that nothing caused",
        "exit code of the stack",
    ]
