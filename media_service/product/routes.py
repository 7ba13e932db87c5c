"""Products: create, list, search, one, change, delete, and their photos."""

from aiohttp import web

from media_service.event.app_keys import EVENTS
from media_service.idempotency.errors import IDEMPOTENCY_ERRORS
from media_service.idempotency.model import KeyedRequest
from media_service.idempotency.request import (
    IDEMPOTENCY_KEY,
    created_response,
    read_idempotency_key,
)
from media_service.picture.errors import RangeNotSatisfiable
from media_service.picture.file_response import FILE_DELETER, picture_response
from media_service.product import service
from media_service.product.model import ID_PATTERN, Product, ProductUpdate, parse_product_id
from media_service.product.schemas import (
    PhotoForm,
    PhotoQuery,
    ProductBody,
    ProductChange,
    ProductForm,
    ProductPage,
    ProductQuery,
    ProductResponse,
    ProductSearchQuery,
    to_stored_response,
)
from media_service.resources import CALLER, DATABASE, TOKEN, database_of
from media_service.upload.errors import UPLOAD_ERRORS
from media_service.upload.request import UPLOADS, read_upload
from shared.errors import DomainError, MalformedJson, NotFound, TokenMissing, VersionMismatch
from shared.if_match import IF_MATCH, OwnVersion, read_if_match
from shared.middleware import AUTHENTICATE
from shared.openapi import Content, Routes
from shared.request import JSON, read_body, read_query
from shared.responses import json_response, version_response

routes = Routes("products")
PHOTO_FIELD = "photo"
FORM = "multipart/form-data"
_IMAGE = Content("image/*", "The file's bytes")


@routes.add(
    "POST",
    "/products",
    summary="Offer a product, with a photo or without",
    body=ProductForm,
    body_type=FORM,
    other_bodies={JSON: ProductBody},
    headers={IDEMPOTENCY_KEY: False},
    answers={201: ProductResponse},
    errors=(*UPLOAD_ERRORS, *IDEMPOTENCY_ERRORS, MalformedJson),
    deadline=None,
)
async def create_product(request: web.Request) -> web.Response:
    """Create the product and answer with it."""
    uploads = request.app[UPLOADS]
    if request.content_type != JSON:
        upload = read_upload(request, ProductForm, PHOTO_FIELD, ProductForm.to_draft)
        return created_response(
            await service.create_product_with_photo(uploads, upload, to_stored_response)
        )
    creation = KeyedRequest(request[CALLER].sub, request[TOKEN], read_idempotency_key(request))
    details = (await read_body(request, ProductBody)).to_details()
    return created_response(
        await service.create_product(uploads, details, creation, to_stored_response)
    )


@routes.add(
    "GET",
    "/products",
    summary="List own products, the newest first",
    query=ProductQuery,
    answers={200: ProductPage},
)
async def list_products(request: web.Request) -> web.Response:
    """Answer with one page."""
    query, caller = read_query(request, ProductQuery), request[CALLER].sub
    found = await service.list_products(request.app[DATABASE], caller, query.position(), query.rows)
    return json_response(ProductPage.from_rows(query, found, ProductResponse.of))


@routes.add(
    "GET",
    "/products/public",
    summary="Search the visible products of all users, the newest first; needs no sign-in",
    query=ProductSearchQuery,
    answers={200: ProductPage},
    auth=False,
)
async def search_products(request: web.Request) -> web.Response:
    """Answer with one page."""
    query = read_query(request, ProductSearchQuery)
    found = await service.search_products(
        database_of(request), query.q, query.position(), query.rows
    )
    return json_response(ProductPage.from_rows(query, found, ProductResponse.of))


@routes.add(
    "GET",
    "/products/{id}",
    summary="A visible product, or one's own; its ETag is its version",
    id_pattern=ID_PATTERN,
    answers={200: ProductResponse, 304: None},
)
async def get_product(request: web.Request) -> web.Response:
    """Answer with the product."""
    product = await service.get_product(
        request.app[DATABASE], _product_id(request), request[CALLER].sub
    )
    return _product_response(request, product)


@routes.add(
    "PATCH",
    "/products/{id}",
    summary="Change a product; with If-Match, only the version that it names",
    id_pattern=ID_PATTERN,
    body=ProductChange,
    headers={IF_MATCH: False},
    answers={200: ProductResponse},
    errors=(VersionMismatch,),
)
async def patch_product(request: web.Request) -> web.Response:
    """Answer with the product as it is now."""
    app, body = request.app, await read_body(request, ProductChange)
    update = ProductUpdate(**body.model_dump())
    product = await service.update_product(
        app[DATABASE], app[EVENTS], _own_version(request), update
    )
    return _product_response(request, product)


@routes.add(
    "DELETE",
    "/products/{id}",
    summary="Delete a product and its photo; with If-Match, only the version that it names",
    id_pattern=ID_PATTERN,
    headers={IF_MATCH: False},
    answers={204: None},
    errors=(VersionMismatch,),
)
async def delete_product(request: web.Request) -> web.Response:
    """Remove the product."""
    app = request.app
    await service.delete_product(
        app[DATABASE], app[EVENTS], app[FILE_DELETER], _own_version(request)
    )
    return web.Response(status=web.HTTPNoContent.status_code)


@routes.add(
    "PUT",
    "/products/{id}/photo",
    summary="Give a product its photo, or another one",
    id_pattern=ID_PATTERN,
    body=PhotoForm,
    body_type=FORM,
    answers={200: ProductResponse},
    errors=UPLOAD_ERRORS,
    deadline=None,
)
async def put_photo(request: web.Request) -> web.Response:
    """Answer with the product as it is now."""
    upload = read_upload(request, PhotoForm, PHOTO_FIELD, lambda form: form.photo)
    app = request.app
    return _product_response(
        request,
        await service.replace_photo(app[UPLOADS], upload, _product_id(request), app[FILE_DELETER]),
    )


@routes.add(
    "GET",
    "/products/{id}/photo",
    summary="A product's photo; a visible product's needs no sign-in",
    id_pattern=ID_PATTERN,
    query=PhotoQuery,
    answers={200: _IMAGE, 206: _IMAGE, 304: None},
    errors=(RangeNotSatisfiable, VersionMismatch),
    auth=False,
    takes_token=True,
    deadline=None,
)
async def get_photo(request: web.Request) -> web.StreamResponse:
    """Stream the photo."""
    return await _photo_response(request)


@routes.add(
    "HEAD",
    "/products/{id}/photo",
    summary="A product's photo without its bytes",
    id_pattern=ID_PATTERN,
    query=PhotoQuery,
    answers={200: None, 304: None},
    errors=(VersionMismatch,),
    auth=False,
    takes_token=True,
)
async def head_photo(request: web.Request) -> web.StreamResponse:
    """Answer with the photo's headers."""
    return await _photo_response(request)


async def _photo_response(request: web.Request) -> web.StreamResponse:
    variant, product_id = read_query(request, PhotoQuery).variant, _product_id(request)
    refused = await _try_authenticate(request)
    caller = request.get(CALLER)
    try:
        found = await service.get_photo(
            database_of(request), product_id, caller.sub if caller else None
        )
    except NotFound as missing:
        raise refused or missing from None
    return await picture_response(request, found, variant)


async def _try_authenticate(request: web.Request) -> DomainError | None:
    """Authenticate the caller if there is a credential; return why a credential is refused.

    A refused token does not hide a visible product.
    """
    try:
        await request.app[AUTHENTICATE](request)
    except TokenMissing:
        return None
    except DomainError as refused:
        return refused
    return None


def _product_response(request: web.Request, product: Product) -> web.Response:
    return version_response(request, product.version, ProductResponse.of(product))


def _own_version(request: web.Request) -> OwnVersion[str]:
    expected = read_if_match(request.headers.getall(IF_MATCH, []))
    return OwnVersion(_product_id(request), request[CALLER].sub, expected)


def _product_id(request: web.Request) -> str:
    """Return the product's id in the path.

    Raises:
        NotFound: it is no such id, so nothing has it.
    """
    try:
        return parse_product_id(request.match_info["id"])
    except ValueError:
        raise NotFound from None
