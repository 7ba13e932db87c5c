"""The detail of a refusal gives the advice that its title lacks."""

import pytest

from auth_service.otp.errors import NoActiveChallenge, OtpInvalid
from auth_service.session.errors import RefreshReused
from shared.errors import (
    BodyTooLarge,
    Conflict,
    DomainError,
    RateLimited,
    TokenInvalid,
    TokenMissing,
    TokenRevoked,
)
from shared.tokens import KeyUnknown


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TokenMissing(), "Authorization: Bearer"),
        (TokenInvalid(), "refresh it"),
        (KeyUnknown(), "refresh it"),
        (TokenRevoked(), "sign in again"),
        (RefreshReused(), "sign in again"),
        (OtpInvalid(), "ask for another"),
        (RateLimited("LIMIT_X", 30), "try again in 30 s"),
        (RateLimited("LIMIT_X", 0), "try again in 1 s"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, DomainError) else "",
)
def test_error_detail_says_what_to_do(error: DomainError, told: str) -> None:
    assert told in (error.detail or "")


def test_error_detail_of_the_occurrence_replaces_the_general_one() -> None:
    assert RateLimited("LIMIT_X", 5, "at most 2 at once").detail == "at most 2 at once"
    assert TokenInvalid("not yet").detail == "not yet"
    assert Conflict().detail is None


@pytest.mark.parametrize(
    ("limit", "sent", "detail"),
    [
        (10_485_760, 10_485_761, "a file has at most 10.4 MB, and this one has 10.5 MB"),
        (10_000_000, 31_457_280, "a file has at most 10 MB, and this one has 31.5 MB"),
        (65_536, 65_537, "a file has at most 65.5 kB, and this one has 65.6 kB"),
        (5_368_709_120, None, "a file has at most 5,368.7 MB, and this one has more"),
    ],
)
def test_body_too_large_detail_shows_unequal_sizes(
    limit: int, sent: int | None, detail: str
) -> None:
    assert BodyTooLarge.of("a file", limit, sent).detail == detail


def test_error_detail_hides_that_no_code_was_sent() -> None:
    assert NoActiveChallenge().detail == OtpInvalid().detail
