"""What each version of a gallery contains: noted by the database itself, as the version is made."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import psycopg

from service.domain.galleries import GalleryVersion
from service.store.changes import DIGEST

LOOK_S = 0.1
SPACE = "(SELECT space_id FROM gallery WHERE id = c.gallery_id)"

# After feed_number, by its name: the gallery's row is locked until the commit, and whatever is
# visible then is numbered, so this is the very content of the version.
WITNESS = f"""
CREATE TABLE witnessed (gallery_id uuid, version bigint, mark uuid, digest numeric,
                        PRIMARY KEY (gallery_id, version, mark));
CREATE FUNCTION feed_witness() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  c record;
BEGIN
  SELECT gallery_id, version, mark INTO STRICT c FROM gallery_change WHERE id = NEW.id;
  IF NOT EXISTS (SELECT FROM witnessed w WHERE w.gallery_id = c.gallery_id
                                           AND w.version = c.version AND w.mark = c.mark) THEN
    INSERT INTO witnessed VALUES (c.gallery_id, c.version, c.mark,
                                  ({DIGEST % ("c.gallery_id", SPACE)}));
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER feed_witness AFTER INSERT ON gallery_change
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed_witness();
ALTER TABLE gallery_change ENABLE ALWAYS TRIGGER feed_witness;
INSERT INTO witnessed SELECT id, version, mark, 0 FROM gallery;
"""

NEWER = """
SELECT version, mark, digest FROM witnessed WHERE gallery_id = %s AND version > %s ORDER BY version
"""
GAPS = "SELECT max(version) + 1 - count(*) FROM witnessed WHERE gallery_id = %s"


class History:
    """Every version there ever was, also those that the database has lost since.

    `url` gives the server of now. `looked_at`: when the last good look at it began
    (`time.monotonic()`); a version that somebody held before that is known, or was lost.
    """

    def __init__(self, url: Callable[[], str], galleries: Sequence[UUID]) -> None:
        self.known: dict[tuple[UUID, GalleryVersion], int] = {}
        self.looked_at = 0.0
        self._url = url
        self._galleries = galleries
        self._losses: list[list[float]] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._thread.join()

    def begin_loss(self) -> None:
        """From the last look on, there may be versions that nobody will ever know."""
        self._losses.append([self.looked_at, float("inf")])

    def end_loss(self) -> None:
        """All replicas hold what the database holds."""
        for loss in self._losses:
            loss[1] = min(loss[1], time.monotonic())

    def may_be_lost(self, seen_at: float) -> bool:
        return any(begin <= seen_at <= end for begin, end in self._losses)

    def lost(self) -> int:
        """How many versions the database has lost."""
        with psycopg.connect(self._url()) as connection:
            kept = connection.execute("SELECT count(*) FROM witnessed").fetchone()
        return len(self.known) - (kept[0] if kept else 0)

    def gaps(self) -> int:
        """How many numbers were left out, which must be none."""
        with psycopg.connect(self._url()) as connection:
            rows = [connection.execute(GAPS, (each,)).fetchone() for each in self._galleries]
        return sum(abs(row[0]) for row in rows if row)

    def _run(self) -> None:
        while not self._ending.wait(LOOK_S):
            try:
                with psycopg.connect(self._url(), autocommit=True, connect_timeout=5) as connection:
                    self._follow(connection)
            except psycopg.Error:
                continue  # killed; the next one is read from its beginning

    def _follow(self, connection: psycopg.Connection[Any]) -> None:
        last = dict.fromkeys(self._galleries, -1)
        while not self._ending.wait(LOOK_S):
            began = time.monotonic()
            for gallery_id in self._galleries:
                rows = connection.execute(NEWER, (gallery_id, last[gallery_id]))
                for number, mark, digest in rows:
                    version = GalleryVersion(number, mark)
                    self.known[gallery_id, version] = int(digest) % 2**64
                    last[gallery_id] = number
            self.looked_at = began
