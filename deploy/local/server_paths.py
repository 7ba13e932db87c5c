"""Directories for an embedded server's data and programs that the server's user can reach.

PostgreSQL refuses to run as root, so a server that root starts runs as `nobody`. `nobody` must be
able to enter every directory above the data and the programs. Where it is not, they go to /var/tmp,
into directories that no other user can write to or replace.
"""

import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

FALLBACK_PARENT = Path("/var/tmp")  # noqa: S108 -- only names that mkdtemp makes, or that root owns


def server_user() -> pwd.struct_passwd | None:
    """Return `nobody` when the caller is root; None when servers run as the caller."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def ensure_data_dir(wanted: Path) -> Path:
    """Return a 0700 directory for `wanted` that the server's user owns and can reach; create it.

    It is `wanted` itself where the user can reach it. Otherwise it is a new directory under
    /var/tmp, and the file `<wanted>.place` keeps its path.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    user = server_user()
    if user is None:
        wanted.mkdir(mode=0o700, exist_ok=True)
        return wanted
    note = wanted.with_name(f"{wanted.name}.place")
    folder = Path(note.read_text().strip()) if note.exists() else wanted
    if not note.exists() or not _is_owned_by(folder, user.pw_uid, forbidden=0o077):
        folder = wanted
        if not is_reachable_by_all(wanted.parent):
            folder = Path(tempfile.mkdtemp(prefix="cheershare-data-", dir=FALLBACK_PARENT))
            note.write_text(f"{folder}\n")
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def programs_dir(package: str, inside: str) -> Path:
    """Return the directory `inside` an installed package whose programs the server's user can run.

    The package is found without being imported. The programs find their libraries by a relative
    path, so a copy always holds the whole tree.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            f"{package} is not installed: make installs it (requirements/dev.txt)"
        )
    root = Path(spec.submodule_search_locations[0])
    if server_user() is None or is_reachable_by_all(root / inside):
        return root / inside
    return _copy_package(root) / root.name / inside


def is_reachable_by_all(folder: Path) -> bool:
    """Return whether every user can enter `folder` and all directories above it."""
    folder = folder.resolve()
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents))


def _copy_package(package_dir: Path) -> Path:
    """Return a copy of the package that only root can change; one copy for each version."""
    program = next(
        path for path in package_dir.rglob("*") if os.access(path, os.X_OK) and path.is_file()
    )
    copy = FALLBACK_PARENT / f"cheershare-{package_dir.name}-{program.stat().st_mtime_ns:x}"
    if _is_owned_by(copy, os.geteuid(), forbidden=0o022):
        return copy
    fresh = Path(tempfile.mkdtemp(prefix="cheershare-programs-", dir=FALLBACK_PARENT))
    fresh.chmod(0o755)
    for tree in (package_dir, package_dir.with_name(f"{package_dir.name}.libs")):
        if tree.exists():
            shutil.copytree(tree, fresh / tree.name, symlinks=True)
    try:
        return fresh.rename(copy)
    except OSError:  # another process made it first, or another user owns the name
        if not _is_owned_by(copy, os.geteuid(), forbidden=0o022):
            return fresh
        shutil.rmtree(fresh)
        return copy


def _is_owned_by(folder: Path, uid: int, *, forbidden: int) -> bool:
    """Return whether `folder` is a directory of `uid`, no link, without a `forbidden` mode bit."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == uid and not status.st_mode & forbidden
