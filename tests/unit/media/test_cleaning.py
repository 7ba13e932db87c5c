"""What is served of a picture: no metadata, no tail, upright, and not one pixel changed."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageOps, ImageSequence, ImageStat, JpegImagePlugin

from media_service.image.decode import frame_count
from media_service.image.errors import BrokenImage
from tests.support.metadata_samples import (
    SECRET,
    chunks,
    open_image,
    red_green_swapped_profile,
    segments,
    with_metadata,
)
from tests.support.pictures import animate, chunk, draw, encode, png
from tests.support.renditions import render_picture

KINDS = ["JPEG", "PNG", "GIF", "WEBP", "AVIF"]
MOVING = ["PNG", "GIF", "WEBP", "AVIF"]
HIDING = {"exif", "xmp", "comment", "photoshop", "XML:com.adobe.xmp", "Comment", "Packed", "mp"}


pytestmark = pytest.mark.usefixtures("decoders")


def pixels(data: bytes) -> list[bytes]:
    frames = ImageSequence.Iterator(Image.open(io.BytesIO(data)))
    return [frame.convert("RGBA").tobytes() for frame in frames]


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of a channel, in levels of 255."""
    assert one.size == other.size
    mean = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean
    return sum(mean) / 3


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_clean_picture_has_no_metadata_and_the_same_pixels(
    kind: str, frames: int, tmp_path: Path
) -> None:
    if frames > 1 and kind not in MOVING:
        return
    picture = with_metadata(kind, frames=frames)
    assert SECRET in picture
    _, made = render_picture(tmp_path, picture)
    assert frame_count(open_image(made["original"])) == frames
    for variant, data in made.items():
        assert SECRET not in data, variant
        image = open_image(data)
        assert not HIDING & set(image.info), variant
        assert not dict(image.getexif()), variant
    assert pixels(made["original"]) == pixels(picture)
    if kind != "GIF":
        assert (
            open_image(made["original"]).info["icc_profile"]
            == open_image(picture).info["icc_profile"]
        )


def test_clean_file_consists_of_drawing_parts_alone(tmp_path: Path) -> None:
    _, made = render_picture(tmp_path, with_metadata("JPEG"))
    drawn = {0xE0, 0xE2, 0xDB, 0xC0, 0xC4, 0xDA}
    assert set(segments(made["original"])) <= drawn
    _, made = render_picture(tmp_path, with_metadata("PNG", frames=2))
    names = chunks(made["original"], "PNG")
    assert names[0] == "IHDR"
    assert names[-1] == "IEND"
    assert set(names[1:-1]) == {"iCCP", "acTL", "fcTL", "IDAT", "fdAT"}
    _, made = render_picture(tmp_path, with_metadata("WEBP", frames=2))
    assert set(chunks(made["original"], "WEBP")) == {"VP8X", "ICCP", "ANIM", "ANMF"}
    assert set(chunks(made["preview"], "WEBP")) == {"VP8 "}
    _, made = render_picture(tmp_path, with_metadata("AVIF"))
    assert chunks(made["original"], "AVIF") == ["ftyp", "meta", "mdat"]
    _, made = render_picture(tmp_path, with_metadata("AVIF", frames=2))
    assert chunks(made["original"], "AVIF") == ["ftyp", "meta", "moov", "mdat"]
    for box, at in ((b"mvhd", 8), (b"tkhd", 8), (b"mdhd", 8)):  # when it was made
        start = made["original"].index(box) + at
        assert made["original"][start : start + 8] == bytes(8)
    _, made = render_picture(tmp_path, with_metadata("GIF", frames=2))
    assert made["original"].endswith(b";")
    assert b"!\xfe" not in made["original"]


def test_clean_jpeg_scan_is_kept_bit_for_bit(tmp_path: Path) -> None:
    chosen: list[dict[str, Any]] = [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 35}]
    for options in chosen:
        picture = with_metadata("JPEG", size=(200, 150), **options)
        _, made = render_picture(tmp_path, picture)
        start = picture.index(b"\xff\xda")
        end = picture.rindex(b"\xff\xd9PK")
        assert picture[start:end] in made["original"]


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_clean_picture_with_orientation_is_upright(
    kind: str, orientation: int, tmp_path: Path
) -> None:
    lossless: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    picture = with_metadata(kind, orientation, size=(640, 480), **lossless)
    info, made = render_picture(tmp_path, picture)
    wanted = ImageOps.exif_transpose(open_image(picture))
    served = open_image(made["original"])
    assert (info.width, info.height) == served.size == wanted.size
    assert not dict(served.getexif())
    assert SECRET not in made["original"]
    assert "icc_profile" in served.info
    if kind in {"PNG", "WEBP"}:
        assert served.convert("RGB").tobytes() == wanted.convert("RGB").tobytes()
    else:
        assert difference(served, wanted) < 1.5
    assert difference(open_image(made["preview"]), wanted) < 8


def test_clean_large_avif_is_turned_by_its_property(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_service.image.formats.avif.clean._MAX_ENCODED_PIXELS", 100)
    picture = with_metadata("AVIF", 6)
    info, made = render_picture(tmp_path, picture)
    assert (info.width, info.height) == (48, 64)
    assert pixels(made["original"]) == pixels(picture)
    assert SECRET not in made["original"]
    assert open_image(made["preview"]).size == (48, 64)


@pytest.mark.parametrize("orientation", [3, 6])
def test_clean_cmyk_jpeg_with_orientation_is_upright(orientation: int, tmp_path: Path) -> None:
    picture = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    draw((320, 240), mode="CMYK").save(picture, "JPEG", exif=exif)
    _, made = render_picture(tmp_path, picture.getvalue())
    wanted = ImageOps.exif_transpose(open_image(picture.getvalue()))
    served = open_image(made["original"])
    assert served.mode == "CMYK"
    assert difference(served, wanted) < 3
    assert difference(open_image(made["preview"]), wanted) < 8


def test_clean_turned_jpeg_keeps_its_quantisation(tmp_path: Path) -> None:
    for sampling in (0, 1, 2):
        picture = with_metadata("JPEG", 3, subsampling=sampling, quality=81)
        _, made = render_picture(tmp_path, picture)
        before, after = open_image(picture), open_image(made["original"])
        assert isinstance(before, JpegImagePlugin.JpegImageFile)
        assert isinstance(after, JpegImagePlugin.JpegImageFile)
        assert after.quantization == before.quantization
        assert JpegImagePlugin.get_sampling(after) == sampling
        sideways = open_image(
            render_picture(tmp_path, with_metadata("JPEG", 6, quality=81))[1]["original"]
        )
        assert isinstance(sideways, JpegImagePlugin.JpegImageFile)
        table, turned = before.quantization[0], sideways.quantization[0]
        assert [turned[x * 8 + y] for y in range(8) for x in range(8)] == list(table)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_clean_animation_with_orientation_is_upright(kind: str, tmp_path: Path) -> None:
    more: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    info, made = render_picture(tmp_path, with_metadata(kind, 6, frames=3, **more))
    image = Image.open(io.BytesIO(made["original"]))
    assert (frame_count(image), info.width, info.height) == (3, 48, 64)
    for seed, frame in enumerate(ImageSequence.Iterator(image), 1):
        frame.load()
        assert frame.info["duration"] == 70
        wanted = draw(seed=seed).transpose(Image.Transpose.ROTATE_270)
        assert frame.convert("RGB").tobytes() == wanted.tobytes()


def test_clean_animation_keeps_durations_and_loop(tmp_path: Path) -> None:
    for kind in ("GIF", "WEBP", "PNG"):
        picture = animate(kind, 4, duration=[40, 80, 120, 160], loop=3)
        _, made = render_picture(tmp_path, picture)
        image = Image.open(io.BytesIO(made["original"]))
        paces = []
        for frame in ImageSequence.Iterator(image):
            frame.load()
            paces.append(frame.info["duration"])
        assert (paces, image.info["loop"]) == ([40, 80, 120, 160], 3)


def test_thumbnails_fit_their_bounds(tmp_path: Path) -> None:
    for size, preview, thumb in (
        ((3000, 2000), (1280, 853), (256, 171)),
        ((500, 2600), (246, 1280), (49, 256)),
        ((40, 30), (40, 30), (40, 30)),
        ((12_000, 3), (1280, 1), (256, 1)),
    ):
        _, made = render_picture(tmp_path, encode("PNG", size))
        assert [open_image(made[one]).size for one in ("preview", "thumb")] == [preview, thumb]
        assert {open_image(made[one]).format for one in ("preview", "thumb")} == {"WEBP"}


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_thumbnails_of_every_pixel_mode_look_alike(mode: str, tmp_path: Path) -> None:
    target = io.BytesIO()
    picture = Image.linear_gradient("L").resize((700, 400))
    if mode == "I;16":
        Image.frombytes(
            "I;16", (700, 400), b"".join(bytes([0, v]) for v in picture.tobytes())
        ).save(target, "PNG")
    else:
        picture.convert(mode).save(target, "PNG")
    _, made = render_picture(tmp_path, target.getvalue())
    assert difference(open_image(made["preview"]), picture) < 6 or mode == "1"


def test_thumbnails_keep_transparency(tmp_path: Path) -> None:
    for kind in ("PNG", "WEBP", "AVIF"):
        picture = draw((600, 400), mode="RGBA")
        picture.putalpha(Image.new("L", picture.size, 0))
        target = io.BytesIO()
        picture.save(target, kind)
        _, made = render_picture(tmp_path, target.getvalue())
        assert open_image(made["thumb"]).getchannel("A").getextrema() == (0, 0), kind


def test_thumbnails_apply_the_colour_profile(tmp_path: Path) -> None:
    red = Image.new("RGB", (300, 200), (250, 10, 10))
    for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
        target = io.BytesIO()
        red.save(target, kind, icc_profile=red_green_swapped_profile())
        _, made = render_picture(tmp_path, target.getvalue())
        assert open_image(made["original"]).info["icc_profile"] == red_green_swapped_profile()
        for variant in ("preview", "thumb"):
            shown = open_image(made[variant]).convert("RGB").getpixel((100, 100))
            assert isinstance(shown, tuple)
            assert shown[1] > 200 > shown[0], (kind, variant)


def test_clean_invalid_colour_profile_is_dropped(tmp_path: Path) -> None:
    for broken in (
        b"x" * 500,
        red_green_swapped_profile()[:100],
        red_green_swapped_profile()[:-200],
    ):
        target = io.BytesIO()
        draw().save(target, "WEBP", icc_profile=broken)
        _, made = render_picture(tmp_path, target.getvalue())
        assert "icc_profile" not in open_image(made["original"]).info
    target = io.BytesIO()
    draw().save(target, "WEBP", icc_profile=red_green_swapped_profile() + SECRET)
    _, made = render_picture(tmp_path, target.getvalue())
    assert open_image(made["original"]).info["icc_profile"] == red_green_swapped_profile()


def test_clean_png_bytes_behind_the_pixels_are_removed_or_refused(tmp_path: Path) -> None:
    row = b"\0" + bytes(10)
    plain = png(10, 10, pixels=row * 10)
    _, made = render_picture(tmp_path, plain)
    at = plain.index(b"IDAT")
    length = int.from_bytes(plain[at - 4 : at])
    longer = chunk(b"IDAT", plain[at + 4 : at + 4 + length] + SECRET)
    hiding = plain[: at - 4] + longer + plain[at + length + 8 :]
    assert render_picture(tmp_path, hiding)[1]["original"] == made["original"]
    with pytest.raises(BrokenImage):
        render_picture(tmp_path, png(10, 10, pixels=row * 10 + SECRET))


def test_placeholder_is_a_blurhash(tmp_path: Path) -> None:
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

    def number(text: str) -> int:
        value = 0
        for digit in text:
            value = value * 83 + digits.index(digit)
        return value

    for size, parts in (((64, 48), (4, 3)), ((48, 64), (3, 4))):
        target = io.BytesIO()
        Image.new("RGB", size, (200, 100, 50)).save(target, "PNG")
        placeholder = render_picture(tmp_path, target.getvalue())[0].placeholder
        assert number(placeholder[0]) == parts[0] - 1 + (parts[1] - 1) * 9
        assert len(placeholder) == 4 + 2 * parts[0] * parts[1]
        average = number(placeholder[2:6])
        shown = average >> 16, average >> 8 & 255, average & 255
        assert all(abs(a - b) <= 4 for a, b in zip(shown, (200, 100, 50), strict=True))
    half = Image.new("RGB", (64, 48))
    half.paste((255, 255, 255), (32, 0, 64, 48))
    target = io.BytesIO()
    half.save(target, "PNG")
    placeholder = render_picture(tmp_path, target.getvalue())[0].placeholder
    first = number(placeholder[6:8])
    assert [first // 361, first // 19 % 19, first % 19] == [0, 0, 0]  # dark to the left
