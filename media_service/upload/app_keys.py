"""What the application holds for uploads."""

import asyncio

from aiohttp import web

from media_service.upload.context import UploadContext
from media_service.upload.model import UploadLimits

UPLOAD_CONTEXT: web.AppKey[UploadContext] = web.AppKey("upload_context")
UPLOAD_LIMITS: web.AppKey[UploadLimits] = web.AppKey("upload_limits")
READING_SLOTS: web.AppKey[asyncio.Semaphore] = web.AppKey("reading_slots")
"""Each is held while a chunk is in memory, so few chunks are."""
