"""Telling users what happened to their account: by mail where one is verified, else by SMS."""

import structlog

from auth_service.delivery.model import Delivery
from auth_service.delivery.queue import Queue
from auth_service.destination import Destination
from auth_service.keyring import Keyring
from auth_service.user.model import User
from shared.clock import Clock, milliseconds
from shared.entropy import Entropy, new_id
from shared.errors import ServiceUnavailable
from shared.logs import mask

LIFE_MS = 24 * 3600 * 1000
log = structlog.get_logger()


class Notices:
    """Queues notices. One that cannot be queued is logged: what it tells of has happened."""

    def __init__(self, queue: Queue, keyring: Keyring, clock: Clock, entropy: Entropy) -> None:
        """Append to `queue`."""
        self._queue = queue
        self._keyring = keyring
        self._clock = clock
        self._entropy = entropy

    async def tell(
        self, user: User, template: str, parameters: dict[str, str], *, request_id: str
    ) -> None:
        """Queue a notice to the user, if there is a verified way to reach them."""
        if to := user.destination("email", "sms"):
            await self.tell_at(to, template, parameters, request_id=request_id)

    async def tell_at(
        self, to: Destination, template: str, parameters: dict[str, str], *, request_id: str
    ) -> None:
        """Queue a notice to that address."""
        delivery = Delivery(
            id=str(new_id(self._clock, self._entropy)),
            channel=to.channel,
            to=to.address,
            template=template,
            parameters=parameters,
            request_id=request_id,
        )
        not_after = milliseconds(self._clock.now()) + LIFE_MS
        try:
            await self._queue.put(delivery.id, delivery.sealed(self._keyring), not_after)
        except ServiceUnavailable:
            log.error("notice.lost", template=template, to=mask(to.address))
