"""Registers and activates accounts, one call each."""

from typing import Any

from tests.support.auth_client import Answer, AuthClient

PASSWORD = "correct horse battery"


async def post(auth: AuthClient, path: str, /, *, address: str = "", **body: Any) -> Answer:
    """Post the body; `address`: the client's, as a trusted proxy says."""
    headers = {"X-Forwarded-For": address} if address else {}
    return await auth.call("POST", path, json=body, headers=headers)


def to_of(body: dict[str, Any]) -> dict[str, str]:
    """The address in a body that a code goes to."""
    return {"mobile": body["mobile"]} if "mobile" in body else {"email": body["email"]}


async def register(auth: AuthClient, **body: Any) -> tuple[Answer, str]:
    """Register; the answer and the code."""
    [to] = to_of(body).values()
    before = len(await auth.codes(to))
    answer = await post(auth, "/register", **body)
    assert answer.status == 201, answer.body
    return answer, await auth.code(to, before + 1)


async def activate(auth: AuthClient, **body: Any) -> dict[str, Any]:
    """Register and send the code back with its handle: the token pair."""
    registered, code = await register(auth, **body)
    challenge = registered.body["challenge"]
    answer = await post(auth, "/verify-otp", **to_of(body), otp=code, challenge=challenge)
    assert answer.status == 200, answer.body
    pair: dict[str, Any] = answer.body
    return pair


async def next_code(auth: AuthClient, to: str, path: str, **body: Any) -> tuple[Answer, str]:
    """Ask for a code; the answer and the code that came."""
    before = len(await auth.codes(to))
    answer = await post(auth, path, **body)
    assert answer.status == 202, answer.body
    return answer, await auth.code(to, before + 1)
