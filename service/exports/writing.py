"""An export, written: read in one state of the database, in constant memory."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import IO, Any

from service.domain.exports import ExportedSubject, ExportHeader, Totals
from service.domain.galleries import Gallery
from service.domain.keys import Caller
from service.exports import lines
from service.galleries import existing
from service.photograph_keys import NO_KEYS, PhotographKeys
from service.ports import Store, Transaction

Progress = Callable[[int, int], None]
"""Told how many faces are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Export:
    """`photographs`: what is kept of them comes along, opened with one of the `keys`."""

    store: Store
    photographs: bool = False
    keys: PhotographKeys = NO_KEYS

    def run(
        self,
        caller: Caller,
        name: str,
        out: IO[bytes],
        progress: Progress = lambda done, total: None,
    ) -> Totals:
        """Write the gallery to `out`; returns what it held.

        Noted in the record before the first byte leaves.

        Raises:
            GalleryNotFound: see `service.galleries.existing`.
            PhotographKeyMissing, PhotographDamaged: a photograph cannot be opened.
            OSError: `out` cannot be written.
        """
        self.store.write(partial(self._note, name, caller), by=caller)
        with self.store.transaction(read_only=True) as tx:
            tx.hold_tables()
            gallery = existing(tx, name, caller)
            return self._write(tx, gallery, out, progress)

    def _note(self, name: str, caller: Caller, tx: Transaction) -> None:
        gallery = existing(tx, name, caller)
        told: dict[str, Any] = {"photographs": True} if self.photographs else {}
        tx.note("export", gallery.id, of="gallery", faces=tx.count_faces(gallery.id), **told)

    def _write(
        self, tx: Transaction, gallery: Gallery, out: IO[bytes], progress: Progress
    ) -> Totals:
        sha256 = hashlib.sha256()

        def add(line: lines.Line) -> None:
            written = lines.encoded(line)
            sha256.update(written)
            out.write(written)

        expected = self._totals(tx, gallery)
        add(lines.header_line(_header(gallery, expected)))
        subjects = faces = photographs = 0
        for each in tx.exported(gallery, photographs=self.photographs):
            if isinstance(each, ExportedSubject):
                subjects += 1
                add(lines.subject_line(each))
                continue
            faces += 1
            photographs += each.photograph is not None
            add(lines.face_line(each, self.keys))
            progress(faces, expected.faces)
        totals = Totals(subjects, faces, photographs)
        add(lines.end_line(totals, sha256.hexdigest()))
        return totals

    def _totals(self, tx: Transaction, gallery: Gallery) -> Totals:
        kept = sum(tx.count_photographs(gallery.id).values()) if self.photographs else 0
        return Totals(tx.count_subjects(gallery.id), tx.count_faces(gallery.id), kept)


def _header(gallery: Gallery, totals: Totals) -> ExportHeader:
    return ExportHeader(
        release=version("facematch"),
        exported_at=datetime.now(UTC),
        name=gallery.name,
        version=str(gallery.version),
        settings=gallery.settings,
        space=gallery.space,
        calibration=gallery.calibration,
        totals=totals,
    )
