"""Where a server's CPU goes: `python -m tests.bench.profiled FILE MODULE [ARGUMENT ...]`.

Looks at the main thread's stack each time so much CPU was used; time in C counts for its caller.
"""

import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY_SECONDS = 0.004  # no kernel looks more often
LINES = 60
CHECKOUT = str(Path(__file__).parents[2])


class Sampler:
    """Counts functions: on the stack at all, and at its top."""

    def __init__(self) -> None:
        self.samples = 0
        self._within: Counter[str] = Counter()
        self._at: Counter[str] = Counter()

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._look)
        signal.siginterrupt(signal.SIGPROF, False)
        signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _look(self, _number: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        self.samples += 1
        self._at[f"{_named(frame)}:{frame.f_lineno}"] += 1
        stack = set()
        at: FrameType | None = frame
        while at:
            stack.add(_named(at))
            at = at.f_back
        self._within.update(stack)

    def report(self) -> str:
        lines = [f"{self.samples} samples"]
        for title, counts in (("with what it calls", self._within), ("itself", self._at)):
            lines += ["", title]
            lines += [
                f"{count / max(1, self.samples):6.1%}  {name}"
                for name, count in counts.most_common(LINES)
            ]
        return "\n".join(lines) + "\n"


def _named(frame: FrameType) -> str:
    path = frame.f_code.co_filename.removeprefix(CHECKOUT).rpartition("site-packages")[2]
    return f"{path.lstrip('/')} {frame.f_code.co_qualname}"


def main() -> None:
    target, module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    sampler = Sampler()
    sampler.start()
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        sampler.stop()
        Path(target).write_text(sampler.report())


if __name__ == "__main__":
    main()
