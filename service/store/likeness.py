"""SQL of likeness: how similar enrolled faces are to an embedding.

`<#>` is the negative inner product, which for unit vectors is the negative cosine; summed in
float32, so that the last of its digits may differ from the index's.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine, Uuid

from service.domain.decisions import Likeness
from service.domain.embeddings import Embedding
from service.domain.galleries import Gallery
from service.store import consents
from service.store.columns import Vector

# the operator stands in the list of what is materialized: a vector of another dimension, of another
# space of this gallery, never meets it
SCORED = """
WITH scored AS MATERIALIZED (
  SELECT e.face_id, -(e.vec <#> CAST(:probe AS vector)) AS similarity
    FROM {source}
   WHERE e.gallery_id = :gallery AND e.space_id = :space)
"""
ALL = SCORED.format(source="face_embedding e")
AMONG = SCORED.format(
    source="""(SELECT id FROM face WHERE gallery_id = :gallery AND subject_id = ANY (:subjects)
          UNION SELECT unnest(:faces)) wanted
    JOIN face_embedding e ON e.face_id = wanted.id"""
)

SUBJECTS = """
SELECT DISTINCT f.subject_id
  FROM scored n JOIN face f ON f.gallery_id = :gallery AND f.id = n.face_id
 WHERE n.similarity >= :threshold
"""
BEST = f"""
SELECT s.external_id, n.similarity
  FROM scored n
  JOIN face f ON f.gallery_id = :gallery AND f.id = n.face_id
  JOIN subject s ON s.gallery_id = f.gallery_id AND s.id = f.subject_id
 WHERE s.external_id <> :besides
   AND n.similarity >= :threshold
   AND (s.expires_at IS NULL OR s.expires_at > now())
   AND NOT {consents.ENDED_FOR.format(subject="s")}
 ORDER BY n.similarity DESC LIMIT 1
"""
OWN = "SELECT max(similarity) FROM scored"

ROUNDING = 5e-7
"""What is shown, and decided by, has six digits."""

TYPES: dict[str, TypeEngine[Any]] = {
    "probe": Vector(),
    "gallery": Uuid(),
    "space": Uuid(),
    "subjects": ARRAY(Uuid()),
    "faces": ARRAY(Uuid()),
}


def subjects(
    connection: Connection, of: Gallery, embedding: Embedding, threshold: float
) -> list[UUID]:
    """Those that have a face of that similarity or more; reads all embeddings."""
    values = {**_given(of, embedding), "threshold": threshold - ROUNDING}
    return list(connection.scalars(_statement(ALL + SUBJECTS), values))


def best(
    connection: Connection,
    of: Gallery,
    embedding: Embedding,
    besides: str,
    among: tuple[Collection[UUID], Collection[UUID]] | None,
) -> Likeness | None:
    """The most similar subject at the gallery's threshold or above; see
    `ports.Transaction.most_alike`."""
    values = {**_given(of, embedding), "besides": besides, "threshold": of.threshold - ROUNDING}
    if among is not None:
        values |= {"subjects": list(among[0]), "faces": list(among[1])}
    scored = ALL if among is None else AMONG
    row = connection.execute(_statement(scored + BEST), values).one_or_none()
    return None if row is None else Likeness(row.external_id, _bounded(row.similarity))


def own(
    connection: Connection, of: Gallery, subject_id: UUID, embedding: Embedding
) -> float | None:
    values = {**_given(of, embedding), "subjects": [subject_id], "faces": []}
    found = connection.scalar(_statement(AMONG + OWN), values)
    return None if found is None else _bounded(found)


def _given(of: Gallery, embedding: Embedding) -> dict[str, object]:
    return {"gallery": of.id, "space": of.space_id, "probe": embedding}


def _statement(sql: str) -> TextClause:
    named = (bindparam(name, type_=TYPES[name]) for name in TYPES if f":{name}" in sql)
    return text(sql).bindparams(*named)


def _bounded(similarity: float) -> float:
    """float32 rounding puts a face's similarity to itself a little above 1."""
    return round(min(1.0, max(-1.0, similarity)), 6)
