"""Commits a second of one-face enrolments, with the feed's triggers and without them."""

import multiprocessing
import os
import threading
import time
from typing import LiteralString

import psycopg

from benchmarks.freshness.writers import new_face
from service.domain.galleries import Gallery

spawn = multiprocessing.get_context("spawn")
TABLES = ("subject", "face", "face_embedding", "gallery_change")

# one statement, so that the client's part is small
ENROL = """
WITH s AS (INSERT INTO subject (gallery_id, external_id) VALUES (%(gallery)s, %(name)s)
           RETURNING id, gallery_id),
     f AS (INSERT INTO face (gallery_id, subject_id, created_by)
           SELECT gallery_id, id, 'benchmark' FROM s RETURNING id, gallery_id)
INSERT INTO face_embedding (face_id, gallery_id, space_id, vec)
SELECT f.id, f.gallery_id, %(space)s, %(vector)s FROM f
"""


def triggers(url: str, *, enabled: bool) -> None:
    """Foreign keys are kept either way: only the feed's own triggers are switched."""
    word: LiteralString = "ENABLE ALWAYS" if enabled else "DISABLE"
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
            " AND tgrelid::regclass::text = ANY(%s) AND tgname LIKE 'feed%%'",
            (list(TABLES),),
        ).fetchall()
        for table, name in rows:
            connection.execute(f'ALTER TABLE {table} {word} TRIGGER "{name}"'.encode())


def commits_a_second(url: str, gallery: Gallery, writers: int, seconds: float) -> float:
    """Of so many connections that do nothing but enrol; in as many processes as help."""
    processes = min(writers, os.cpu_count() or 1)
    shares = [writers // processes + (n < writers % processes) for n in range(processes)]
    arguments = [(url, gallery, share, seconds) for share in shares]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    with spawn.Pool(processes) as pool:
        return sum(pool.starmap(_commits, arguments)) / seconds


def _commits(url: str, gallery: Gallery, writers: int, seconds: float) -> int:
    counts = [0] * writers
    ready = threading.Barrier(writers + 1)
    stop = threading.Event()

    dimension = gallery.space.dimension

    def write(place: int) -> None:
        values = {
            "gallery": gallery.id,
            "space": gallery.space_id,
            "vector": "[" + ",".join(map(str, new_face(place, dimension).embedding)) + "]",
        }
        with psycopg.connect(url, autocommit=True) as connection:
            ready.wait()
            while not stop.is_set():
                name = f"{os.getpid()}-{place}-{counts[place]}-{time.monotonic_ns()}"
                connection.execute(ENROL, {**values, "name": name})
                counts[place] += 1

    threads = [threading.Thread(target=write, args=(place,)) for place in range(writers)]
    for thread in threads:
        thread.start()
    ready.wait()
    time.sleep(seconds)
    stop.set()
    done = sum(counts)
    for thread in threads:
        thread.join()
    return done
