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


_def _refused(error: psycopg.Error) -> FacematchError | None:
    constraint = error.diag.constraint_name or ""
    family = (refusal for begins, refusal in FAMILIES.items() if constraint.startswith(begins))
    refusal = REFUSALS.get(constraint) or next(family, None)
    return refusal(error.diag.message_detail or "") if refusal else None
