"""SQL of idempotency keys: what was answered to a request, kept with what it wrote.

Who is erased is erased from the kept answers too: the trigger audit_clear empties those that are
`about` them.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, text

from service.domain.repeats import Attempt, KeptAnswer
from service.errors import AttemptDiffers, AttemptErased, AttemptInFlight
from service.store.tables import idempotency_key

KEEP = "24 hours"
"""How long a request may be repeated; documented in docs/api.md."""
SWEEP = 20
"""Old ones deleted with each new one, so that nobody else need sweep."""

# let go when the transaction ends, however it does
TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 1))").bindparams(
    bindparam("name")
)


def begin(connection: Connection, attempt: Attempt) -> KeptAnswer | None:
    name = f"facematch attempt {attempt.caller} {attempt.key}"
    if not connection.scalar(TRY_LOCK, {"name": name}):
        raise AttemptInFlight
    columns = idempotency_key.c
    kept = connection.execute(
        select(columns.fingerprint, columns.status, columns.headers, columns.body).where(
            columns.caller == attempt.caller, columns.key == attempt.key, ~_is_old()
        )
    ).one_or_none()
    if kept is None:
        return None
    if kept.body is None:
        raise AttemptErased
    if kept.fingerprint != attempt.fingerprint:
        raise AttemptDiffers
    return KeptAnswer(kept.status, kept.headers, kept.body)


def keep(
    connection: Connection, attempt: Attempt, answer: KeptAnswer, about: Sequence[UUID]
) -> None:
    columns = idempotency_key.c
    old = select(columns.caller, columns.key).where(_is_old()).limit(SWEEP)
    same = (columns.caller == attempt.caller) & (columns.key == attempt.key)
    connection.execute(
        delete(idempotency_key).where(
            same | func.row(columns.caller, columns.key).in_(old.with_for_update(skip_locked=True))
        )
    )
    connection.execute(
        insert(idempotency_key).values(
            caller=attempt.caller,
            key=attempt.key,
            fingerprint=attempt.fingerprint,
            status=answer.status,
            headers=dict(answer.headers),
            body=answer.body,
            about=list(about),
        )
    )


def _is_old() -> ColumnElement[bool]:
    return idempotency_key.c.created_at < func.now() - text(f"interval '{KEEP}'")
