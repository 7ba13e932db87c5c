"""`python -m media_service`."""

import gc
import sys

gc.disable()  # modules stay: collections while they load take a tenth of the start, for nothing

from media_service.cli import main  # noqa: E402

if __name__ == "__main__":
    gc.freeze()
    gc.enable()
    sys.exit(main())
