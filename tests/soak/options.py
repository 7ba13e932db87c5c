"""What a run may be told, and the settings that the stack gets for it."""

import argparse
import base64
from dataclasses import dataclass
from pathlib import Path

from auth_service.settings import AuthSettings
from media_service.settings import MediaSettings
from shared.tokens import CACHE_SIZE

GENEROUS = "1000000/minute"
"""High enough for honest load. A short window lets the counters reach their size early."""
WEBHOOK_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
LONGEST_TOKEN_LIFE = 600  # the product's default
SHORTEST_TOKEN_LIFE = 30


@dataclass(frozen=True)
class Options:
    """How long, how much, and what counts as growth. `rate`: requests a second, None: measured."""

    minutes: float = 20
    accounts: int = 8
    rate: float | None = None
    memory_growth: float = 5
    descriptor_growth: float = 5
    connection_growth: float = 1
    idle: float = 5
    settle: float = 60
    calibrate: float = 15
    tokens: int = CACHE_SIZE
    interval: float = 1
    strict_sign_out: bool = False
    out: Path = Path("var/soak")

    @property
    def seconds(self) -> float:
        return self.minutes * 60

    @property
    def token_life(self) -> int:
        """A quarter of the load: what services keep for a token's life is full by half-time.

        Revocations are kept 15 minutes longer, some 200 bytes for each sign-out. They are full
        by half-time only when the load lasts 50 minutes or more.
        """
        return int(min(max(self.seconds / 4, SHORTEST_TOKEN_LIFE), LONGEST_TOKEN_LIFE))


def stack_settings(options: Options, webhook_url: str) -> dict[str, str]:
    """Return the environment in which no limit refuses honest load."""
    names = (*AuthSettings.limit_names(), *MediaSettings.limit_names())
    return {name.upper(): GENEROUS for name in names} | {
        "ACCESS_TOKEN_TTL": str(options.token_life),
        "LOG_FORMAT": "json",
        "OTP_COOLDOWN": "0",
        "SMS_PROVIDERS": "webhook",
        "SMS_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "SMS_WEBHOOK_URL": webhook_url,
        "USER_QUOTA_BYTES": str(2**40),
        "USER_UPLOADS_PER_DAY": str(10**6),
    }


def read_options(arguments: list[str] | None = None) -> Options:
    given = Options()
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description="Loads a stack of its own and ends non-zero on a leak, a refusal or a warning.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    number = {
        "minutes": "how long the load lasts",
        "memory_growth": "accepted growth of memory over the second half, MiB",
        "descriptor_growth": "accepted growth of descriptors over the second half",
        "connection_growth": "the same for each connection of PostgreSQL",
        "idle": "seconds without load before it begins",
        "settle": "seconds without load after it ends",
        "calibrate": "seconds at full speed that find the capacity, unless there is a rate",
        "interval": "seconds between two looks at the processes",
    }
    for name, text in number.items():
        default = getattr(given, name)
        parser.add_argument(_flag(name), type=_positive, default=default, help=text)
    parser.add_argument("--accounts", type=int, default=given.accounts, help="users at once")
    parser.add_argument(
        "--tokens", type=int, default=given.tokens, help="tokens that fill the caches at first"
    )
    parser.add_argument("--rate", type=_positive, help="requests a second; else half the capacity")
    parser.add_argument("--out", type=Path, default=given.out, help="folder of plot and table")
    parser.add_argument(
        "--strict-sign-out", action="store_true", help="fail on a token honoured after its 204"
    )
    return Options(**vars(parser.parse_args(arguments)))


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value
