"""A generated JPEG that looks like a phone's photo: noise, and EXIF with place and time."""

from io import BytesIO

from PIL import Image, ImageChops, ImageDraw, ImageFilter
from PIL.ExifTags import IFD, Base

WIDTH, HEIGHT = 1600, 1200
HORIZON = 700
DUSK, DAWN, SUN, SEA = (38, 52, 105), (255, 190, 120), (255, 236, 190), (46, 66, 78)
GRAIN = 18
QUALITY = 88

TAKEN = "2026:03:21 06:12:44"


def make_sample_photo() -> bytes:
    """Return a JPEG of a sunrise over the sea, with camera, time and place in its EXIF."""
    picture = _sky()
    draw = ImageDraw.Draw(picture)
    draw.ellipse((1050, HORIZON - 170, 1230, HORIZON + 10), fill=SUN)
    draw.rectangle((0, HORIZON, WIDTH, HEIGHT), fill=SEA)
    picture = picture.filter(ImageFilter.GaussianBlur(1.2))
    grain = Image.effect_noise((WIDTH, HEIGHT), GRAIN).convert("RGB")
    picture = ImageChops.overlay(picture, grain)
    file = BytesIO()
    picture.save(file, "JPEG", quality=QUALITY, exif=_exif(), comment=b"taken for the demo")
    return file.getvalue()


def _sky() -> Image.Image:
    light = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    above, below = (Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in (DUSK, DAWN))
    return Image.composite(below, above, light)


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[Base.Make] = "Cheershare"
    exif[Base.Model] = "Demo camera"
    exif[Base.DateTime] = TAKEN
    exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = TAKEN
    exif.get_ifd(IFD.GPSInfo).update(
        {1: "N", 2: (18.0, 55.0, 19.0), 3: "E", 4: (72.0, 50.0, 4.0)}  # latitude, longitude
    )
    return exif
