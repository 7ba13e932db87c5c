"""`python -m media_service`."""

import sys

from media_service.cli import main

if __name__ == "__main__":
    sys.exit(main())
