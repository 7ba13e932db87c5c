"""`python -m auth_service deliveries retry|delete ID`: the same as the routes, audited likewise."""

import sys
from collections.abc import Awaitable

from auth_service.admin.dead_letter_service import DeadLetterAdministration
from auth_service.admin.errors import DeadLetterExpired
from auth_service.admin.model import Actor
from auth_service.audit.model import Origin
from shared.errors import NotFound, ServiceUnavailable
from shared.logs import describe_error

EXPIRED = "its life has ended: what it says is not true any more; delete it"
UNKNOWN = "there is none"
OPERATOR = Actor(Origin())


async def retry_dead_letter(dead_letters: DeadLetterAdministration, delivery_id: str) -> int:
    """Put one dead letter back into the queue; return 1 when that fails."""
    return await _run(dead_letters.retry(OPERATOR, delivery_id), "back in the queue")


async def delete_dead_letter(dead_letters: DeadLetterAdministration, delivery_id: str) -> int:
    """Delete one dead letter, expired or not; return 1 when there is none."""
    return await _run(dead_letters.delete(OPERATOR, delivery_id), "deleted")


async def _run(change: Awaitable[None], success: str) -> int:
    try:
        await change
    except NotFound:
        failure = UNKNOWN
    except DeadLetterExpired:
        failure = EXPIRED
    except ServiceUnavailable as away:
        failure = f"deliveries: {describe_error(away)}"
    else:
        sys.stdout.write(f"{success}\n")
        return 0
    sys.stderr.write(f"{failure}\n")
    return 1
