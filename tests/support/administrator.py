"""An administrator, for routes below `/v1/auth/admin`."""

from dataclasses import dataclass
from typing import Any

from tests.support.auth_client import Answer, AuthClient
from tests.support.database import Connection


@dataclass(frozen=True)
class Administrator:
    """A user with the role `admin`."""

    auth: AuthClient
    user_id: str
    token: str

    @classmethod
    async def create(
        cls, auth: AuthClient, auth_db: Connection, number: str = "+919876543200"
    ) -> "Administrator":
        user_id = (await auth.sign_in(number, "Ops Team"))["user"]["id"]
        await auth_db.execute("update users set roles = '{admin}' where id::text = $1", user_id)
        return cls(auth, user_id, str((await auth.sign_in(number))["access_token"]))

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        return await self.auth.call(method, f"/admin{path}", token=self.token, **options)
