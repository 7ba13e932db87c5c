"""Refreshing, signing out, and the list of signed-in devices."""

from functools import partial
from uuid import UUID

from aiohttp import web

from auth_service.audit.origin import read_origin
from auth_service.revocation.errors import RevocationPending
from auth_service.session.cookies import (
    PresentedRefreshToken,
    clear_cookies,
    read_logout_credentials,
    read_refresh_credential,
)
from auth_service.session.errors import RefreshInvalid, RefreshReused
from auth_service.session.refresh import RefreshService
from auth_service.session.resources import CALLER, SESSIONS
from auth_service.session.responses import token_pair_response
from auth_service.session.schemas import (
    LogoutAllBody,
    LogoutBody,
    RefreshBody,
    SessionPage,
    SessionResponse,
    TokenPair,
)
from shared.errors import RateLimited
from shared.openapi import Routes
from shared.paging import LAST_ID, LAST_MOMENT, PageQuery, Position
from shared.request import path_id, read_optional_body, read_query
from shared.responses import json_response

NEWEST = Position(LAST_MOMENT, LAST_ID)
routes = Routes("sessions")
REFRESH = web.AppKey("refresh", RefreshService)


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
    presented = read_refresh_credential(request, await read_optional_body(request, RefreshBody))
    signed_in = await request.app[REFRESH].refresh(
        presented.tokens, session_id=presented.session_id, origin=read_origin(request)
    )
    return token_pair_response(request, signed_in, transport=presented.transport)


@routes.add(
    "POST",
    "/logout",
    summary="End this session, by its access or refresh token; repeating it is well",
    body=LogoutBody,
    body_required=False,
    answers={204: None},
    errors=(RevocationPending,),
    # The token of a session that has ended already is taken too, so that the call can be repeated.
    auth=False,
    reads_token=True,
)
async def logout(request: web.Request) -> web.Response:
    """End the session that the access token or the refresh token belongs to."""
    body, app = await read_optional_body(request, LogoutBody), request.app
    credentials, origin = read_logout_credentials(request, body), read_origin(request)
    for credential in credentials:
        if isinstance(credential, PresentedRefreshToken):
            await app[REFRESH].logout(
                credential.tokens, session_id=credential.session_id, origin=origin
            )
        else:
            await app[SESSIONS].logout(credential.sub, credential.sid, origin)
    done = web.Response(status=204)
    return done if body.refresh_token else clear_cookies(request, done)


@routes.add(
    "POST",
    "/logout-all",
    summary="End every session, or every other one",
    body=LogoutAllBody,
    body_required=False,
    answers={204: None},
    errors=(RevocationPending, RateLimited),
    counts_as_write=False,  # a thief may have used the limit up: ending the session comes first
)
async def logout_all(request: web.Request) -> web.Response:
    """End the caller's sessions."""
    body = await read_optional_body(request, LogoutAllBody)
    sessions = request.app[SESSIONS]
    logout = sessions.logout_others if body.except_current else sessions.logout_all
    await logout(request[CALLER], read_origin(request))
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
    found = await request.app[SESSIONS].list_sessions(caller, query.start(UUID, NEWEST), query.rows)
    return json_response(
        SessionPage.from_rows(query, found, partial(SessionResponse.of, caller.session_id))
    )


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
    await request.app[SESSIONS].revoke(request[CALLER], session_id, read_origin(request))
    return web.Response(status=204)
