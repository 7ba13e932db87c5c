"""Where an embedded server keeps its data and programs, so that its user can reach them.

PostgreSQL refuses to run as root, so a server started by root runs as `nobody`. Then every
directory above its data and its programs has to be open to everybody; what is not is moved to
/var/tmp, into directories that no other user can write to or replace.
"""

import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

ELSEWHERE = Path("/var/tmp")  # noqa: S108 -- only names that mkdtemp makes, or that root owns


def server_user() -> pwd.struct_passwd | None:
    """Return the user that servers run as when it is not the caller: `nobody` under root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def data_folder(wanted: Path) -> Path:
    """Return an existing 0700 directory for `wanted` that the server's user owns and can reach.

    It is `wanted` itself where that is possible. Under root, below a directory closed to others,
    it is a new one under /var/tmp, remembered in the file `<wanted>.place`.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    user = server_user()
    if user is None:
        wanted.mkdir(mode=0o700, exist_ok=True)
        return wanted
    note = wanted.with_name(f"{wanted.name}.place")
    folder = _noted(note, user)
    if folder is None:
        folder = wanted if open_to_all(wanted.parent) else _somewhere_else(note)
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def programs(package: str, inside: str) -> Path:
    """Return the directory `inside` an installed package, executable for the server's user.

    The package is found without being imported. Its libraries lie beside it and are found by a
    relative path, so that a copy is always a copy of the whole tree.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        message = f"{package} is not installed: make installs it (requirements/dev.txt)"
        raise FileNotFoundError(message)
    root = Path(spec.submodule_search_locations[0])
    if server_user() is None or open_to_all(root / inside):
        return root / inside
    return _copied(root) / root.name / inside


def open_to_all(folder: Path) -> bool:
    """Tell whether any user can enter `folder` and everything above it."""
    folder = folder.resolve()
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents))


def _noted(note: Path, user: pwd.struct_passwd) -> Path | None:
    if not note.exists():
        return None
    folder = Path(note.read_text().strip())
    return folder if _belongs(folder, user.pw_uid, closed_to=0o077) else None


def _somewhere_else(note: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="cheershare-data-", dir=ELSEWHERE))
    note.write_text(f"{folder}\n")
    return folder


def _copied(root: Path) -> Path:
    """Return a copy of the package `root` that only root can change, made once per version."""
    mark = next(path for path in root.rglob("*") if os.access(path, os.X_OK) and path.is_file())
    copy = ELSEWHERE / f"cheershare-{root.name}-{mark.stat().st_mtime_ns:x}"
    if _belongs(copy, os.geteuid(), closed_to=0o022):
        return copy
    fresh = Path(tempfile.mkdtemp(prefix="cheershare-programs-", dir=ELSEWHERE))
    fresh.chmod(0o755)
    for tree in (root, root.with_name(f"{root.name}.libs")):
        if tree.exists():
            shutil.copytree(tree, fresh / tree.name, symlinks=True)
    try:
        return fresh.rename(copy)
    except OSError:  # another process was quicker, or the name belongs to another user
        if not _belongs(copy, os.geteuid(), closed_to=0o022):
            return fresh
        shutil.rmtree(fresh)
        return copy


def _belongs(folder: Path, uid: int, *, closed_to: int) -> bool:
    """Tell whether `folder` is a real directory of `uid` that others have no `closed_to` bit on."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and not found.st_mode & closed_to
