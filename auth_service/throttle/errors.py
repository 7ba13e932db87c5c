"""Refusals of a send."""

from collections.abc import Mapping

from shared.errors import Forbidden, RateLimited


class ProofRequired(Forbidden):
    """The send is taken with a solution of the challenge in `altcha`."""

    code, title = "proof_required", "Send a proof of work with the request"
    advice = "Solve the challenge in `altcha` and repeat the request with the solution as `altcha`"

    def __init__(self, challenge: Mapping[str, object]) -> None:
        """Keep the challenge, in the form that ALTCHA's widget and libraries take."""
        super().__init__()
        self.challenge = challenge

    def members(self) -> dict[str, object]:
        """Return the challenge."""
        return {"altcha": dict(self.challenge)}


class LimitReached(RateLimited):
    """A send limit refuses; `refuses` says whom."""

    def __init__(self, refuses: str, wait_ms: int) -> None:
        """Keep whom the limit refuses, and for how long."""
        super().__init__(-(-wait_ms // 1000))
        self.refuses = refuses
