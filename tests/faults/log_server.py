"""Redis as a subscriber sees it: a log, its head, and everything that can happen to them."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from shared.revocation.stream_cursor import StreamId, parse_id


@dataclass
class History:
    """What a server holds, and a failover may go back to."""

    log: list[tuple[StreamId, str]] = field(default_factory=list)
    head: dict[bytes, bytes] = field(default_factory=dict)


def text_of(entry: StreamId) -> bytes:
    return b"%d-%d" % entry


@dataclass
class LogServer:
    """Answers HGETALL, XRANGE and PUBLISH as Redis does; the test does the rest to it."""

    history: History = field(default_factory=History)
    past: list[History] = field(default_factory=list)
    milliseconds: int = 1_800_000_000_000
    after_head: Callable[[], None] | None = None
    on_published: Callable[[str], None] = lambda _: None
    reachable: bool = True
    _number: int = 0

    @property
    def epoch(self) -> bytes | None:
        return self.history.head.get(b"epoch")

    def append(self, message: str, *, published: bool) -> StreamId:
        """XADD with `*`: never lower than the last id; no id is ever given twice."""
        self.past.append(deepcopy(self.history))
        log = self.history.log
        moment = max(self.milliseconds, log[-1][0][0] if log else 0)
        self._number += 1
        entry = (moment, self._number)
        log.append((entry, message))
        if published:
            self.history.head[b"last"] = text_of(entry)
        return entry

    def begin(self, epoch: str) -> None:
        log = self.history.log
        last = text_of(log[-1][0]) if log else b"0-0"
        self.history.head |= {b"epoch": epoch.encode(), b"last": last}

    def count(self, name: str) -> int:
        return int(self.history.head.get(name.encode(), 0))

    def note(self, **numbers: int) -> None:
        """Of the publishers' rounds."""
        self.history.head |= {name.encode(): b"%d" % number for name, number in numbers.items()}

    def wipe(self) -> None:
        self.past.append(deepcopy(self.history))
        self.history = History()

    def fail_over(self, back: int) -> None:
        """Go back by so many appended entries."""
        for _ in range(min(back, len(self.past))):
            self.history = self.past.pop()

    def trim(self, older_than: int) -> None:
        log = self.history.log
        self.history.log = [one for one in log[:-1] if one[0][0] >= older_than] + log[-1:]

    def holds(self, message: str) -> bool:
        return any(text == message for _, text in self.history.log)

    async def execute(self, *commands: tuple[Any, ...]) -> list[Any]:
        if not self.reachable:
            raise ConnectionError
        return [self._answer(*command) for command in commands]

    def _answer(self, name: str, _key: str, *arguments: Any) -> Any:
        if name == "HGETALL":
            return self._read_head()
        if name == "PUBLISH":
            return self.on_published(arguments[0])
        return self._read_range(*arguments)

    def _read_head(self) -> list[bytes]:
        answer = [word for pair in self.history.head.items() for word in pair]
        if self.after_head is not None:
            happens, self.after_head = self.after_head, None
            happens()
        return answer

    def _read_range(self, first: str, last: str, _count: str, limit: int) -> list[Any]:
        after = parse_id(first.removeprefix("(").encode()) if first != "-" else (0, 0)
        found = [
            [text_of(entry), [b"m", text.encode()]]
            for entry, text in self.history.log
            if (entry > after or (entry == after and not first.startswith("(")))
            and entry <= parse_id(last.encode())
        ]
        return found[:limit]
