"""What may succeed a little later."""

from service.errors.bases import UnavailableError


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


class GalleryMoved(GalleryNotReady):
    """The gallery changed over to another embedding space after the embedding was made: whoever
    begins again, finds it there."""

    def __init__(self) -> None:
        super().__init__("The gallery changed over to another embedding space; try again.")


class ModelUnavailable(UnavailableError):
    """This replica cannot make embeddings of the gallery's space."""

    code = "model_unavailable"
    retry_after_s = 30


class Overloaded(UnavailableError):
    code = "overloaded"

    def __init__(self) -> None:
        super().__init__("Too many photographs are being processed; try again shortly.")
