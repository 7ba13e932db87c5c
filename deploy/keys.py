"""Makes what a stack of containers keeps to itself, each part for the one who needs it.

python -m deploy.keys                      make what is missing: passwords, secrets, signing key
python -m deploy.keys passwords            make other passwords for PostgreSQL, Redis, the store;
                                           until the next `make` Redis takes the old ones too
python -m deploy.keys add|use|drop SECRET  rotate `secret_keys`, `revocation_key` or
                                           `media_secret_keys`, step by step: add one that is only
                                           accepted, use it, drop the old one
python -m deploy.keys undo SECRET          bring back what the last `drop` took away
"""

import argparse
import base64
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from auth_service.cli import main as auth_command
from auth_service.signing.keystore import write_whole
from deploy.redis_acl import DEFAULT, PROBE, RIGHTS, hashed, users
from deploy.secret_rotation import Rotation
from shared.clock import Clock, SystemClock
from shared.entropy import Entropy, SystemEntropy

SECRET_BYTES = 48
OWNER, EVERYBODY = 0o400, 0o444  # in a volume that one container mounts, of whatever user
HOLDERS = {
    "secret_keys": ("auth",),
    "revocation_key": ("auth", "media"),
    "media_secret_keys": ("media",),
}
DROP_AFTER = {  # as long as what it made may be out
    "secret_keys": "30 days (REFRESH_TOKEN_TTL)",
    "revocation_key": "2 hours, or 30 days where media_service was away meanwhile",
    "media_secret_keys": "7 days (the longest life of a link)",
}
DROP_WAITS = {
    "secret_keys": timedelta(days=30),
    "revocation_key": timedelta(hours=2),
    "media_secret_keys": timedelta(days=7),
}
STORE_KEY = "store/auth_key"  # as rclone takes it: name, comma, secret
MOST = 3
STEPS = ("add", "use", "drop", "undo")


class Keys:
    """The volumes below one folder: `auth`, `media`, `postgres`, `redis`, `store`."""

    def __init__(self, folder: Path, entropy: Entropy, clock: Clock) -> None:
        """Touch nothing yet."""
        self._folder = folder
        self._entropy = entropy
        self._clock = clock

    def make(self) -> None:
        """Make what is missing; what there is stays as it is."""
        self._make()
        self._write_acl({name: [self._redis_hash(name)] for name in RIGHTS})

    def replace_passwords(self) -> None:
        """Make other passwords for the services; Redis takes all those of before as well.

        A replica that is yet to be replaced can so connect to it again.
        """
        if not self._acl.exists():
            self.make()
        before = {name: self._known_hashes(name) for name in RIGHTS}
        for name in RIGHTS:
            for url in ("database_url", "redis_url"):
                (self._folder / name / url).unlink()
        (self._folder / STORE_KEY).unlink()
        self._make()
        self._write_acl({name: [self._redis_hash(name), *before[name]] for name in RIGHTS})

    def _make(self) -> None:
        self._once("postgres/password", self._secret(), EVERYBODY)
        for name in RIGHTS:
            database = f"postgresql://{name}:{self._secret()}@postgres:5432/{name}?sslmode=disable"
            self._once(f"{name}/database_url", database)
            self._once(f"{name}/redis_url", f"redis://{name}:{self._secret()}@redis:6379/0")
        for secret, holders in HOLDERS.items():
            self._once(f"{holders[0]}/{secret}", self._secret())
            self._share(secret)
        self._once(STORE_KEY, f"media,{self._secret()}")
        self._write_aws_credentials()

    def rotate(self, step: str, secret: str, *, force: bool = False) -> int:
        """Take one step with a list of secrets; the first one signs, all are accepted.

        Returns how many there are then.

        Raises:
            ValueError: the step does not follow the one before, or `drop` comes too early.
        """
        wait = DROP_WAITS[secret]
        rotation = Rotation(self._folder / HOLDERS[secret][0] / secret, wait, self._clock)
        match step:
            case "add":
                listed = rotation.add(self._secret(), most=MOST)
            case "use":
                listed = rotation.use()
            case "drop":
                listed = rotation.drop(force=force)
            case _:
                listed = rotation.undo()
        self._share(secret)
        return len(listed)

    def _secret(self) -> str:
        return base64.urlsafe_b64encode(self._entropy.bytes(SECRET_BYTES)).decode()

    def _once(self, name: str, text: str, mode: int = OWNER) -> None:
        path = self._folder / name
        if not path.exists():
            write_whole(path, text, mode)

    def _share(self, secret: str) -> None:
        first, *others = HOLDERS[secret]
        for other in others:
            text = (self._folder / first / secret).read_text()
            write_whole(self._folder / other / secret, text, OWNER)

    @property
    def _acl(self) -> Path:
        return self._folder / "redis" / "users.acl"

    def _redis_hash(self, name: str) -> str:
        return hashed(password(self._folder / name / "redis_url"))

    def _known_hashes(self, name: str) -> list[str]:
        lines = [line.split() for line in self._acl.read_text().splitlines()]
        [words] = [words for words in lines if words[1] == name]
        return [word for word in words if word.startswith("#")]

    def _write_acl(self, hashes: dict[str, list[str]]) -> None:
        lines = [DEFAULT, *users(hashes), PROBE]
        write_whole(self._acl, "".join(f"user {line}\n" for line in lines), EVERYBODY)

    def _write_aws_credentials(self) -> None:
        """Tell media_service what the store of `--profile s3` knows, as AWS tools read it."""
        name, secret = (self._folder / STORE_KEY).read_text().split(",")
        text = f"[default]\naws_access_key_id = {name}\naws_secret_access_key = {secret}\n"
        write_whole(self._folder / "media" / "aws_credentials", text, OWNER)


def password(url_file: Path) -> str:
    """Return the password in the URL that a file holds."""
    return urlsplit(url_file.read_text()).password or ""


def main(
    arguments: list[str] | None = None, folder: Path = Path("/keys"), clock: Clock | None = None
) -> int:
    """Run one command and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.keys")
    parser.add_argument("step", nargs="?", default="make", choices=["make", "passwords", *STEPS])
    parser.add_argument("secret", nargs="?", choices=list(HOLDERS))
    parser.add_argument("--force", action="store_true", help="drop before it is safe")
    chosen = parser.parse_args(arguments)
    keys = Keys(folder, SystemEntropy(), clock or SystemClock())
    if chosen.step in STEPS:
        if chosen.secret is None:
            parser.error(f"{chosen.step} needs one of {', '.join(HOLDERS)}")
        try:
            count = keys.rotate(chosen.step, chosen.secret, force=chosen.force)
        except ValueError as refused:
            sys.stderr.write(f"keys: {refused}\n")
            return 1
        sys.stdout.write(f"{chosen.secret}: {count}, the first one signs\n")
        if chosen.step == "use":
            sys.stdout.write(f"drop the one before it in {DROP_AFTER[chosen.secret]}, no sooner\n")
        if chosen.step == "drop":
            sys.stdout.write(f"what it was is kept until the next add: undo {chosen.secret}\n")
        return 0
    if chosen.step == "passwords":
        keys.replace_passwords()
        sys.stdout.write("new passwords: go on as docs/operations.md says, to its last step\n")
    else:
        keys.make()
    return auth_command(["keys", "generate"])


if __name__ == "__main__":
    sys.exit(main())
