"""Errors of a picture's file."""

from shared.errors import DomainError


class RangeNotSatisfiable(DomainError):
    """The range asked for begins behind the file's end."""

    code, status, title = "range_not_satisfiable", 416, "The range is outside the file"

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def headers(self) -> dict[str, str]:
        """Return the file's length (RFC 9110 §15.5.17)."""
        return {"Content-Range": f"bytes */{self.size}"}
