"""The lanes of a process: which endpoints may have how many attempts at once."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from shared.webhooks.delivery import lanes as module
from shared.webhooks.delivery.lanes import MAX_PER_ENDPOINT, SLOW_SHARE, DeliveryLanes
from shared.webhooks.delivery.model import ClaimedDelivery

OWNER = UUID(int=5)
NOW = datetime(2026, 12, 24, tzinfo=UTC)


@pytest.fixture
def lanes() -> DeliveryLanes:
    return DeliveryLanes(50)


def claimed(endpoint_id: UUID, owner: UUID = OWNER) -> ClaimedDelivery:
    return ClaimedDelivery(
        id=uuid4(),
        event_id=uuid4(),
        type="creative.due",
        body="{}",
        attempt_number=1,
        redelivered=False,
        leased_until=NOW,
        endpoint_id=endpoint_id,
        user_id=owner,
        endpoint_status="enabled",
        url="https://receiver.example/",
        secret=b"",
        previous_secret=None,
        rotated_at=None,
    )


def attempt(lanes: DeliveryLanes, endpoint_id: UUID, *, slow: bool = False) -> None:
    """An attempt, from its begin to its end."""
    one = claimed(endpoint_id)
    lanes.enter(one)
    if slow:
        lanes.mark_slow(one)
    lanes.judge(one, was_slow=slow)
    lanes.leave(one)


def test_lanes_quick_endpoint_gets_one_more_attempt_at_once_after_each(
    lanes: DeliveryLanes,
) -> None:
    endpoint = uuid4()
    places = []
    for _ in range(MAX_PER_ENDPOINT + 1):
        attempt(lanes, endpoint)
        places.append(lanes.quick_query().places[endpoint])
    assert places == [2, 3, 4, 5, 5, 5]
    lanes.enter(claimed(endpoint))
    assert lanes.quick_query().places[endpoint] == MAX_PER_ENDPOINT - 1


def test_lanes_slow_endpoint_that_is_quick_again_has_one_attempt_at_once(
    lanes: DeliveryLanes,
) -> None:
    endpoint = uuid4()
    for _ in range(MAX_PER_ENDPOINT):
        attempt(lanes, endpoint)
    attempt(lanes, endpoint, slow=True)
    assert lanes.quick_query().places[endpoint] == 0
    assert lanes.slow_query().only == {endpoint}
    attempt(lanes, endpoint)
    assert lanes.quick_query().places[endpoint] == 1
    assert lanes.slow_query().only == set()


def test_lanes_slow_endpoints_of_an_owner_leave_room_for_the_others(lanes: DeliveryLanes) -> None:
    slow = [uuid4() for _ in range(SLOW_SHARE)]
    for endpoint in slow:
        attempt(lanes, endpoint, slow=True)
    for endpoint in slow:
        assert lanes.slow_query().owner_places.get(OWNER, SLOW_SHARE) > 0
        lanes.enter(claimed(endpoint))
    query = lanes.slow_query()
    assert (query.owner_places[OWNER], query.owner_share) == (0, SLOW_SHARE)
    assert lanes.quick_query().owner_places[OWNER] == lanes.quick_query().owner_share - SLOW_SHARE
    assert lanes.quick_query().limit == 50


def test_lanes_full_memory_forgets_the_endpoint_that_changed_longest_ago(
    lanes: DeliveryLanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_KNOWN", 2)
    first, second, third = (uuid4() for _ in range(3))
    for endpoint in (first, second, first, third):
        attempt(lanes, endpoint, slow=True)
    assert lanes.slow_endpoints() == {first, third}
