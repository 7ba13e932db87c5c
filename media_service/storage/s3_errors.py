"""Translates the errors of S3."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from aiohttp import ClientError as ConnectionBroken
from botocore.exceptions import BotoCoreError, ClientError, ResponseStreamingError

from media_service.storage.errors import RETRY_AFTER, ObjectMissing, StorageFull
from shared.errors import ServiceUnavailable

INTERRUPTED = (ConnectionBroken, ResponseStreamingError)
"""Errors of an answer whose body ends early; botocore retries only before it has begun."""

_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_FULL = frozenset(
    {"507", "InsufficientStorage", "QuotaExceeded", "StorageFull", "XMinioStorageFull"}
    | {"XMinioAdminBucketQuotaExceeded", "InsufficientCapacity"}
)
_FULL_STATUS = 507
log = structlog.get_logger()


@contextmanager
def translate_s3_errors() -> Iterator[None]:
    """Translate the store's errors: missing, full, or unavailable.

    Raises:
        ObjectMissing, StorageFull, ServiceUnavailable: by the store's error.
    """
    try:
        yield
    except ClientError as refused:
        raise _translate_client_error(refused) from refused
    except (BotoCoreError, ConnectionBroken, OSError, TimeoutError) as away:
        raise ServiceUnavailable(RETRY_AFTER, "The file store cannot be reached") from away


def _translate_client_error(refused: ClientError) -> Exception:
    code = refused.response["Error"].get("Code", "")
    status = refused.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in _MISSING:
        return ObjectMissing()
    if code in _FULL or status == _FULL_STATUS:
        return StorageFull()
    log.warning("storage.rejected", operation=refused.operation_name, error=code, status=status)
    return ServiceUnavailable(RETRY_AFTER, "The file store cannot be used")
