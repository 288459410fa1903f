"""The program of the previous release, kept so that the next upgrade is tried beneath it.

`make release-archive REVISION=<tag or commit>` makes releases/NNNN.tar.xz, NNNN being the head of
its schema: its service and migrations, and those files of its tests that run it with a face model
that costs nothing. Equal revisions make equal archives. See docs/operations.md, Upgrade.
"""

import argparse
import io
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.store import schema
from tests.servers import facematch

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "releases"
PHOTOGRAPH = "service/cli/smoke.jpg"
"""By which a start tries its model: the same in every release, and a fifth of an archive."""
MODULE = "tests.convergence.replica"
"""What is run: `facematch` itself but for its face model, and a route that shows digests."""
PARTS = (
    "migrations",
    "service",
    f":(exclude){PHOTOGRAPH}",
    "tests/__init__.py",
    "tests/convergence/__init__.py",
    "tests/convergence/broken.py",
    "tests/convergence/replica.py",
    "tests/fakes",
)
REVISION = re.compile(r"migrations/versions/([0-9]{4})_\w+\.py")
ENDING = ".tar.xz"


@dataclass(frozen=True)
class Release:
    """An archive laid out as a program, in a folder of its own."""

    revision: str
    """The head of its schema."""
    folder: Path

    def migrate(self, url: str) -> None:
        """Make its schema in an empty database, by its own command."""
        variables = program(self.folder) | {"DATABASE_URL": url}
        done = facematch("db", "upgrade", environment=variables, folder=self.folder)
        assert done.returncode == 0, done.stderr
        assert schema.current(url) == self.revision


def program(folder: Path) -> dict[str, str]:
    """The variables by which a process runs the program that is laid out there."""
    return {"PYTHONPATH": str(folder)}


def kept() -> Path:
    """The archive of the previous release; there is one."""
    (archive,) = FOLDER.glob(f"*{ENDING}")
    return archive


def unpacked(archive: Path, folder: Path) -> Release:
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    shutil.copy(ROOT / PHOTOGRAPH, folder / PHOTOGRAPH)
    return Release(archive.name.removesuffix(ENDING), folder)


def at(revision: str) -> dict[str, bytes]:
    """The files that belong into the archive of a revision of git, by name."""
    command = ["git", "archive", "--format=tar", revision, *PARTS]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as packed:
        found = {member.name: packed.extractfile(member) for member in packed if member.isfile()}
        return {name: file.read() for name, file in found.items() if file}


def head(files: Mapping[str, bytes]) -> str:
    """The newest of the revisions of the schema among the files."""
    return max(found[1] for found in map(REVISION.fullmatch, files) if found)


def packed(files: Mapping[str, bytes]) -> bytes:
    """Nothing of it tells when or by whom it was made."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:xz", preset=9) as into:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            into.addfile(entry, io.BytesIO(files[name]))
    return archive.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", help="the release's tag or commit")
    files = at(parser.parse_args().revision)
    FOLDER.mkdir(exist_ok=True)
    archive = FOLDER / f"{head(files)}{ENDING}"
    archive.write_bytes(packed(files))
    for older in set(FOLDER.glob(f"*{ENDING}")) - {archive}:
        older.unlink()
    sys.stdout.write(f"made {archive}\n")


if __name__ == "__main__":
    main()
