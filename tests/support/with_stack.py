"""Run a command against a stack of our own: `python -m tests.support.with_stack COMMAND…`.

The command finds the stack's address in BASE_URL. If BASE_URL is given, that stack is used.
"""

import os
import subprocess
import sys

from tests.support.running_stack import stack_address


def main() -> int:
    """Return the command's exit code."""
    with stack_address() as url:
        environment = os.environ | {"BASE_URL": url}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
