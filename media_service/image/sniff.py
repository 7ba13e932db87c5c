"""Formats by their first bytes: a file's name and declared type decide nothing."""

from media_service.image.model import ImageFormat

HEAD_BYTES = 64
_AVIF_BRANDS = {b"avif", b"avis"}


def sniff(head: bytes) -> ImageFormat | None:
    """Return the format that the first `HEAD_BYTES` bytes announce, None for any other."""
    if head.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return ImageFormat.PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return ImageFormat.GIF
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if head[4:8] == b"ftyp" and _brands(head) & _AVIF_BRANDS:
        return ImageFormat.AVIF
    return None


def _brands(head: bytes) -> set[bytes]:
    """Return the major and compatible brands of an ISO media file (ISO/IEC 14496-12 §4.3)."""
    end = min(int.from_bytes(head[:4]), len(head))
    return {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
