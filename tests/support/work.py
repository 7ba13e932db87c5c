"""Solving a proof of work as a client does."""

from typing import Any

import altcha
import pytest

from tests.support.journey import Answer


def solve(refused: Answer) -> str:
    """The solution of the challenge in a refusal, as a client sends it back."""
    assert (refused.status, refused.code) == (403, "proof_required"), refused.body
    challenge = altcha.Challenge.from_dict(refused.body["altcha"])
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    payload: str = altcha.Payload(challenge, solution).to_base64()
    return payload


def make_work_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few tries are enough, so that a test solves dozens of challenges."""
    monkeypatch.setattr("auth_service.throttle.proof_of_work.ITERATIONS", 1)
    monkeypatch.setattr("auth_service.throttle.proof_of_work.LEAST_TRIES", 2)
    monkeypatch.setattr("auth_service.throttle.proof_of_work.SPREAD", 2)


def tries_needed(refused: Answer) -> int:
    """How many tries the challenge takes."""
    challenge: Any = altcha.Challenge.from_dict(refused.body["altcha"])
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return int(solution.counter)
