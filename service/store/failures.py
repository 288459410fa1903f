"""Errors of the driver and the pool, translated once into those of `service.errors`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as postgres
from sqlalchemy import exc as alchemy

from service.domain.subjects import MAX_METADATA_BYTES, MAX_METADATA_LEVEL
from service.errors import (
    ConsentMissing,
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


_NAME = "name: must have 1 to 255 characters, none a control character"
_ID = "id: must have 1 to 255 characters, not blank, none a control one"
_UNMATCHED = (
    "unmatched_lifetime_s: needs the searches of the gallery to be recorded; "
    "set audit_searches to all or matches"
)
_DELETED = "The gallery or the ID was deleted at this moment; try again."

# by the constraint's name; given the error's detail
REFUSALS: dict[str, Callable[[str], FacematchError]] = {
    "ck_gallery_max_faces": GalleryFull,
    "ck_subject_max_faces": SubjectFull,
    "ck_face_consent": lambda _: ConsentMissing(),
    "ck_face_embedding_unit_length": lambda _: EmbeddingInvalid("the embedding's length is not 1"),
    "fk_face_embedding_embedding_space": lambda _: EmbeddingInvalid(
        "the embedding's dimension is not that of the gallery's space"
    ),
    "ck_gallery_unmatched_recorded": lambda _: RequestInvalid(_UNMATCHED),
    "ck_gallery_photographs_deleted": lambda _: GalleryNotReady(
        "Photographs that the gallery kept before are still being deleted; try again shortly."
    ),
    "ck_gallery_name": lambda _: RequestInvalid(_NAME),
    "ck_api_key_name": lambda _: RequestInvalid(_NAME),
    "ck_api_key_expires_at": lambda _: RequestInvalid(
        "expires_at: must be in the future, before the year 9999"
    ),
    "ck_subject_expires_at": lambda _: RequestInvalid(
        "expires_at: must lie in the years 1 to 9999"
    ),
}
# by its beginning
FAMILIES: dict[str, Callable[[str], FacematchError]] = {
    "ck_subject_metadata": lambda _: RequestInvalid(f"metadata: {METADATA_BOUNDS}"),
    "ck_subject_external_id": lambda _: RequestInvalid(_ID),
    "fk_": lambda _: GalleryNotReady(_DELETED),
}


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
    """Around `translated`, where nobody else can be in the way: a refusal that has no name there
    gets that of its rule."""
    try:
        yield
    except (alchemy.IntegrityError, psycopg.IntegrityError, DatabaseBusy) as error:
        cause = error.orig if isinstance(error, alchemy.IntegrityError) else error.__cause__
        cause = error if isinstance(error, psycopg.Error) else cause
        if not isinstance(cause, psycopg.IntegrityError):
            raise
        # without the wrapper, which repeats the statement, and the message, which repeats values
        rule = cause.diag.constraint_name
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
    if isinstance(error, postgres.UniqueViolation) and error.diag.constraint_name in TAKEN:
        return DatabaseBusy()
    if isinstance(error, psycopg.DataError):
        return RequestInvalid("a value cannot be stored: NUL characters and the like are not text")
    return None


def _refused(error: psycopg.Error) -> FacematchError | None:
    constraint = error.diag.constraint_name or ""
    family = (refusal for begins, refusal in FAMILIES.items() if constraint.startswith(begins))
    refusal = REFUSALS.get(constraint) or next(family, None)
    return refusal(error.diag.message_detail or "") if refusal else None
