"""A webhook's message, and one attempt to deliver it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Literal

from shared.clock import rfc3339

MAX_BODY_BYTES = 20_000
SUCCESS = range(200, 300)
AttemptError = Literal[
    "address_refused",
    "name_not_resolved",
    "connection_failed",
    "tls_failed",
    "connection_lost",
    "invalid_response",
    "timeout",
    "internal_error",
    "queue_full",
]
"""Why no response came; with `queue_full` no attempt was made."""


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """The parts of a delivery that every attempt repeats: the `webhook-id` and the exact bytes."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt; its response has a `status_code`, else `error` names the failure.

    `retry_after`: the seconds that the receiver asked for, 0 without such a wish.
    """

    at: datetime
    duration_ms: int
    status_code: int | None = None
    error: AttemptError | None = None
    response_excerpt: str = ""
    retry_after: float = 0

    @property
    def delivered(self) -> bool:
        """Return whether the receiver has accepted the message."""
        return self.status_code in SUCCESS

    @property
    def endpoint_gone(self) -> bool:
        """Return whether the receiver wants no message ever again."""
        return self.status_code == HTTPStatus.GONE

    @property
    def ended_at(self) -> datetime:
        """Return when the response had come, or the attempt was given up."""
        return self.at + timedelta(milliseconds=self.duration_ms)

    def to_json(self) -> dict[str, object]:
        """Return the attempt as it is listed."""
        return {
            "at": rfc3339(self.at),
            "status_code": self.status_code,
            "error": self.error,
            "duration_ms": self.duration_ms,
            "response_excerpt": self.response_excerpt,
        }


def encode_body(event_type: str, at: datetime, data: Mapping[str, object]) -> bytes:
    """Return the body of a message about an event that happened `at` a time.

    Raises:
        ValueError: it is too long for receivers. Source: Standard Webhooks, "Payload size".
    """
    message = {"type": event_type, "timestamp": rfc3339(at), "data": data}
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) >= MAX_BODY_BYTES:
        raise ValueError(f"a webhook's body has fewer than {MAX_BODY_BYTES} bytes, not {len(body)}")
    return body
