"""Pictures by what must become of them: whole ones, no pictures at all, broken ones and bombs."""

import io
import struct
import zlib

from tests.support import heic_samples
from tests.support.pictures import animate, blank_png, chunk, draw, encode, many_scans, png

ZIP_TAIL = b"PK\x03\x04" + b"evil.exe" * 100


def tiff() -> bytes:
    target = io.BytesIO()
    draw().save(target, "TIFF")
    return target.getvalue()


def mpo() -> bytes:
    target = io.BytesIO()
    draw().save(target, "MPO", save_all=True, append_images=[draw(seed=2)])
    return target.getvalue()


def compressed(kind: bytes, size: int) -> bytes:
    keyword = b"Comment\0" + (b"\1\0\0\0" if kind == b"iTXt" else b"\0")
    return chunk(kind, keyword + zlib.compress(bytes(size), 9))


def gif(frames: int, width: int = 10, height: int = 10) -> bytes:
    """A GIF of any announced size with tiny frames."""
    head = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00"
    return head + frame * frames + b";"


def jpeg_header(width: int, height: int) -> bytes:
    picture = bytearray(encode("JPEG"))
    at = picture.find(b"\xff\xc0")
    picture[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(picture)


def webp_header(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size
    return b"RIFF" + struct.pack("<I", len(body)) + body


def damaged_png(kind: bytes, body: bytes) -> bytes:
    """A PNG with a chunk whose checksum is wrong."""
    return png(1, 1, chunk(kind, body)[:-4] + b"\0\0\0\0", pixels=b"\0\0")


def png_of_pixels(packed: bytes) -> bytes:
    """A grey PNG of ten by ten without an end, with one chunk of pixels."""
    return png(10, 10)[:33] + chunk(b"IDAT", packed)


MOVING_PNG = animate("PNG", 3)
PACKED = zlib.compress(b"\0" * 110)

WHOLE = {
    "HEIC": (heic_samples.PLAIN, "image/jpeg", (64, 48)),
    "HEIC of two pictures": (heic_samples.SECOND, "image/jpeg", (64, 48)),
    "transparent HEIC": (heic_samples.CLEAR, "image/jpeg", (64, 48)),
    "turned HEIC": (heic_samples.TURNED, "image/jpeg", (48, 64)),
    "JPEG without an end": (encode("JPEG")[:-2], "image/jpeg", (64, 48)),
    "progressive JPEG": (encode("JPEG", progressive=True), "image/jpeg", (64, 48)),
    "CMYK JPEG": (encode("JPEG", mode="CMYK"), "image/jpeg", (64, 48)),
    "MPO": (mpo(), "image/jpeg", (64, 48)),
    "palette PNG": (encode("PNG", mode="P"), "image/png", (64, 48)),
    "animated PNG": (animate("PNG", 3), "image/png", (32, 24)),
    "animated GIF": (animate("GIF", 5), "image/gif", (32, 24)),
    "500 frames": (gif(500), "image/gif", (10, 10)),
    "lossless WebP": (encode("WEBP", lossless=True), "image/webp", (64, 48)),
    "animated WebP": (animate("WEBP", 4), "image/webp", (32, 24)),
    "animated AVIF": (animate("AVIF", 2), "image/avif", (32, 24)),
    "JPEG with scans behind it": (encode("JPEG") + b"\xff\xda" * 999, "image/jpeg", (64, 48)),
    "JPEG with a ZIP behind it": (encode("JPEG") + ZIP_TAIL, "image/jpeg", (64, 48)),
    "PNG with text that is none": (
        png(1, 1, chunk(b"zTXt", b"a\0\0nonsense"), pixels=b"\0\0"),
        "image/png",
        (1, 1),
    ),
    "PNG with damaged text": (damaged_png(b"iTXt", b"a\0\0\0\0\0b"), "image/png", (1, 1)),
    "PNG with a damaged time": (damaged_png(b"tIME", bytes(7)), "image/png", (1, 1)),
    "PNG without an end": (png_of_pixels(PACKED), "image/png", (10, 10)),
    "PNG cut within its end": (encode("PNG")[:-7], "image/png", (64, 48)),
    "PNG cut in the length of its end": (encode("PNG")[:-10], "image/png", (64, 48)),
    "animated PNG without an end": (animate("PNG", 3)[:-12], "image/png", (32, 24)),
    "PNG with small text": (png(1, 1, compressed(b"zTXt", 9), pixels=b"\0\0"), "image/png", (1, 1)),
}

UNSUPPORTED = {
    "nothing": b"",
    "text": b"hello",
    "TIFF": tiff(),
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "HTML": b"<html><script>alert(1)</script>",
    "PNG magic and HTML": b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>",
    "PDF": b"%PDF-1.7",
    "ICO": b"\0\0\1\0\1\0",
    "BMP": b"BM\x3a\0\0\0\0\0",
    "JPEG XL": b"\xff\x0a\xfa\x1f",
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n",
    "video": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    "RIFF but WAVE": b"RIFF\x24\0\0\0WAVEfmt ",
    "picture behind text": b"x" + encode("PNG"),
}

BROKEN = {
    "GIF with a script": b"GIF89a/*\n*/=1;alert(1)",
    "JPEG cut in half": encode("JPEG", (300, 300))[:2000],
    "progressive JPEG without an end": encode("JPEG", progressive=True)[:-2],
    "HEIC cut": heic_samples.PLAIN[:-40],
    "HEIC brand alone": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "JPEG's first bytes": encode("JPEG")[:30],
    "JPEG magic alone": b"\xff\xd8\xff",
    "PNG cut": encode("PNG")[:-20],
    "PNG cut between its pixels": png_of_pixels(PACKED[: len(PACKED) // 2]),
    "PNG cut before its pixels": png(10, 10)[:33],
    "animated PNG cut before a frame": MOVING_PNG[: MOVING_PNG.rindex(b"fcTL") - 4],
    "animated PNG cut within a frame": MOVING_PNG[: MOVING_PNG.rindex(b"fdAT") - 4],
    "PNG with a damaged gamma": damaged_png(b"gAMA", bytes(4)),
    "PNG with a damaged unknown critical chunk": damaged_png(b"ABCD", b"a"),
    "PNG without pixels": png(10, 10),
    "PNG with no size": png(0, 10),
    "PNG of another size": png(10, 10, pixels=b"\0" * 20),
    "GIF cut": animate("GIF", 3)[:-40],
    "GIF without frame": gif(0),
    "WebP cut": encode("WEBP", (300, 300))[:-200],
    "WebP header alone": webp_header(10, 10),
    "AVIF cut": encode("AVIF")[:-50],
    "AVIF brand alone": b"\0\0\0\x18ftypavif\0\0\0\0mif1avif",
    "damaged PNG": encode("PNG").replace(b"IDAT", b"IDAX"),
}

TOO_LARGE = {
    "178 megapixels": blank_png(13_300, 13_400),
    "50,000 x 50,000 in one bit": png(50_000, 50_000, depth=1),
    "51 megapixels": png(10_200, 5000),
    "a long side": png(12_001, 1),
    "JPEG of 60,000 a side": jpeg_header(60_000, 60_000),
    "GIF of 65,535 a side": gif(1, 65_535, 65_535),
    "WebP of 16 million a side": webp_header(1 << 24, 1 << 24),
    "3,001 frames": gif(3001),
    "501 frames": gif(501),
    "frames times pixels": gif(150, 2000, 1000),
    "inflating text": png(1, 1, compressed(b"zTXt", 50_000_000)),
    "inflating text of another kind": png(1, 1, compressed(b"iTXt", 50_000_000)),
    "inflating profile": png(1, 1, compressed(b"iCCP", 50_000_000)),
    "many inflating texts": png(1, 1, *[compressed(b"zTXt", 900_000)] * 10),
    "200,000 chunks": png(1, 1, chunk(b"tEXt", b"a\0b") * 200_000),
    "a million segments": b"\xff\xd8" + b"\xff\xe1\0\2" * 1_000_000 + encode("JPEG")[2:],
    "20,000 chunks of WebP": webp_header(10, 10) + (b"EXIF" + bytes(4)) * 20_000,
    "hundreds of scans": many_scans((100, 100), 200),
}
