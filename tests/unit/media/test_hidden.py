"""Nothing hides in the parts that a picture may have and does not need."""

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.metadata_samples import SECRET, chunks, open_image, segments, srgb
from tests.support.pictures import animate, chunk, draw, encode
from tests.support.renditions import render_picture

pytestmark = pytest.mark.usefixtures("decoders")

PIXELS_AT = 33


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def riff(*parts: bytes) -> bytes:
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def part(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def parts(webp: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 12
    while at < len(webp):
        length = int.from_bytes(webp[at + 4 : at + 8], "little")
        found.append((webp[at : at + 4], webp[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return found


@pytest.mark.parametrize("at", [2, -2], ids=["before the frame", "behind the scan"])
def test_jpeg_line_count_segment_is_removed(at: int, tmp_path: Path) -> None:
    picture = encode("JPEG")
    _, made = render_picture(
        tmp_path, picture[:at] + segment(0xDC, b"\0\x30" + SECRET) + picture[at:]
    )
    assert SECRET not in made["original"]
    assert 0xDC not in segments(made["original"])
    assert open_image(made["original"]).tobytes() == open_image(picture).tobytes()


@pytest.mark.parametrize(
    ("mode", "transparency"),
    [("L", b"\0\1"), ("RGB", b"\0\1\0\2\0\3"), ("LA", b""), ("RGBA", b"")],
)
def test_png_transparency_chunk_is_cut_to_its_length(
    mode: str, transparency: bytes, tmp_path: Path
) -> None:
    picture = encode("PNG", mode=mode)
    more = chunk(b"PLTE", (SECRET * 3)[:18]) + chunk(b"tRNS", transparency + SECRET)
    _, made = render_picture(tmp_path, picture[:PIXELS_AT] + more + picture[PIXELS_AT:])
    names = ["IHDR", "tRNS", "IDAT", "IEND"] if transparency else ["IHDR", "IDAT", "IEND"]
    assert chunks(made["original"], "PNG") == names
    assert SECRET not in made["original"]


def test_png_palette_is_cut_to_its_bit_depth(tmp_path: Path) -> None:
    target = io.BytesIO()
    draw().quantize(4).save(target, "PNG", transparency=b"\1\2\3\4")
    picture = target.getvalue()
    for name, most in ((b"PLTE", 12), (b"tRNS", 4)):
        at = picture.index(name)
        length = int.from_bytes(picture[at - 4 : at])
        longer = chunk(name, picture[at + 4 : at + 4 + length].ljust(most, b"\0") + SECRET)
        picture = picture[: at - 4] + longer + picture[at + 8 + length :]
    _, made = render_picture(tmp_path, picture)
    assert SECRET not in made["original"]
    wanted = open_image(target.getvalue()).convert("RGBA").tobytes()
    assert open_image(made["original"]).convert("RGBA").tobytes() == wanted


def test_png_damaged_text_is_removed_and_a_missing_end_written(tmp_path: Path) -> None:
    picture = encode("PNG")
    damaged = chunk(b"tEXt", b"Comment\0" + SECRET)[:-4] + bytes(4)
    cut = picture[:PIXELS_AT] + damaged + picture[PIXELS_AT:-12]
    _, made = render_picture(tmp_path, cut)
    assert made["original"] == picture


def test_webp_second_picture_is_removed(tmp_path: Path) -> None:
    plain = parts(encode("WEBP", lossless=True))
    screen = (b"VP8X", struct.pack("<I", 0x10) + bytes([63, 0, 0, 47, 0, 0]))
    hidden = [(b"ALPH", SECRET), (b"VP8 ", SECRET)]
    for added in ([*plain, *hidden], [screen, *plain, *hidden]):
        _, made = render_picture(tmp_path, riff(*(part(*one) for one in added)))
        assert SECRET not in made["original"]
        assert dict(parts(made["original"]))[b"VP8L"] == plain[0][1]
    lossy = parts(_half_clear())
    assert [kind for kind, _ in lossy] == [b"VP8X", b"ALPH", b"VP8 "]
    _, made = render_picture(tmp_path, riff(*(part(*one) for one in [*lossy, (b"VP8L", SECRET)])))
    assert parts(made["original"]) == lossy


def _half_clear() -> bytes:
    picture = draw(mode="RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    target = io.BytesIO()
    picture.save(target, "WEBP", quality=80)
    return target.getvalue()


def test_webp_frames_beside_a_still_are_removed(tmp_path: Path) -> None:
    moving, still = parts(animate("WEBP", 3)), parts(_half_clear())
    frame = (b"ANMF", moving[2][1][:16] + part(b"VP8 ", SECRET))
    _, made = render_picture(
        tmp_path, riff(*(part(*one) for one in [*still, (b"ANIM", SECRET), frame]))
    )
    assert parts(made["original"]) == still
    inner = moving[2][1] + part(b"ALPH", SECRET)
    longer = [*moving[:2], (b"ANMF", inner), *moving[3:]]
    _, made = render_picture(tmp_path, riff(*(part(*one) for one in longer)))
    assert parts(made["original"]) == moving


@pytest.mark.parametrize("frames", [1, 3])
def test_avif_invalid_colour_profile_is_removed(frames: int, tmp_path: Path) -> None:
    more: dict[str, Any] = {"icc_profile": SECRET * 40}
    picture = encode("AVIF", **more) if frames == 1 else animate("AVIF", frames, **more)
    assert SECRET in picture
    _, made = render_picture(tmp_path, picture)
    assert SECRET not in made["original"]
    assert "icc_profile" not in open_image(made["original"]).info
    more = {"icc_profile": srgb() + SECRET}
    picture = encode("AVIF", **more) if frames == 1 else animate("AVIF", frames, **more)
    _, made = render_picture(tmp_path, picture)
    assert SECRET not in made["original"]
    assert open_image(made["original"]).info["icc_profile"].startswith(srgb())
