"""Storing that the user of a session has authenticated again."""

from dataclasses import dataclass, replace

from auth_service.audit.model import Event
from auth_service.audit.service import AuditLog
from auth_service.session.model import MFA, Authentication, Caller, Session
from auth_service.settings import AuthSettings
from auth_service.step_up import repository
from auth_service.user.model import Account
from shared.clock import Clock
from shared.db import Executor
from shared.errors import TokenRevoked


@dataclass(frozen=True, slots=True)
class AuthenticationRecorder:
    """Renews a session's authentication time, unless its next refresh would end the session."""

    settings: AuthSettings
    audit: AuditLog
    clock: Clock

    async def record(
        self,
        executor: Executor,
        caller: Caller,
        account: Account,
        amr: tuple[str, ...],
        event: Event,
    ) -> Session:
        """Store the authentication; return the session, of which a token is signed.

        Raises:
            TokenRevoked: the session has ended, or lacks the factor that a role demands.
        """
        if MFA not in amr and self.settings.demands_factor(account.user.roles):
            raise TokenRevoked  # else step-ups would replace the refreshes that such a session lost
        session = await repository.record_authentication(
            executor,
            caller,
            account,
            Authentication(amr, self.clock.now()),
            event_json=self.audit.to_json(event),
        )
        if session is None:
            raise TokenRevoked
        # the caller may have missed the answer of a later refresh
        return replace(session, rotations=caller.rotations)
