"""Errors of the driver and the pool, translated once into those of `service.errors`."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as postgres
from sqlalchemy import exc as alchemy

from service.errors import (
    ConsentMissing,
    DatabaseBusy,
    DatabaseUnavailable,
    EmbeddingInvalid,
    FacematchError,
    GalleryFull,
    GalleryNotReady,
    RequestInvalid,
)

# besides every OperationalError, which includes lost connections, shutdowns and lock timeouts
UNAVAILABLE = (
    psycopg.OperationalError,
    psycopg.InterfaceError,  # the connection is closed already
    postgres.ReadOnlySqlTransaction,  # a primary that has become a standby under us
)


# somebody else's transaction is in the way
BUSY = (postgres.LockNotAvailable, postgres.DeadlockDetected, postgres.SerializationFailure)
# the same work may succeed at once when it is done again from its beginning
CONFLICTS = (postgres.DeadlockDetected, postgres.SerializationFailure)


def is_conflict(error: DatabaseBusy) -> bool:
    return isinstance(error.__cause__, CONFLICTS)


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the service names; what it has no name for passes through: it is a bug."""
    try:
        yield
    except alchemy.TimeoutError as error:  # no connection of the pool became free
        raise DatabaseUnavailable from error
    except alchemy.DBAPIError as error:
        named = _named(error.orig)
        if named is None:
            raise
        # without the wrapper, which repeats the statement
        raise named from error.orig
    except psycopg.Error as error:
        named = _named(error)
        if named is None:
            raise
        raise named from error


@contextmanager
def rules_named() -> Iterator[None]:
    """Around `translated`: a refusal that has no name there gets that of its rule."""
    try:
        yield
    except (alchemy.IntegrityError, psycopg.IntegrityError) as error:
        cause = error.orig if isinstance(error, alchemy.IntegrityError) else error
        rule = getattr(getattr(cause, "diag", None), "constraint_name", None)
        # without the wrapper, which repeats the statement, and the message, which repeats values
        raise RequestInvalid(f"the database's rule {rule} refuses it") from None


def _named(error: BaseException | None) -> FacematchError | None:
    if isinstance(error, BUSY):
        return DatabaseBusy()
    if isinstance(error, UNAVAILABLE):
        return DatabaseUnavailable()
    if not isinstance(error, psycopg.Error):
        return None
    if isinstance(error, postgres.ForeignKeyViolation | postgres.CheckViolation):
        return _refused(error)
    if isinstance(error, psycopg.DataError):
        return RequestInvalid("a value cannot be stored: NUL characters and the like are not text")
    return None


def _refused(error: psycopg.Error) -> FacematchError | None:
    constraint = error.diag.constraint_name or ""
    match constraint:
        case "ck_gallery_max_faces":
            return GalleryFull(error.diag.message_detail or "")
        case "ck_face_consent":
            return ConsentMissing()
        case "ck_face_embedding_unit_length":
            return EmbeddingInvalid("the embedding's length is not 1")
        case "fk_face_embedding_embedding_space":
            return EmbeddingInvalid("the embedding's dimension is not that of the gallery's space")
        case "ck_gallery_unmatched_recorded":
            return RequestInvalid(
                "unmatched_lifetime_s: needs the searches of the gallery to be recorded; "
                "set audit_searches to all or matches"
            )
        case "ck_gallery_name":
            return RequestInvalid("name: must have 1 to 255 characters, none a control character")
    if constraint.startswith("ck_subject_external_id"):
        return RequestInvalid("id: must have 1 to 255 characters, not blank, none a control one")
    if constraint.startswith("fk_"):
        return GalleryNotReady("The gallery or the ID was deleted at this moment; try again.")
    return None
