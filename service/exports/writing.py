"""An export, written: read in one state of the database, in constant memory."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import IO

from service.domain.exports import ExportedSubject, ExportHeader, Totals
from service.domain.galleries import Gallery
from service.domain.keys import Caller
from service.exports import lines
from service.galleries import existing
from service.ports import Store, Transaction

Progress = Callable[[int, int], None]
"""Told how many faces are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Export:
    store: Store

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
            OSError: `out` cannot be written.
        """
        self.store.write(partial(_note, name, caller), by=caller)
        with self.store.transaction(read_only=True) as tx:
            tx.hold_tables()
            gallery = existing(tx, name, caller)
            return _write(tx, gallery, out, progress)


def _note(name: str, caller: Caller, tx: Transaction) -> None:
    gallery = existing(tx, name, caller)
    tx.note("export", gallery.id, of="gallery", faces=tx.count_faces(gallery.id))


def _write(tx: Transaction, gallery: Gallery, out: IO[bytes], progress: Progress) -> Totals:
    total = tx.count_faces(gallery.id)
    sha256 = hashlib.sha256()

    def add(line: lines.Line) -> None:
        written = lines.encoded(line)
        sha256.update(written)
        out.write(written)

    add(lines.header_line(_header(gallery, Totals(tx.count_subjects(gallery.id), total))))
    subjects = faces = 0
    for each in tx.exported(gallery):
        if isinstance(each, ExportedSubject):
            subjects += 1
            add(lines.subject_line(each))
        else:
            faces += 1
            add(lines.face_line(each))
            progress(faces, total)
    add(lines.end_line(totals := Totals(subjects, faces), sha256.hexdigest()))
    return totals


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
