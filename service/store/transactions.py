"""One transaction: the use cases' door to the tables."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from service.domain.audit import Anchor, Link, RecordedSearch
from service.domain.calibrations import Calibration
from service.domain.decisions import Likeness
from service.domain.embeddings import Embedding, EmbeddingSpace
from service.domain.erasures import Erasure
from service.domain.exports import Exported
from service.domain.faces import Face, ListedFace, NewFace
from service.domain.galleries import Gallery, GallerySettings, GalleryVersion
from service.domain.keys import Caller
from service.domain.matches import EVERYBODY, EnrolledFace, SubjectFilter
from service.domain.photographs import KeptPhotograph, Sealed
from service.domain.repeats import Attempt, KeptAnswer
from service.domain.replicas import ReplicaState
from service.domain.subjects import NOTHING, Metadata, NewSubject, Subject
from service.store import (
    audit,
    calibrations,
    erasures,
    exports,
    faces,
    galleries,
    likeness,
    matches,
    photographs,
    repeats,
    replicas,
    retention,
    spaces,
    subjects,
)
from service.store.consents import PostgresConsents
from service.store.failures import rules_named, translated
from service.store.keys import PostgresKeys
from service.store.reembedding import PostgresReembedding
from service.store.spool import PostgresSpool

NOW = select(func.clock_timestamp())


class PostgresTransaction:
    """See `ports.Transaction`. Errors are translated here and once more around the commit, so that
    a use case can tell them apart inside its block."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._events_before = 0

    @property
    def spool(self) -> PostgresSpool:
        return PostgresSpool(self._connection)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        with translated(), self._connection.begin_nested():
            yield

    @property
    def keys(self) -> PostgresKeys:
        return PostgresKeys(self._connection)

    @property
    def consents(self) -> PostgresConsents:
        return PostgresConsents(self._connection)

    @property
    def reembedding(self) -> PostgresReembedding:
        return PostgresReembedding(self._connection)

    def find_gallery(self, name: str, *, lock: bool = False) -> Gallery | None:
        with translated():
            return galleries.find(self._connection, name, lock=lock)

    def list_galleries(
        self, after: str | None, limit: int, among: frozenset[UUID] | None
    ) -> list[Gallery]:
        with translated():
            return galleries.listed(self._connection, after, limit, among)

    def knows(self, gallery_id: UUID, version: GalleryVersion) -> bool:
        with translated():
            return galleries.knows(self._connection, gallery_id, version)

    def create_gallery(
        self, name: str, space: EmbeddingSpace, settings: GallerySettings
    ) -> Gallery:
        with translated():
            return galleries.create(self._connection, name, space, settings)

    def add_gallery(self, name: str, space: EmbeddingSpace, settings: GallerySettings) -> Gallery:
        with translated():
            return galleries.add(self._connection, name, space, settings)

    def change_gallery(self, gallery_id: UUID, settings: GallerySettings) -> None:
        with translated():
            galleries.change(self._connection, gallery_id, settings)

    def delete_gallery(self, gallery_id: UUID) -> None:
        with translated():
            galleries.remove(self._connection, gallery_id)

    def galleries_of(self, external_id: str, among: frozenset[UUID] | None) -> list[Gallery]:
        with translated():
            return galleries.of_subject(self._connection, external_id, among)

    def erasures(
        self, gallery_id: UUID | None, after: UUID | None, limit: int, *, open_only: bool = False
    ) -> list[Erasure]:
        with translated():
            return erasures.listed(self._connection, gallery_id, after, limit, open_only=open_only)

    def find_erasure(self, erasure_id: UUID) -> Erasure | None:
        with translated():
            return erasures.find(self._connection, erasure_id)

    def mark_passed(self, erasure_id: UUID, replicas: Sequence[str]) -> None:
        with translated():
            erasures.mark_passed(self._connection, erasure_id, replicas)

    def delete_lapsed(self, limit: int) -> int:
        with translated():
            return retention.delete_lapsed(self._connection, limit)

    def act_for(self, caller: Caller) -> None:
        with translated():
            audit.tell_caller(self._connection, caller)

    def note(
        self,
        action: str,
        gallery_id: UUID | None,
        subject_id: UUID | None = None,
        **detail: object,
    ) -> None:
        with translated():
            audit.note(self._connection, action, gallery_id, subject_id, detail)

    def record(self, searches: Sequence[RecordedSearch]) -> None:
        with translated():
            audit.record(self._connection, searches)

    def audit_chains(self) -> list[Anchor]:
        with translated():
            return audit.chains(self._connection)

    def audit_unended(self) -> list[UUID]:
        with translated():
            return audit.unended(self._connection)

    def audit_unnumbered(self, chain: UUID) -> bool:
        with translated():
            return audit.unnumbered(self._connection, chain)

    def audit_start(self, chain: UUID) -> Anchor:
        with translated():
            return audit.start(self._connection, chain)

    def audit_tells_of_pruning(self, start: Anchor) -> bool:
        with translated():
            return audit.tells_of_pruning(self._connection, start)

    def audit_links(self, chain: UUID, after: int) -> Iterator[Link]:
        with translated():
            yield from audit.links(self._connection, chain, after)

    def retention_reads(self) -> list[tuple[str, datetime]]:
        with translated():
            return retention.reads(self._connection)

    def prune_audit(self, before: datetime) -> int:
        with translated():
            return audit.prune(self._connection, before)

    def begin_attempt(self, attempt: Attempt) -> KeptAnswer | None:
        with translated():
            self._events_before = audit.last_event(self._connection)
            return repeats.begin(self._connection, attempt)

    def keep_answer(self, attempt: Attempt, answer: KeptAnswer) -> None:
        with translated():
            about = audit.told_of(self._connection, self._events_before)
            repeats.keep(self._connection, attempt, answer, about)

    def pin_weights(self, space_id: UUID, weights_sha256: str) -> None:
        with translated():
            spaces.pin_weights(self._connection, space_id, weights_sha256)

    def calibrate(self, gallery: Gallery, calibration: Calibration) -> None:
        with translated():
            calibrations.save(self._connection, gallery, calibration)

    def add_subject(self, gallery_id: UUID, external_id: str, metadata: Metadata = NOTHING) -> UUID:
        with translated():
            return subjects.add(self._connection, gallery_id, external_id, metadata)

    def create_subject(self, gallery_id: UUID, new: NewSubject) -> UUID:
        with translated():
            return subjects.create(self._connection, gallery_id, new)

    def find_subject(self, gallery_id: UUID, external_id: str) -> UUID | None:
        with translated():
            return subjects.find(self._connection, gallery_id, external_id)

    def read_subject(
        self, gallery_id: UUID, external_id: str, *, lock: bool = False
    ) -> Subject | None:
        with translated():
            return subjects.read(self._connection, gallery_id, external_id, lock=lock)

    def list_subjects(
        self, gallery_id: UUID, after: str | None, limit: int, containing: Metadata | None
    ) -> list[Subject]:
        with translated():
            return subjects.listed(self._connection, gallery_id, after, limit, containing)

    def change_subject(self, subject_id: UUID, to: NewSubject) -> None:
        with translated():
            subjects.change(self._connection, subject_id, to)

    def merge_subject(self, gallery_id: UUID, into: UUID, other: UUID) -> int:
        with translated():
            return subjects.merge(self._connection, gallery_id, into, other)

    def delete_subject(self, gallery_id: UUID, external_id: str) -> bool:
        with translated():
            return subjects.remove(self._connection, gallery_id, external_id)

    def subject_names(self, subject_ids: Sequence[UUID]) -> dict[UUID, str]:
        with translated():
            return subjects.names(self._connection, subject_ids)

    def enrolled_faces(
        self, gallery: Gallery, face_ids: Sequence[UUID], among: SubjectFilter = EVERYBODY
    ) -> list[EnrolledFace]:
        with translated():
            return matches.faces(self._connection, gallery, face_ids, among)

    def faces_of_subjects(
        self, gallery: Gallery, subject_ids: Sequence[UUID], among: SubjectFilter = EVERYBODY
    ) -> list[EnrolledFace]:
        with translated():
            return matches.faces_of_subjects(self._connection, gallery, subject_ids, among)

    def permitted_subjects(self, gallery_id: UUID, among: SubjectFilter) -> NDArray[np.void]:
        with translated():
            return matches.permitted_subjects(self._connection, gallery_id, among)

    def subject_metadata(self, subject_ids: Sequence[UUID]) -> dict[UUID, Metadata]:
        with translated():
            return matches.metadata(self._connection, subject_ids)

    def subject_has_image(self, subject_id: UUID, image_sha256: bytes) -> bool:
        with translated():
            return faces.has_image(self._connection, subject_id, image_sha256)

    def subject_has_embedding(self, subject_id: UUID, embedding: Embedding) -> bool:
        with translated():
            return faces.has_embedding(self._connection, subject_id, embedding)

    def add_face(self, gallery: Gallery, subject_id: UUID, face: NewFace) -> UUID:
        with translated():
            return faces.add(self._connection, gallery, subject_id, face)

    def faces_of(
        self,
        gallery: Gallery,
        subject_id: UUID,
        after: UUID | None = None,
        limit: int | None = None,
        *,
        embeddings: bool = False,
    ) -> list[Face]:
        with translated():
            return faces.of_subject(
                self._connection, gallery, subject_id, after, limit, embeddings=embeddings
            )

    def read_face(
        self, gallery: Gallery, face_id: UUID, *, embeddings: bool = False
    ) -> Face | None:
        with translated():
            return faces.read(self._connection, gallery, face_id, embeddings=embeddings)

    def replace_face(self, gallery: Gallery, face_id: UUID, new: NewFace) -> None:
        with translated():
            faces.replace(self._connection, gallery, face_id, new)

    def delete_face(self, gallery_id: UUID, face_id: UUID) -> None:
        with translated():
            faces.remove(self._connection, gallery_id, face_id)

    def image_owner(
        self, gallery_id: UUID, image_sha256: bytes, besides: UUID | None = None
    ) -> str | None:
        with translated():
            return faces.image_owner(self._connection, gallery_id, image_sha256, besides)

    def enter_gallery(self, name: str) -> None:
        with translated():
            galleries.enter(self._connection, name)

    def clear_gallery(self, name: str) -> None:
        with translated():
            galleries.clear(self._connection, name)

    def kept_photograph(self, gallery_id: UUID, face_id: UUID) -> KeptPhotograph | None:
        with translated():
            return photographs.read(self._connection, gallery_id, face_id)

    def sealed_otherwise(self, key_id: str, after: UUID | None, limit: int) -> list[KeptPhotograph]:
        with translated():
            return photographs.sealed_otherwise(self._connection, key_id, after, limit)

    def count_photographs(self, gallery_id: UUID) -> dict[str, int]:
        with translated():
            return photographs.count_of(self._connection, gallery_id)

    def count_sealed(self, key_id: str) -> tuple[int, int]:
        with translated():
            return photographs.count(self._connection, key_id)

    def seal_anew(self, sealed: Sequence[tuple[KeptPhotograph, Sealed]]) -> int:
        with translated():
            return photographs.seal_anew(self._connection, sealed)

    def await_keepers(self, gallery_id: UUID) -> None:
        with translated():
            photographs.await_keepers(self._connection, gallery_id)

    def count_unkept(self, gallery_id: UUID) -> int:
        with translated():
            return photographs.count_unkept(self._connection, gallery_id)

    def delete_unkept(self, gallery_id: UUID | None, limit: int) -> int:
        with translated():
            return photographs.delete_unkept(self._connection, gallery_id, limit)

    def keeping_galleries(self) -> list[str]:
        with translated():
            return photographs.keeping(self._connection)

    def hold_gallery(self, gallery_id: UUID) -> None:
        with translated():
            galleries.hold(self._connection, gallery_id)

    def changed_faces(
        self, gallery_id: UUID, since: GalleryVersion, most: int
    ) -> frozenset[UUID] | None:
        with translated():
            return galleries.changed_faces(self._connection, gallery_id, since, most)

    def subjects_like(self, gallery: Gallery, embedding: Embedding, threshold: float) -> list[UUID]:
        with translated():
            return likeness.subjects(self._connection, gallery, embedding, threshold)

    def most_alike(
        self,
        gallery: Gallery,
        embedding: Embedding,
        besides: str,
        among: tuple[Collection[UUID], Collection[UUID]] | None,
    ) -> Likeness | None:
        with translated():
            return likeness.best(self._connection, gallery, embedding, besides, among)

    def own_likeness(
        self, gallery: Gallery, subject_id: UUID, embedding: Embedding
    ) -> float | None:
        with translated():
            return likeness.own(self._connection, gallery, subject_id, embedding)

    def count_subjects(self, gallery_id: UUID) -> int:
        with translated():
            return subjects.count(self._connection, gallery_id)

    def count_faces(self, gallery_id: UUID) -> int:
        with translated():
            return faces.count(self._connection, gallery_id)

    def face_images(self, face_ids: Sequence[UUID]) -> dict[UUID, str | None]:
        with translated():
            return faces.images(self._connection, face_ids)

    def list_faces(
        self, gallery_id: UUID, after: str | None, limit: int | None
    ) -> list[ListedFace]:
        with translated():
            return faces.listed(self._connection, gallery_id, after, limit)

    def hold_tables(self) -> None:
        with translated():
            exports.hold_tables(self._connection)

    def exported(self, gallery: Gallery, *, photographs: bool = False) -> Iterator[Exported]:
        with translated():
            yield from exports.everything(self._connection, gallery, photographs=photographs)

    def add_exported(
        self, gallery: Gallery, subject_id: UUID | None, batch: Sequence[Exported]
    ) -> UUID | None:
        with translated():
            return exports.add(self._connection, gallery, subject_id, batch)

    def naming_rules(self) -> AbstractContextManager[None]:
        return rules_named()

    def database_bytes(self) -> int:
        with translated():
            size = select(func.pg_database_size(func.current_database()))
            return int(self._connection.scalar(size) or 0)

    def gallery_bytes(self, gallery_id: UUID) -> int:
        with translated():
            return galleries.size(self._connection, gallery_id)

    def now(self) -> datetime:
        with translated():
            now: datetime = self._connection.execute(NOW).scalar_one()
            return now

    def replicas(self, gallery_id: UUID) -> list[ReplicaState]:
        with translated():
            return replicas.states(self._connection, gallery_id)

    def made_version(self, gallery_id: UUID) -> GalleryVersion:
        with translated():
            return galleries.made_version(self._connection, gallery_id)
