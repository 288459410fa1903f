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
    │   ├── TooManyFailures          too_many_failures
    │   ├── KeyNotFound              key_not_found
    │   ├── KeyEnded                 key_ended
    │   ├── GalleryExists            gallery_exists
    │   ├── GalleryNotFound          gallery_not_found
    │   ├── NameUnconfirmed          name_unconfirmed
    │   ├── PreconditionFailed       precondition_failed
    │   ├── AttemptInFlight          request_in_flight
    │   ├── AttemptDiffers           idempotency_key_reused
    │   ├── AttemptErased            erased
    │   ├── ConsentMissing           consent_missing
    │   ├── ConsentNotFound          consent_not_found
    │   ├── ErasureNotFound          erasure_not_found
    │   ├── SubjectExists            subject_exists
    │   ├── SubjectNotFound          subject_not_found
    │   ├── SubjectExpired           subject_expired
    │   ├── SubjectFull              subject_full
    │   ├── FaceExists               face_exists
    │   ├── FaceNotFound             face_not_found
    │   ├── ModelNotFound            model_not_found
    │   ├── SpaceMismatch            space_mismatch
    │   ├── NoOtherSpace             no_other_space
    │   ├── OtherSpaceExists         other_space_exists
    │   ├── FacesMissing             faces_missing
    │   ├── ReplicasNotReady         replicas_not_ready
    │   ├── PhotographKnown          photograph_known
    │   ├── PhotographDamaged        photograph_damaged
    │   ├── PhotographKeyMissing     photograph_key_missing
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
    │   │   └── GalleryMoved         gallery_not_ready
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

from service.errors.bases import FacematchError, RequestError, StartupError, UnavailableError
from service.errors.enrolled import (
    ConsentMissing,
    ConsentNotFound,
    ErasureNotFound,
    FaceExists,
    FaceNotFound,
    GalleryExists,
    GalleryFull,
    GalleryNotFound,
    PersonKnown,
    PhotographDamaged,
    PhotographKeyMissing,
    PhotographKnown,
    SpaceMismatch,
    SubjectExists,
    SubjectExpired,
    SubjectFull,
    SubjectNotFound,
    UnlikeSubject,
    VersionLost,
)
from service.errors.reembedding import (
    FacesMissing,
    NoOtherSpace,
    OtherSpaceExists,
    ReplicasNotReady,
)
from service.errors.requests import (
    AttemptDiffers,
    AttemptErased,
    AttemptInFlight,
    EmbeddingInvalid,
    FaceNotDetected,
    FaceUnfit,
    ImageDamaged,
    ImageTooLarge,
    ImageTypeUnsupported,
    ImportInvalid,
    ImportTooLarge,
    ItemInvalid,
    JobNotFound,
    KeyEnded,
    KeyNotFound,
    ModelNotFound,
    NameUnconfirmed,
    NoFileUploaded,
    PreconditionFailed,
    RateLimited,
    RequestInvalid,
    ScopeMissing,
    SeveralFaces,
    TooManyFailures,
    Unauthenticated,
)
from service.errors.startup import (
    CalibrationImpossible,
    DatabaseUnsuitable,
    EngineUnavailable,
    GalleryUnknown,
    InputFileInvalid,
    ModelUnknown,
    SchemaOutdated,
    SettingsInvalid,
    SpaceConflict,
    WeightsInvalid,
    WeightsMissing,
)
from service.errors.unavailable import (
    AuditBehind,
    DatabaseBusy,
    DatabaseUnavailable,
    GalleryBehind,
    GalleryMoved,
    GalleryNotReady,
    ModelUnavailable,
    Overloaded,
)

__all__ = [
    "AttemptDiffers",
    "AttemptErased",
    "AttemptInFlight",
    "AuditBehind",
    "CalibrationImpossible",
    "ConsentMissing",
    "ConsentNotFound",
    "DatabaseBusy",
    "DatabaseUnavailable",
    "DatabaseUnsuitable",
    "EmbeddingInvalid",
    "EngineUnavailable",
    "ErasureNotFound",
    "FaceExists",
    "FaceNotDetected",
    "FaceNotFound",
    "FaceUnfit",
    "FacematchError",
    "FacesMissing",
    "GalleryBehind",
    "GalleryExists",
    "GalleryFull",
    "GalleryMoved",
    "GalleryNotFound",
    "GalleryNotReady",
    "GalleryUnknown",
    "ImageDamaged",
    "ImageTooLarge",
    "ImageTypeUnsupported",
    "ImportInvalid",
    "ImportTooLarge",
    "InputFileInvalid",
    "ItemInvalid",
    "JobNotFound",
    "KeyEnded",
    "KeyNotFound",
    "ModelNotFound",
    "ModelUnavailable",
    "ModelUnknown",
    "NameUnconfirmed",
    "NoFileUploaded",
    "NoOtherSpace",
    "OtherSpaceExists",
    "Overloaded",
    "PersonKnown",
    "PhotographDamaged",
    "PhotographKeyMissing",
    "PhotographKnown",
    "PreconditionFailed",
    "RateLimited",
    "ReplicasNotReady",
    "RequestError",
    "RequestInvalid",
    "SchemaOutdated",
    "ScopeMissing",
    "SettingsInvalid",
    "SeveralFaces",
    "SpaceConflict",
    "SpaceMismatch",
    "StartupError",
    "SubjectExists",
    "SubjectExpired",
    "SubjectFull",
    "SubjectNotFound",
    "TooManyFailures",
    "Unauthenticated",
    "UnavailableError",
    "UnlikeSubject",
    "VersionLost",
    "WeightsInvalid",
    "WeightsMissing",
]
