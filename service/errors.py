"""Every error the service raises on purpose, named once.

    FacematchError
    ├── RequestError                 the caller can mend it
    │   ├── NoFileUploaded           no_file
    │   ├── RequestInvalid              invalid_request
    │   ├── FaceNotDetected          no_face
    │   ├── SeveralFaces             several_faces
    │   ├── FaceUnfit                low_quality
    │   ├── ImageDamaged             image_damaged
    │   ├── ImageTooLarge            image_too_large
    │   ├── ImageTypeUnsupported     image_type_unsupported
    │   ├── EmbeddingInvalid         invalid_embedding
    │   ├── Unauthenticated          unauthenticated
    │   ├── ScopeMissing             scope_missing
    │   ├── RateLimited              rate_limited
    │   ├── KeyNotFound              key_not_found
    │   ├── KeyEnded                 key_ended
    │   ├── GalleryExists            gallery_exists
    │   ├── GalleryNotFound          gallery_not_found
    │   ├── NameUnconfirmed          name_unconfirmed
    │   ├── PreconditionFailed       precondition_failed
    │   ├── AttemptInFlight          request_in_flight
    │   ├── AttemptDiffers           idempotency_key_reused
    │   ├── ConsentMissing           consent_missing
    │   ├── ErasureNotFound          erasure_not_found
    │   ├── SubjectExists            subject_exists
    │   ├── SubjectNotFound          subject_not_found
    │   ├── SubjectExpired           subject_expired
    │   ├── SubjectFull              subject_full
    │   ├── FaceExists               face_exists
    │   ├── FaceNotFound             face_not_found
    │   ├── ModelNotFound            model_not_found
    │   ├── SpaceMismatch            space_mismatch
    │   ├── PhotographKnown          photograph_known
    │   ├── PersonKnown              person_known
    │   ├── UnlikeSubject            unlike_subject
    │   ├── ImportInvalid            invalid_import
    │   ├── ImportTooLarge           import_too_large
    │   ├── ItemInvalid              invalid_item
    │   ├── JobNotFound              job_not_found
    │   ├── VersionLost              version_lost
    │   └── GalleryFull              gallery_full
    ├── UnavailableError             try again later
    │   ├── DatabaseUnavailable      database_unavailable
    │   ├── DatabaseBusy             database_busy
    │   ├── GalleryNotReady          gallery_not_ready
    │   ├── ModelUnavailable         model_unavailable
    │   ├── GalleryBehind            gallery_behind
    │   ├── AuditBehind              audit_behind
    │   └── Overloaded               overloaded
    └── StartupError                 the operator can mend it; the service does not start
        ├── SettingsInvalid          invalid_settings
        ├── DatabaseUnsuitable       database_unsuitable
        ├── SchemaOutdated           schema_outdated
        ├── SpaceConflict            embedding_space_conflict
        ├── ModelUnknown             unknown_model
        ├── WeightsMissing           weights_missing
        ├── WeightsInvalid           weights_invalid
        ├── EngineUnavailable        engine_unavailable
        ├── GalleryUnknown           unknown_gallery
        ├── CalibrationImpossible    calibration_impossible
        └── InputFileInvalid         invalid_input_file

`str(error)` is one or two sentences for a person and says what to do. `code` is stable. HTTP status
codes are given out in `web/problems.py`, exit codes in `cli/failures.py`.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar


class FacematchError(Exception):
    """Base of every error raised on purpose. `str()` of it is safe to show to a caller."""

    code: ClassVar[str]


class RequestError(FacematchError):
    """The request cannot be served as it is; the caller can change it.

    `gallery_version` names the state of the gallery that the refusal rests on, if it does on one.
    `facts` says for programs what it rests on; unlike the sentence, it is only for callers who may
    read what is enrolled.
    """

    gallery_version: str | None = None
    facts: Mapping[str, object] = {}


class NoFileUploaded(RequestError):
    code = "no_file"

    def __init__(self) -> None:
        super().__init__("No file uploaded")


class RequestInvalid(RequestError):
    code = "invalid_request"


class FaceNotDetected(RequestError):
    code = "no_face"

    def __init__(self) -> None:
        super().__init__("Face detection failed. Please ensure the image contains a clear face.")


class SeveralFaces(RequestError):
    code = "several_faces"

    def __init__(self, found: int) -> None:
        super().__init__(
            f"The image shows {found} faces; enrolment needs exactly one. "
            "Crop it to the person to enrol."
        )


class FaceUnfit(RequestError):
    """The face cannot be seen well enough. `reasons` are stable codes, as `code` is."""

    code = "low_quality"

    def __init__(self, flaws: Mapping[str, str]) -> None:
        """`flaws`: for each reason the value, the limit and what to do, as part of a sentence."""
        self.reasons = tuple(flaws)
        super().__init__(f"The face cannot be seen well enough: {'; '.join(flaws.values())}.")


class ImageDamaged(RequestError):
    code = "image_damaged"


class ImageTooLarge(RequestError):
    code = "image_too_large"


class ImageTypeUnsupported(RequestError):
    code = "image_type_unsupported"


class EmbeddingInvalid(RequestError):
    code = "invalid_embedding"


class Unauthenticated(RequestError):
    """No key, or one that is not known or not valid any more. Says more only to its holder."""

    code = "unauthenticated"

    def __init__(self, why: str | None = None) -> None:
        super().__init__(
            why
            or "A valid key is needed: send it as X-API-Key or as Authorization: Bearer. "
            "An operator makes one with `facematch keys create`."
        )


class ScopeMissing(RequestError):
    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This key may not do that: it lacks the scope '{scope}'.")


class RateLimited(RequestError):
    code = "rate_limited"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many requests with this key; try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class KeyNotFound(RequestError):
    """There is none, or none that this caller may know of. Never repeats what was asked for: it
    may be a key itself."""

    code = "key_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such key; `facematch keys list` shows their prefixes.")


class KeyEnded(RequestError):
    code = "key_ended"

    def __init__(self, prefix: str, state: str) -> None:
        super().__init__(f"The key {prefix} is {state} and stays so; create another.")


class GalleryExists(RequestError):
    code = "gallery_exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a gallery '{name}' already; choose another name.")


class GalleryNotFound(RequestError):
    """There is none of that name, or none that this caller may know of."""

    code = "gallery_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no gallery '{name}'.")


class NameUnconfirmed(RequestError):
    code = "name_unconfirmed"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Deleting gallery '{name}' deletes every face in it; "
            "repeat its name in the parameter `confirm`."
        )


class PreconditionFailed(RequestError):
    code = "precondition_failed"

    def __init__(self) -> None:
        super().__init__(
            "It was changed since you read it: If-Match is not its present ETag. Read it again."
        )


class AttemptInFlight(RequestError):
    code = "request_in_flight"

    def __init__(self) -> None:
        super().__init__(
            "A request with this Idempotency-Key is being carried out; ask again in a moment."
        )


class AttemptDiffers(RequestError):
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used for another request; use a new key for a new request."
        )


class ConsentMissing(RequestError):
    code = "consent_missing"

    def __init__(self) -> None:
        super().__init__(
            "This gallery demands a consent, and the person has none that is valid now; "
            "record it with the subject first."
        )


class ErasureNotFound(RequestError):
    code = "erasure_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such erasure.")


class SubjectExists(RequestError):
    code = "subject_exists"

    def __init__(self, external_id: str) -> None:
        super().__init__(
            f"A face with ID '{external_id}' is already enrolled; "
            "delete it first or use another ID."
        )


class SubjectNotFound(RequestError):
    code = "subject_not_found"

    def __init__(self, external_id: str) -> None:
        super().__init__(f"Face with ID '{external_id}' not found")


class SubjectExpired(RequestError):
    code = "subject_expired"

    def __init__(self, external_id: str) -> None:
        super().__init__(
            f"ID '{external_id}' has expired, and no search answers with it; give it a later "
            "expires_at first, or delete it."
        )


class SubjectFull(RequestError):
    code = "subject_full"

    def __init__(self, external_id: str) -> None:
        super().__init__(
            f"ID '{external_id}' has as many faces as the gallery allows one subject "
            "(max_faces_per_subject). Delete or replace one of them."
        )


class FaceExists(RequestError):
    """This very photograph is enrolled for this subject already."""

    code = "face_exists"

    def __init__(self, external_id: str) -> None:
        super().__init__(f"This photograph is already enrolled for ID '{external_id}'.")


class FaceNotFound(RequestError):
    code = "face_not_found"

    def __init__(self, face_id: object) -> None:
        super().__init__(f"There is no enrolled face '{face_id}' here.")


class ModelNotFound(RequestError):
    code = "model_not_found"

    def __init__(self, name: str, names: Iterable[str]) -> None:
        super().__init__(f"There is no model '{name}'; use one of {', '.join(names)}.")


class SpaceMismatch(RequestError):
    """Embeddings of two spaces are never compared."""

    code = "space_mismatch"


class PhotographKnown(RequestError):
    """The gallery wants new photographs only, and this one is enrolled for somebody."""

    code = "photograph_known"

    def __init__(self, external_id: str) -> None:
        super().__init__(
            "This very photograph is enrolled in this gallery already; use another one, or delete "
            "that face first."
        )
        self.facts = {"subject": external_id}


class PersonKnown(RequestError):
    """The gallery wants every person once, and the face resembles another subject."""

    code = "person_known"

    def __init__(self, external_id: str, similarity: float) -> None:
        super().__init__(
            "This person is enrolled under another ID already, as far as the gallery's threshold "
            "says; add the photograph to that ID, or merge the two."
        )
        self.facts = {"subject": external_id, "similarity": similarity}


class UnlikeSubject(RequestError):
    """The gallery wants faces of one subject to resemble one another."""

    code = "unlike_subject"

    def __init__(self, similarity: float) -> None:
        super().__init__(
            "This face resembles none of this ID's other faces, as far as the gallery's threshold "
            "says; check whose photograph it is."
        )
        self.facts = {"similarity": similarity}


class ImportInvalid(RequestError):
    """The archive or manifest of an import cannot be read; nothing of it was taken."""

    code = "invalid_import"


class ImportTooLarge(RequestError):
    code = "import_too_large"


class ItemInvalid(RequestError):
    """One item of an import cannot be used, or not as it is described."""

    code = "invalid_item"


class JobNotFound(RequestError):
    """There is none of that id, or none that this caller may know of."""

    code = "job_not_found"

    def __init__(self, job_id: object) -> None:
        super().__init__(f"There is no job '{job_id}'.")


class VersionLost(RequestError):
    code = "version_lost"

    def __init__(self) -> None:
        super().__init__(
            "The database does not know this gallery version: it lost that commit (failover, "
            "restored backup), or the version is older than CHANGE_RETENTION_S. Ask without "
            "X-Min-Gallery-Version and check whether your change is there."
        )


class GalleryFull(RequestError):
    code = "gallery_full"

    def __init__(self, gallery: str) -> None:
        super().__init__(
            f"Gallery '{gallery}' has reached its limit of faces (MAX_FACES). "
            "Delete faces that are no longer needed or raise gallery.max_faces."
        )


class UnavailableError(FacematchError):
    """The request may succeed unchanged a little later."""

    retry_after_s: ClassVar[int] = 1


class DatabaseUnavailable(UnavailableError):
    code = "database_unavailable"
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("The database cannot be reached at the moment; try again shortly.")


class DatabaseBusy(UnavailableError):
    """Somebody else's lock, or a conflict between transactions that retrying did not resolve."""

    code = "database_busy"

    def __init__(self) -> None:
        super().__init__(
            "Another transaction holds what this one needs; nothing was changed, try again shortly."
        )


class GalleryBehind(UnavailableError):
    code = "gallery_behind"

    def __init__(self) -> None:
        super().__init__("This replica does not hold that gallery version yet; try again shortly.")


class AuditBehind(UnavailableError):
    """Searches must be recorded, and the record cannot be written at the moment."""

    code = "audit_behind"
    retry_after_s = 5

    def __init__(self) -> None:
        super().__init__(
            "Too many searches wait to be written to the audit record; try again shortly."
        )


class GalleryNotReady(UnavailableError):
    code = "gallery_not_ready"


class ModelUnavailable(UnavailableError):
    """This replica cannot make embeddings of the gallery's space."""

    code = "model_unavailable"
    retry_after_s = 30


class Overloaded(UnavailableError):
    code = "overloaded"

    def __init__(self) -> None:
        super().__init__("Too many photographs are being processed; try again shortly.")


class StartupError(FacematchError):
    """A command or the service cannot start; the operator can change that."""


class SettingsInvalid(StartupError):
    code = "invalid_settings"


class DatabaseUnsuitable(StartupError):
    code = "database_unsuitable"


class SchemaOutdated(StartupError):
    code = "schema_outdated"


class SpaceConflict(StartupError):
    code = "embedding_space_conflict"


class ModelUnknown(StartupError):
    code = "unknown_model"


class WeightsMissing(StartupError):
    code = "weights_missing"


class WeightsInvalid(StartupError):
    code = "weights_invalid"


class EngineUnavailable(StartupError):
    code = "engine_unavailable"


class GalleryUnknown(StartupError):
    code = "unknown_gallery"


class CalibrationImpossible(StartupError):
    """The gallery's scores do not support a threshold."""

    code = "calibration_impossible"


class InputFileInvalid(StartupError):
    code = "invalid_input_file"
