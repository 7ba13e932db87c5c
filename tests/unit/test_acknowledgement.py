"""What a subscriber tells the publishers, and what they believe."""

import json
import math

import pytest

from shared.revocation.acknowledgement import Acknowledgement
from shared.revocation.message import UnverifiedMessageError, sign
from shared.revocation.stream_cursor import StreamPosition

KEY, OTHER = b"k" * 40, b"o" * 40
GOOD = Acknowledgement("host-1", StreamPosition("e", (12, 3)), 3)


def test_acknowledgement_has_the_documented_format() -> None:
    body = json.loads(GOOD.encode(KEY))
    assert len(body.pop("mac")) == 64
    assert body == {"subscriber": "host-1", "epoch": "e", "applied": "12-3", "max_staleness": 3}


@pytest.mark.parametrize("staleness", [3, 0, 0.5, 0.1 + 0.2, 1e-05, 25, None])
def test_encoded_acknowledgement_is_decoded(staleness: float | None) -> None:
    said = GOOD._replace(max_staleness=staleness)
    assert Acknowledgement.decode(said.encode(KEY).encode(), [OTHER, KEY]) == said


@pytest.mark.parametrize(
    "epoch", ["", "epoch-1", "\u00e9 x", 'a"b', "a\\", '","max_staleness":0,"x":"']
)
def test_acknowledgement_of_any_epoch_is_heard(epoch: str) -> None:
    """Whoever writes to Redis may set the epoch; its subscribers must still be waited for."""
    said = GOOD._replace(applied=StreamPosition(epoch, (12, 3)))
    heard = Acknowledgement.decode(said.encode(KEY).encode(), [KEY])
    assert heard._replace(applied=said.applied) == said
    assert heard.applied.entry == said.applied.entry
    assert (heard.applied.epoch == epoch) is not bool(set(epoch) & set('"\\'))


@pytest.mark.parametrize(
    "change",
    [
        {"subscriber": "host-2"},
        {"epoch": "f"},
        {"applied": "99-0"},
        {"max_staleness": 0},
        {"max_staleness": None},
    ],
)
def test_changed_acknowledgement_is_unverified(change: dict[str, object]) -> None:
    text = json.dumps(json.loads(GOOD.encode(KEY)) | change)
    with pytest.raises(UnverifiedMessageError):
        Acknowledgement.decode(text.encode(), [KEY])


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"null", b"[]", b"\xff", b"[" * 5000, b'{"published":"x"}', b'{"mac":1}'],
)
def test_text_that_is_no_acknowledgement_is_unverified(text: bytes) -> None:
    with pytest.raises(UnverifiedMessageError):
        Acknowledgement.decode(text, [KEY])


@pytest.mark.parametrize(
    "change",
    [
        {"applied": "x"},
        {"applied": 5},
        {"applied": None},
        {"epoch": ...},
        {"epoch": 5},
        {"epoch": "x" * 512},
        {"more": 1},
        {"max_staleness": "x"},
        {"max_staleness": -1},
        {"max_staleness": 26},  # each sign-out would wait for it
        {"max_staleness": 10**310},
        {"applied": f"{'9' * 330}-0"},
        {"subscriber": ""},
        {"subscriber": "a" * 101},
        {"subscriber": "a b"},
        {"subscriber": 5},
        {"max_staleness": math.inf},
        {"max_staleness": math.nan},
    ],
)
def test_signed_text_of_another_format_is_unverified(change: dict[str, object]) -> None:
    body = json.loads(GOOD.encode(KEY)) | change
    del body["mac"]
    signed = sign({name: value for name, value in body.items() if value is not ...}, KEY)
    with pytest.raises(UnverifiedMessageError):
        Acknowledgement.decode(signed.encode(), [KEY])


def test_acknowledgement_signed_by_another_key_is_unverified() -> None:
    with pytest.raises(UnverifiedMessageError):
        Acknowledgement.decode(GOOD.encode(OTHER).encode(), [KEY])
