"""Addresses on the web that we send messages to."""

from typing import Annotated
from urllib.parse import urlsplit

from shared.origins import is_loopback
from shared.settings import url_with_scheme

WebUrl = Annotated[str, url_with_scheme("https", "http")]


def plaintext_problems(name: str, address: str) -> list[str]:
    """Return a line for an address that would get codes without encryption."""
    url = urlsplit(address)
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        return [f"{name}: https in production, except to this machine"]
    return []
