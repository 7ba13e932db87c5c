"""Webhooks' messages about events."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from media_service.creative.response import link_url
from media_service.creative.signed_link import MAX_LINK_SECONDS, Link, LinkSigner
from shared.webhooks.delivery.model import ClaimedEvent
from shared.webhooks.model import encode_body

_VARIANT = "original"


@dataclass(frozen=True, slots=True)
class EventMessages:
    """Encodes events for receivers, who need whole URLs, and cannot sign in."""

    link_signer: LinkSigner
    public_url: str

    def encode(self, event: ClaimedEvent, now: datetime) -> str:
        """Return the body of an event's messages.

        A creative's `file_url` works for 7 days from now, and so longer than the attempts last.
        """
        data: dict[str, Any] = json.loads(event.data)
        if event.type.startswith("creative."):
            expires = int(now.timestamp()) + MAX_LINK_SECONDS
            link = Link(UUID(data["id"]), _VARIANT, expires)
            data["file_url"] = self._url(link_url(link, self.link_signer.sign(link)))
        elif data["photo_url"]:
            data["photo_url"] = self._url(data["photo_url"])
        return encode_body(event.type, event.occurred_at, data).decode()

    def _url(self, path: str) -> str:
        return self.public_url.rstrip("/") + path
