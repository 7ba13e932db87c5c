"""The key file, watched: read at start, read again when it changes."""

import asyncio

import structlog

from shared.tokens import JwksFile, TokenVerifier

LOOK_SECONDS = 1
log = structlog.get_logger()


class KeyWatch:
    """Keeps a verifier on a file's keys; the file may come later than the service."""

    def __init__(self, file: JwksFile, verifier: TokenVerifier) -> None:
        """Look at nothing yet."""
        self._file = file
        self._verifier = verifier
        self._trouble = ""

    async def look(self) -> None:
        """Take changed keys over; a broken or missing file leaves the last good set in force."""
        try:
            keys = await asyncio.to_thread(self._file.read_if_changed)
        except (OSError, ValueError) as wrong:
            self._report(repr(wrong))
            return
        self._trouble = ""
        if keys is not None:
            self._verifier.use(keys)
            log.info("keys.loaded", count=len(keys))

    def _report(self, trouble: str) -> None:
        """Say once what is wrong, not every second."""
        if trouble != self._trouble:
            self._trouble = trouble
            log.warning("keys.unreadable", error=trouble)
