"""Every audit event says which event webhooks are told of, if any."""

from typing import get_args

import pytest

from auth_service.audit.model import WEBHOOK_EVENTS, Event, EventName, Origin
from auth_service.event.model import EventType
from shared.clock import SystemClock
from shared.entropy import SystemEntropy, new_id

FROM_ROWS = {
    "session.created",
    "session.revoked",
    "factor.added",
    "factor.removed",
    "message.dead",
}
"""The types that no audit event names: the row that changes has them."""


def to_json(event: Event) -> str:
    clock = SystemClock()
    return event.to_json(new_id(clock, SystemEntropy()), clock.now())


def test_webhook_events_name_every_audit_event_and_every_type_about_users() -> None:
    assert set(WEBHOOK_EVENTS) == set(get_args(EventName))
    assert set(WEBHOOK_EVENTS.values()) - {None} == set(get_args(EventType)) - FROM_ROWS


@pytest.mark.parametrize(
    ("outcome", "named"), [("success", '"contact.changed"'), ("failure", "null")]
)
def test_audit_event_of_a_refusal_names_no_event_for_webhooks(outcome: str, named: str) -> None:
    event = Event("contact.changed", Origin(), outcome=outcome)  # type: ignore[arg-type]
    assert f'"webhook_event": {named}' in to_json(event)
