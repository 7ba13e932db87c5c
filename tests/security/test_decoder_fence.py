"""A decoder that a picture has taken over: what it can reach from inside, and what is kept."""

import json
import os
import socket
import subprocess
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
import structlog

from media_service.image.decode import load_codecs
from media_service.image.job_files import open_job_files
from media_service.image.model import ORIGINAL, DecodeLimits, ImageInfo, rendition_temp_path
from media_service.image.pipeline import render
from media_service.image.worker.pool import open_decoder_pool
from media_service.image.worker.process import DecoderProcess
from shared.errors import DomainError
from tests.support.decoder_attacks import HARMFUL, HARMLESS, Target
from tests.support.decoders import StartedDecoders
from tests.support.hostile_pictures import WHOLE
from tests.support.metadata_samples import with_metadata
from tests.support.picture_corpus import KINDS, corpus
from tests.support.pictures import animate, encode

LIMITS = DecodeLimits(50_000_000)
PROBING = (
    "from tests.support.decoder_attacks import probe",
    "worker.main(PARENT, handle=probe)",
)
UNFENCED = (
    "from tests.support.decoder_attacks import probe_harmlessly",
    "worker.enter_sandbox = list",
    "worker.main(PARENT, handle=probe_harmlessly)",
)
REFUSE = "def refuse(*_): raise OSError(38, 'ENOSYS')"
MISSING = {
    "unknown machine": (
        ["import platform", "platform.machine = lambda: 'riscv64'"],
        {"no_new_privs", "landlock"},
    ),
    "translated machine": (
        [
            "from media_service.image.worker.seccomp import ARCHITECTURES",
            "ARCHITECTURES.update(x86_64=1, aarch64=1)",
        ],
        {"no_new_privs", "landlock"},
    ),
    "no Landlock": (
        ["from media_service.image.worker import landlock", "landlock._CREATE_RULESET = 9999"],
        {"no_new_privs", "seccomp"},
    ),
    "no no_new_privs": (
        ["from media_service.image.worker import sandbox", REFUSE, "sandbox.prctl = refuse"],
        {"landlock", "seccomp"},
    ),
    "none": (
        [
            "from media_service.image.worker import landlock, sandbox, seccomp",
            REFUSE,
            "sandbox.prctl = seccomp.prctl = landlock._syscall = refuse",
        ],
        set(),
    ),
}
"""What a kernel lacks: lines that make it so for a decoder, and what can hold then at most."""
OF_FILES = {"another's file", "/etc/passwd", "environment", "directory", "write a file", "rename"}


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    """A listener on loopback, a process of this user, and another user's upload."""
    others = tmp_path / "others upload"
    others.write_bytes(encode("PNG"))
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        subprocess.Popen(["/bin/sleep", "60"]) as victim,
    ):
        port = listener.getsockname()[1]
        yield Target(port, os.getpid(), victim.pid, str(tmp_path / "new"), str(others))
        assert victim.poll() is None
        victim.kill()


@asynccontextmanager
async def running(worker: DecoderProcess) -> AsyncIterator[DecoderProcess]:
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


async def attack(worker: DecoderProcess, target: Target, tmp_path: Path) -> dict[str, object]:
    """What came of each attack: `done`, or the name of the error."""
    path = tmp_path / "job"
    path.write_text(json.dumps(asdict(target)))
    await worker.render(path)
    outcome: dict[str, object] = json.loads(rendition_temp_path(path, ORIGINAL).read_text())
    return outcome


async def verdict(worker: DecoderProcess, path: Path) -> ImageInfo | str:
    try:
        return await worker.render(path)
    except DomainError as refusal:
        return refusal.code


def verdict_here(path: Path) -> ImageInfo | str:
    try:
        with open_job_files(path) as files:
            return render(files, LIMITS)
    except DomainError as refusal:
        return refusal.code


async def test_decoder_compromised_reaches_nothing_and_still_decodes(
    target: Target, tmp_path: Path, decoders: StartedDecoders
) -> None:
    decoders.run(*PROBING)
    async with running(DecoderProcess(LIMITS)) as worker:
        outcome = await attack(worker, target, tmp_path)
        assert outcome.pop("thread") is True
        assert set(outcome) == set(HARMLESS | HARMFUL)
        assert {name for name, one in outcome.items() if one != "PermissionError"} == set()
        for kind in KINDS:
            path = tmp_path / kind
            path.write_bytes(encode(kind))
            assert (await worker.render(path)).content_type == f"image/{kind.lower()}"
    assert decoders.count == 1


async def test_decoder_without_sandbox_attacks_succeed(
    target: Target, tmp_path: Path, decoders: StartedDecoders
) -> None:
    """Or the test above would prove nothing."""
    decoders.run(*UNFENCED)
    async with running(DecoderProcess(LIMITS)) as worker:
        outcome = await attack(worker, target, tmp_path)
    assert outcome == dict.fromkeys(HARMLESS, "done")


async def test_decoder_under_seccomp_alone_refuses_every_attack(
    target: Target, tmp_path: Path, decoders: StartedDecoders
) -> None:
    decoders.run(
        "from media_service.image.worker import sandbox",
        "del sandbox.SAFEGUARDS['landlock']",
        *PROBING,
    )
    async with running(DecoderProcess(LIMITS)) as worker:
        assert worker.sandbox == ("no_new_privs", "seccomp")
        outcome = await attack(worker, target, tmp_path)
    assert {one for name, one in outcome.items() if name != "thread"} == {"PermissionError"}


async def test_decoder_under_landlock_alone_refuses_files(
    target: Target, tmp_path: Path, decoders: StartedDecoders
) -> None:
    decoders.run(
        "from media_service.image.worker import sandbox",
        "from tests.support.decoder_attacks import probe_harmlessly",
        "del sandbox.SAFEGUARDS['seccomp']",
        "worker.main(PARENT, handle=probe_harmlessly)",
    )
    async with running(DecoderProcess(LIMITS)) as worker:
        outcome = await attack(worker, target, tmp_path)
        refused = {name for name, one in outcome.items() if one == "PermissionError"}
        assert bool(refused) is ("landlock" in worker.sandbox)
        assert refused >= OF_FILES & set(HARMLESS) or not refused


async def test_decoder_in_production_has_every_safeguard_and_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REVOCATION_KEY", "secret")
    async with running(DecoderProcess(LIMITS)) as worker:
        status = Path(f"/proc/{worker.pid}/status").read_text().split("\n")
        environment = Path(f"/proc/{worker.pid}/environ").read_bytes().split(b"\0")
        descriptors = list(Path(f"/proc/{worker.pid}/fd").iterdir())
    assert {"NoNewPrivs:\t1", "Seccomp:\t2"} <= set(status)
    assert {one.split(b"=")[0] for one in environment} <= {
        b"",
        b"LD_LIBRARY_PATH",
        b"MALLOC_ARENA_MAX",
        b"PYTHONDONTWRITEBYTECODE",
    }
    assert len(descriptors) == 5  # standard input, output and error, the jobs, the answers


async def test_decoder_in_sandbox_gives_the_same_verdicts_as_outside(tmp_path: Path) -> None:
    """What a decoder loads late, or asks the kernel for, would show as another verdict."""
    pictures = [picture for picture, *_ in WHOLE.values()]
    pictures += [with_metadata(kind) for kind in KINDS]
    pictures += [animate(kind, 3) for kind in KINDS if kind != "JPEG"]
    pictures += [picture for _, picture in corpus()[::6]]
    path = tmp_path / "picture"
    with warnings.catch_warnings():
        load_codecs()  # HEIC's decoder is none of Pillow's own
    async with running(DecoderProcess(LIMITS)) as worker:
        for picture in pictures:
            path.write_bytes(picture)
            assert await verdict(worker, path) == verdict_here(path)


@pytest.mark.parametrize("kernel", MISSING)
async def test_decoder_on_kernel_without_a_safeguard_uses_the_others(
    kernel: str, tmp_path: Path, decoders: StartedDecoders
) -> None:
    fault, possible = MISSING[kernel]
    decoders.run(*fault, "worker.main(PARENT)")
    path = tmp_path / "picture"
    path.write_bytes(encode("AVIF"))
    async with running(DecoderProcess(LIMITS)) as worker:
        assert set(worker.sandbox) <= possible
        assert (await worker.render(path)).content_type == "image/avif"


async def test_decoder_pool_started_logs_the_safeguards_once() -> None:
    with structlog.testing.capture_logs() as logs:
        async with open_decoder_pool(2, LIMITS):
            pass
    [line] = [one for one in logs if one["event"] == "image_worker.sandbox"]
    assert {*line["active"], *line["missing"]} == {"no_new_privs", "landlock", "seccomp"}
    assert {"no_new_privs", "seccomp"} <= set(line["active"])
