"""Refreshing, signing out, and the list of signed-in devices."""

from functools import partial
from uuid import UUID

from aiohttp import web

from auth_service.audit.origin import read_origin
from auth_service.resources import CALLER, PARTS
from auth_service.revocation.errors import RevocationPending
from auth_service.session import service
from auth_service.session.cookies import (
    PresentedRefreshToken,
    clear_cookies,
    read_logout_credential,
    read_refresh_credential,
)
from auth_service.session.errors import RefreshInvalid, RefreshReused
from auth_service.session.responses import token_pair_response
from auth_service.session.schemas import (
    LogoutAllBody,
    LogoutBody,
    RefreshBody,
    SessionAnswer,
    SessionPage,
    TokenPair,
)
from shared.errors import RateLimited
from shared.openapi import Routes
from shared.paging import LAST_ID, LAST_MOMENT, PageQuery, Position
from shared.request import path_id, read_optional_body, read_query
from shared.responses import json_response

NEWEST = Position(LAST_MOMENT, LAST_ID)
routes = Routes("sessions")


@routes.add(
    "POST",
    "/refresh",
    summary="Exchange a refresh token; each works once",
    body=RefreshBody,
    body_required=False,
    answers={200: TokenPair},
    errors=(RefreshInvalid, RefreshReused, RateLimited, RevocationPending),
    auth=False,
    reads_cookies=True,
)
async def refresh(request: web.Request) -> web.Response:
    """Rotate the refresh token and sign a new access token."""
    grant = read_refresh_credential(request, await read_optional_body(request, RefreshBody))
    signed_in = await service.refresh(
        request.app[PARTS], grant.tokens, session_id=grant.session_id, origin=read_origin(request)
    )
    return token_pair_response(request, signed_in, transport=grant.transport)


@routes.add(
    "POST",
    "/logout",
    summary="End this session, by its token or a browser's refresh cookie; repeating it is well",
    body=LogoutBody,
    body_required=False,
    answers={204: None},
    errors=(RevocationPending,),
    # The token of a session that has ended already is taken too, so that the call can be repeated.
    auth=False,
    reads_token=True,
)
async def logout(request: web.Request) -> web.Response:
    """End the session that the access token, or a browser's refresh token, belongs to."""
    leaver, parts = read_logout_credential(request), request.app[PARTS]
    await read_optional_body(request, LogoutBody)
    if isinstance(leaver, PresentedRefreshToken):
        await service.logout_by_refresh_token(
            parts, leaver.tokens, session_id=leaver.session_id, origin=read_origin(request)
        )
    else:
        await service.logout(parts, leaver, read_origin(request))
    return clear_cookies(request, web.Response(status=204))


@routes.add(
    "POST",
    "/logout-all",
    summary="End every session, or every other one",
    body=LogoutAllBody,
    body_required=False,
    answers={204: None},
    errors=(RevocationPending, RateLimited),
    counts_as_write=False,  # whoever took a session may have used the limit up: its end comes first
)
async def logout_all(request: web.Request) -> web.Response:
    """End the caller's sessions."""
    body, parts = await read_optional_body(request, LogoutAllBody), request.app[PARTS]
    await service.logout_all(
        parts, request[CALLER], read_origin(request), except_current=body.except_current
    )
    done = web.Response(status=204)
    return done if body.except_current else clear_cookies(request, done)


@routes.add(
    "GET",
    "/sessions",
    summary="Signed-in devices, the newest first",
    query=PageQuery,
    answers={200: SessionPage},
)
async def list_sessions(request: web.Request) -> web.Response:
    """Answer with a page of the caller's sessions."""
    query, caller = read_query(request, PageQuery), request[CALLER]
    found = await service.list_sessions(
        request.app[PARTS], caller, query.start(UUID, NEWEST), query.rows
    )
    return json_response(SessionPage.of(query, found, partial(SessionAnswer.of, caller.session_id)))


@routes.add(
    "DELETE",
    "/sessions/{id}",
    summary="End one of one's own sessions",
    answers={204: None},
    errors=(RevocationPending,),
    counts_as_write=False,  # as for `logout_all`
)
async def delete_session(request: web.Request) -> web.Response:
    """End the session with that id."""
    session_id = path_id(request)
    await service.revoke_session(
        request.app[PARTS], request[CALLER], session_id, read_origin(request)
    )
    return web.Response(status=204)
