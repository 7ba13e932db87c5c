"""Pictures as cameras make them, which are whole though no encoder here makes them so."""

import io
import struct
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from media_service.image.errors import BrokenImage, ImageLimitExceeded
from media_service.image.job_files import open_job_files
from media_service.image.model import DecodeLimits
from media_service.image.pipeline import render
from tests.support import heic_samples
from tests.support.metadata_samples import SECRET, exif
from tests.support.pictures import encode
from tests.support.renditions import render_picture

pytestmark = pytest.mark.usefixtures("decoders")
SIZE = (300, 200)
END = b"\xff\xd9"
RED, GREEN, BLUE = (200, 40, 40), (40, 200, 40), (40, 40, 200)


def open_rgb(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of a channel, in levels of 255."""
    assert one.size == other.size
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def samsung_trailer() -> bytes:
    """The trailer that Samsung's cameras write behind a panorama: blocks and their directory."""
    block = b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data" + SECRET
    block += b"\0\0\x01\x0b\x05\0\0\0Thumb" + encode("JPEG", (16, 16), seed=9)
    entries = struct.pack("<HHII", 0, 0x0A01, len(block), len(block))
    head = b"SEFH" + struct.pack("<II", 106, 1) + entries
    return block + head + struct.pack("<I", len(head)) + b"SEFT"


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize(
    "trailer",
    [b"", b"\xff", samsung_trailer(), SECRET * 50, SECRET + b"\xff\xc4\xff\xff" + SECRET],
    ids=["nothing", "half an end", "Samsung", "text", "a broken segment"],
)
def test_jpeg_without_end_is_taken_without_its_trailer(
    trailer: bytes, subsampling: str, tmp_path: Path
) -> None:
    whole = encode("JPEG", SIZE, subsampling=subsampling)
    assert whole.endswith(END)
    info, made = render_picture(tmp_path, whole.removesuffix(END) + trailer)
    assert (info.content_type, info.width, info.height) == ("image/jpeg", *SIZE)
    assert made["original"].endswith(END)
    assert difference(open_rgb(made["original"]), open_rgb(whole)) < 2
    for variant, data in made.items():
        assert SECRET not in data, variant
        assert b"SEFT" not in data, variant


def test_jpeg_without_end_is_stored_upright(tmp_path: Path) -> None:
    lying = encode("JPEG", SIZE, exif=exif(6))
    info, made = render_picture(tmp_path, lying.removesuffix(END))
    assert (info.width, info.height) == SIZE[::-1]
    upright = open_rgb(lying).transpose(Image.Transpose.ROTATE_270)
    assert difference(open_rgb(made["original"]), upright) < 4


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("trailer", [b"", samsung_trailer()[:30]], ids=["cut", "with a trailer"])
def test_jpeg_without_all_rows_is_broken(share: float, trailer: bytes, tmp_path: Path) -> None:
    noise = Image.effect_noise((400, 400), 90).convert("RGB")
    target = io.BytesIO()
    noise.save(target, "JPEG")
    whole = target.getvalue()
    with pytest.raises(BrokenImage):
        render_picture(tmp_path, whole[: int(len(whole) * share)] + trailer)


def test_ultra_hdr_keeps_its_base_picture(tmp_path: Path) -> None:
    base, gain_map = encode("JPEG", SIZE), encode("JPEG", (75, 50), seed=7, mode="L")
    xmp = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta hdrgm:Version="1.0"/>'
    index = b"MPF\0MM\0*\0\0\0\x08" + bytes(60)
    marked = base[:2]
    for marker, body in ((b"\xff\xe1", xmp), (b"\xff\xe2", index)):
        marked += marker + struct.pack(">H", len(body) + 2) + body
    info, made = render_picture(tmp_path, marked + base[2:] + gain_map)
    assert (info.content_type, info.width, info.height) == ("image/jpeg", *SIZE)
    assert difference(open_rgb(made["original"]), open_rgb(base)) == 0
    assert len(made["original"]) <= len(base)
    assert b"hdrgm" not in made["original"]


@pytest.mark.parametrize(
    ("sample", "size", "corners"),
    [
        (heic_samples.PLAIN, (64, 48), (RED, GREEN, BLUE)),
        (heic_samples.SECOND, (64, 48), (RED, GREEN, BLUE)),
        (heic_samples.TURNED, (48, 64), (BLUE, RED, RED)),
    ],
    ids=["plain", "of two pictures", "turned"],
)
def test_heic_is_served_as_upright_jpeg(
    sample: bytes, size: tuple[int, int], corners: tuple[tuple[int, ...], ...], tmp_path: Path
) -> None:
    info, made = render_picture(tmp_path, sample)
    assert info.content_type == "image/jpeg"
    assert (info.width, info.height) == size
    for variant, kind in (("original", "JPEG"), ("preview", "WEBP"), ("thumb", "WEBP")):
        served = Image.open(io.BytesIO(made[variant]))
        assert (served.format, served.size) == (kind, size)
        assert not dict(served.getexif())
        width, height = size
        places = ((8, 8), (width - 8, 8), (8, height - 8))
        for place, colour in zip(places, corners, strict=True):
            found = served.convert("RGB").getpixel(place)
            assert isinstance(found, tuple)
            assert max(abs(a - b) for a, b in zip(found, colour, strict=True)) < 40
        assert heic_samples.EXIF_SECRET not in made[variant]


def test_heic_transparent_is_laid_on_white(tmp_path: Path) -> None:
    _, made = render_picture(tmp_path, heic_samples.CLEAR)
    top = open_rgb(made["original"]).getpixel((8, 1))
    assert isinstance(top, tuple)
    assert min(top) > 220


def test_heic_over_the_pixel_cap_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pi_heif.heif.BaseImage.load", lambda _: pytest.fail("it was decoded"))
    path = tmp_path / "picture"
    path.write_bytes(heic_samples.PLAIN)
    with open_job_files(path) as files, pytest.raises(ImageLimitExceeded):
        render(files, DecodeLimits(64 * 48 - 1))


def test_heic_profile_is_kept_and_nothing_behind_it(tmp_path: Path) -> None:
    _, made = render_picture(tmp_path, heic_samples.PROFILED)
    profile = Image.open(io.BytesIO(made["original"])).info["icc_profile"]
    assert heic_samples.PROFILED.count(profile + SECRET) == 1
    assert SECRET not in made["original"]
