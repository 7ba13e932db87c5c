"""Shared by the routes that serve pictures."""

from typing import Literal

PREFIX = "/v1/media"
"""The prefix of every path of media_service."""

Variant = Literal["original", "preview", "thumb"]
"""Which of a picture's files."""
