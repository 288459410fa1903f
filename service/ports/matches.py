"""Who may be an answer, as rows."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.domain.galleries import Gallery
from service.domain.matches import EVERYBODY, EnrolledFace, SubjectFilter


class MatchRows(Protocol):
    """What a search asks of the tables, all of it of one state."""

    def enrolled_faces(
        self, gallery: Gallery, face_ids: Sequence[UUID], among: SubjectFilter = EVERYBODY
    ) -> list[EnrolledFace]:
        """Those of the faces that are in the gallery and its space now, whoever's; no order."""
        ...

    def faces_of_subjects(
        self, gallery: Gallery, subject_ids: Sequence[UUID], among: SubjectFilter = EVERYBODY
    ) -> list[EnrolledFace]:
        """Every face of those subjects in the gallery's space, expired ones' too; no order."""
        ...

    def permitted_subjects(self, gallery_id: UUID, among: SubjectFilter) -> NDArray[np.void]:
        """The ids of the subjects that have not expired and pass the filter; dtype V16 (a UUID's
        bytes), shape (n,)."""
        ...
