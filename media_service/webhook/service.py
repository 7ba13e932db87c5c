"""Use cases of webhook endpoints."""

import contextlib
from dataclasses import asdict, dataclass
from uuid import UUID

import structlog

from media_service.quota.model import QuotaLimits
from media_service.quota.service import reserve_bytes
from media_service.webhook import repository
from media_service.webhook.errors import WebhookAddressRefused
from media_service.webhook.model import (
    MAX_ENDPOINTS,
    Endpoint,
    EndpointDraft,
    EndpointUpdate,
    SealedSecrets,
)
from media_service.webhook.sealing import SecretSealer
from shared.clock import Clock
from shared.db import Database
from shared.entropy import Entropy, new_id
from shared.errors import Conflict, NotFound
from shared.webhooks.destination import AddressRefused, DestinationPolicy
from shared.webhooks.signature import new_secret

RESEAL_PAGE = 500
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WebhookService:
    """What users do with their endpoints."""

    database: Database
    quota: QuotaLimits
    webhook_policy: DestinationPolicy
    secret_sealer: SecretSealer
    clock: Clock
    entropy: Entropy

    async def create(self, user_id: UUID, draft: EndpointDraft) -> tuple[Endpoint, str]:
        """Return the new endpoint and its secret, which no other answer shows.

        Raises:
            WebhookAddressRefused: webhooks may not go to its URL.
            Conflict: the user has `MAX_ENDPOINTS`.
            TokenRevoked: the user is deleted.
        """
        self._require_url(draft.url)
        now, endpoint_id = self.clock.now(), new_id(self.clock, self.entropy)
        endpoint = Endpoint(
            **asdict(draft),
            id=endpoint_id,
            user_id=user_id,
            status="enabled",
            failing_since=None,
            created_at=now,
            updated_at=now,
        )
        secret = new_secret(self.entropy)
        sealed = self.secret_sealer.seal(endpoint_id, secret)
        async with self.database.transaction() as connection:
            await reserve_bytes(connection, user_id, None, self.quota)
            if not await repository.insert(connection, endpoint, sealed):
                raise Conflict(f"at most {MAX_ENDPOINTS} webhooks: delete one first")
        log.info("webhook.created", webhook_id=str(endpoint_id))
        return endpoint, secret

    async def list(self, user_id: UUID, before: UUID, limit: int) -> list[Endpoint]:
        """Return a page of the user's endpoints, the newest first."""
        return await repository.page(self.database, user_id, before, limit)

    async def get(self, user_id: UUID, endpoint_id: UUID) -> Endpoint:
        """Return the user's endpoint.

        Raises:
            NotFound: there is none, or another user owns it.
        """
        return _found(await repository.find(self.database, endpoint_id, user_id))

    async def update(self, user_id: UUID, endpoint_id: UUID, change: EndpointUpdate) -> Endpoint:
        """Return the user's endpoint as it is after the change.

        Raises:
            NotFound: there is none, or another user owns it.
            WebhookAddressRefused: webhooks may not go to its new URL.
        """
        if change.url is not None:
            await self.get(user_id, endpoint_id)
            self._require_url(change.url)
        now = self.clock.now()
        changed = _found(await repository.update(self.database, endpoint_id, user_id, change, now))
        log.info("webhook.changed", webhook_id=str(endpoint_id), status=changed.status)
        return changed

    async def rotate_secret(self, user_id: UUID, endpoint_id: UUID) -> str:
        """Return a new secret; the one before signs too for `ROTATION_OVERLAP`.

        Raises:
            NotFound: there is no such endpoint, or another user owns it.
        """
        secret = new_secret(self.entropy)
        sealed = self.secret_sealer.seal(endpoint_id, secret)
        now = self.clock.now()
        if not await repository.rotate_secret(self.database, endpoint_id, user_id, sealed, now):
            raise NotFound
        log.info("webhook.secret_rotated", webhook_id=str(endpoint_id))
        return secret

    async def delete(self, user_id: UUID, endpoint_id: UUID) -> None:
        """Delete the user's endpoint.

        Raises:
            NotFound: there is none, or another user owns it.
        """
        if not await repository.delete(self.database, endpoint_id, user_id):
            raise NotFound
        log.info("webhook.deleted", webhook_id=str(endpoint_id))

    async def reseal_secrets(self) -> None:
        """Encrypt every secret with the first key, so that older keys can be dropped."""
        page, after = RESEAL_PAGE, UUID(int=0)
        while page == RESEAL_PAGE:
            rows = await repository.sealed_page(self.database, after, RESEAL_PAGE)
            for row in rows:
                after = row.id
                await self._reseal(row)
            page = len(rows)

    async def _reseal(self, row: SealedSecrets) -> None:
        try:
            secret = self.secret_sealer.reseal(row.id, row.secret)
        except ValueError:
            log.error("webhook.secret_lost", webhook_id=str(row.id))
            return
        previous = None
        if row.previous_secret:
            with contextlib.suppress(ValueError):  # the secret was rotated because of that
                previous = self.secret_sealer.reseal(row.id, row.previous_secret)
        if secret or previous:
            await repository.reseal(self.database, row, secret, previous)

    def _require_url(self, url: str) -> None:
        try:
            self.webhook_policy.require_url(url)
        except AddressRefused as refused:
            raise WebhookAddressRefused(str(refused)) from None


def _found(endpoint: Endpoint | None) -> Endpoint:
    if endpoint is None:
        raise NotFound
    return endpoint
