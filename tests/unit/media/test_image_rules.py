"""The rules that decide about a picture, in this process: headers first, then a whole decode."""

import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from media_service.image.decode import load_codecs
from media_service.image.errors import BrokenImage, ImageLimitExceeded, UnsupportedImage
from media_service.image.formats.gif import scan_gif
from media_service.image.formats.jpeg import scan_jpeg
from media_service.image.formats.png.scan import scan_png
from media_service.image.formats.webp import scan_webp
from media_service.image.job_files import open_job_files
from media_service.image.model import DecodeLimits, ImageBytes, ImageInfo, ImageSize
from media_service.image.pipeline import detect_format, render
from shared.errors import DomainError
from tests.support.hostile_pictures import BROKEN, TOO_LARGE, UNSUPPORTED, WHOLE
from tests.support.pictures import animate, encode

BOUNDS = DecodeLimits(50_000_000)
SCANS = {"JPEG": scan_jpeg, "PNG": scan_png, "GIF": scan_gif, "WEBP": scan_webp}


@pytest.fixture(scope="module", autouse=True)
def prepared() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.simplefilter", lambda *_: None)  # the suite's own is stricter
        load_codecs()


def read_image_info(tmp_path: Path, picture: bytes) -> ImageInfo:
    path = tmp_path / "picture"
    path.write_bytes(picture)
    with open_job_files(path) as files:
        return render(files, BOUNDS)


@pytest.mark.parametrize("name", WHOLE)
def test_image_whole_is_accepted(name: str, tmp_path: Path) -> None:
    picture, content_type, (width, height) = WHOLE[name]
    info = read_image_info(tmp_path, picture)
    assert (info.content_type, info.width, info.height) == (content_type, width, height)


REFUSED: list[tuple[type[DomainError], str, bytes]] = [
    (error, name, picture)
    for error, pictures in (
        (UnsupportedImage, UNSUPPORTED),
        (BrokenImage, BROKEN),
        (ImageLimitExceeded, TOO_LARGE),
    )
    for name, picture in pictures.items()
]


@pytest.mark.parametrize(
    ("error", "picture"),
    [pytest.param(error, picture, id=name) for error, name, picture in REFUSED],
)
def test_image_invalid_is_refused(error: type[DomainError], picture: bytes, tmp_path: Path) -> None:
    with pytest.raises(error):
        read_image_info(tmp_path, picture)


@pytest.mark.parametrize(
    "name", ["TIFF", "BMP", "SVG", "PDF", "JPEG XL", "JPEG 2000", "video", "text"]
)
def test_image_of_another_format_is_named_with_the_cure(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedImage) as refused:
        read_image_info(tmp_path, UNSUPPORTED[name])
    detail = str(refused.value.detail)
    assert detail.startswith(f"This is a {name}") is (name != "text")
    assert detail.endswith("Send the picture as JPEG, PNG, GIF, WebP, AVIF or HEIC.")


@pytest.mark.parametrize("name", TOO_LARGE)
def test_image_bomb_is_refused_at_little_cost(name: str, tmp_path: Path) -> None:
    """By its header alone within 50 ms; where text has to be inflated, within a bound."""
    started = time.process_time()
    with pytest.raises(ImageLimitExceeded):
        read_image_info(tmp_path, TOO_LARGE[name])
    inflates = "inflating" in name or "chunks" in name
    assert time.process_time() - started < (0.5 if inflates else 0.05)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_image_header_gives_the_decoded_size(kind: str) -> None:
    picture = encode(kind, (57, 33))
    assert SCANS[kind](picture) == ImageSize(57, 33)
    found = detect_format(picture[:64])
    assert found is not None
    assert found.value == kind


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_image_frames_are_counted(kind: str) -> None:
    assert SCANS[kind](animate(kind, 7)).frames == 7


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_image_damaged_header_never_crashes_the_scan(kind: str) -> None:
    """Every byte of the header flipped, and the file cut behind every one of them."""
    picture = encode(kind)
    for at in range(min(400, len(picture))):
        damaged: list[ImageBytes] = [
            picture[:at],
            picture[:at] + bytes([picture[at] ^ 0xFF]) + picture[at + 1 :],
        ]
        for source in damaged:
            try:
                SCANS[kind](source)
            except (BrokenImage, ImageLimitExceeded):
                continue


def test_image_bounds_accept_up_to_the_limits() -> None:
    BOUNDS.check(ImageSize(10_000, 5000))
    BOUNDS.check(ImageSize(12_000, 1))
    BOUNDS.check(ImageSize(1000, 500, 500))
    for extent in (
        ImageSize(10_001, 5000),
        ImageSize(12_001, 1),
        ImageSize(1, 1, 501),
        ImageSize(1001, 500, 500),
    ):
        with pytest.raises(ImageLimitExceeded):
            BOUNDS.check(extent)
    for extent in (ImageSize(0, 1), ImageSize(1, 0), ImageSize(1, 1, 0)):
        with pytest.raises(BrokenImage):
            BOUNDS.check(extent)


def test_image_out_of_memory_is_limit_exceeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhaust(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", exhaust)
    with pytest.raises(ImageLimitExceeded):
        read_image_info(tmp_path, encode("PNG"))


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "AVIF"])
def test_image_with_a_broken_frame_is_refused(kind: str, tmp_path: Path) -> None:
    """The first one is fine; the last one's pixels are not."""
    lossless: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    picture = bytearray(animate(kind, 3, size=(64, 48), **lossless))
    last = picture.rindex(b"fdAT") + 12 if kind == "PNG" else len(picture) - 100
    length = 100 if kind == "AVIF" else 40  # which has no blocks that would be broken too
    picture[last : last + length] = b"\xff" * length
    if kind == "PNG":
        start = last - 12
        end = start + 4 + int.from_bytes(picture[start - 4 : start])
        picture[end : end + 4] = zlib.crc32(picture[start:end]).to_bytes(4)
    with pytest.raises(BrokenImage):
        read_image_info(tmp_path, bytes(picture))
