"""PostgreSQL killed and started again under both services."""

import asyncio

from tests.faults.stack import BreakableStack, Token, kill, log_out
from tests.support.auth_client import AuthClient
from tests.support.waiting import until

NUMBER = "+919876543210"
BACK = 5


async def me(auth: AuthClient, text: str) -> int:
    return (await auth.call("GET", "/me", token=text)).status


async def test_postgresql_killed_and_restarted_revokes_still(stack: BreakableStack) -> None:
    async with stack.both() as (auth, media):
        alive, dead, later = await stack.tokens(3)
        pair = await auth.sign_in(NUMBER)
        assert (await log_out(auth, dead)).status == 204
        await asyncio.to_thread(kill, stack.postgres)
        for _ in range(3):
            answer = await auth.call("GET", "/me", token=pair["access_token"])
            assert (answer.status, answer.code) == (503, "service_unavailable")
            assert (await media.ask(alive)).code == "service_unavailable"
            assert (await log_out(auth, later)).code == "service_unavailable"
            assert (await media.ask(dead)).code == "token_revoked"  # this needs no database
        stack.postgres.start()
        await media.until(alive, 200, BACK)
        async with asyncio.timeout(BACK):
            while await me(auth, pair["access_token"]) != 200:
                await asyncio.sleep(0.01)
        assert await me(auth, dead.text) == 401
        assert (await log_out(auth, later)).status == 204
        await media.until(later, 401, 2)
        assert await auth.sign_in(NUMBER)


async def test_postgresql_killed_under_load_loses_no_acknowledged_logout(
    stack: BreakableStack,
) -> None:
    async with stack.both() as (auth, media):
        still_in, *tokens = await stack.tokens(301)
        done: list[Token] = []
        unsure: list[Token] = []

        async def end(some: list[Token]) -> None:
            for token in some:
                answer = await log_out(auth, token)
                assert answer.status in {204, 503}, answer.body
                (done if answer.status == 204 else unsure).append(token)
                await asyncio.sleep(0.01)  # some are left when the database dies

        work = asyncio.gather(*(end(tokens[start::8]) for start in range(8)))
        await until(lambda: len(done) >= 30)
        await asyncio.to_thread(kill, stack.postgres)
        await until(lambda: unsure or work.done())
        stack.postgres.start()  # here: it dies with the thread that started it
        await work
        assert unsure
        async with stack.database() as db:
            revoked = {
                row["id"]
                for row in await db.fetch("select id from sessions where revoked_at is not null")
            }
        assert {token.session_id for token in done} <= revoked
        for token in done:
            assert await media.status(token) == 401
        await media.until(still_in, 200, BACK)
        await asyncio.sleep(1.5)
        for token in unsure:  # whatever was stored is told by now, whatever was answered
            assert await media.status(token) == (401 if token.session_id in revoked else 200)
