"""The embedded Postgres: shared, adopted after a kill, and really stopped by its last user."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import make_url

from service.errors import DatabaseUnsuitable
from service.store import embedded
from service.store.accounts import account_for
from service.store.embedded import NOT_DURABLE, embedded_postgres, temporary_postgres
from service.store.postmaster import Postmaster

ROOT = Path(__file__).parents[2]

USER = """
import sys
from pathlib import Path
from service.store.embedded import embedded_postgres
with embedded_postgres(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def prepared() -> Iterator[Path]:
    """A folder with a database in it, whose server is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="facematch-test-"))
    with embedded_postgres(folder, NOT_DURABLE) as url:
        execute(url, "CREATE TABLE kept (n int)")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder(prepared: Path) -> Iterator[Path]:
    yield prepared
    for process in Postmaster(prepared).processes():
        process.kill()
    psutil.wait_procs(Postmaster(prepared).processes(), timeout=10)


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def starting(folder: Path) -> subprocess.Popen[str]:
    """Another process that uses the database until its standard input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def user(folder: Path) -> subprocess.Popen[str]:
    process = starting(folder)
    assert process.stdout is not None
    if not process.stdout.readline().startswith("postgresql://"):
        pytest.fail(process.communicate("\n", timeout=60)[1])
    return process


def end(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate("\n", timeout=60)
    assert process.returncode == 0, errors


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=60)


def postmaster_pid(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def alive(pid: int) -> bool:
    """Where nobody reaps the orphans of a container, the dead keep their numbers."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def answers(url: str) -> bool:
    try:
        return execute(url, "SELECT 1") == [(1,)]
    except psycopg.OperationalError:
        return False


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def open_by_another(folder: Path) -> Iterator[None]:
    other = user(folder)
    yield
    end(other)


def stopped(folder: Path) -> bool:
    return not Postmaster(folder).processes() and not (folder / "data/postmaster.pid").exists()


def test_it_starts_and_stops_and_keeps_its_data(folder: Path) -> None:
    with embedded_postgres(folder) as url:
        pid = postmaster_pid(folder)
        execute(url, "INSERT INTO kept VALUES (1)")
        assert execute(url, "SHOW fsync") == [("on",)]
        assert alive(pid)
    assert not alive(pid)
    assert stopped(folder)
    with embedded_postgres(folder) as url:
        assert (1,) in execute(url, "SELECT n FROM kept")


def test_nobody_else_can_look_into_it(folder: Path) -> None:
    with embedded_postgres(folder) as url:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700
        assert execute(url, "SHOW listen_addresses") == [("",)]


def test_its_log_holds_no_values(folder: Path) -> None:
    """Nobody erases there. None of these values may be part of a time or of a folder's name."""
    refused = (
        "INSERT INTO person (id, name) VALUES (1, 'lovelace')",
        "INSERT INTO person (id, name) VALUES (2, 'hopper')",
        "INSERT INTO person (id, name, vec) VALUES (3, 'byron', '[0.600001,0.799999]')",
        "SELECT 'grace' FROM nowhere",
    )
    with embedded_postgres(folder) as url, psycopg.connect(url, autocommit=True) as sql:
        sql.execute(
            "CREATE TABLE person (id int PRIMARY KEY, name text UNIQUE, vec text CHECK (vec = ''))"
        )
        sql.execute("INSERT INTO person (id, name) VALUES (1, 'hopper')")
        for statement in refused:
            with pytest.raises(psycopg.Error):
                sql.execute(statement.encode())
    log = (folder / "server.log").read_text()
    assert log.count("ERROR:") == len(refused)
    said = [name for name in ("lovelace", "hopper", "byron", "0.799999", "grace") if name in log]
    assert said == []


def test_it_can_be_used_twice_in_one_process(folder: Path) -> None:
    with embedded_postgres(folder) as outer:
        with embedded_postgres(folder) as inner:
            assert inner == outer
        assert execute(outer, "SELECT 1") == [(1,)]
    assert stopped(folder)


def test_the_last_of_two_processes_stops_it(folder: Path) -> None:
    first, second = user(folder), user(folder)
    pid = postmaster_pid(folder)
    end(first)
    assert postmaster_pid(folder) == pid
    assert alive(pid)
    end(second)
    assert stopped(folder)


def test_two_processes_that_start_together_share_one_server(folder: Path) -> None:
    both = [starting(folder) for _ in range(2)]
    urls = {process.stdout.readline() for process in both if process.stdout}
    assert len(urls) == 1
    for process in both:
        end(process)
    assert stopped(folder)


def test_a_killed_owners_server_is_adopted_and_then_stopped(folder: Path) -> None:
    owner = user(folder)
    pid = postmaster_pid(folder)
    with embedded_postgres(folder) as url:
        execute(url, "INSERT INTO kept VALUES (2)")
        kill(owner)
    assert stopped(folder)  # the killed one counts no more
    owner = user(folder)
    pid = postmaster_pid(folder)
    kill(owner)
    assert alive(pid)
    with embedded_postgres(folder) as url:
        assert postmaster_pid(folder) == pid
        assert (2,) in execute(url, "SELECT n FROM kept")
    assert stopped(folder)


def kill_everything(folder: Path, owner: subprocess.Popen[str]) -> None:
    """As when the machine loses its power, seen from the data folder."""
    kill(owner)  # first, or it would start the server again
    processes = Postmaster(folder).processes()
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=10)


@contextmanager
def account_process(folder: Path) -> Iterator[int]:
    """The number of some process of the server's account: no other may stand in its way."""
    sleep = ["sleep", "100"]
    with subprocess.Popen(sleep, **account_for(folder / "data").identity()) as process:
        yield process.pid
        process.kill()


def socket_lock(folder: Path) -> Path:
    sockets = make_url(Postmaster(folder).url).query["host"]
    return Path(str(sockets)) / ".s.PGSQL.5432.lock"


@pytest.mark.parametrize("left", ["as it was", "another's number", "cut short"])
def test_it_recovers_whatever_the_pid_files_say(folder: Path, left: str) -> None:
    owner = user(folder)
    execute(Postmaster(folder).url, "INSERT INTO kept VALUES (3)")
    kill_everything(folder, owner)
    with account_process(folder) as other:
        for file in (folder / "data" / "postmaster.pid", socket_lock(folder)):
            lines = file.read_text().splitlines(keepends=True)
            texts = {
                "as it was": "".join(lines),
                "another's number": f"{other}\n" + "".join(lines[1:]),
                "cut short": "".join(lines[:3])[:-2],
            }
            file.write_text(texts[left])
        with embedded_postgres(folder) as url:
            assert (3,) in execute(url, "SELECT n FROM kept")
    assert stopped(folder)


def test_a_server_that_still_recovers_is_waited_for(folder: Path) -> None:
    owner = user(folder)
    pids = [process.pid for process in Postmaster(folder).processes()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    kill(owner)
    waiting = starting(folder)
    time.sleep(2)
    assert waiting.poll() is None
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    end(waiting)
    assert stopped(folder)


@pytest.mark.parametrize("whole", [True, False], ids=["every process", "its first process"])
def test_a_server_that_dies_under_its_users_is_started_again(folder: Path, whole: bool) -> None:
    with embedded_postgres(folder) as url:
        execute(url, "INSERT INTO kept VALUES (4)")
        first = postmaster_pid(folder)
        dying = Postmaster(folder).processes() if whole else [psutil.Process(first)]
        for process in dying:
            process.kill()
        until(lambda: answers(url))
        assert postmaster_pid(folder) != first
        assert (4,) in execute(url, "SELECT n FROM kept")
    assert stopped(folder)


def test_one_of_several_users_starts_it_again(folder: Path) -> None:
    users = [user(folder) for _ in range(2)]
    for process in Postmaster(folder).processes():
        process.kill()
    until(lambda: answers(Postmaster(folder).url))
    for each in users:
        end(each)
    assert stopped(folder)


def test_a_database_that_vanished_is_not_made_anew(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An empty one in its place would answer as if nobody had been enrolled."""
    away = folder / "away"
    with embedded_postgres(folder):
        (folder / "data").rename(away)
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.cwd() == str(away):
                    process.kill()
        until(lambda: "is gone from" in caplog.text)
        assert not (folder / "data").exists()
    away.rename(folder / "data")


def test_a_server_out_of_sight_is_not_joined_by_a_second(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another container's: its processes and its socket are elsewhere, the data folder is shared.
    Two servers on one data folder destroy it."""
    with open_by_another(folder):
        before = (folder / "data" / "postmaster.pid").read_text()
        with monkeypatch.context() as here:
            here.setattr(Postmaster, "processes", lambda _: [])
            here.setattr(Postmaster, "_answers", lambda _: False)
            here.setattr(embedded, "START_S", 1.0)
            with (
                pytest.raises(DatabaseUnsuitable, match="open in another container"),
                embedded_postgres(folder),
            ):
                pass
        assert (folder / "data" / "postmaster.pid").read_text() == before
        assert answers(Postmaster(folder).url)


def test_a_server_out_of_sight_is_used_and_left_running(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = user(folder)
    pid = postmaster_pid(folder)
    kill(owner)
    with monkeypatch.context() as here:
        here.setattr(Postmaster, "processes", lambda _: [])
        with embedded_postgres(folder) as url:
            assert execute(url, "SELECT 1") == [(1,)]
    assert alive(pid)
    assert answers(Postmaster(folder).url)


def test_stopping_goes_by_the_processes_and_not_by_a_number_in_a_file(folder: Path) -> None:
    with account_process(folder) as other:
        with embedded_postgres(folder):
            file = folder / "data" / "postmaster.pid"
            file.write_text(file.read_text().replace(str(postmaster_pid(folder)), str(other), 1))
        assert not Postmaster(folder).processes()
        assert alive(other)


def test_a_start_that_was_cut_short_is_begun_again(folder: Path) -> None:
    unfinished = folder / "data.new"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    away = folder / "away"
    (folder / "data").rename(away)
    try:
        with embedded_postgres(folder, NOT_DURABLE) as url:
            assert execute(url, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'") == [(0,)]
        assert not unfinished.exists()
    finally:
        shutil.rmtree(folder / "data")
        away.rename(folder / "data")


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with (
        pytest.raises(DatabaseUnsuitable, match="no_such_setting"),
        embedded_postgres(folder, {"no_such_setting": "1"}),
    ):
        pass
    assert stopped(folder)
    with embedded_postgres(folder) as url:
        assert execute(url, "SELECT 1") == [(1,)]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(DatabaseUnsuitable, match="FACEMATCH_HOME"),
        embedded_postgres(tmp_path / "file" / "postgres"),
    ):
        pass


def test_a_long_and_odd_path_works() -> None:
    parent = Path(tempfile.mkdtemp(prefix="facematch-test-"))
    folder = parent / ("a 'quoted' \"$HOME\" ," + "x" * 100)
    with embedded_postgres(folder, NOT_DURABLE) as url:
        assert execute(url, "SELECT 1") == [(1,)]
    assert stopped(folder)
    shutil.rmtree(parent)


def test_a_temporary_one_leaves_nothing() -> None:
    with temporary_postgres() as url:
        ((data,),) = execute(url, "SHOW data_directory")
        pid = postmaster_pid(Path(str(data)).parent)
    assert not Path(str(data)).parent.exists()
    assert not alive(pid)
