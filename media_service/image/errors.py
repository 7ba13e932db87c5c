"""Refusals of a picture. Imported by the worker too, so nothing heavy comes in here."""

from shared.errors import DomainError


class UnsupportedImage(DomainError):
    """The content is not JPEG, PNG, GIF, WebP, AVIF or HEIC, whatever its name says."""

    code, status, title = "unsupported_image", 415, "Not a JPEG, PNG, GIF, WebP, AVIF or HEIC image"
    advice = "Send the picture as JPEG, PNG, GIF, WebP, AVIF or HEIC."


class BrokenImage(DomainError):
    """The content starts like an image and does not decode whole, in reasonable time."""

    code, status, title = "broken_image", 422, "The image cannot be decoded whole"


class ImageLimitExceeded(DomainError):
    """More pixels, frames or hidden data than we decode."""

    code, status, title = "image_too_large", 422, "The image is too large to decode"
