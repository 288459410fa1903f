"""What a gallery, or what is enrolled in it, does not allow."""

from uuid import UUID

from service.errors.bases import RequestError


class GalleryExists(RequestError):
    code = "gallery_exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a gallery '{name}' already; choose another name.")


class GalleryNotFound(RequestError):
    """There is none of that name, or none that this caller may know of."""

    code = "gallery_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no gallery '{name}'.")


class ConsentMissing(RequestError):
    code = "consent_missing"

    def __init__(self) -> None:
        super().__init__(
            "This gallery demands a consent, and the person has none that is valid now; "
            "send it along as `consent`, or record it with the subject first."
        )


class ConsentNotFound(RequestError):
    code = "consent_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such consent of this ID.")


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
            f"ID '{external_id}' has expired, or its consents are all over, and no search answers "
            "with it; give it a later expires_at or record a new consent first, or delete it."
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


class PhotographDamaged(RequestError):
    """A kept photograph is not what was sealed."""

    code = "photograph_damaged"

    def __init__(self, face_id: UUID) -> None:
        super().__init__(
            f"The photograph kept of the face {face_id} was changed in the database, or is of "
            "another face, and cannot be opened; replace the face's photograph, or restore the "
            "table."
        )


class PhotographKeyMissing(RequestError):
    """The gallery keeps photographs, and this process has no key to seal or to open them: the
    operator's to mend, not a matter of time."""

    code = "photograph_key_missing"

    def __init__(self, key_id: str | None = None) -> None:
        wanted = "a key" if key_id is None else f"the key {key_id}"
        super().__init__(
            f"The gallery's photographs are kept under {wanted} that is not here: set "
            "PHOTOGRAPH_KEYS, or put photograph.keys into FACEMATCH_HOME, on every replica and "
            "worker; see `facematch photographs new-key`."
        )


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
