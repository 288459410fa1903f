"""Writing a snapshot: who may look, what is left when it fails, and who shares it."""

import errno
import gc
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from service.domain.galleries import IndexKey
from service.index.snapshot import SnapshotUnusable, forget_others, load, save, snapshot_path
from tests.index.values import IDENTITY, assert_same, built, face, saved


def names(path: Path) -> list[str]:
    return [entry.name for entry in path.parent.iterdir()]


def test_only_the_owner_may_look(path: Path) -> None:
    before = os.umask(0)
    try:
        saved(built([face()]), path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_folder_open_to_others_is_neither_written_nor_believed(path: Path) -> None:
    saved(built([face()]), path)
    path.parent.chmod(0o750)
    with pytest.raises(PermissionError, match="chmod 700"):
        save(built([face()]).state, IDENTITY, path)
    with pytest.raises(SnapshotUnusable, match="chmod 700"):
        load(path, IDENTITY)


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process, with names to work with and its arguments as `A`."""
    prelude = "import sys; from pathlib import Path; from uuid import UUID; "
    prelude += (
        "from service.index.snapshot import *; from tests.index.values import *; A = sys.argv[1:]\n"
    )
    command = [sys.executable, "-c", prelude + code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_writer_killed_before_the_rename_leaves_the_old_file(path: Path) -> None:
    index = built([face() for _ in range(30)])
    saved(index, path)
    killed = """
import os, signal
Path.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
save(built([face()]).state, IDENTITY, Path(A[0]))
"""
    with run(killed, path) as writer:
        assert writer.wait() == -9
    assert sorted(names(path)) == [path.name, path.name + ".tmp"]
    assert_same(index, load(path, IDENTITY))
    saved(index, path)  # which also removes what the killed one left
    assert names(path) == [path.name]


@pytest.mark.parametrize("call", ["fsync", "rename", "fdopen"])
def test_a_failing_disk_leaves_the_old_file_and_nothing_else(
    path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "broken")

    index = built([face()])
    saved(index, path)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="broken"):
        patch.setattr(os, call, fail)
        save(built([face()]).state, IDENTITY, path)
    assert names(path) == [path.name]
    assert_same(index, load(path, IDENTITY))


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """A tiny file system mounted there, for those who may."""
    folder.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("may not mount a file system")
    try:
        yield
    finally:
        gc.collect()  # a mapping keeps it busy
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def small_files(_: Path) -> Iterator[None]:
    """A limit on the length of files, which anybody may set."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("no_room", "number"), [(full_disk, errno.ENOSPC), (small_files, errno.EFBIG)]
)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    path: Path, no_room: Callable[[Path], Any], number: int
) -> None:
    with no_room(path.parent):
        index = built([face() for _ in range(100)])
        saved(index, path)
        with pytest.raises(OSError, match=os.strerror(number)):
            save(built([face() for _ in range(2000)]).state, IDENTITY, path)
        assert names(path) == [path.name]
        assert_same(index, load(path, IDENTITY))


def test_one_process_at_a_time_writes_into_a_folder(path: Path) -> None:
    """The other is told so and does not wait: the writer may be stopped."""
    index = built([face()])
    holding = """
def hold(file):
    file.write(b"x"); print("here", flush=True); sys.stdin.read()
snapshot_file.replace(Path(A[0]), hold)
"""
    with run("from service.index import snapshot_file" + holding, path) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "here\n"
        assert not save(index.state, IDENTITY, path)
        assert not forget_others(path.parent, [])
        writer.communicate()
    assert save(index.state, IDENTITY, path)
    assert forget_others(path.parent, [IDENTITY.key])
    assert_same(index, load(path, IDENTITY))


def test_a_replaced_file_stays_with_those_who_hold_it(path: Path) -> None:
    first, second = built([face() for _ in range(50)]), built([face() for _ in range(40)])
    held = load(saved(first, path), IDENTITY)
    assert_same(second, load(saved(second, path), IDENTITY))
    assert_same(first, held)
    path.unlink()
    assert_same(first, held)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="Linux tells the shares")
def test_processes_share_the_pages_of_one_file(path: Path) -> None:
    """Each has the whole mapping resident and pays its share of it (Pss), without a copy."""
    saved(built([face() for _ in range(50_000)]), path)
    size = path.stat().st_size
    code = """
index = load(Path(A[0]), Identity(*map(UUID, A[1:3]), DIMENSION))
print(index.search(vector(), 1).candidates[0].face_id, flush=True)
sys.stdin.readline()
lines = Path("/proc/self/smaps").read_text().partition(A[0])[2].splitlines()
fields = {line.split()[0]: int(line.split()[1]) for line in lines[1:22]}
print(*(1024 * fields[key] for key in ("Rss:", "Pss:", "Private_Dirty:")), flush=True)
sys.stdin.readline()
"""
    arguments = (path, IDENTITY.gallery_id, IDENTITY.space_id)
    processes = [run(code, *arguments) for _ in range(2)]
    found = [line(process) for process in processes]
    assert found[0] == found[1]
    shares = [[int(field) for field in line(process, "\n").split()] for process in processes]
    for process in processes:
        process.communicate("\n")
    for rss, pss, dirty in shares:
        assert rss >= size
        assert pss <= 0.51 * rss
        assert dirty == 0


def line(process: subprocess.Popen[str], told: str = "") -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(told)
    process.stdin.flush()
    return process.stdout.readline()


def test_snapshots_of_galleries_that_are_gone_are_forgotten(path: Path) -> None:
    assert forget_others(path.parent, [])  # no folder yet
    other = snapshot_path(path.parent, IndexKey(uuid4(), uuid4()))
    for each in (path, other):
        saved(built([face()]), each)
    other.with_name(other.name + ".tmp").touch()
    (path.parent / "notes.txt").touch()
    assert forget_others(path.parent, [IDENTITY.key])
    assert sorted(names(path)) == sorted([path.name, "notes.txt"])
