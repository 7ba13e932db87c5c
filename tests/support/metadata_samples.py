"""Pictures with metadata that must not be published, and readers of a file's structure."""

import io
import struct
from functools import cache
from typing import Any

from PIL import Image, ImageCms, PngImagePlugin

from tests.support.pictures import Size, draw

SECRET = b"SECRET"
_TEXT = SECRET.decode()
_ORIENTATION, _DESCRIPTION, _GPS = 0x0112, 0x010E, 0x8825


@cache
def srgb() -> bytes:
    """Made once, because a profile contains its date."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def red_green_swapped_profile() -> bytes:
    """A profile in which red is green and green is red."""
    profile = srgb()
    at = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    data = bytearray(profile)
    data[at[0] : at[0] + 4], data[at[1] : at[1] + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


def exif(orientation: int = 1) -> bytes:
    data = Image.Exif()
    data[_DESCRIPTION] = f"{_TEXT} description"
    data[_ORIENTATION] = orientation
    data.get_ifd(_GPS)[29] = f"{_TEXT} 1999:01:01"
    return data.tobytes()


def with_metadata(
    kind: str, orientation: int = 1, frames: int = 1, size: Size = (64, 48), **more: Any
) -> bytes:
    """A picture with every kind of metadata that its format allows, and trailing bytes."""
    options: dict[str, Any] = {"icc_profile": srgb()}
    if kind != "GIF":
        options["exif"] = exif(orientation)
    if kind in {"JPEG", "WEBP", "AVIF"}:
        options["xmp"] = f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{_TEXT}</x:xmpmeta>'.encode()
    if kind in {"JPEG", "GIF"}:
        options["comment"] = f"{_TEXT} comment".encode()
    if kind == "PNG":
        options["pnginfo"] = _texts()
    target = io.BytesIO()
    first, *rest = [draw(size, seed) for seed in range(1, frames + 1)]
    many = {"save_all": True, "append_images": rest, "duration": 70} if rest else {}
    first.save(target, kind, **options, **many, **more)
    data = target.getvalue()
    if kind == "JPEG":
        data = data[:2] + _iptc() + data[2:]
    return data + b"PK\x03\x04<script>" + SECRET * 20


def _texts() -> PngImagePlugin.PngInfo:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", f"{_TEXT} plain")
    texts.add_text("Packed", f"{_TEXT} packed", zip=True)
    texts.add_itxt("XML:com.adobe.xmp", f"<x>{_TEXT}</x>")
    texts.add(b"tIME", b"\x07\xce\1\1\0\0\0")
    return texts


def _iptc() -> bytes:
    body = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0b\x1c\x02\x78\0\x06" + SECRET + b"\0"
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body


def segments(jpeg: bytes) -> list[int]:
    """The markers of a JPEG up to its end, which must be the file's."""
    found, at = [], 2
    while jpeg[at + 1] != 0xD9:
        assert jpeg[at] == 0xFF
        found.append(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
        if found[-1] == 0xDA:
            while jpeg[at] != 0xFF or jpeg[at + 1] in {0, *range(0xD0, 0xD8)}:
                at += 1
    assert at + 2 == len(jpeg)
    return found


def chunks(data: bytes, kind: str) -> list[str]:
    """The names of a PNG's or a WebP's chunks, or an AVIF's boxes, up to the file's end."""
    order, at, found = (
        ("little" if kind == "WEBP" else "big"),
        {"WEBP": 12, "PNG": 8}.get(kind, 0),
        [],
    )
    while at < len(data):
        name_at, length_at = (at + 4, at) if kind != "WEBP" else (at, at + 4)
        length = int.from_bytes(data[length_at : length_at + 4], order)  # type: ignore[arg-type]
        found.append(data[name_at : name_at + 4].decode())
        at += {"PNG": 12 + length, "WEBP": 8 + length + length % 2}.get(kind, length)
    assert at == len(data)
    return found


def open_image(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
