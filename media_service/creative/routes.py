"""Creatives: create, list, one, its file, change, delete."""

from uuid import UUID

from aiohttp import web

from media_service.creative import service
from media_service.creative.app_keys import LINK_SIGNER, TIMEZONES
from media_service.creative.errors import ScheduledInPast
from media_service.creative.model import Creative
from media_service.creative.schemas import (
    FILE_FIELD,
    CreativeChange,
    CreativePage,
    CreativeQuery,
    CreativeResponse,
    FileQuery,
    LinkRequest,
    LinkResponse,
    OwnerQuery,
    TimezonesResponse,
    UploadForm,
    to_stored_response,
)
from media_service.creative.signed_link import Link
from media_service.event.app_keys import EVENTS
from media_service.idempotency.errors import IDEMPOTENCY_ERRORS
from media_service.idempotency.request import IDEMPOTENCY_KEY, created_response
from media_service.picture.errors import RangeNotSatisfiable
from media_service.picture.file_response import FILE_DELETER, picture_response
from media_service.resources import CALLER, CLOCK, DATABASE, database_of
from media_service.upload.errors import UPLOAD_ERRORS
from media_service.upload.request import UPLOADS, read_upload
from shared.errors import Conflict, Forbidden, PreconditionRequired, VersionMismatch
from shared.if_match import IF_MATCH, OwnVersion, read_if_match
from shared.middleware import AUTHENTICATE
from shared.openapi import Content, Routes
from shared.request import path_id, read_body, read_query
from shared.responses import json_response, version_response

routes = Routes("creatives")
_IMAGE = Content("image/*", "The file's bytes")


@routes.add(
    "POST",
    "/creatives",
    summary="Upload an image for a day",
    body=UploadForm,
    body_type="multipart/form-data",
    headers={IDEMPOTENCY_KEY: False},
    answers={201: CreativeResponse},
    errors=(*UPLOAD_ERRORS, *IDEMPOTENCY_ERRORS, ScheduledInPast),
    deadline=None,
)
async def create_creative(request: web.Request) -> web.Response:
    """Read the form and answer with the new creative."""
    app, upload = request.app, read_upload(request, UploadForm, FILE_FIELD, UploadForm.to_draft)
    uploads, timezones = app[UPLOADS], app[TIMEZONES]
    stored = await service.create_creative(uploads, timezones, upload, to_stored_response)
    return created_response(stored)


@routes.add(
    "GET",
    "/creatives",
    summary="List own creatives by due time; an editor may list those of all users",
    query=CreativeQuery,
    answers={200: CreativePage},
    errors=(Forbidden,),
)
async def list_creatives(request: web.Request) -> web.Response:
    """Answer with one page."""
    query = read_query(request, CreativeQuery)
    found = await service.list_creatives(
        request.app[DATABASE], request[CALLER], query.owner, query.to_filter()
    )
    return json_response(CreativePage.from_rows(query, found, CreativeResponse.of))


@routes.add(
    "GET",
    "/timezones",
    summary="The time zones that are taken, and the version of their data",
    answers={200: TimezonesResponse},
)
async def list_timezones(request: web.Request) -> web.Response:
    """Answer with every name."""
    timezones = request.app[TIMEZONES]
    return json_response(TimezonesResponse(version=timezones.version, timezones=timezones.names))


@routes.add(
    "GET",
    "/creatives/{id}",
    summary="One creative; its ETag is its version",
    query=OwnerQuery,
    answers={200: CreativeResponse, 304: None},
    errors=(Forbidden,),
)
async def get_creative(request: web.Request) -> web.Response:
    """Answer with the creative."""
    owner = read_query(request, OwnerQuery).owner
    creative = await service.get_creative(
        request.app[DATABASE], path_id(request), request[CALLER], owner
    )
    return _creative_response(request, creative)


@routes.add(
    "PATCH",
    "/creatives/{id}",
    summary="Reschedule, rename or cancel the version that If-Match names",
    body=CreativeChange,
    headers={IF_MATCH: True},
    answers={200: CreativeResponse},
    errors=(ScheduledInPast, Conflict, VersionMismatch, PreconditionRequired),
)
async def patch_creative(request: web.Request) -> web.Response:
    """Answer with the creative as it is now."""
    app, target = request.app, _own_version(request, required=True)
    update = (await read_body(request, CreativeChange)).to_update()
    creative = await service.update_creative(
        app[DATABASE], app[TIMEZONES], app[EVENTS], target, update
    )
    return _creative_response(request, creative)


@routes.add(
    "DELETE",
    "/creatives/{id}",
    summary="Delete a creative; with If-Match, only the version that it names",
    headers={IF_MATCH: False},
    answers={204: None},
    errors=(VersionMismatch,),
)
async def delete_creative(request: web.Request) -> web.Response:
    """Remove the creative and its files."""
    app = request.app
    await service.delete_creative(app[DATABASE], app[FILE_DELETER], _own_version(request))
    return web.Response(status=web.HTTPNoContent.status_code)


@routes.add(
    "GET",
    "/creatives/{id}/file",
    summary="A creative's file; conditional and partial requests are answered",
    query=FileQuery,
    answers={200: _IMAGE, 206: _IMAGE, 304: None},
    errors=(RangeNotSatisfiable, VersionMismatch, Forbidden),
    auth=False,
    reads_token=True,
    takes_token=True,  # a signed link needs none
    deadline=None,
)
async def get_file(request: web.Request) -> web.StreamResponse:
    """Stream the file."""
    return await _file_response(request)


@routes.add(
    "HEAD",
    "/creatives/{id}/file",
    summary="A creative's file without its bytes",
    query=FileQuery,
    answers={200: None, 304: None},
    errors=(VersionMismatch, Forbidden),
    auth=False,
    reads_token=True,
    takes_token=True,
)
async def head_file(request: web.Request) -> web.StreamResponse:
    """Answer with the file's headers."""
    return await _file_response(request)


async def _file_response(request: web.Request) -> web.StreamResponse:
    if "signature" not in request.query:
        await request.app[AUTHENTICATE](request)
    query = read_query(request, FileQuery)
    creative = await _get_authorized_creative(request, query)
    return await picture_response(request, creative, query.variant)


async def _get_authorized_creative(request: web.Request, query: FileQuery) -> Creative:
    app, creative_id, database = request.app, path_id(request), database_of(request)
    if query.signature is None:
        return await service.get_creative(database, creative_id, request[CALLER], query.owner)
    link = Link(creative_id, query.variant, query.expires or 0)
    return await service.get_creative_by_link(
        database, app[LINK_SIGNER], link, query.signature, app[CLOCK].now()
    )


@routes.add(
    "POST",
    "/creatives/{id}/link",
    summary="A link to a creative's file that needs no sign-in until it expires",
    body=LinkRequest,
    answers={200: LinkResponse},
)
async def create_link(request: web.Request) -> web.Response:
    """Answer with a signed link to a file of the caller's own."""
    app, body = request.app, await read_body(request, LinkRequest)
    expires = int(app[CLOCK].now().timestamp()) + body.expires_in
    link = Link(path_id(request), body.variant, expires)
    signature = await service.sign_link(app[DATABASE], app[LINK_SIGNER], request[CALLER].sub, link)
    return json_response(LinkResponse.of(link, signature))


def _own_version(request: web.Request, *, required: bool = False) -> OwnVersion[UUID]:
    expected = read_if_match(request.headers.getall(IF_MATCH, []), required=required)
    return OwnVersion(path_id(request), request[CALLER].sub, expected)


def _creative_response(request: web.Request, creative: Creative) -> web.Response:
    return version_response(request, creative.version, CreativeResponse.of(creative))
