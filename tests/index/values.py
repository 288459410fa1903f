"""Values that the index's tests share."""

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from service.domain.embeddings import Embedding, unit
from service.domain.faces import IndexedFace
from service.domain.galleries import GalleryVersion
from service.index import GalleryIndex, IndexBuilder
from service.index.rows import UUID_BYTES
from service.index.snapshot import Identity, save
from service.ports import FaceBatch, SearchResult

DIMENSION = 16
NOISE = 2e-6
"""The index tells no two similarities apart that are the same in six digits, and takes those by
their ids; and the tail is multiplied by NumPy, the base by FAISS."""
IDENTITY = Identity(uuid4(), uuid4(), DIMENSION)
random = np.random.default_rng(7)


def vector() -> Embedding:
    return unit(random.normal(size=DIMENSION), DIMENSION)


def face(subject: UUID | None = None, embedding: Embedding | None = None) -> IndexedFace:
    return IndexedFace(uuid4(), subject or uuid4(), vector() if embedding is None else embedding)


def version(number: int) -> GalleryVersion:
    return GalleryVersion(number, uuid4())


def batch(faces: list[IndexedFace]) -> FaceBatch:
    return FaceBatch(
        np.array([f.face_id.bytes for f in faces], dtype=UUID_BYTES),
        np.array([f.subject_id.bytes for f in faces], dtype=UUID_BYTES),
        np.array([f.embedding for f in faces], dtype=np.float32).reshape(len(faces), -1),
    )


def ids_of(uuids: list[UUID]) -> NDArray[np.void]:
    """As the store gives them."""
    return np.frombuffer(b"".join(each.bytes for each in uuids), dtype=UUID_BYTES)


def built(faces: list[IndexedFace]) -> GalleryIndex:
    builder = IndexBuilder(DIMENSION)
    if faces:
        builder.add(batch(faces))
    return builder.finish(version(1))


def saved(index: GalleryIndex, path: Path) -> Path:
    assert save(index.state, IDENTITY, path)
    return path


def assert_same(one: GalleryIndex, other: GalleryIndex) -> None:
    assert (one.version, len(one), one.digest()) == (other.version, len(other), other.digest())
    mine, yours = one.contents(), other.contents()
    assert mine.keys() == yours.keys()
    for face_id, (subject_id, embedding) in mine.items():
        assert yours[face_id][0] == subject_id
        assert yours[face_id][1].tobytes() == embedding.tobytes()
    for subjects in (1, 5, 100):
        probe = vector()
        for each in (one, other):
            assert_best(each.search(probe, subjects), mine, probe, subjects)


def assert_best(
    found: SearchResult,
    faces: Mapping[UUID, tuple[UUID, Embedding]],
    probe: Embedding,
    subjects: int,
) -> None:
    """It is what a scan of these faces finds: the best subjects, best first, each by its best."""
    scanned = {face: float(embedding @ probe) for face, (_, embedding) in faces.items()}
    best: dict[UUID, float] = {}
    for face_id, (subject_id, _) in faces.items():
        best[subject_id] = max(scanned[face_id], best.get(subject_id, -2.0))
    candidates = found.candidates
    given = [c.similarity for c in candidates]
    assert given == pytest.approx(sorted(best.values(), reverse=True)[:subjects], abs=NOISE)
    assert given == pytest.approx([best[c.subject_id] for c in candidates], abs=NOISE)
    assert given == pytest.approx([scanned[c.face_id] for c in candidates], abs=NOISE)
    assert [faces[c.face_id][0] for c in candidates] == [c.subject_id for c in candidates]
    assert len({c.subject_id for c in candidates}) == len(candidates)
