"""What may break. Each is over when its function returns; False: there was nothing to break."""

import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg

from tests.convergence.site import Member, Site
from tests.convergence.workers import resting
from tests.servers import ready

SNAPSHOT_S = 10.0
"""A replica has written its snapshots by then."""
LONELY_COMMITS = 10


def calm(site: Site) -> None:
    time.sleep(5)


def lonely_commits(site: Site) -> None:
    """One commit at a time, and none after it that would make good for a lost notification."""
    insert = "INSERT INTO subject (gallery_id, external_id) VALUES (%s, %s)"
    for number in range(LONELY_COMMITS):
        with site.sql() as connection:
            connection.execute(insert, (site.galleries[0], f"lonely-{number}"))
        site.settle("a lonely commit")


def replica_killed(site: Site) -> None:
    replica = site.random.choice(site.replicas)
    _kill(site, replica)
    time.sleep(0.5)
    replica.start()
    ready(replica.server)


def replica_paused(site: Site) -> None:
    _pause(site.random.choice(site.replicas), lambda: time.sleep(10))


def listener_terminated(site: Site) -> None:
    with site.sql() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
        )


def notifications_suppressed(site: Site) -> None:
    with site.sql() as connection:
        row = connection.execute("SELECT pg_get_functiondef('feed_number'::regproc)").fetchone()
        assert row is not None
        silent = re.sub(r"PERFORM pg_notify\([^;]*\);", "", row[0])
        assert silent != row[0]
        connection.execute(silent.encode())
        try:
            time.sleep(3)
        finally:
            connection.execute(row[0].encode())


def network_cut(site: Site) -> None:
    site.proxy.cut()
    time.sleep(7)
    site.proxy.restore()


def connections_cut(site: Site) -> None:
    for _ in range(5):
        site.proxy.cut_connections()
        time.sleep(0.3)


def network_frozen(site: Site) -> None:
    """Nothing is refused and nothing ends."""
    site.proxy.freeze()
    time.sleep(4)
    site.proxy.thaw()


def network_slow(site: Site) -> None:
    site.proxy.delay_s = 0.15
    time.sleep(4)
    site.proxy.delay_s = 0.0


def database_killed(site: Site) -> None:
    _kill_database(site)
    time.sleep(0.5)
    site.cluster.start()


def failover(site: Site) -> None:
    """To a standby that has not seen the last commits."""
    standby = site.cluster.standby()
    site.cluster.detach(standby)
    time.sleep(1.5)
    site.database.forgets = True
    _kill_database(site)
    site.cluster.promote(standby)
    site.proxy.retarget(site.cluster.primary.url)


def changes_pruned(site: Site) -> None:
    """Too early: a replica that has not applied them was only paused."""

    def prune() -> None:
        time.sleep(1)
        with site.sql() as connection:
            connection.execute("DELETE FROM gallery_change")

    site.database.forgets = True
    _pause(site.random.choice(site.replicas), prune)


def truncated(site: Site) -> bool:
    """TRUNCATE under everybody's hands, but the callers', who have to know of it."""
    with resting(site.callers):
        for _ in range(5):
            with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                with site.sql() as connection:
                    # longer than a long transaction: those that come later queue behind it
                    connection.execute("SET lock_timeout = '4s'")
                    connection.execute("TRUNCATE subject CASCADE")
                version = site.database.head()
                for caller in site.callers:
                    caller.all_gone(version)
                return True
    return False


def snapshot_truncated(site: Site) -> bool:
    """While nobody maps it: under a live mapping it is nobody's promise."""
    home = site.random.choice(site.replicas).home
    if not _snapshots(home):
        return False
    replicas = [each for each in site.replicas if each.home == home]
    for replica in replicas:
        _kill(site, replica)
    files = _snapshots(home)
    for file in files:
        os.truncate(file, file.stat().st_size // 2)
    for replica in replicas:
        replica.start()
    for replica in replicas:
        ready(replica.server)
    return bool(files)


def disk_full(site: Site) -> bool:
    """For one replica, to its end: no file of its may grow."""
    replica = site.random.choice(site.replicas)
    if not _snapshots(replica.home):
        return False
    process = psutil.Process(replica.server.process.pid)
    process.rlimit(psutil.RLIMIT_FSIZE, (0, 0))
    time.sleep(2)
    if replica.server.stop() != 0:
        site.record.violation("a replica did not end in order on a full disk")
    replica.start()
    ready(replica.server)
    return True


FAULTS: list[Callable[[Site], bool | None]] = [
    replica_killed,
    replica_paused,
    listener_terminated,
    notifications_suppressed,
    network_cut,
    connections_cut,
    network_frozen,
    network_slow,
    database_killed,
    failover,
    changes_pruned,
    truncated,
    snapshot_truncated,
    disk_full,
]


def _snapshots(home: Path) -> list[Path]:
    end = time.monotonic() + SNAPSHOT_S
    while not (files := list(home.rglob("*.snapshot"))) and time.monotonic() < end:
        time.sleep(0.1)
    return files


def _kill(site: Site, replica: Member) -> None:
    replica.server.kill()
    site.record.count("kills")


def _kill_database(site: Site) -> None:
    site.history.begin_loss()
    site.cluster.kill()
    site.record.count("kills")


def _pause(replica: Member, meanwhile: Callable[[], None]) -> None:
    replica.server.process.send_signal(signal.SIGSTOP)
    try:
        meanwhile()
    finally:
        replica.server.process.send_signal(signal.SIGCONT)
