"""`/admin/users`: find, disable, enable, grant roles. Each route is for administrators."""

from aiohttp import web

from auth_service.admin.errors import NotActivated, OwnAccount
from auth_service.admin.factor_service import FactorAdministration
from auth_service.admin.model import Actor, UserPrefixSearch
from auth_service.admin.schemas import ResetFactorsBody, RolesBody, UserPage, UserQuery
from auth_service.admin.service import UserAdministration
from auth_service.audit.origin import read_origin
from auth_service.destination import parse_mail_address
from auth_service.phone import parse_phone_number
from auth_service.resources import CLOCK, SETTINGS
from auth_service.revocation.errors import RevocationPending
from auth_service.session.errors import StepUpRequired
from auth_service.session.recent_authentication import require_recent_authentication
from auth_service.session.resources import CALLER
from auth_service.session.responses import read_request_context
from auth_service.user.schemas import UserResponse
from shared.openapi import Routes
from shared.request import path_id, read_body, read_query
from shared.responses import json_response

routes = Routes("administration")
ADMINISTRATION = web.AppKey("administration", UserAdministration)
FACTOR_ADMINISTRATION = web.AppKey("factor_administration", FactorAdministration)


@routes.add(
    "GET",
    "/admin/users",
    summary="Users, the newest first; `q` is how a name, an address or a number begins",
    query=UserQuery,
    answers={200: UserPage},
    role="admin",
)
async def list_users(request: web.Request) -> web.Response:
    """Answer with a page of users."""
    query = read_query(request, UserQuery)
    search = _search(request, query.q) if query.q else None
    found = await request.app[ADMINISTRATION].search(search, query.before_id(), query.rows)
    return json_response(UserPage.from_rows(query, found, UserResponse.model_validate))


@routes.add(
    "GET", "/admin/users/{id}", summary="One user", answers={200: UserResponse}, role="admin"
)
async def get_user(request: web.Request) -> web.Response:
    """Answer with the user."""
    user = await request.app[ADMINISTRATION].get(path_id(request))
    return json_response(UserResponse.model_validate(user))


@routes.add(
    "POST",
    "/admin/users/{id}/disable",
    summary="Keep a user out; every token of theirs is dead at once",
    answers={200: UserResponse},
    errors=(NotActivated, OwnAccount, RevocationPending),
    role="admin",
    counts_as_write=False,  # disabling attackers comes first, however many there are
)
async def disable_user(request: web.Request) -> web.Response:
    """Disable the user."""
    user = await request.app[ADMINISTRATION].disable(read_actor(request), path_id(request))
    return json_response(UserResponse.model_validate(user))


@routes.add(
    "POST",
    "/admin/users/{id}/enable",
    summary="Let a user in again",
    answers={200: UserResponse},
    role="admin",
)
async def enable_user(request: web.Request) -> web.Response:
    """Enable the user."""
    user = await request.app[ADMINISTRATION].enable(read_actor(request), path_id(request))
    return json_response(UserResponse.model_validate(user))


@routes.add(
    "POST",
    "/admin/users/{id}/revoke-sessions",
    summary="End every session of a user",
    answers={204: None},
    errors=(RevocationPending,),
    role="admin",
    counts_as_write=False,  # as for `disable_user`
)
async def revoke_sessions(request: web.Request) -> web.Response:
    """End the user's sessions."""
    await request.app[ADMINISTRATION].revoke_sessions(read_actor(request), path_id(request))
    return web.Response(status=204)


@routes.add(
    "PUT",
    "/admin/users/{id}/roles",
    summary="Set a user's roles",
    body=RolesBody,
    answers={200: UserResponse},
    errors=(OwnAccount, StepUpRequired, RevocationPending),
    role="admin",
)
async def set_roles(request: web.Request) -> web.Response:
    """Replace the user's roles."""
    user_id, body = path_id(request), await read_body(request, RolesBody)
    actor = _read_recent_actor(request)
    user = await request.app[ADMINISTRATION].change_roles(actor, user_id, "set", body.roles)
    return json_response(UserResponse.model_validate(user))


@routes.add(
    "POST",
    "/admin/users/{id}/reset-factors",
    summary="Remove a user's second factors and recovery codes, which are lost",
    body=ResetFactorsBody,
    answers={204: None},
    errors=(StepUpRequired,),
    role="admin",
)
async def reset_factors(request: web.Request) -> web.Response:
    """Remove the user's factors."""
    user_id, body = path_id(request), await read_body(request, ResetFactorsBody)
    actor, client = _read_recent_actor(request), read_request_context(request).client
    await request.app[FACTOR_ADMINISTRATION].reset(actor, user_id, body.reason, client)
    return web.Response(status=204)


def read_actor(request: web.Request) -> Actor:
    """Return the administrator who sent the request."""
    return Actor(read_origin(request), request[CALLER].user.id)


def _read_recent_actor(request: web.Request) -> Actor:
    """Return the administrator who sent the request.

    Raises:
        StepUpRequired: the administrator's last authentication is too old, or without a factor.
    """
    require_recent_authentication(request[CALLER], request.app[CLOCK].now())
    return read_actor(request)


def _search(request: web.Request, text: str) -> UserPrefixSearch:
    region = request.app[SETTINGS].default_region
    number = parse_phone_number(text, region, ("*",)) or text
    return UserPrefixSearch(parse_mail_address(text) or text.lower(), number)
