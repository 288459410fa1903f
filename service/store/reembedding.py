"""SQL of the second space of galleries."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Row,
    Uuid,
    and_,
    bindparam,
    delete,
    func,
    literal,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from service.domain.embeddings import Embedding, EmbeddingSpace
from service.domain.faces import Beside, Box
from service.domain.galleries import Gallery
from service.domain.reembedding import MissingFace
from service.store import spaces
from service.store.columns import Vector
from service.store.connections import allow_long
from service.store.failures import translated
from service.store.tables import (
    face,
    face_embedding,
    gallery,
    reembedding,
    reembedding_failure,
    subject,
)

# whoever gives the space up waits for those who embed in it, and nobody does afterwards
BESIDE = text("""
INSERT INTO face_embedding (face_id, gallery_id, space_id, vec)
SELECT :face, gallery_id, space_id, :embedding FROM reembedding
 WHERE gallery_id = :gallery AND space_id = :space FOR KEY SHARE
""").bindparams(
    bindparam("face", type_=Uuid()),
    bindparam("gallery", type_=Uuid()),
    bindparam("space", type_=Uuid()),
    bindparam("embedding", type_=Vector()),
)

ADD = text("""
INSERT INTO face_embedding (face_id, gallery_id, space_id, vec)
SELECT f.id, f.gallery_id, r.space_id, :embedding
  FROM face f JOIN reembedding r ON r.gallery_id = f.gallery_id
 WHERE f.gallery_id = :gallery AND f.id = :face AND f.image_sha256 = :image AND r.space_id = :space
   FOR SHARE OF f FOR KEY SHARE OF r
ON CONFLICT DO NOTHING
""").bindparams(
    bindparam("gallery", type_=Uuid()),
    bindparam("face", type_=Uuid()),
    bindparam("image", type_=LargeBinary()),
    bindparam("space", type_=Uuid()),
    bindparam("embedding", type_=Vector()),
)
THRESHOLDS = (
    select(gallery.c.threshold, reembedding.c.threshold)
    .join(reembedding, reembedding.c.gallery_id == gallery.c.id)
    .with_for_update(key_share=True)
)


def embed_beside(connection: Connection, gallery_id: UUID, face_id: UUID, beside: Beside) -> None:
    """A face's embedding in the other space, unless that has been given up."""
    connection.execute(
        BESIDE,
        {
            "face": face_id,
            "gallery": gallery_id,
            "space": beside.space_id,
            "embedding": beside.embedding,
        },
    )


class PostgresReembedding:
    """See `ports.ReembeddingRows`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, gallery: Gallery, space: EmbeddingSpace, threshold: float) -> None:
        with translated():
            space_id = spaces.ensure(self._connection, space)
            self._connection.execute(
                insert(reembedding)
                .values(gallery_id=gallery.id, space_id=space_id, threshold=threshold)
                .on_conflict_do_nothing()
            )

    def missing(self, gallery: Gallery, after: UUID | None, limit: int) -> list[MissingFace]:
        page = (
            select(
                face.c.id,
                subject.c.external_id,
                face.c.image_sha256,
                face.c.image_name,
                face.c.box,
                reembedding_failure.c.code,
                reembedding_failure.c.reason,
            )
            .join(
                subject,
                and_(subject.c.gallery_id == face.c.gallery_id, subject.c.id == face.c.subject_id),
            )
            .outerjoin(reembedding_failure, reembedding_failure.c.face_id == face.c.id)
            .where(_without_embedding(gallery))
            .order_by(face.c.id)
            .limit(limit)
        )
        if after is not None:
            page = page.where(face.c.id > after)
        with translated():
            return [_missing(row) for row in self._connection.execute(page)]

    def count_missing(self, gallery: Gallery) -> int:
        counted = select(func.count()).select_from(face).where(_without_embedding(gallery))
        with translated():
            allow_long(self._connection)
            return int(self._connection.scalar(counted) or 0)

    def add(self, gallery: Gallery, of: MissingFace, embedding: Embedding) -> bool:
        """A replacement of the photograph has come first, or waits."""
        values = {
            "gallery": gallery.id,
            "face": of.face_id,
            "image": of.image_sha256,
            "space": gallery.in_other().space_id,
            "embedding": embedding,
        }
        with translated():
            added = self._connection.execute(ADD, values)
            self._connection.execute(
                delete(reembedding_failure).where(reembedding_failure.c.face_id == of.face_id)
            )
        return added.rowcount == 1

    def note_failures(
        self, gallery: Gallery, failures: Sequence[tuple[MissingFace, str, str]]
    ) -> None:
        """Of those that are still there."""
        for of, code, reason in failures:
            there = select(face.c.id, face.c.gallery_id, literal(code), literal(reason)).where(
                face.c.gallery_id == gallery.id, face.c.id == of.face_id
            )
            # whoever is deleting it at this moment is waited for, and then it is not there
            there = there.with_for_update(read=True, key_share=True)
            with translated():
                self._connection.execute(
                    insert(reembedding_failure)
                    .from_select(["face_id", "gallery_id", "code", "reason"], there)
                    .on_conflict_do_update(
                        constraint="pk_reembedding_failure",
                        set_={"code": code, "reason": reason, "failed_at": func.now()},
                    )
                )

    def switch(self, of: Gallery) -> None:
        """Thresholds are exchanged as they are now: somebody may have set one since `of` was
        read."""
        other = of.in_other()
        began = None if of.other is None else of.other.switched_at
        with translated():
            threshold, threshold_there = self._connection.execute(
                THRESHOLDS.where(gallery.c.id == of.id)
            ).one()
            self._connection.execute(
                update(gallery)
                .where(gallery.c.id == of.id)
                .values(space_id=other.space_id, threshold=threshold_there)
            )
            self._connection.execute(
                update(reembedding)
                .where(reembedding.c.gallery_id == of.id)
                .values(
                    space_id=of.space_id,
                    threshold=threshold,
                    switched_at=func.now() if began is None else None,
                )
            )

    def end(self, gallery: Gallery) -> None:
        with translated():
            self._connection.execute(
                delete(reembedding).where(reembedding.c.gallery_id == gallery.id)
            )

    def count_useless(self, gallery: Gallery) -> int:
        counted = select(func.count()).select_from(face_embedding).where(_useless(gallery.id))
        with translated():
            allow_long(self._connection)
            return int(self._connection.scalar(counted) or 0)

    def delete_useless(self, gallery: Gallery, limit: int) -> int:
        some = (
            select(face_embedding.c.face_id, face_embedding.c.space_id)
            .where(_useless(gallery.id))
            .limit(limit)
        )
        key = tuple_(face_embedding.c.face_id, face_embedding.c.space_id)
        with translated():
            return self._connection.execute(delete(face_embedding).where(key.in_(some))).rowcount


def _without_embedding(of: Gallery) -> ColumnElement[bool]:
    there = select(face_embedding.c.face_id).where(
        face_embedding.c.gallery_id == face.c.gallery_id,
        face_embedding.c.face_id == face.c.id,
        face_embedding.c.space_id == of.space_id,
    )
    return and_(face.c.gallery_id == of.id, ~there.exists())


def _useless(gallery_id: UUID) -> ColumnElement[bool]:
    """As the tables are at this moment: somebody may have given the space to the gallery again."""
    own = select(gallery.c.space_id).where(gallery.c.id == gallery_id).scalar_subquery()
    other = select(reembedding.c.gallery_id).where(
        reembedding.c.gallery_id == gallery_id,
        reembedding.c.space_id == face_embedding.c.space_id,
    )
    return and_(
        face_embedding.c.gallery_id == gallery_id,
        face_embedding.c.space_id != own,
        ~other.exists(),
    )


def _missing(row: Row[*tuple[Any, ...]]) -> MissingFace:
    return MissingFace(
        face_id=row.id,
        external_id=row.external_id,
        image_sha256=row.image_sha256,
        image_name=row.image_name,
        box=None if row.box is None else Box(*row.box),
        code=row.code,
        reason=row.reason,
    )
