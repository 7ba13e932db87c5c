"""Hundreds of hostile and broken pictures, made from seeds: the same ones in every run."""

import random
import struct
import zlib
from collections.abc import Iterator

from tests.support.hostile_pictures import BROKEN, TOO_LARGE, UNSUPPORTED, ZIP_TAIL, gif
from tests.support.metadata_samples import with_metadata
from tests.support.pictures import animate, chunk, encode, png

KINDS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
SCRIPT = b"<html><script>alert(1)</script></html>"
MUTANTS = 24

Named = tuple[str, bytes]


def corpus() -> list[Named]:
    """Every picture with a name that says how to make it again."""
    made = [*_truncated(), *_mutated(), *_polyglot(), *_absurd(), *_monsters()]
    for group in (BROKEN, TOO_LARGE, UNSUPPORTED):
        made += group.items()
    return made


def _truncated() -> Iterator[Named]:
    """Each format, cut at every tenth byte."""
    for kind in KINDS:
        picture = encode(kind, (24, 18), quality=30) if kind != "GIF" else encode(kind, (16, 12))
        for at in range(0, len(picture), 10):
            yield f"{kind} cut at {at}", picture[:at]


def _mutated() -> Iterator[Named]:
    """Bytes changed, removed, repeated and exchanged, in still and moving pictures."""
    for kind in KINDS:
        seeds = [encode(kind), with_metadata(kind)] + ([animate(kind, 3)] if kind != "JPEG" else [])
        for number, seed in enumerate(seeds):
            for mutant in range(MUTANTS):
                chance = random.Random(f"{kind} {number} {mutant}")  # noqa: S311 - repeatable
                yield f"{kind} {number} mutant {mutant}", _mutate(bytearray(seed), chance)


def _mutate(data: bytearray, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(12, len(data))
        match chance.randrange(4):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at : at + 4] = struct.pack(">I", chance.choice([0, 1, 2**31, 2**32 - 1]))
            case 2:
                del data[at : at + chance.randrange(1, 9)]
            case _:
                data[at:at] = data[at - 8 : at] * chance.randrange(1, 9)
    return bytes(data)


def _polyglot() -> Iterator[Named]:
    for kind in KINDS:
        picture = encode(kind)
        yield f"{kind} and a ZIP", picture + ZIP_TAIL
        yield f"{kind} and a page", picture + SCRIPT
        yield f"a page and {kind}", SCRIPT + picture
        for other in KINDS:
            yield f"{kind} and {other}", picture + encode(other)
        yield f"{kind} magic and a page", picture[:16] + SCRIPT * 20
    yield "GIF and a script", b"GIF89a/*" + encode("GIF")[8:] + b"*/=1;alert(1)"


def _absurd() -> Iterator[Named]:
    """Headers that announce anything."""
    chance = random.Random(6)  # noqa: S311 - repeatable
    for number in range(20):
        width, height = (chance.choice([0, 1, 12_000, 2**16, 2**31 - 1, 2**32 - 1]) for _ in "wh")
        depth = chance.choice([0, 1, 3, 16, 255])
        yield f"PNG header {number}", png(width, height, depth=depth, pixels=bytes(500))
    for level in (200, 5_000):
        boxes = b""
        for _ in range(level):
            boxes = struct.pack(">I", len(boxes) + 8) + b"moov" + boxes
        yield f"AVIF nested {level} deep", b"\0\0\0\x14ftypavif\0\0\0\0avif" + boxes
    for count in (0xFFFF, 0xFFFFFFFF):
        iloc = b"iloc\2\0\0\0\0\0" + struct.pack(">I", count) + bytes(9000)
        body = struct.pack(">I", len(iloc) + 4) + iloc
        meta = struct.pack(">I", len(body) + 12) + b"meta\0\0\0\0" + body
        yield f"AVIF of {count} items", b"\0\0\0\x14ftypavif\0\0\0\0avif" + meta


def _monsters() -> Iterator[Named]:
    """Animations as large as they may be, and larger."""
    yield "GIF of 200 large frames", gif(200, 1000, 1000)
    yield "GIF of 200 larger frames", gif(200, 2000, 1000)
    yield "GIF of 65,535 frames", gif(65_535)
    control = struct.pack(">IIIIIHHBB", 0, 1000, 1000, 0, 0, 1, 10, 0, 0)
    raster = zlib.compress(bytes(1_001_000), 9)
    frames = b"".join(
        chunk(b"fcTL", struct.pack(">I", 2 * n + 1) + control[4:])
        + chunk(b"fdAT", struct.pack(">I", 2 * n + 2) + raster)
        for n in range(150)
    )
    still = png(1000, 1000, chunk(b"acTL", struct.pack(">II", 150, 0)), pixels=bytes(1_001_000))
    yield "PNG of 150 large frames", still[:-12] + frames + still[-12:]
    yield "PNG of frames outside", still[:-12] + frames.replace(control[4:12], b"\0\1\0\0" * 2)
    yield "WebP of 100 frames", animate("WEBP", 100, (200, 200))
