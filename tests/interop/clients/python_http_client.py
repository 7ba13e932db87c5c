"""Python's http.client, which reads no answer before it has sent the whole body.

`python_http_client.py ADDRESS PICTURE DAY GOOD BAD`
"""

import http.client
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

address, picture, day, good, bad = sys.argv[1:]
connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
path, data = "/v1/media/creatives", Path(picture).read_bytes()
HEAD = '--frontier\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
FORM = "multipart/form-data; boundary=frontier"
body = HEAD.format("file", '; filename="my photo.png"').encode() + data + b"\r\n"
body += HEAD.format("scheduled_at", "").encode() + day.encode() + b"\r\n--frontier--\r\n"


def call(method: str, token: str, body: bytes | None = None) -> int:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": FORM}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


print("upload", call("POST", good, body), flush=True)
print("refused", call("POST", bad, body), flush=True)
print("again", call("POST", good, body), flush=True)
print("list", call("GET", good), flush=True)
time.sleep(2)
print("idle", call("GET", good), flush=True)
