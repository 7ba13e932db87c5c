"""The rotation of one list of secrets: what was done last, and from when an old one may go."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypedDict

from auth_service.signing.keystore import write_whole
from shared.clock import Clock, rfc3339

OWNER = 0o400


class _Record(TypedDict):
    """What is written beside the list: the last step, and when the first secret began to sign."""

    step: Literal["add", "use", "drop"]
    used_at: str


class Rotation:
    """A file of comma-separated secrets, the first of which signs.

    Beside it lie `NAME.rotation`, and after a drop `NAME.dropped` with the list of before.
    """

    def __init__(self, path: Path, wait: timedelta, clock: Clock) -> None:
        """`wait`: how long what an old secret made may be out after another one signs."""
        self._path = path
        self._wait = wait
        self._clock = clock
        self._record = path.with_name(f"{path.name}.rotation")
        self._dropped = path.with_name(f"{path.name}.dropped")

    def add(self, fresh: str, *, most: int) -> list[str]:
        """Append a secret that is accepted and does not sign yet.

        Raises:
            ValueError: there are `most` already.
        """
        listed = self._read()
        if len(listed) >= most:
            raise self._refusal("add", listed, "drop")
        self._dropped.unlink(missing_ok=True)
        return self._write([*listed, fresh], "add", self._used_at())

    def use(self) -> list[str]:
        """Let the last secret sign.

        Raises:
            ValueError: there is no other.
        """
        listed = self._read()
        if len(listed) <= 1:
            raise self._refusal("use", listed, "add")
        return self._write([listed[-1], *listed[:-1]], "use", self._clock.now())

    def drop(self, *, force: bool) -> list[str]:
        """Accept the last secret no more; the list of before is kept for `undo`.

        One that was added and never used made nothing, so it may go at once.

        Raises:
            ValueError: there is no other, or what it made may be out and `force` is not given.
        """
        listed = self._read()
        if len(listed) <= 1:
            raise self._refusal("drop", listed, "add")
        safe_from = self._used_at() + self._wait
        if self._last_step() != "add" and self._clock.now() < safe_from and not force:
            date = rfc3339(safe_from.replace(microsecond=0))
            message = (
                f"drop: {self._path.name} is safe to drop from {date} on; --force drops it now"
            )
            raise ValueError(message)
        write_whole(self._dropped, ",".join(listed), OWNER)
        return self._write(listed[:-1], "drop", self._used_at())

    def undo(self) -> list[str]:
        """Bring back the list of before the last drop.

        Raises:
            ValueError: nothing was dropped, or the list was changed since.
        """
        listed = self._read()
        before = self._dropped.read_text().split(",") if self._dropped.exists() else []
        if before[:-1] != listed:
            raise ValueError(f"undo: {self._path.name} has lost nothing since its last step")
        written = self._write(before, "use", self._used_at())
        self._dropped.unlink()
        return written

    def _read(self) -> list[str]:
        return self._path.read_text().split(",")

    def _write(
        self, listed: list[str], step: Literal["add", "use", "drop"], used_at: datetime
    ) -> list[str]:
        record = _Record(step=step, used_at=used_at.isoformat())
        write_whole(self._record, json.dumps(record), OWNER)
        write_whole(self._path, ",".join(listed), OWNER)
        return listed

    def _last_step(self) -> str:
        return self._known()["step"] if self._record.exists() else "use"

    def _used_at(self) -> datetime:
        """Return when the first secret began to sign; at the latest, where nobody wrote it down."""
        if self._record.exists():
            return datetime.fromisoformat(self._known()["used_at"])
        return datetime.fromtimestamp(self._path.stat().st_mtime, UTC)

    def _known(self) -> _Record:
        record: _Record = json.loads(self._record.read_text())
        return record

    def _refusal(self, step: str, listed: list[str], first: str) -> ValueError:
        return ValueError(f"{step}: {self._path.name} holds {len(listed)}; {first} one first")
