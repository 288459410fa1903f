"""One transaction: the use cases' door to the tables."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select

from service.domain.audit import Anchor, Link, Probed
from service.domain.calibrations import Calibration
from service.domain.consents import Consent
from service.domain.embeddings import Embedding, EmbeddingSpace
from service.domain.erasures import Erasure
from service.domain.exports import Exported
from service.domain.faces import ListedFace, NewFace
from service.domain.galleries import Gallery, GallerySettings, GalleryVersion
from service.domain.repeats import Attempt, KeptAnswer
from service.domain.replicas import ReplicaState
from service.store import (
    audit,
    calibrations,
    consents,
    erasures,
    exports,
    faces,
    galleries,
    repeats,
    replicas,
    retention,
    spaces,
    subjects,
)
from service.store.failures import rules_named, translated


class PostgresTransaction:
    """See `ports.Transaction`. Errors are translated here and once more around the commit, so that
    a use case can tell them apart inside its block."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

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

    def add_consent(
        self, gallery_id: UUID, subject_id: UUID, consent: Consent, recorded_by: str
    ) -> None:
        with translated():
            consents.add(self._connection, gallery_id, subject_id, consent, recorded_by)

    def note(
        self,
        action: str,
        gallery_id: UUID | None,
        subject_id: UUID | None = None,
        **detail: object,
    ) -> None:
        with translated():
            audit.note(self._connection, action, gallery_id, subject_id, detail)

    def record(self, probes: Sequence[Probed]) -> None:
        with translated():
            audit.record(self._connection, probes)

    def audit_chains(self) -> list[Anchor]:
        with translated():
            return audit.chains(self._connection)

    def audit_start(self, chain: UUID) -> Anchor:
        with translated():
            return audit.start(self._connection, chain)

    def audit_links(self, chain: UUID, after: int) -> Iterator[Link]:
        with translated():
            yield from audit.links(self._connection, chain, after)

    def prune_audit(self, before: datetime) -> int:
        with translated():
            return audit.prune(self._connection, before)

    def begin_attempt(self, attempt: Attempt) -> KeptAnswer | None:
        with translated():
            return repeats.begin(self._connection, attempt)

    def keep_answer(self, attempt: Attempt, answer: KeptAnswer) -> None:
        with translated():
            repeats.keep(self._connection, attempt, answer)

    def pin_weights(self, space_id: UUID, weights_sha256: str) -> None:
        with translated():
            spaces.pin_weights(self._connection, space_id, weights_sha256)

    def calibrate(self, gallery: Gallery, calibration: Calibration) -> None:
        with translated():
            calibrations.save(self._connection, gallery, calibration)

    def add_subject(self, gallery_id: UUID, external_id: str) -> UUID:
        with translated():
            return subjects.add(self._connection, gallery_id, external_id)

    def find_subject(self, gallery_id: UUID, external_id: str) -> UUID | None:
        with translated():
            return subjects.find(self._connection, gallery_id, external_id)

    def delete_subject(self, gallery_id: UUID, external_id: str) -> bool:
        with translated():
            return subjects.remove(self._connection, gallery_id, external_id)

    def subject_names(self, subject_ids: Sequence[UUID]) -> dict[UUID, str]:
        with translated():
            return subjects.names(self._connection, subject_ids)

    def subject_has_image(self, subject_id: UUID, image_sha256: bytes) -> bool:
        with translated():
            return faces.has_image(self._connection, subject_id, image_sha256)

    def subject_has_embedding(self, subject_id: UUID, embedding: Embedding) -> bool:
        with translated():
            return faces.has_embedding(self._connection, subject_id, embedding)

    def add_face(self, gallery: Gallery, subject_id: UUID, face: NewFace) -> UUID:
        with translated():
            return faces.add(self._connection, gallery, subject_id, face)

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

    def exported(self, gallery: Gallery) -> Iterator[Exported]:
        with translated():
            yield from exports.everything(self._connection, gallery)

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

    def now(self) -> datetime:
        with translated():
            now: datetime = self._connection.execute(select(func.clock_timestamp())).scalar_one()
            return now

    def replicas(self, gallery_id: UUID) -> list[ReplicaState]:
        with translated():
            return replicas.states(self._connection, gallery_id)

    def made_version(self, gallery_id: UUID) -> GalleryVersion:
        with translated():
            return galleries.made_version(self._connection, gallery_id)
