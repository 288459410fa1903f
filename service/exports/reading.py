"""An export, read: it becomes a gallery like the one that was written, or nothing at all."""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import IO, Any

from service.domain.exports import Exported, ExportHeader, Totals
from service.domain.galleries import Gallery, GalleryRules, GallerySettings
from service.domain.keys import Caller
from service.errors import (
    GalleryExists,
    InputFileInvalid,
    PhotographKeyMissing,
    RequestError,
    RequestInvalid,
    ScopeMissing,
)
from service.exports import lines
from service.photograph_keys import NO_KEYS, PhotographKeys
from service.ports import Store, Transaction

BATCH = 500
"""Subjects and faces written, and numbered as one gallery version, at once."""
BATCH_BYTES = 64_000_000
"""Of the file's lines; whichever is reached first."""
UNBOUND = GalleryRules(max_faces_per_subject=2**31 - 1)
"""A gallery's own rules are for those who enrol: what is in the file was let in by them once."""
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)
"""What unpacking a cut or changed file raises."""


@dataclass(frozen=True, slots=True)
class Imported:
    """`name` is the new gallery's, which may be another than the exported one's."""

    name: str
    header: ExportHeader
    totals: Totals


class Reader:
    """The lines of an export, checked as they come; `what` names the file in errors. Photographs in
    it are sealed with one of the `keys`.

    Raises InputFileInvalid, also while it is iterated over, unless all of it is there, unchanged,
    to the last byte. PhotographKeyMissing where the gallery keeps photographs, and no key is
    here.
    """

    def __init__(self, file: IO[bytes], what: str, keys: PhotographKeys = NO_KEYS) -> None:
        self._keys = keys
        self._file = file
        self._what = what
        self._sha256 = hashlib.sha256()
        self._subjects = self._faces = self._photographs = 0
        self._number = self._bytes = 0
        with self.explained():
            self.header = self._header()
            keys.check(self.header.settings.rules.keep_photographs)

    def __iter__(self) -> Iterator[Exported]:
        while True:
            with self.explained():
                line = self._next()
                if isinstance(line, lines.EndLine):
                    self._end(line)
                    return
                each = self._exported(line)
            yield each

    @property
    def size(self) -> int:
        """In bytes, of the lines that have been read."""
        return self._bytes

    @property
    def totals(self) -> Totals:
        """Of what has been read."""
        return Totals(self._subjects, self._faces, self._photographs)

    @property
    def sha256(self) -> str:
        """Of every byte but the last line's; once it was read."""
        return self._sha256.hexdigest()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Whatever is wrong with a value is wrong with the file, about here."""
        try:
            yield
        except (GalleryExists, PhotographKeyMissing):
            raise
        except RequestError as error:
            raise InputFileInvalid(f"{self._what}, line {self._number}: {error}.") from error
        except DAMAGED as error:
            raise InputFileInvalid(
                f"{self._what}, line {self._number}: the file is damaged or cut off: {error}."
            ) from error

    def _header(self) -> ExportHeader:
        try:
            line = self._next()
        except RequestInvalid as error:
            raise RequestInvalid(f"not the beginning of a gallery's export ({error})") from None
        if not isinstance(line, lines.HeaderLine):
            raise RequestInvalid("not the beginning of a gallery's export")
        return lines.header_of(line)

    def _next(self) -> lines.Parsed:
        self._number += 1
        line = self._file.readline(lines.LONGEST_LINE)
        if not line.endswith(b"\n"):
            longest = len(line) == lines.LONGEST_LINE
            raise RequestInvalid("the line is too long" if longest else "the file is cut off")
        self._bytes += len(line)
        parsed = lines.decoded(line)
        if not isinstance(parsed, lines.EndLine):
            self._sha256.update(line)
        return parsed

    def _exported(self, line: lines.Parsed) -> Exported:
        if isinstance(line, lines.SubjectLine):
            self._subjects += 1
            return lines.subject_of(line)
        if not isinstance(line, lines.FaceLine):
            raise RequestInvalid("a second header")
        if not self._subjects:
            raise RequestInvalid("a face before the first subject")
        self._faces += 1
        self._photographs += line.photograph is not None
        return lines.face_of(line, self.header, self._keys)

    def _end(self, line: lines.EndLine) -> None:
        if line.sha256 != self.sha256:
            raise RequestInvalid("the file was changed or damaged: its checksum is another")
        if (
            not Totals(line.subjects, line.faces, line.photographs)
            == self.totals
            == self.header.totals
        ):
            raise RequestInvalid("the file does not hold as much as it says")
        if self._file.read(1):
            raise RequestInvalid("something follows the end")


@dataclass(frozen=True, slots=True)
class Import:
    store: Store

    def run(
        self,
        caller: Caller,
        reader: Reader,
        name: str | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Imported:
        """Make a gallery of what is read, named `name` or as it was.

        One transaction, which commits after the checksum was found right: a failure leaves
        nothing. `progress` is told how many faces are done, and how many there are.

        Raises:
            GalleryExists: the name is taken.
            SpaceConflict: the database knows the embedding space with another dimension.
            InputFileInvalid: see `Reader`; or the database refuses what is in it.
            ScopeMissing: the caller is bound to certain galleries and could not reach it.
        """
        if caller.galleries is not None:
            raise ScopeMissing("admin of all galleries")
        header = reader.header
        name = header.name if name is None else name
        with self.store.transaction() as tx:
            tx.act_for(caller)
            keeping = header.settings.rules.keep_photographs
            unbound = replace(UNBOUND, keep_photographs=keeping)
            bare = GallerySettings(header.space.default_threshold, None, unbound)
            with reader.explained(), tx.naming_rules():
                gallery = tx.add_gallery(name, header.space, bare)
                _fill(tx, gallery, reader, progress)
                _settle(tx, gallery, reader)
        return Imported(name, header, reader.totals)


def _fill(
    tx: Transaction, gallery: Gallery, reader: Reader, progress: Callable[[int, int], None]
) -> None:
    rest = iter(reader)
    subject_id = None
    while batch := list(_batch(reader, rest)):
        subject_id = tx.add_exported(gallery, subject_id, batch)
        progress(reader.totals.faces, reader.header.totals.faces)


def _batch(reader: Reader, rest: Iterator[Exported]) -> Iterator[Exported]:
    before = reader.size
    for each in islice(rest, BATCH):
        yield each
        if reader.size - before >= BATCH_BYTES:
            return


def _settle(tx: Transaction, gallery: Gallery, reader: Reader) -> None:
    """The rest of the gallery, and where it came from."""
    header, totals = reader.header, reader.totals
    if header.calibration is not None:
        tx.calibrate(gallery, header.calibration)
    tx.change_gallery(gallery.id, header.settings)
    photographs = totals.photographs
    told: dict[str, Any] = {"photographs": photographs} if photographs else {}
    tx.note(
        "import",
        gallery.id,
        sha256=reader.sha256,
        release=header.release,
        subjects=totals.subjects,
        faces=totals.faces,
        **told,
    )
