"""Galleries in files, as rows."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from service.domain.exports import Exported
from service.domain.galleries import Gallery


class ExportRows(Protocol):
    """Whole galleries, from and into files."""

    def hold_tables(self) -> None:
        """Nobody empties the tables of faces until this transaction ends: what it reads is one
        state in spite of TRUNCATE. The first thing that a reading transaction does."""
        ...

    def exported(self, gallery: Gallery, *, photographs: bool = False) -> Iterator[Exported]:
        """Every subject by age, each followed by its faces by age, in constant memory; with the
        kept `photographs` or without."""
        ...

    def add_exported(
        self, gallery: Gallery, subject_id: UUID | None, batch: Sequence[Exported]
    ) -> UUID | None:
        """Add subjects, and to each the faces that follow it; the faces before the first one are
        of the subject `subject_id`. Returns the last one's id, for the next batch.

        Numbered at once, as one gallery version: for a gallery that this transaction has made,
        for whose row nobody waits.
        """
        ...

    def naming_rules(self) -> AbstractContextManager[None]:
        """Inside it, whatever rule of the database refuses a row is a RequestInvalid that names
        the rule: for rows that come from a file."""
        ...
