"""What the application holds for pictures."""

from aiohttp import web

from media_service.picture.file_deleter import FileDeleter
from media_service.storage.model import Storage

STORAGE: web.AppKey[Storage] = web.AppKey("storage")
FILE_DELETER: web.AppKey[FileDeleter] = web.AppKey("file_deleter")
