"""Reads the fields of a box, one after the other."""

from media_service.image.errors import BrokenImage


class FieldReader:
    """Reads big-endian numbers up to the box's end, and not one byte beyond."""

    def __init__(self, data: bytearray, at: int, end: int) -> None:
        """Begin at an offset."""
        self._data = data
        self.at = at
        self._end = end

    def number(self, size: int) -> int:
        """Return the next number of that many bytes; of none, it is zero.

        Raises:
            BrokenImage: the box is over.
        """
        at = self.at
        self.skip(size)
        return int.from_bytes(self._data[at : self.at])

    def skip(self, count: int) -> None:
        """Go on behind `count` bytes.

        Raises:
            BrokenImage: the box is over.
        """
        self.at += count
        if self.at > self._end:
            raise BrokenImage("the image ends within a box")

    def version(self) -> int:
        """Return a full box's version, and go on behind its flags."""
        return self.number(4) >> 24
