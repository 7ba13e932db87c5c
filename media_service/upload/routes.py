"""POST /creatives."""

from aiohttp import web

from media_service.creative.errors import ScheduledInPast
from media_service.creative.schemas import CreativeAnswer, created_response
from media_service.idempotency.errors import IdempotencyMismatch, RequestInProgress
from media_service.idempotency.model import StoredResponse
from media_service.image.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from media_service.quota.errors import QuotaExceeded
from media_service.resources import UPLOAD_CONTEXT
from media_service.storage.errors import StorageFull
from media_service.upload import service
from media_service.upload.errors import UploadTooSlow
from media_service.upload.model import FILE_FIELD
from media_service.upload.request import IDEMPOTENCY_KEY, read_upload
from media_service.upload.schemas import UploadForm
from shared.errors import RateLimited
from shared.if_match import version_tag
from shared.openapi import Routes

routes = Routes("creatives")
UPLOAD_ERRORS = (
    QuotaExceeded,
    RateLimited,
    UnsupportedImage,
    BrokenImage,
    ImageTooLarge,
    UploadTooSlow,
    StorageFull,
)
"""What a picture may be refused for, whatever it is taken in for."""

KEY_ERRORS = (RequestInProgress, IdempotencyMismatch)
"""What an Idempotency-Key may be refused for."""


@routes.add(
    "POST",
    "/creatives",
    summary="Upload an image for a day",
    body=UploadForm,
    body_type="multipart/form-data",
    headers={IDEMPOTENCY_KEY: False},
    answers={201: CreativeAnswer},
    errors=(*UPLOAD_ERRORS, *KEY_ERRORS, ScheduledInPast),
    deadline=None,
)
async def create_creative(request: web.Request) -> web.Response:
    """Take the form in and answer with the new creative."""
    upload = read_upload(request, UploadForm, FILE_FIELD, UploadForm.draft)
    return answer_created(
        await service.create_creative(request.app[UPLOAD_CONTEXT], upload, created_response)
    )


def answer_created(first: StoredResponse) -> web.Response:
    """Answer with a new thing, or once more with what it was when it was new."""
    return web.Response(
        status=web.HTTPCreated.status_code,
        text=first.body,
        content_type="application/json",
        headers={"Location": first.location, "ETag": version_tag(1)},
    )
