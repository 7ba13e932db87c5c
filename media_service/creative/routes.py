"""Creatives that are stored: list, one, its file, delete."""

from aiohttp import web

from media_service.creative import service
from media_service.creative.conditions import is_known, strong_etag
from media_service.creative.errors import RangeNotSatisfiable
from media_service.creative.schemas import CreativeAnswer, CreativePage, CreativeQuery, FileQuery
from media_service.creative.sending import file_headers, send_file
from media_service.resources import CALLER, DATABASE, STORAGE
from shared.answer import answer
from shared.openapi import Content, Routes
from shared.request import path_id, read_query

routes = Routes("creatives")
_IMAGE = Content("image/*", "The file's bytes")


@routes.add(
    "GET",
    "/creatives",
    summary="List own creatives by due time",
    query=CreativeQuery,
    answers={200: CreativePage},
)
async def list_creatives(request: web.Request) -> web.Response:
    """Answer with one page."""
    query = read_query(request, CreativeQuery)
    found = await service.list_creatives(
        request.app[DATABASE], request[CALLER].sub, query.selection()
    )
    return answer(CreativePage.of(found, query.limit))


@routes.add("GET", "/creatives/{id}", summary="One creative", answers={200: CreativeAnswer})
async def get_creative(request: web.Request) -> web.Response:
    """Answer with the creative."""
    creative = await service.get_creative(
        request.app[DATABASE], path_id(request), request[CALLER].sub
    )
    return answer(CreativeAnswer.of(creative))


@routes.add("DELETE", "/creatives/{id}", summary="Delete a creative", answers={204: None})
async def delete_creative(request: web.Request) -> web.Response:
    """Remove the creative and its files."""
    await service.delete_creative(
        request.app[DATABASE], request.app[STORAGE], path_id(request), request[CALLER].sub
    )
    return web.Response(status=web.HTTPNoContent.status_code)


@routes.add(
    "GET",
    "/creatives/{id}/file",
    summary="A creative's file; conditional and partial requests are answered",
    query=FileQuery,
    answers={200: _IMAGE, 206: _IMAGE, 304: None},
    errors=(RangeNotSatisfiable,),
    deadline=None,
)
async def get_file(request: web.Request) -> web.StreamResponse:
    """Stream the file."""
    return await _answer_file(request)


@routes.add(
    "HEAD",
    "/creatives/{id}/file",
    summary="A creative's file without its bytes",
    query=FileQuery,
    answers={200: None, 304: None},
)
async def head_file(request: web.Request) -> web.StreamResponse:
    """Answer with the file's headers."""
    return await _answer_file(request)


async def _answer_file(request: web.Request) -> web.StreamResponse:
    database, variant = request.app[DATABASE], read_query(request, FileQuery).variant
    creative = await service.get_creative(database, path_id(request), request[CALLER].sub)
    if is_known(request.headers.get("If-None-Match"), strong_etag(creative.sha256)):
        status = web.HTTPNotModified.status_code
        return web.Response(status=status, headers=file_headers(creative))
    async with service.open_file(database, request.app[STORAGE], creative, variant) as file:
        return await send_file(request, creative, file)
