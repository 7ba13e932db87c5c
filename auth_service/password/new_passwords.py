"""Hashing new passwords."""

from dataclasses import dataclass

from auth_service.client import Client
from auth_service.password.attempts import PasswordAttempts
from auth_service.password.hasher import Hasher, Network


@dataclass(frozen=True, slots=True)
class NewPasswords:
    """Hashes new passwords.

    `attempts` limits how many passwords a client has hashed without an account.
    """

    hasher: Hasher
    attempts: PasswordAttempts

    async def hash(self, password: str, network: Network) -> str:
        """Return the hash to store."""
        return await self.hasher.hash(password, network)

    async def hash_for_client(self, password: str, client: Client) -> str:
        """Return the hash to store, within the limit of a client that is not signed in."""
        async with self.attempts.new_password(client):
            return await self.hasher.hash(password, client.network)
