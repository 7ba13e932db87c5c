"""What routes about pictures have in common."""

from typing import Literal

PREFIX = "/v1/media"
"""How the path of everything here begins."""

Variant = Literal["original", "preview", "thumb"]
"""Which of a picture's files."""
