"""The steps after a committed sign-in: publish, remember the device, notify the user."""

from contextlib import suppress
from dataclasses import dataclass

import structlog

from auth_service.client import Client
from auth_service.device.service import KnownDevices
from auth_service.notification.service import SIGN_IN, Notifications
from auth_service.revocation.errors import RevocationPending
from auth_service.revocation.service import Publisher
from auth_service.session.model import SignInContext
from auth_service.session.sign_in.model import SignInResult
from auth_service.user.model import User
from shared.errors import ServiceUnavailable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SignInCompletion:
    """Completes sign-ins. No failure here fails the sign-in."""

    devices: KnownDevices
    notifications: Notifications
    publisher: Publisher

    async def complete(self, result: SignInResult, context: SignInContext) -> None:
        """Publish the sessions that the sign-in ended, and notify the user of a new device.

        When Redis is away, the publisher publishes them later.
        """
        user, client = result.signed_in.user, context.client
        if result.ended_others:
            with suppress(RevocationPending):
                await self.publisher.publish_pending_of_user(user.id)
        if await self._is_new_device(result, client):
            await self.notifications.send(user, SIGN_IN, client)

    async def _is_new_device(self, result: SignInResult, client: Client) -> bool:
        """Remember the device; return whether it is new to a user who existed before."""
        is_known = await self._remember_device(result.signed_in.user, client)
        is_known_network = client.device_is_new and result.known_network
        return not (is_known or is_known_network or result.is_new)

    async def _remember_device(self, user: User, client: Client) -> bool:
        if client.device is None:
            return False
        try:
            return await self.devices.remember(user.id, user.code_identifiers, client.device)
        except ServiceUnavailable:
            log.warning("device.remember_failed", user_id=str(user.id))
            return False
