"""The codec of each format."""

from media_service.image.formats.avif.clean import avif_encoder_options, clean_avif
from media_service.image.formats.gif import clean_gif, scan_gif
from media_service.image.formats.heif import clean_heif, heif_encoder_options
from media_service.image.formats.jpeg import clean_jpeg, jpeg_encoder_options, scan_jpeg
from media_service.image.formats.model import ImageCodec
from media_service.image.formats.png.clean import (
    add_colour_space,
    clean_png,
    png_encoder_options,
)
from media_service.image.formats.png.scan import scan_png
from media_service.image.formats.webp import clean_webp, scan_webp, webp_encoder_options
from media_service.image.model import ImageFormat

CODECS = {
    ImageFormat.JPEG: ImageCodec(scan_jpeg, clean_jpeg, jpeg_encoder_options),
    ImageFormat.PNG: ImageCodec(scan_png, clean_png, png_encoder_options, add_colour_space),
    ImageFormat.GIF: ImageCodec(scan_gif, clean_gif),
    ImageFormat.WEBP: ImageCodec(scan_webp, clean_webp, webp_encoder_options),
    ImageFormat.AVIF: ImageCodec(None, clean_avif, avif_encoder_options),
    ImageFormat.HEIF: ImageCodec(None, clean_heif, heif_encoder_options),
}
