"""curl, which waits for `100 Continue` before a large body: `curl.py ADDRESS PICTURE DAY GOOD BAD`.

One process makes all requests, so that they share its connections.
"""

import subprocess
import sys

address, picture, day, good, bad = sys.argv[1:]
url = f"{address}/v1/media/creatives"


def call(step: str, token: str, *more: str) -> list[str]:
    written = ["--silent", "--output", "/dev/null", "--write-out", f"{step} %{{http_code}}\\n"]
    return [*written, "--max-time", "60", "--header", f"Authorization: Bearer {token}", *more, url]


form = ["--form", f"file=@{picture};filename=my photo.png", "--form", f"scheduled_at={day}"]
calls = [
    call("upload", good, *form),
    call("refused", bad, *form),
    call("again", good, *form),
    call("list", good),
    call("idle", good),
]
command = ["curl", *calls[0]]
for one in calls[1:]:
    command += ["--next", *one]
sys.exit(subprocess.run(command, check=False).returncode)
