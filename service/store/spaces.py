"""SQL of embedding spaces."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Label,
    and_,
    delete,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from service.domain.embeddings import Alignment, EmbeddingSpace
from service.errors import SpaceConflict
from service.store.connections import Row
from service.store.tables import embedding_space, face_embedding, gallery, reembedding

NAMES = ("model", "dimension", "weights_sha256", "detector", "alignment", "default_threshold")


def columns(of: FromClause, prefix: str) -> list[Label[Any]]:
    """The space's, labelled, to stand beside those of what is in it."""
    return [of.c[name].label(prefix + name) for name in NAMES]


def of_row(row: Row, prefix: str) -> EmbeddingSpace:
    """From a row that has the `columns`."""
    value = {name: row[prefix + name] for name in NAMES}
    return EmbeddingSpace(**value | {"alignment": Alignment(value["alignment"])})


def _like(model: str, detector: str, alignment: str) -> ColumnElement[bool]:
    columns = embedding_space.c
    return and_(
        columns.model == model, columns.detector == detector, columns.alignment == alignment
    )


def ensure(connection: Connection, space: EmbeddingSpace) -> UUID:
    """The id of the space, created where it is new.

    Raises:
        SpaceConflict: the database knows it with another dimension.
    """
    columns = embedding_space.c
    weights = space.weights_sha256 or _only_weights(connection, space)
    connection.execute(
        insert(embedding_space)
        .values(
            model=space.model,
            dimension=space.dimension,
            weights_sha256=weights,
            detector=space.detector,
            alignment=space.alignment.value,
            default_threshold=space.default_threshold,
        )
        .on_conflict_do_nothing()
    )
    found = connection.execute(
        select(columns.id, columns.dimension).where(
            _like(space.model, space.detector, space.alignment.value),
            columns.weights_sha256.is_not_distinct_from(weights),
        )
    ).one()
    if found.dimension != space.dimension:
        raise SpaceConflict(
            f"The database holds the embedding space ({space.describe()}) with {found.dimension} "
            f"dimensions, and the model gives {space.dimension}; use the weights it was made with."
        )
    space_id: UUID = found.id
    return space_id


def _only_weights(connection: Connection, space: EmbeddingSpace) -> str | None:
    """The one known digest of that model, detector and alignment; None when none or several."""
    digests = connection.scalars(
        select(embedding_space.c.weights_sha256)
        .where(
            _like(space.model, space.detector, space.alignment.value),
            embedding_space.c.weights_sha256.is_not(None),
        )
        .limit(2)
    ).all()
    return digests[0] if len(digests) == 1 else None


def pin_weights(connection: Connection, space_id: UUID, weights_sha256: str) -> None:
    """Fill in the digest. Where a space of that digest exists the two are one: it takes over."""
    columns = embedding_space.c
    pinned = connection.execute(
        select(columns.model, columns.detector, columns.alignment)
        .where(columns.id == space_id, columns.weights_sha256.is_(None))
        .with_for_update()
    ).one_or_none()
    if pinned is None:
        return
    twin = connection.scalar(
        select(columns.id).where(
            _like(pinned.model, pinned.detector, pinned.alignment),
            columns.weights_sha256 == weights_sha256,
        )
    )
    if twin is None:
        connection.execute(
            update(embedding_space)
            .where(columns.id == space_id)
            .values(weights_sha256=weights_sha256)
        )
        return
    for table in (face_embedding, gallery, reembedding):
        connection.execute(update(table).where(table.c.space_id == space_id).values(space_id=twin))
    connection.execute(delete(embedding_space).where(columns.id == space_id))
