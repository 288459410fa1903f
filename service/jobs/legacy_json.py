"""Imports the JSON database of older Facenet and ArcFace servers, in batches.

Its form: `{"face_ids": [...], "face_db": [{"id", "embedding", "metadata": {"added_time",
"image_name", "model"}}]}`. The vectors were made with DeepFace's own crop, so they belong into a
gallery of the embedding space with `alignment=deepface`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np

from service.domain.embeddings import unit
from service.domain.faces import NewFace
from service.domain.galleries import Gallery
from service.domain.keys import trusted
from service.domain.subjects import valid_external_id
from service.enrolment import add_new_subject
from service.errors import EmbeddingInvalid, FaceExists, RequestError, RequestInvalid, SubjectExists
from service.jobs.outcomes import Outcome, Verdict
from service.ports import Store, Transaction

LIST_NAME = "face_db"
CREATED_BY = "facematch import-json"
BATCH = 200
"""Faces committed at once: one gallery version, one notification."""


@dataclass(frozen=True, slots=True)
class LegacyFace:
    external_id: str
    face: NewFace


def model_of(item: Any) -> str | None:
    """The model an item says its vector was made by, if it says so."""
    metadata = item.get("metadata") if isinstance(item, dict) else None
    model = metadata.get("model") if isinstance(metadata, dict) else None
    return model if isinstance(model, str) else None


def read_face(item: Any, model: str, dimension: int) -> LegacyFace:
    """One checked item of the list.

    Raises:
        RequestInvalid: no usable id or time, or made by another model.
        EmbeddingInvalid: wrong dimension, NaN, not numbers.
    """
    if not isinstance(item, dict):
        raise RequestInvalid("the item is not an object with id and embedding")
    external_id = item.get("id")
    if not isinstance(external_id, str):
        raise RequestInvalid("id: must be a text")
    made_by = model_of(item)
    if made_by is not None and made_by.lower() != model.lower():
        raise RequestInvalid(f"the vector was made by {made_by}, this import is of {model}")
    metadata = item["metadata"] if isinstance(item.get("metadata"), dict) else {}
    face = NewFace(
        embedding=unit(_numbers(item.get("embedding")), dimension),
        image_sha256=None,
        image_name=_text(metadata.get("image_name")),
        box=None,
        created_by=CREATED_BY,
        created_at=_time(metadata.get("added_time")),
    )
    return LegacyFace(valid_external_id(external_id), face)


def _numbers(value: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise EmbeddingInvalid("the embedding is not a list of numbers") from None


def _text(value: Any) -> str | None:
    return value.replace("\x00", "") if isinstance(value, str) else None


def _time(value: Any) -> datetime | None:
    """ISO 8601 as those servers wrote it; without an offset it is taken for UTC."""
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise RequestInvalid(f"added_time: '{value}' is not an ISO 8601 time") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LegacyImport:
    store: Store
    gallery: Gallery

    def run(self, items: Iterable[Any]) -> Iterator[Outcome]:
        """Import items in batches; outcomes are yielded once their batch is committed.

        Safe to run again: an id that has this very vector already is skipped.

        Raises:
            UnavailableError: the database went away; what was yielded is stored.
        """
        rest = iter(items)
        number = 0
        while batch := list(islice(rest, BATCH)):
            faces: list[LegacyFace] = []
            for item in batch:
                number += 1
                try:
                    space = self.gallery.space
                    faces.append(read_face(item, space.model, space.dimension))
                except RequestError as error:
                    yield Outcome(_name(item, number), Verdict.REJECTED, str(error))
            yield from self._commit(faces)

    def _commit(self, faces: list[LegacyFace]) -> list[Outcome]:
        """All in one transaction; where the database refuses it, one by one."""
        try:
            return self.store.write(
                lambda tx: [_add(tx, self.gallery, face) for face in faces], by=trusted(CREATED_BY)
            )
        except RequestError as error:
            if len(faces) == 1:
                return [Outcome(faces[0].external_id, Verdict.REJECTED, str(error))]
        return [outcome for face in faces for outcome in self._commit([face])]


def _add(tx: Transaction, gallery: Gallery, legacy: LegacyFace) -> Outcome:
    """Add a face, or say why not; both refusals come before any write, so the batch goes on."""
    try:
        add_new_subject(tx, gallery, legacy.external_id, legacy.face)
    except FaceExists as error:
        return Outcome(legacy.external_id, Verdict.SKIPPED, str(error))
    except SubjectExists as error:
        return Outcome(legacy.external_id, Verdict.REJECTED, str(error))
    return Outcome(legacy.external_id, Verdict.ENROLLED)


def _name(item: Any, number: int) -> str:
    external_id = item.get("id") if isinstance(item, dict) else None
    return str(external_id)[:255] if external_id else f"item {number}"
