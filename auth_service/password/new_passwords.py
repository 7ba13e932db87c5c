"""Accepting and hashing new passwords."""

from dataclasses import dataclass

from auth_service.client import Client
from auth_service.password.attempts import PasswordAttempts
from auth_service.password.hasher import Hasher, Network
from auth_service.password.policy import PasswordPolicy
from auth_service.user.model import User


@dataclass(frozen=True, slots=True)
class NewPasswords:
    """Applies the policy to new passwords, and hashes them.

    `attempts` limits how many passwords a client has hashed without an account.
    """

    policy: PasswordPolicy
    hasher: Hasher
    attempts: PasswordAttempts

    def require_acceptable(
        self, password: str, *, field: str, username: str | None = None, email: str | None = None
    ) -> None:
        """Return when the policy accepts the password.

        Raises:
            ValidationFailed: it does not; `field` is the field of the request.
        """
        self.policy.require(password, field=field, username=username, email=email)

    def require_acceptable_for(self, user: User, password: str, *, field: str) -> None:
        """Return when the policy accepts the password for this user; else as above."""
        self.policy.require(password, field=field, username=user.username, email=user.email)

    async def hash(self, password: str, network: Network) -> str:
        """Return the hash to store."""
        return await self.hasher.hash(password, network)

    async def hash_for_client(self, password: str, client: Client) -> str:
        """Return the hash to store, within the limit of a client that is not signed in."""
        async with self.attempts.new_password(client):
            return await self.hasher.hash(password, client.network)
