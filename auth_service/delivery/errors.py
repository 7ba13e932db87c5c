"""Failures of providers and templates, which never reach an HTTP client."""

TOO_MANY = 429
SERVER_ERROR = 500


def retry_after(text: str | None) -> float:
    """Return the seconds that a `Retry-After` header names, 0 for a date or anything else."""
    seconds = (text or "").strip()
    return float(seconds) if seconds.isascii() and seconds.isdecimal() else 0.0


class ProviderError(Exception):
    """The provider has certainly not taken the message; it may be asked again.

    `retry_after`: the seconds of its `Retry-After`, 0 without one.
    """

    def __init__(self, reason: str, retry_after: float = 0) -> None:
        """`reason`: without secrets."""
        super().__init__(reason)
        self.retry_after = retry_after


class MessageRefusedError(ProviderError):
    """The provider will never take this message."""


class OutcomeUnknownError(ProviderError):
    """The provider may have taken the message; asking it again might send it twice."""


class TemplateProblemError(Exception):
    """A template cannot be used; each line of the text names a file and the reason."""
