"""Renders a picture in the test's own process."""

from pathlib import Path

from media_service.image.job_files import open_job_files
from media_service.image.model import VARIANTS, DecodeLimits, ImageInfo, rendition_temp_path
from media_service.image.pipeline import render


def render_picture(tmp_path: Path, picture: bytes) -> tuple[ImageInfo, dict[str, bytes]]:
    path = tmp_path / "picture"
    path.write_bytes(picture)
    with open_job_files(path) as files:
        info = render(files, DecodeLimits(50_000_000))
    return info, {variant: rendition_temp_path(path, variant).read_bytes() for variant in VARIANTS}
