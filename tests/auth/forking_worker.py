"""A process that has imported everything and forks a delivery worker on request.

Run as `python -m tests.auth.forking_worker`; each line on its input starts one, whose id it prints.
"""

import asyncio
import contextlib
import os
import signal
import sys

from auth_service.commands import run_worker
from auth_service.settings import AuthSettings
from auth_service.wiring import Wiring
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.prctl import PR_SET_PDEATHSIG, prctl


def main() -> None:
    import auth_service.delivery.webhook  # noqa: F401, PLC0415 - imported once, before the forks

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(OSError):  # not Linux
                prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            wiring = Wiring(AuthSettings(), clock=SystemClock(), entropy=SystemEntropy())
            asyncio.run(run_worker(wiring))
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
