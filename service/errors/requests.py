"""What is wrong with a request itself: its photograph, its key, its repetition, its import."""

from collections.abc import Iterable, Mapping

from service.errors.bases import RequestError


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


class TooManyFailures(RequestError):
    """Too many keys that are none came from one address. Nobody with a valid key is told so."""

    code = "too_many_failures"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "Too many requests without a valid key from this address; try again in "
            f"{retry_after_s} s, with one that is valid."
        )
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


class AttemptErased(RequestError):
    """What the request made was erased later, and with it the answer that was kept of it."""

    code = "erased"

    def __init__(self) -> None:
        super().__init__(
            "A request with this Idempotency-Key was carried out, and what it made has been erased "
            "since; nothing was done now. To enrol the person again, use a new key."
        )


class ModelNotFound(RequestError):
    code = "model_not_found"

    def __init__(self, name: str, names: Iterable[str]) -> None:
        super().__init__(f"There is no model '{name}'; use one of {', '.join(names)}.")


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
