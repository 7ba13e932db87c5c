"""Decoders for tests that render in their own process, without a worker."""

import pytest

from media_service.image.decode import load_codecs


@pytest.fixture(scope="session")
def decoders() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.simplefilter", lambda *_: None)  # the suite's own is stricter
        load_codecs()
