"""SQL of bulk imports' jobs."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from service.domain.galleries import Gallery, GalleryVersion
from service.domain.imports import Assignment, ImportJob, ImportState, ItemStatus
from service.domain.keys import Caller
from service.errors import GalleryNotReady
from service.store.tables import gallery, import_item, import_job

JOBS = select(
    import_job.c.id,
    import_job.c.gallery_id,
    import_job.c.space_id,
    import_job.c.created_by,
    import_job.c.key_id,
    import_job.c.request_id,
    import_job.c.address,
    import_job.c.several,
    import_job.c.state,
    import_job.c.created_at,
    import_job.c.started_at,
    import_job.c.finished_at,
    gallery.c.name.label("gallery"),
    gallery.c.version,
    gallery.c.mark,
).join_from(import_job, gallery, gallery.c.id == import_job.c.gallery_id)

UNFINISHED = import_job.c.state.in_([ImportState.WAITING, ImportState.RUNNING])
ENDED = import_job.c.state.in_([ImportState.FINISHED, ImportState.CANCELLED])
UPLOADING = import_job.c.state == ImportState.UPLOADING


def create(connection: Connection, into: Gallery, caller: Caller, several: bool) -> UUID:
    job_id: UUID = connection.execute(
        insert(import_job)
        .values(
            gallery_id=into.id,
            space_id=into.space_id,
            created_by=caller.name,
            key_id=caller.key_id,
            request_id=caller.request_id,
            address=caller.address,
            several=several,
        )
        .returning(import_job.c.id)
    ).scalar_one()
    return job_id


def touch(connection: Connection, job_id: UUID) -> None:
    connection.execute(
        update(import_job).where(import_job.c.id == job_id).values(touched_at=func.now())
    )


def lock_upload(connection: Connection, job_id: UUID) -> bool:
    """Whether the job is being uploaded still; nobody publishes it before this transaction ends."""
    found = select(import_job.c.id).where(import_job.c.id == job_id, UPLOADING).with_for_update()
    return connection.scalar(found) is not None


def publish(connection: Connection, job_id: UUID) -> ImportJob:
    connection.execute(
        update(import_job)
        .where(import_job.c.id == job_id, UPLOADING)
        .values(state=ImportState.WAITING)
    )
    job = find(connection, job_id)
    if job is None:
        raise GalleryNotReady("The gallery was deleted at this moment.")
    return job


def begin(connection: Connection, job_id: UUID) -> Assignment | None:
    connection.execute(
        update(import_job)
        .where(import_job.c.id == job_id, import_job.c.state == ImportState.WAITING)
        .values(state=ImportState.RUNNING, started_at=func.now())
    )
    row = connection.execute(
        JOBS.where(import_job.c.id == job_id, import_job.c.state == ImportState.RUNNING)
    ).one_or_none()
    if row is None:
        return None
    caller = Caller(row.created_by, row.key_id, frozenset(), None, row.request_id, row.address)
    return Assignment(job_id, row.gallery, row.space_id, caller, row.several)


def finish(connection: Connection, job_id: UUID) -> None:
    """End a running job whose items are all settled."""
    waiting = select(import_item.c.number).where(
        import_item.c.job_id == job_id, import_item.c.status == ItemStatus.WAITING
    )
    connection.execute(
        update(import_job)
        .where(
            import_job.c.id == job_id,
            import_job.c.state == ImportState.RUNNING,
            ~waiting.exists(),
        )
        .values(state=ImportState.FINISHED, finished_at=func.now())
    )


def cancel(connection: Connection, job_id: UUID) -> None:
    connection.execute(
        update(import_job)
        .where(import_job.c.id == job_id, UNFINISHED)
        .values(state=ImportState.CANCELLED, finished_at=func.now())
    )


def remove(connection: Connection, job_id: UUID) -> None:
    connection.execute(delete(import_job).where(import_job.c.id == job_id))


def find(connection: Connection, job_id: UUID) -> ImportJob | None:
    # counted first: the version read afterwards holds all that is counted
    counts = _counts(connection, [job_id])
    wanted = JOBS.where(import_job.c.id == job_id, ~UPLOADING)
    row = connection.execute(wanted).mappings().one_or_none()
    return None if row is None else _job(row, counts.get(job_id, {}))


def page(
    connection: Connection,
    after: UUID | None,
    limit: int,
    among: frozenset[UUID] | None,
    created_by: str | None,
) -> list[ImportJob]:
    wanted = JOBS.where(~UPLOADING).order_by(import_job.c.id.desc()).limit(limit)
    if after is not None:
        wanted = wanted.where(import_job.c.id < after)
    if among is not None:
        wanted = wanted.where(import_job.c.gallery_id.in_(among))
    if created_by is not None:
        wanted = wanted.where(import_job.c.created_by == created_by)
    rows = connection.execute(wanted).mappings().all()
    counts = _counts(connection, [row["id"] for row in rows])
    return [_job(row, counts.get(row["id"], {})) for row in rows]


def unattended(connection: Connection) -> list[UUID]:
    return list(connection.scalars(select(import_job.c.id).where(UNFINISHED)))


def half_cancelled(connection: Connection) -> list[UUID]:
    waiting = select(import_item.c.number).where(
        import_item.c.job_id == import_job.c.id, import_item.c.status == ItemStatus.WAITING
    )
    found = select(import_job.c.id).where(
        import_job.c.state == ImportState.CANCELLED, waiting.exists()
    )
    return list(connection.scalars(found))


def outlived(connection: Connection, keep_s: float, silent_s: float) -> list[UUID]:
    found = select(import_job.c.id).where(
        or_(
            and_(ENDED, import_job.c.finished_at < _ago(keep_s)),
            and_(UPLOADING, import_job.c.touched_at < _ago(silent_s)),
        )
    )
    return list(connection.scalars(found))


def count_unfinished(connection: Connection) -> int:
    counted = select(func.count()).select_from(import_job).where(UNFINISHED)
    return int(connection.scalar(counted) or 0)


def _ago(seconds: float) -> ColumnElement[datetime]:
    return func.now() - func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def _counts(connection: Connection, jobs: Iterable[UUID]) -> dict[UUID, dict[ItemStatus, int]]:
    found: dict[UUID, dict[ItemStatus, int]] = {}
    counted = (
        select(import_item.c.job_id, import_item.c.status, func.count().label("items"))
        .where(import_item.c.job_id.in_(list(jobs)))
        .group_by(import_item.c.job_id, import_item.c.status)
    )
    for row in connection.execute(counted):
        found.setdefault(row.job_id, {})[ItemStatus(row.status)] = row.items
    return found


def _job(row: RowMapping, counts: dict[ItemStatus, int]) -> ImportJob:
    return ImportJob(
        id=row["id"],
        gallery_id=row["gallery_id"],
        gallery=row["gallery"],
        version=GalleryVersion(row["version"], row["mark"]),
        created_by=row["created_by"],
        several=row["several"],
        state=ImportState(row["state"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        counts=counts,
    )
