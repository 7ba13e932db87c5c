"""POST /creatives."""

from aiohttp import web

from media_service.creative.errors import ScheduledInPast
from media_service.creative.schemas import CreativeAnswer, creative_url
from media_service.image.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from media_service.resources import CLOCK, INTAKE, READING_SLOTS, TOKEN, UPLOAD_LIMITS
from media_service.storage.errors import StorageFull
from media_service.upload import service
from media_service.upload.body import UploadBody
from media_service.upload.errors import UploadTooSlow
from media_service.upload.headers import read_boundary
from media_service.upload.schemas import UploadForm
from shared.answer import answer
from shared.errors import BodyTooLarge, UnsupportedMediaType
from shared.openapi import Routes

routes = Routes("creatives")


@routes.add(
    "POST",
    "/creatives",
    summary="Upload an image for a day",
    body=UploadForm,
    body_type="multipart/form-data",
    answers={201: CreativeAnswer},
    errors=(
        UnsupportedImage,
        BrokenImage,
        ImageTooLarge,
        ScheduledInPast,
        UploadTooSlow,
        StorageFull,
    ),
    deadline=None,
)
async def create_creative(request: web.Request) -> web.Response:
    """Take the form in and answer with the new creative."""
    app = request.app
    boundary = _require_form(request)
    body = UploadBody(request.content, app[UPLOAD_LIMITS], app[READING_SLOTS], app[CLOCK])
    creative = await service.take_in(app[INTAKE], body, boundary, request[TOKEN])
    return answer(CreativeAnswer.of(creative), 201, {"Location": creative_url(creative.id)})


def _require_form(request: web.Request) -> bytes:
    """Return the form's boundary; what can be refused by its header is refused unread."""
    if request.headers.get("Content-Encoding"):
        raise UnsupportedMediaType("an upload must not be encoded")
    boundary = read_boundary(request.headers.get("Content-Type", ""))
    limits = request.app[UPLOAD_LIMITS]
    if (request.content_length or 0) > limits.max_body_bytes:
        raise BodyTooLarge(f"a file has at most {limits.max_file_bytes} bytes")
    return boundary
