"""SQL of exports: a gallery read row by row, and written many rows at once."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Row, text

from service.domain.exports import Exported, ExportedConsent, ExportedFace, ExportedSubject
from service.domain.faces import Box
from service.domain.galleries import Gallery
from service.domain.photographs import KeptPhotograph, Sealed
from service.store import photographs as kept_photographs
from service.store import vectors

# LOCK takes no snapshot: the reads that follow see nothing older than what the locks let through
HOLD = text("LOCK TABLE subject, face, face_embedding, kept_photograph IN ACCESS SHARE MODE")

# Both keys have an index in this order, so that nothing large is sorted. Times of consents stay
# within what programs can tell.
EVERYTHING = text("""
SELECT s.id AS subject_id, s.external_id, s.metadata, s.created_at AS subject_created_at,
       s.expires_at, f.id AS face_id, f.created_at, f.created_by, f.image_sha256, f.image_name,
       f.box, f.quality, vector_send(e.vec) AS vec,
       (SELECT jsonb_agg(jsonb_build_object(
                 'text_version', text_version, 'purpose', purpose,
                 'given_at', least(greatest(given_at, '0001-01-02'), '9999-12-30'),
                 'expires_at', CASE WHEN expires_at < '9999-12-31' THEN expires_at END,
                 'recorded_by', recorded_by,
                 'withdrawn_at', withdrawn_at)
               ORDER BY given_at, expires_at, text_version, purpose)
          FROM consent WHERE gallery_id = s.gallery_id AND subject_id = s.id) AS consents
  FROM subject s
  LEFT JOIN face f ON f.gallery_id = s.gallery_id AND f.subject_id = s.id
  LEFT JOIN face_embedding e
    ON e.gallery_id = f.gallery_id AND e.face_id = f.id AND e.space_id = :space
 WHERE s.gallery_id = :gallery
 ORDER BY s.id, f.id
""")
# With the statistics of before a bulk import, PostgreSQL would read the other tables for each row
PLAN = text("SET LOCAL enable_nestloop = off")
# but what is read by its key for each row is not to read a whole table
PLANNED = text("SET LOCAL enable_nestloop = on")
BUFFER = 500
"""Rows that are in memory here."""

IDS = "SELECT uuid_v7() FROM generate_series(1, %s)"
COPIES = {
    "subject": "id uuid, gallery_id uuid, external_id text, metadata jsonb, created_at timestamptz,"
    " expires_at timestamptz",
    "consent": "gallery_id uuid, subject_id uuid, text_version text, purpose text,"
    " given_at timestamptz, expires_at timestamptz, recorded_by text, withdrawn_at timestamptz",
    "face": "id uuid, gallery_id uuid, subject_id uuid, created_at timestamptz, created_by text,"
    " image_sha256 bytea, image_name text, box int4[], quality jsonb",
    "kept_photograph": "face_id uuid, gallery_id uuid, kind text, key_id text, sealed bytea",
    "face_embedding": "face_id, space_id, gallery_id, vec",
}
"""Tables in the order of their keys, with their columns. Values of the last one say their types."""

Values = tuple[object, ...]

NUMBER = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"


def hold_tables(connection: Connection) -> None:
    connection.execute(HOLD)


def everything(
    connection: Connection, gallery: Gallery, *, photographs: bool
) -> Iterator[Exported]:
    """See `ports.Transaction.exported`. By a cursor of the server's, so each statement is short;
    photographs one by one, for a page of them may not fit into memory."""
    connection.execute(PLAN)
    named = {"gallery": gallery.id, "space": gallery.space_id}
    last: UUID | None = None
    # of this statement only: those that read a photograph meanwhile need no cursor
    streaming = {"stream_results": True, "max_row_buffer": BUFFER}
    with connection.execute(EVERYTHING, named, execution_options=streaming) as rows:
        connection.execute(PLANNED)
        for row in rows:
            if row.subject_id != last:
                last = row.subject_id
                yield _subject(row)
            if row.face_id is not None:
                kept = None
                if photographs:
                    kept = kept_photographs.read(connection, gallery.id, row.face_id)
                yield _face(row, kept)


def _subject(row: Row[Any]) -> ExportedSubject:
    return ExportedSubject(
        external_id=row.external_id,
        metadata=row.metadata,
        created_at=row.subject_created_at,
        expires_at=row.expires_at,
        consents=tuple(_consent(each) for each in row.consents or ()),
    )


def _consent(told: dict[str, Any]) -> ExportedConsent:
    return ExportedConsent(
        text_version=told["text_version"],
        purpose=told["purpose"],
        given_at=datetime.fromisoformat(told["given_at"]),
        expires_at=_time(told["expires_at"]),
        recorded_by=told["recorded_by"],
        withdrawn_at=_time(told["withdrawn_at"]),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _face(row: Row[Any], photograph: KeptPhotograph | None) -> ExportedFace:
    return ExportedFace(
        created_at=row.created_at,
        created_by=row.created_by,
        image_sha256=row.image_sha256,
        image_name=row.image_name,
        box=None if row.box is None else Box(*row.box),
        quality=row.quality,
        embedding=None if row.vec is None else vectors.received(row.vec),
        photograph=photograph,
    )


def add(
    connection: Connection, gallery: Gallery, subject_id: UUID | None, batch: Sequence[Exported]
) -> UUID | None:
    """See `ports.Transaction.add_exported`. Ids ascend as the batch does, which is by age."""
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    ids = sorted(row[0] for row in driver.execute(IDS, (len(batch),)))
    rows: dict[str, list[Values]] = {table: [] for table in COPIES}
    for each, new_id in zip(batch, ids, strict=True):
        if isinstance(each, ExportedSubject):
            subject_id = new_id
            rows["subject"].append(_subject_row(gallery, new_id, each))
            rows["consent"] += (_consent_row(gallery, new_id, given) for given in each.consents)
            continue
        rows["face"].append(_face_row(gallery, new_id, subject_id, each))
        if each.sealing is not None:
            sealed = each.sealing(gallery.id, new_id)
            rows["kept_photograph"].append(_photograph_row(gallery, new_id, sealed))
        if each.embedding is not None:
            rows["face_embedding"].append((new_id, gallery.space_id, gallery.id, each.embedding))
    for table, content in rows.items():
        if content:
            _copy(driver, table, content)
    driver.execute(NUMBER)
    return subject_id


def _subject_row(gallery: Gallery, new_id: UUID, new: ExportedSubject) -> Values:
    return new_id, gallery.id, new.external_id, new.metadata, new.created_at, new.expires_at


def _consent_row(gallery: Gallery, subject_id: UUID, given: ExportedConsent) -> Values:
    return (
        gallery.id,
        subject_id,
        given.text_version,
        given.purpose,
        given.given_at,
        given.expires_at,
        given.recorded_by,
        given.withdrawn_at,
    )


def _face_row(gallery: Gallery, new_id: UUID, subject_id: UUID | None, new: ExportedFace) -> Values:
    box = new.box
    return (
        new_id,
        gallery.id,
        subject_id,
        new.created_at,
        new.created_by,
        new.image_sha256,
        new.image_name,
        box and [box.left, box.top, box.width, box.height],
        new.quality,
    )


def _photograph_row(gallery: Gallery, face_id: UUID, sealed: Sealed) -> Values:
    return face_id, gallery.id, sealed.kind.value, sealed.key_id, sealed.content


def _copy(driver: psycopg.Connection[Any], table: str, rows: Sequence[Values]) -> None:
    names, _, types = zip(
        *(column.partition(" ") for column in COPIES[table].split(", ")), strict=True
    )
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT binary)"
    with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        if all(types):
            copy.set_types(types)
        for row in rows:
            copy.write_row(row)
