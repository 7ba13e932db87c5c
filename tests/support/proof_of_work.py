"""Solving a proof of work as a client does."""

import altcha
import pytest

from tests.support.auth_client import Answer


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
    monkeypatch.setattr("auth_service.rate_limit.proof_of_work.ITERATIONS", 1)
    monkeypatch.setattr("auth_service.rate_limit.proof_of_work.MAX_TRIES", 4)


def level_of(refused: Answer) -> int:
    """How hard the challenge is."""
    assert (refused.status, refused.code) == (403, "proof_required"), refused.body
    return int(refused.body["altcha"]["parameters"]["data"]["level"])
