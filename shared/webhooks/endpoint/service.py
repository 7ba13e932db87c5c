"""Use cases of webhook endpoints."""

import contextlib
from dataclasses import asdict, dataclass
from typing import Protocol
from uuid import UUID

import structlog

from shared.clock import Clock
from shared.db import Connection, Database
from shared.entropy import Entropy, new_id
from shared.errors import Conflict, NotFound
from shared.webhooks.delivery import repository as deliveries
from shared.webhooks.destination import AddressRefused, DestinationPolicy
from shared.webhooks.endpoint import repository
from shared.webhooks.endpoint.errors import WebhookAddressRefused
from shared.webhooks.endpoint.model import (
    MAX_ENDPOINTS,
    Endpoint,
    EndpointAct,
    EndpointDraft,
    EndpointUpdate,
    SealedSecrets,
)
from shared.webhooks.endpoint.sealing import SecretSealer
from shared.webhooks.signature import new_secret

RESEAL_PAGE = 500
log = structlog.get_logger()


class EndpointOwner(Protocol):
    """The owner of the endpoints that a request is about."""

    @property
    def id(self) -> UUID:
        """Return the owner's id in the endpoints' rows."""
        ...

    async def before_act(
        self, connection: Connection, act: EndpointAct, endpoint_id: UUID, url: str | None = None
    ) -> None:
        """Do what the service wants done in the transaction of the act, or refuse it.

        `url`: the one that the act sets. Before an endpoint is created, this locks the owner to the
        end of the transaction.
        """
        ...


@dataclass(frozen=True, slots=True)
class WebhookService:
    """What owners do with their endpoints."""

    database: Database
    webhook_policy: DestinationPolicy
    secret_sealer: SecretSealer
    clock: Clock
    entropy: Entropy

    async def create(self, owner: EndpointOwner, draft: EndpointDraft) -> tuple[Endpoint, str]:
        """Return the new endpoint and its secret, which no other answer shows.

        Raises:
            WebhookAddressRefused: webhooks may not go to its URL.
            Conflict: the owner has `MAX_ENDPOINTS`.
        """
        self._require_url(draft.url)
        now, endpoint_id = self.clock.now(), new_id(self.clock, self.entropy)
        endpoint = Endpoint(
            **asdict(draft),
            id=endpoint_id,
            user_id=owner.id,
            status="enabled",
            failing_since=None,
            created_at=now,
            updated_at=now,
        )
        secret = new_secret(self.entropy)
        sealed = self.secret_sealer.seal(endpoint_id, secret)
        async with self.database.transaction() as connection:
            await owner.before_act(connection, "webhook.created", endpoint_id, draft.url)
            if not await repository.insert(connection, endpoint, sealed):
                raise Conflict(f"at most {MAX_ENDPOINTS} webhooks: delete one first")
        log.info("webhook.created", webhook_id=str(endpoint_id))
        return endpoint, secret

    async def list(self, owner: EndpointOwner, before: UUID, limit: int) -> list[Endpoint]:
        """Return a page of the owner's endpoints, the newest first."""
        return await repository.page(self.database, owner.id, before, limit)

    async def get(self, owner: EndpointOwner, endpoint_id: UUID) -> Endpoint:
        """Return the owner's endpoint.

        Raises:
            NotFound: there is none, or it has another owner.
        """
        return _found(await repository.find(self.database, endpoint_id, owner.id))

    async def update(
        self, owner: EndpointOwner, endpoint_id: UUID, change: EndpointUpdate
    ) -> Endpoint:
        """Return the owner's endpoint as it is after the change.

        Raises:
            NotFound: there is none, or it has another owner.
            WebhookAddressRefused: webhooks may not go to its new URL.
        """
        if change.url is not None:
            await self.get(owner, endpoint_id)
            self._require_url(change.url)
        key, now = (endpoint_id, owner.id), self.clock.now()
        async with self.database.transaction() as connection:
            await owner.before_act(connection, "webhook.changed", endpoint_id, change.url)
            changed = _found(await repository.update(connection, *key, change, now))
        log.info("webhook.changed", webhook_id=str(endpoint_id), status=changed.status)
        return changed

    async def rotate_secret(self, owner: EndpointOwner, endpoint_id: UUID) -> str:
        """Return a new secret; the one before signs too for `ROTATION_OVERLAP`.

        Raises:
            NotFound: there is no such endpoint, or it has another owner.
        """
        secret = new_secret(self.entropy)
        sealed = self.secret_sealer.seal(endpoint_id, secret)
        key, now = (endpoint_id, owner.id), self.clock.now()
        async with self.database.transaction() as connection:
            await owner.before_act(connection, "webhook.secret_rotated", endpoint_id)
            if not await repository.rotate_secret(connection, *key, sealed, now):
                raise NotFound
        log.info("webhook.secret_rotated", webhook_id=str(endpoint_id))
        return secret

    async def delete(self, owner: EndpointOwner, endpoint_id: UUID) -> None:
        """Delete the owner's endpoint, after its deliveries: one statement could not delete many.

        Raises:
            NotFound: there is none, or it has another owner.
        """
        await self.get(owner, endpoint_id)
        await deliveries.delete_of_endpoint(self.database, endpoint_id)
        async with self.database.transaction() as connection:
            await owner.before_act(connection, "webhook.deleted", endpoint_id)
            if not await repository.delete(connection, endpoint_id, owner.id):
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
