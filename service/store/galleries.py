"""SQL of galleries and their versions."""

from typing import cast
from uuid import UUID

import psycopg
from sqlalchemy import ColumnElement, Connection, RowMapping, or_, select
from sqlalchemy.dialects.postgresql import insert

from service.domain.embeddings import Alignment, EmbeddingSpace
from service.domain.galleries import Gallery, GalleryVersion
from service.store import calibrations, spaces
from service.store.tables import embedding_space, gallery, gallery_calibration, gallery_change

GALLERIES = select(
    gallery.c.id,
    gallery.c.name,
    gallery.c.space_id,
    gallery.c.threshold,
    gallery.c.max_faces,
    gallery.c.version,
    gallery.c.mark,
    gallery.c.updated_at,
    embedding_space.c.model,
    embedding_space.c.dimension,
    embedding_space.c.weights_sha256,
    embedding_space.c.detector,
    embedding_space.c.alignment,
    embedding_space.c.default_threshold,
    *calibrations.COLUMNS,
).select_from(
    gallery.join(embedding_space, embedding_space.c.id == gallery.c.space_id).outerjoin(
        gallery_calibration, calibrations.OF_ITS_GALLERY
    )
)


def find(connection: Connection, name: str) -> Gallery | None:
    return _one(connection, gallery.c.name == name)


def create(
    connection: Connection,
    name: str,
    space: EmbeddingSpace,
    threshold: float,
    max_faces: int | None,
) -> Gallery:
    existing = find(connection, name)
    if existing is not None:
        return existing
    connection.execute(
        insert(gallery)
        .values(
            name=name,
            space_id=spaces.ensure(connection, space),
            threshold=threshold,
            max_faces=max_faces,
        )
        .on_conflict_do_nothing(constraint="uq_gallery_name")
    )
    created = find(connection, name)
    if created is None:
        raise LookupError(f"gallery {name!r} was deleted while it was being created")
    return created


def _one(connection: Connection, condition: ColumnElement[bool]) -> Gallery | None:
    row = connection.execute(GALLERIES.where(condition)).mappings().one_or_none()
    return None if row is None else _gallery(row)


def _gallery(row: RowMapping) -> Gallery:
    return Gallery(
        id=row["id"],
        name=row["name"],
        space_id=row["space_id"],
        space=EmbeddingSpace(
            model=row["model"],
            dimension=row["dimension"],
            weights_sha256=row["weights_sha256"],
            detector=row["detector"],
            alignment=Alignment(row["alignment"]),
            default_threshold=row["default_threshold"],
        ),
        threshold=row["threshold"],
        max_faces=row["max_faces"],
        version=GalleryVersion(row["version"], row["mark"]),
        updated_at=row["updated_at"],
        calibration=calibrations.of_row(row),
    )


def knows(connection: Connection, gallery_id: UUID, version: GalleryVersion) -> bool:
    """Whether that version with that mark is in the gallery's history, as far as it is kept."""
    at_head = select(gallery.c.id).where(
        gallery.c.id == gallery_id,
        gallery.c.version == version.number,
        gallery.c.mark == version.mark,
    )
    kept = select(gallery_change.c.id).where(
        gallery_change.c.gallery_id == gallery_id,
        gallery_change.c.version == version.number,
        gallery_change.c.mark == version.mark,
    )
    return bool(connection.scalar(select(or_(at_head.exists(), kept.exists()))))


def made_version(connection: Connection, gallery_id: UUID) -> GalleryVersion:
    """Both statements travel at once: SQLAlchemy has no way to say that, the driver has."""
    driver = cast("psycopg.Connection[tuple[int, UUID]]", connection.connection.driver_connection)
    with driver.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS feed_number IMMEDIATE;"
            f"SELECT version, mark FROM gallery WHERE id = '{gallery_id}'"
        )
        cursor.nextset()
        row = cursor.fetchone()
    if row is None:
        raise LookupError(f"no gallery {gallery_id}")
    return GalleryVersion(*row)
