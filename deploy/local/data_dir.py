"""The directory in which `make run` keeps databases, secrets, keys and stored files."""

import os
import secrets
from pathlib import Path

SECRET_BYTES = 48
SOCKET_PATH_BYTES = 100  # the kernel takes 107; leave room for a temporary name


class DataDir:
    """A stack's data directory; a secret is created at first use, readable by its owner only."""

    def __init__(self, data: Path) -> None:
        self.path = data.resolve()
        self.path.mkdir(parents=True, exist_ok=True)
        self.postgres = self.path / "postgres"
        self.valkey = self.path / "valkey"
        self.private_keys = self._ensure_folder("keys")
        self.storage = self._ensure_folder("storage")
        self.jwks = self.path / "jwks.json"

    def secret(self, name: str) -> str:
        """Return the secret of that name; it never changes while the directory exists."""
        return self.secret_file(name).read_text()

    def secret_file(self, name: str) -> Path:
        """Return the path of a 0600 file that holds the secret."""
        path = self._ensure_folder("secrets") / name
        if not path.exists():
            fresh = path.with_name(f".{name}.{secrets.token_hex(8)}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(SECRET_BYTES))
            try:
                os.link(fresh, path)  # never replaces another process's new secret
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return path

    def socket(self, service: str) -> Path:
        """Return the path of a service's socket.

        Raises:
            ValueError: the data directory's path is too long for a socket.
        """
        path = self._ensure_folder("run") / f"{service}.sock"
        if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
            raise ValueError(
                f"{self.path}: the path is too long for the sockets in it, choose another (DATA=)"
            )
        return path

    def _ensure_folder(self, name: str) -> Path:
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder
