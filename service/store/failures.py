"""Errors of the driver and the pool, translated once into those of `service.errors`."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as postgres
from sqlalchemy import exc as alchemy

from service.domain.subjects import MAX_METADATA_BYTES, MAX_METADATA_LEVEL
from service.errors import (
    DatabaseBusy,
    DatabaseUnavailable,
    EmbeddingInvalid,
    FacematchError,
    GalleryFull,
    GalleryNotReady,
    RequestInvalid,
    SubjectFull,
)

METADATA_BOUNDS = (
    f"at most {MAX_METADATA_BYTES} bytes of JSON, {MAX_METADATA_LEVEL} levels deep, "
    "with numbers in a double's range"
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
CONFLICTS = (postgres.DeadlockDetected, postgres.SerializationFailure, postgres.UniqueViolation)
# names and photographs that another transaction took between our looking and our writing: whoever
# looks again sees them
TAKEN = ("uq_subject_gallery_id_external_id", "uq_face_subject_id_image_sha256")


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


def _named(error: BaseException | None) -> FacematchError | None:
    if isinstance(error, BUSY):
        return DatabaseBusy()
    if isinstance(error, UNAVAILABLE):
        return DatabaseUnavailable()
    if not isinstance(error, psycopg.Error):
        return None
    if isinstance(error, postgres.ForeignKeyViolation | postgres.CheckViolation):
        return _refused(error)
    if isinstance(error, postgres.UniqueViolation) and error.diag.constraint_name in TAKEN:
        return DatabaseBusy()
    if isinstance(error, psycopg.DataError):
        return RequestInvalid("a value cannot be stored: NUL characters and the like are not text")
    return None


NAME = "name: must have 1 to 255 characters, none a control character"
INVALID = {
    "ck_gallery_name": NAME,
    "ck_api_key_name": NAME,
    "ck_api_key_expires_at": "expires_at: must be in the future, before the year 9999",
    "ck_subject_expires_at": "expires_at: must lie in the years 1 to 9999",
    "ck_subject_external_id": "id: must have 1 to 255 characters, not blank, none a control one",
    "ck_subject_metadata": f"metadata: {METADATA_BOUNDS}",
}
"""What a constraint, by the beginning of its name, asks of a request."""


def _refused(error: psycopg.Error) -> FacematchError | None:
    constraint = error.diag.constraint_name or ""
    match constraint:
        case "ck_gallery_max_faces":
            return GalleryFull(error.diag.message_detail or "")
        case "ck_subject_max_faces":
            return SubjectFull(error.diag.message_detail or "")
        case "ck_face_embedding_unit_length":
            return EmbeddingInvalid("the embedding's length is not 1")
        case "fk_face_embedding_embedding_space":
            return EmbeddingInvalid("the embedding's dimension is not that of the gallery's space")
    for beginning, sentence in INVALID.items():
        if constraint.startswith(beginning):
            return RequestInvalid(sentence)
    if constraint.startswith("fk_"):
        return GalleryNotReady("The gallery or the ID was deleted at this moment; try again.")
    return None
