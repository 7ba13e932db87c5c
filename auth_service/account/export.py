"""Exporting everything that is stored about a user, batch by batch."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from auth_service.account.lease import ExportLease, ExportLeases
from auth_service.account.model import Batch, ReadBatch, RowKey
from auth_service.audit.service import AuditLog
from auth_service.session.model import Caller, SignInContext
from auth_service.session.recent_authentication import require_recent_authentication
from auth_service.session.repository import find_active_session
from auth_service.user.model import Account
from auth_service.user.repository import find_account
from shared.clock import Clock
from shared.db import Database
from shared.errors import TokenRevoked

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportService:
    """Exports accounts, one export at a time for each user."""

    database: Database
    leases: ExportLeases
    audit: AuditLog
    clock: Clock

    @asynccontextmanager
    async def open(self, caller: Caller, context: SignInContext) -> AsyncIterator["ExportReader"]:
        """Begin an export of the caller's account, which includes the event of this request.

        Raises:
            StepUpRequired: the last authentication is too old.
            ExportInProgress: another export of the caller still runs.
            TokenRevoked: the account is gone.
        """
        require_recent_authentication(caller, self.clock.now())
        async with self.leases.lease(caller.user.id) as lease:
            account = await find_account(self.database, caller.user.id)
            if account is None:
                raise TokenRevoked
            await self.audit.append(caller.event("user.exported", context.origin))
            yield ExportReader(self, lease, caller, account)


@dataclass(frozen=True, slots=True)
class ExportReader:
    """An export in progress. It holds no connection and no transaction between two batches."""

    service: ExportService
    lease: ExportLease
    caller: Caller
    account: Account

    async def read(self, read_batch: ReadBatch[T], after: RowKey | None) -> Batch[T]:
        """Return the rows after the key `after`; None starts at the first.

        Raises:
            TokenRevoked: the session has ended, so a thief gets no more.
            ServiceUnavailable: the database or Redis is away.
        """
        async with self.service.leases.batch_slots:
            await self.lease.renew()
            await self._require_session()
            return await read_batch(self.service.database, self.account.user.id, after)

    async def _require_session(self) -> None:
        caller, now = self.caller, self.service.clock.now()
        ids = (caller.session_id, caller.user.id, caller.user.generation)
        if await find_active_session(self.service.database, *ids, now) is None:
            raise TokenRevoked
