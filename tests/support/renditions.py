"""Renders a picture in the test's own process."""

from pathlib import Path

from media_service.image.job_files import open_files
from media_service.image.model import VARIANTS, Bounds, ImageFacts, rendering
from media_service.image.pipeline import render


def render_picture(tmp_path: Path, picture: bytes) -> tuple[ImageFacts, dict[str, bytes]]:
    path = tmp_path / "picture"
    path.write_bytes(picture)
    with open_files(path) as files:
        facts = render(files, Bounds(40_000_000))
    return facts, {variant: rendering(path, variant).read_bytes() for variant in VARIANTS}
