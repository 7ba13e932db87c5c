"""Rotate one list of secrets, and refuse to drop a secret that may still be needed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from auth_service.signing.keystore import write_atomically
from shared.clock import Clock, rfc3339

OWNER_ONLY = 0o400


class SecretRotation:
    """A file of comma-separated secrets, the first of which signs.

    Beside it are `NAME.rotation` and, after a drop, `NAME.dropped` with the previous list.
    """

    def __init__(self, path: Path, wait: timedelta, clock: Clock) -> None:
        """`wait` is how long a replaced secret must still verify what it signed."""
        self._path = path
        self._wait = wait
        self._clock = clock
        self._record_file = path.with_name(f"{path.name}.rotation")
        self._undo_file = path.with_name(f"{path.name}.dropped")

    def add(self, new_secret: str, *, max_count: int) -> list[str]:
        """Append a secret that verifies and does not sign yet.

        Raises:
            ValueError: the list holds `max_count` secrets already.
        """
        listed = self._read()
        if len(listed) >= max_count:
            raise self._step_error("add", listed, "drop")
        self._undo_file.unlink(missing_ok=True)
        return self._write([*listed, new_secret], "add", self._signing_since())

    def promote(self) -> list[str]:
        """Move the last secret to the front, so that it signs.

        Raises:
            ValueError: the list holds one secret only.
        """
        listed = self._read()
        if len(listed) <= 1:
            raise self._step_error("use", listed, "add")
        return self._write([listed[-1], *listed[:-1]], "use", self._clock.now())

    def drop(self, *, force: bool) -> list[str]:
        """Remove the last secret, and keep the previous list for `undo`.

        A secret that was added and never signed may be removed at once.

        Raises:
            ValueError: the list holds one secret only, or it is too early and `force` is not set.
        """
        listed = self._read()
        if len(listed) <= 1:
            raise self._step_error("drop", listed, "add")
        safe_from = self._signing_since() + self._wait
        if self._read_record()["step"] != "add" and self._clock.now() < safe_from and not force:
            date = rfc3339(safe_from.replace(microsecond=0))
            raise ValueError(
                f"drop: {self._path.name} is safe to drop from {date} on; --force drops it now"
            )
        write_atomically(self._undo_file, ",".join(listed), OWNER_ONLY)
        return self._write(listed[:-1], "drop", self._signing_since())

    def undo(self) -> list[str]:
        """Restore the list as it was before the last drop.

        Raises:
            ValueError: nothing was dropped, or the list has changed since then.
        """
        listed = self._read()
        previous = self._undo_file.read_text().split(",") if self._undo_file.exists() else []
        if previous[:-1] != listed:
            raise ValueError(
                f"undo: no secret was dropped from {self._path.name} since its last step"
            )
        written = self._write(previous, "use", self._signing_since())
        self._undo_file.unlink()
        return written

    def _read(self) -> list[str]:
        return self._path.read_text().split(",")

    def _write(
        self, listed: list[str], step: Literal["add", "use", "drop"], used_at: datetime
    ) -> list[str]:
        record = {"step": step, "used_at": used_at.isoformat()}
        write_atomically(self._record_file, json.dumps(record), OWNER_ONLY)
        write_atomically(self._path, ",".join(listed), OWNER_ONLY)
        return listed

    def _read_record(self) -> dict[str, str]:
        """Return the last step, and since when the first secret signs: at first the file's date."""
        if self._record_file.exists():
            return dict(json.loads(self._record_file.read_text()))
        changed_at = datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        return {"step": "use", "used_at": changed_at.isoformat()}

    def _signing_since(self) -> datetime:
        return datetime.fromisoformat(self._read_record()["used_at"])

    def _step_error(self, step: str, listed: list[str], needed: str) -> ValueError:
        return ValueError(f"{step}: {self._path.name} holds {len(listed)}; {needed} one first")
