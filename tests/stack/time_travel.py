"""Makes a stack's data older, as if time had passed."""

from tests.stack.stack import Stack

SIGNING_KEYS = """
import json, pathlib, sys
for path in pathlib.Path("/keys/signing").glob("*.jwk"):
    key = json.loads(path.read_text())
    key["signs_from"] -= int(sys.argv[1])
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(key))
    fresh.replace(path)
"""

# The rows first: one whose entry is lacking is told again, with the key of now.
REVOCATIONS = """
import asyncio, pathlib, sys
import asyncpg
from redis.asyncio import Redis

SECONDS, SECRETS = int(sys.argv[1]), pathlib.Path("/run/secrets")
LOG, HEAD = "revocations:log", "revocations:head"
ROWS = '''
update revocations set
    created_at = created_at - make_interval(secs => $1),
    published_at = published_at - make_interval(secs => $1),
    expires_at = expires_at - make_interval(secs => $1),
    entry = split_part(entry, '-', 1)::bigint - $1 * 1000 || '-' || split_part(entry, '-', 2)
where reason <> 'user_deleted' '''

def older(entry):
    milliseconds, _, sequence = entry.decode().partition("-")
    return f"{int(milliseconds) - SECONDS * 1000}-{sequence}"

async def main():
    database = await asyncpg.connect((SECRETS / "database_url").read_text())
    await database.execute(ROWS, SECONDS)
    await database.close()
    async with Redis.from_url((SECRETS / "redis_url").read_text()) as redis:
        entries = await redis.xrange(LOG)
        change = redis.pipeline(transaction=True).delete(LOG)
        for entry, fields in entries:
            change.xadd(LOG, fields, id=older(entry))
        change.hset(HEAD, "last", older(entries[-1][0]))
        await change.execute()

asyncio.run(main())
"""

COUNT = """
import pathlib, redis
client = redis.Redis.from_url(pathlib.Path("/run/secrets/redis_url").read_text())
print(client.xlen("revocations:log"))
"""


def age_signing_keys(stack: Stack, seconds: int) -> None:
    """Let each signing key have been made so much earlier."""
    words = "run", "--rm", "-T", "--entrypoint", "python", "keys", "-c", SIGNING_KEYS
    stack.compose(*words, str(seconds))


def age_revocations(stack: Stack, seconds: int) -> None:
    """Let everything that was revoked, and told, have been so much earlier."""
    _python(stack, REVOCATIONS, str(seconds))


def revocations_told(stack: Stack) -> int:
    """Count the entries of the stream."""
    return int(_python(stack, COUNT))


def _python(stack: Stack, program: str, *words: str) -> bytes:
    code, said = stack.execute(stack.one("auth_service"), "python", "-c", program, *words)
    assert code == 0, said
    return said
