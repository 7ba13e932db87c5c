"""The floors: bare handlers with the same unavoidable round trips, and nothing else.

No validation, no limits, no log line, no metrics, no error is handled; what is stored goes into
the services' own tables, because writing the rows cannot be avoided.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import secrets
import tempfile
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import uvloop
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from redis.asyncio import Redis
from webauthn import verify_authentication_response
from webauthn.helpers import base64url_to_bytes

from tests.bench.gather import GatheredRedis, Pool, open_decoder_pool
from tests.bench.launcher import CODE

KEY = secrets.token_bytes(32)
SIGNING = Ed25519PrivateKey.generate()
HEADER = base64.urlsafe_b64encode(b'{"alg":"EdDSA","kid":"floor","typ":"at+jwt"}').rstrip(b"=")
TTL_MS = 300_000
RP_ID, PASSKEY_ORIGIN = "localhost", "http://localhost:8000"
PASSKEY_CHALLENGE = "passkey_challenge:sign_in::"
UPLOAD_CHUNK = 256 * 1024
REDIS = web.AppKey("redis", GatheredRedis)
AUTH = web.AppKey("auth", Pool)
MEDIA = web.AppKey("media", Pool)
SCRIPTS = web.AppKey("scripts", dict[str, str])
SEEN = web.AppKey("seen", dict[str, UUID])

SEND = """
redis.call('HSET', KEYS[1], 'mac', ARGV[1], 'expires_at', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[4])
redis.call('XADD', KEYS[3], '*', 'id', ARGV[2], 'sealed', ARGV[1])
return 1
"""
VERIFY = """
local handle = redis.call('GET', KEYS[1])
local key = 'floor:' .. (handle or '')
if redis.call('HGET', key, 'mac') ~= ARGV[1] then
  return 0
end
return redis.call('DEL', key)
"""
_SIGN_IN = """
WITH u AS (
    UPDATE users SET last_login_at = $2 WHERE {user} RETURNING id, name
), s AS (
    INSERT INTO sessions (id, user_id, user_agent, ip, amr, auth_time, created_at, last_used_at,
                          expires_at)
    SELECT $3, u.id, 'bench', '127.0.0.1', '{{otp,sms}}', $2, $2, $2, $5 FROM u RETURNING user_id
), t AS (
    INSERT INTO tokens (hash, scope, user_id, session_id, created_at, expires_at)
    SELECT $4, 'refresh', user_id, $3, $2, $5 FROM s
)
SELECT id, name FROM u"""
SIGN_IN = _SIGN_IN.format(user="phone_number = $1 AND phone_verified")
PASSKEY_SIGN_IN = _SIGN_IN.format(user="id = $1")
PASSKEY = """
WITH p AS (
    UPDATE factors f SET last_used_at = now() FROM passkeys p
    WHERE p.credential_id = $1 AND f.id = p.factor_id RETURNING f.user_id, p.public_key
)
SELECT user_id, public_key FROM p"""
SCHEDULE = """
SELECT json_agg(c)::text FROM (
    SELECT id, title, content_type, size, width, height, encode(sha256, 'hex') AS sha256,
           placeholder, due_at, timezone, status, variants, created_at, updated_at, version,
           (SELECT published_at FROM publications WHERE creative_id = creatives.id) AS published_at
    FROM creatives
    WHERE user_id = $1 AND due_at >= $2 AND due_at < $3 AND status IN ('scheduled', 'published')
    ORDER BY due_at, id) c"""


def _mac(number: str) -> str:
    return hmac.digest(KEY, f"{number}\0{CODE}".encode(), "sha256").hex()


async def hello(_request: web.Request) -> web.Response:
    return web.Response(body=b"hello")


async def send(request: web.Request) -> web.Response:
    """One HMAC, one script."""
    number = json.loads(await request.read())["phone_number"]
    handle = secrets.token_hex(16)
    expires_at = int(time.time() * 1000) + TTL_MS
    keys = f"floor:{handle}", f"floor:newest:{number}", "floor:deliveries"
    values = _mac(number), handle, expires_at, TTL_MS
    await request.app[REDIS].ask("EVALSHA", request.app[SCRIPTS]["send"], 3, *keys, *values)
    body = b'{"challenge":"%s"}' % handle.encode()
    return web.Response(status=202, body=body, content_type="application/json")


async def verify(request: web.Request) -> web.Response:
    """One HMAC, one script, one prepared statement, one signature."""
    app = request.app
    number = json.loads(await request.read())["phone_number"]
    script = app[SCRIPTS]["verify"]
    if not await app[REDIS].ask("EVALSHA", script, 1, f"floor:newest:{number}", _mac(number)):
        return web.Response(status=401)
    return await _sign_in(app, SIGN_IN, number)


async def verify_passkey(request: web.Request) -> web.Response:
    """One command, two prepared statements, the library's bare call, one signature."""
    app, body = request.app, json.loads(await request.read())
    challenge, credential = body["challenge"], body["credential"]
    if await app[REDIS].ask("GETDEL", f"{PASSKEY_CHALLENGE}{challenge}") is None:
        return web.Response(status=401)
    row = await app[AUTH].fetchrow(PASSKEY, base64url_to_bytes(credential["id"]))
    if row is None:
        return web.Response(status=404)
    verify_authentication_response(
        credential=credential,
        expected_challenge=base64url_to_bytes(challenge),
        expected_rp_id=RP_ID,
        expected_origin=PASSKEY_ORIGIN,
        credential_public_key=row["public_key"],
        credential_current_sign_count=0,
        require_user_verification=True,
    )
    return await _sign_in(app, PASSKEY_SIGN_IN, row["user_id"])


async def _sign_in(app: web.Application, statement: str, user: object) -> web.Response:
    now = datetime.now(UTC)
    session = UUID(int=(time.time_ns() << 64) | secrets.randbits(64))
    refresh = secrets.token_urlsafe(32)
    fingerprint = hashlib.sha256(refresh.encode()).digest()
    ends = now + timedelta(days=30)
    row = await app[AUTH].fetchrow(statement, user, now, session, fingerprint, ends)
    if row is None:
        return web.Response(status=404)
    claims = {"sub": str(row["id"]), "sid": str(session), "exp": int(time.time()) + 600}
    signed = HEADER + b"." + base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    token = signed + b"." + base64.urlsafe_b64encode(SIGNING.sign(signed)).rstrip(b"=")
    body = {"access_token": token.decode(), "refresh_token": refresh, "name": row["name"]}
    return web.Response(body=json.dumps(body).encode(), content_type="application/json")


async def schedule(request: web.Request) -> web.Response:
    """A token seen before, one query that returns the JSON."""
    app, token = request.app, request.headers["Authorization"]
    user_id = app[SEEN].get(token)
    if user_id is None:
        claims = jwt.decode(token.split()[1], options={"verify_signature": False})
        user_id = app[SEEN][token] = UUID(claims["sub"])
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    text: str = await app[MEDIA].fetchval(SCHEDULE, user_id, today, today + timedelta(days=2))
    return web.Response(body=text.encode(), content_type="application/json")


async def upload(request: web.Request) -> web.Response:
    """The body as it comes, to a file, which is as durable then as the disk makes it."""
    with tempfile.TemporaryFile() as file:
        async for chunk in request.content.iter_chunked(UPLOAD_CHUNK):
            await asyncio.to_thread(os.write, file.fileno(), chunk)
        await asyncio.to_thread(os.fsync, file.fileno())
    return web.Response(body=b"stored")


async def create_app() -> web.Application:
    """The floors and what they stand on; it lives as long as the process."""
    app = web.Application()
    client = Redis.from_url(os.environ["FLOOR_REDIS"], protocol=2)
    app[REDIS] = GatheredRedis(client)
    app[SCRIPTS] = {
        name: await client.script_load(text) for name, text in (("send", SEND), ("verify", VERIFY))
    }
    app[AUTH] = await open_decoder_pool(os.environ["FLOOR_AUTH_DATABASE"])
    app[MEDIA] = await open_decoder_pool(os.environ["FLOOR_MEDIA_DATABASE"])
    app[SEEN] = {}
    for path in ("/readyz", "/hello"):
        app.router.add_get(path, hello)
    app.router.add_post("/send", send)
    app.router.add_post("/verify", verify)
    app.router.add_post("/passkey", verify_passkey)
    app.router.add_post("/upload", upload)
    app.router.add_get("/schedule", schedule)
    return app


async def main() -> None:
    runner = web.AppRunner(await create_app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, os.environ["HOST"], int(os.environ["PORT"])).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
