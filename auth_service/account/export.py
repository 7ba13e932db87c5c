"""Reading everything that is held about a user, batch by batch."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from auth_service.account.lease import ExportLeases, Lease
from auth_service.account.model import Batch, ReadBatch, RowKey
from auth_service.audit.model import Event
from auth_service.parts import Parts
from auth_service.session.model import Caller, SignInContext
from auth_service.session.repository import find_caller
from auth_service.step_up.model import require_recent_authentication
from auth_service.user.model import Account
from auth_service.user.repository import find_account
from shared.errors import TokenRevoked

T = TypeVar("T")


class ExportReader:
    """A user's export under way. It holds no connection and no transaction between two batches."""

    def __init__(
        self, parts: Parts, leases: ExportLeases, lease: Lease, caller: Caller, account: Account
    ) -> None:
        """Read the rows of `account` while `caller` is signed in and `lease` is renewed."""
        self.account = account
        self._parts = parts
        self._leases = leases
        self._lease = lease
        self._caller = caller

    async def read(self, read_batch: ReadBatch[T], after: RowKey | None) -> Batch[T]:
        """Return the rows behind `after`, the first ones without.

        Raises:
            TokenRevoked: the session has ended; whoever stole it gets no more.
            ServiceUnavailable: the database or Redis is away.
        """
        async with self._leases.reading:
            await self._lease.renew()
            await self._require_session()
            async with self._parts.database.connection() as connection:
                return await read_batch(connection, self.account.user.id, after)

    async def _require_session(self) -> None:
        parts, caller = self._parts, self._caller
        ids = (caller.session_id, caller.user.id, caller.user.generation)
        if await find_caller(parts.database, *ids, parts.clock.now()) is None:
            raise TokenRevoked


@asynccontextmanager
async def open_export(
    parts: Parts, leases: ExportLeases, caller: Caller, context: SignInContext
) -> AsyncIterator[ExportReader]:
    """Begin an export of the caller's account; the event of this request is in it too.

    Raises:
        StepUpRequired: the caller was proven too long ago.
        ExportInProgress: another export of the caller still runs.
        TokenRevoked: the account is gone.
    """
    require_recent_authentication(caller, parts.clock.now())
    event = Event("user.exported", context.origin, caller.user.id, session_id=caller.session_id)
    async with leases.lease(caller.user.id) as lease:
        async with parts.database.connection() as connection:
            account = await find_account(connection, caller.user.id)
        if account is None:
            raise TokenRevoked
        await parts.audit.append(event)
        yield ExportReader(parts, leases, lease, caller, account)
