"""Create and rotate the secrets of the container stack; each volume holds one service's secrets.

python -m deploy.keys                      create missing passwords, secrets and the signing key
python -m deploy.keys passwords            replace the passwords of PostgreSQL, Redis, the store;
                                           until the next `make` Redis accepts the old ones too
python -m deploy.keys add|use|drop SECRET  rotate `secret_keys`, `revocation_key` or
                                           `media_secret_keys`: add a secret that only verifies,
                                           let it sign, drop the old one
python -m deploy.keys undo SECRET          restore the secret that the last `drop` removed
"""

import argparse
import base64
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from auth_service.cli import main as auth_command
from auth_service.signing.keystore import write_atomically
from deploy.redis_acl import ACL_RULES, DEFAULT_USER, PROBE_USER, acl_hash, acl_user_lines
from deploy.secret_rotation import SecretRotation
from shared.clock import Clock, SystemClock
from shared.entropy import Entropy, SystemEntropy

SECRET_BYTES = 48
OWNER_ONLY, WORLD_READABLE = 0o400, 0o444  # in a volume that only one container mounts
SECRET_HOLDERS = {
    "secret_keys": ("auth",),
    "revocation_key": ("auth", "media"),
    "media_secret_keys": ("media",),
}
DROP_WAIT_TEXTS = {  # as long as a token, message or link of the old secret may still be valid
    "secret_keys": "30 days (REFRESH_TOKEN_TTL)",
    "revocation_key": "2 hours, or 30 days if media_service was down meanwhile",
    "media_secret_keys": "7 days (the longest life of a link)",
}
DROP_WAIT = {
    "secret_keys": timedelta(days=30),
    "revocation_key": timedelta(hours=2),
    "media_secret_keys": timedelta(days=7),
}
STORE_KEY = "store/auth_key"  # in rclone's form: name, comma, secret
MAX_SECRETS = 3
STEPS = ("add", "use", "drop", "undo")


class StackSecrets:
    """The secrets below one folder: `auth`, `media`, `postgres`, `redis` and `store`."""

    def __init__(self, folder: Path, entropy: Entropy, clock: Clock) -> None:
        self._folder = folder
        self._acl = folder / "redis" / "users.acl"
        self._entropy = entropy
        self._clock = clock

    def create_missing(self) -> None:
        """Create what is missing; existing secrets stay."""
        self._create_missing_files()
        self._write_acl({name: [self._redis_hash(name)] for name in ACL_RULES})

    def replace_passwords(self) -> None:
        """Replace the services' passwords; Redis accepts the previous ones as well.

        So a replica that was not replaced yet can still connect.
        """
        if not self._acl.exists():
            self.create_missing()
        previous = {name: self._current_hashes(name) for name in ACL_RULES}
        for name in ACL_RULES:
            for url in ("database_url", "redis_url"):
                (self._folder / name / url).unlink()
        (self._folder / STORE_KEY).unlink()
        self._create_missing_files()
        self._write_acl({name: [self._redis_hash(name), *previous[name]] for name in ACL_RULES})

    def _create_missing_files(self) -> None:
        self._write_if_missing("postgres/password", self._secret(), WORLD_READABLE)
        for name in ACL_RULES:
            database = f"postgresql://{name}:{self._secret()}@postgres:5432/{name}?sslmode=disable"
            self._write_if_missing(f"{name}/database_url", database)
            self._write_if_missing(
                f"{name}/redis_url", f"redis://{name}:{self._secret()}@redis:6379/0"
            )
        for secret, holders in SECRET_HOLDERS.items():
            self._write_if_missing(f"{holders[0]}/{secret}", self._secret())
            self._copy_to_holders(secret)
        self._write_if_missing(STORE_KEY, f"media,{self._secret()}")
        name, secret_key = (self._folder / STORE_KEY).read_text().split(",")
        # The key of the `--profile s3` store for media_service, in AWS's file format.
        text = f"[default]\naws_access_key_id = {name}\naws_secret_access_key = {secret_key}\n"
        write_atomically(self._folder / "media" / "aws_credentials", text, OWNER_ONLY)

    def rotate_step(self, step: str, secret: str, *, force: bool = False) -> int:
        """Take one rotation step and return the number of secrets.

        The first secret of the list signs; each of them verifies.

        Raises:
            ValueError: the step does not follow the previous one, or `drop` comes too early.
        """
        path = self._folder / SECRET_HOLDERS[secret][0] / secret
        rotation = SecretRotation(path, DROP_WAIT[secret], self._clock)
        match step:
            case "add":
                secrets = rotation.add(self._secret(), max_count=MAX_SECRETS)
            case "use":
                secrets = rotation.promote()
            case "drop":
                secrets = rotation.drop(force=force)
            case _:
                secrets = rotation.undo()
        self._copy_to_holders(secret)
        return len(secrets)

    def _secret(self) -> str:
        return base64.urlsafe_b64encode(self._entropy.bytes(SECRET_BYTES)).decode()

    def _write_if_missing(self, name: str, text: str, mode: int = OWNER_ONLY) -> None:
        path = self._folder / name
        if not path.exists():
            write_atomically(path, text, mode)

    def _copy_to_holders(self, secret: str) -> None:
        first, *others = SECRET_HOLDERS[secret]
        for other in others:
            text = (self._folder / first / secret).read_text()
            write_atomically(self._folder / other / secret, text, OWNER_ONLY)

    def _redis_hash(self, name: str) -> str:
        return acl_hash(password_in(self._folder / name / "redis_url"))

    def _current_hashes(self, name: str) -> list[str]:
        lines = [line.split() for line in self._acl.read_text().splitlines()]
        [words] = [words for words in lines if words[1] == name]
        return [word for word in words if word.startswith("#")]

    def _write_acl(self, hashes: dict[str, list[str]]) -> None:
        lines = [DEFAULT_USER, *acl_user_lines(hashes), PROBE_USER]
        write_atomically(self._acl, "".join(f"user {line}\n" for line in lines), WORLD_READABLE)


def password_in(url_file: Path) -> str:
    """Return the password in the URL that a file holds."""
    return urlsplit(url_file.read_text()).password or ""


def main(
    arguments: list[str] | None = None, folder: Path = Path("/keys"), clock: Clock | None = None
) -> int:
    """Run one command and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.keys")
    parser.add_argument("step", nargs="?", default="make", choices=["make", "passwords", *STEPS])
    parser.add_argument("secret", nargs="?", choices=list(SECRET_HOLDERS))
    parser.add_argument("--force", action="store_true", help="drop before it is safe")
    chosen = parser.parse_args(arguments)
    keys = StackSecrets(folder, SystemEntropy(), clock or SystemClock())
    if chosen.step in STEPS:
        if chosen.secret is None:
            parser.error(f"{chosen.step} needs one of {', '.join(SECRET_HOLDERS)}")
        try:
            count = keys.rotate_step(chosen.step, chosen.secret, force=chosen.force)
        except ValueError as error:
            sys.stderr.write(f"keys: {error}\n")
            return 1
        sys.stdout.write(f"{chosen.secret}: {count}, the first one signs\n")
        if chosen.step == "use":
            sys.stdout.write(
                f"wait before you drop the old one: {DROP_WAIT_TEXTS[chosen.secret]}\n"
            )
        if chosen.step == "drop":
            sys.stdout.write(f"it can be restored until the next add: undo {chosen.secret}\n")
        return 0
    if chosen.step == "passwords":
        keys.replace_passwords()
        sys.stdout.write("new passwords: finish the steps of docs/operations/upgrade.md\n")
    else:
        keys.create_missing()
    return auth_command(["keys", "generate"])


if __name__ == "__main__":
    sys.exit(main())
