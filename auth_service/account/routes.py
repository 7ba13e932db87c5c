"""One's own account."""

from aiohttp import web

from auth_service.resources import CALLER
from auth_service.user.schemas import UserAnswer
from shared.answer import answer
from shared.openapi import Routes

routes = Routes("account")


@routes.add("GET", "/me", summary="The signed-in user", answers={200: UserAnswer})
async def get_me(request: web.Request) -> web.Response:
    """Answer with the caller."""
    return answer(UserAnswer.model_validate(request[CALLER].user))
