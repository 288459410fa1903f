"""Galleries and their versions."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

from service.domain.audit import SearchPolicy
from service.domain.calibrations import Calibration
from service.domain.embeddings import EmbeddingSpace
from service.domain.photographs import Keeping
from service.errors import NoOtherSpace, RequestInvalid

VERSION_TEXT = re.compile("([0-9]{1,18})-([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class GalleryVersion:
    """A committed state of a gallery: its number and the random mark drawn with it.

    The mark tells apart two states of one number, as they arise when a failover loses commits.
    To callers it is opaque text.
    """

    number: int
    mark: UUID

    def __str__(self) -> str:
        return f"{self.number}-{self.mark.hex}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote; raises RequestInvalid for any other text."""
        match = VERSION_TEXT.fullmatch(text)
        if match is None:
            raise RequestInvalid("X-Min-Gallery-Version: not a value that X-Gallery-Version had")
        return cls(int(match[1]), UUID(match[2]))


@dataclass(frozen=True, slots=True)
class EnrolmentGates:
    """What an enrolment is refused for, each with an error of its own.

    `one_face`: several faces on the photograph; without it the largest is enrolled. `quality`: a
    face that cannot be seen well. `new_photograph`: one that is enrolled for anybody in the
    gallery. `new_person`: a face that resembles another subject, at the gallery's threshold.
    `own_likeness`: one that resembles none of the subject's own faces, at the same threshold.
    """

    one_face: bool = True
    quality: bool = True
    new_photograph: bool = False
    new_person: bool = False
    own_likeness: bool = False

    @property
    def compares(self) -> bool:
        """Whether a face is compared with those that are enrolled."""
        return self.new_photograph or self.new_person or self.own_likeness


DEFAULT_GATES = EnrolmentGates()


@dataclass(frozen=True, slots=True)
class GalleryRules:
    """What a gallery demands of those who enrol into it.

    `subject_lifetime_s`: a new subject expires so many seconds after its creation, unless its
    creator says when; None: never. `unmatched_lifetime_s`: a subject is deleted when no search has
    found it for so long; None: never. `consent_required`: nobody is enrolled without a consent that
    is valid. `audit_searches`: which searches the record tells of. `keep_photographs`: what stays
    of those that are enrolled, sealed; what is of another kind is deleted when this changes.
    """

    max_faces_per_subject: int = 100
    subject_lifetime_s: int | None = None
    gates: EnrolmentGates = DEFAULT_GATES
    unmatched_lifetime_s: int | None = None
    consent_required: bool = False
    audit_searches: SearchPolicy = SearchPolicy.ALL
    keep_photographs: Keeping = Keeping.NONE


DEFAULT_RULES = GalleryRules()


@dataclass(frozen=True, slots=True)
class GallerySettings:
    """What may be changed of a gallery. `threshold` is on cosine similarity, -1..1; `max_faces`
    None means no limit."""

    threshold: float
    max_faces: int | None = None
    rules: GalleryRules = DEFAULT_RULES

    @property
    def etag(self) -> str:
        """Differs whenever the settings do."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()[:32]


class IndexKey(NamedTuple):
    """What an index is of: the faces of a gallery that have an embedding in that space."""

    gallery_id: UUID
    space_id: UUID


@dataclass(frozen=True, slots=True)
class OtherSpace:
    """The space that a gallery is being moved to or, from `switched_at` on, was moved from.

    `threshold` and `calibration` are what it decides by there: see `Gallery`.
    """

    space_id: UUID
    space: EmbeddingSpace
    threshold: float
    started_at: datetime
    switched_at: datetime | None
    calibration: Calibration | None = None


@dataclass(frozen=True, slots=True)
class Gallery:
    """`threshold` is on cosine similarity, -1..1; `max_faces` None means no limit.

    `calibration` is the last one in its present space; the threshold may have been set by hand
    since. `other` is a second space in which its faces are embedded, None: there is none.
    """

    id: UUID
    name: str
    space_id: UUID
    space: EmbeddingSpace
    threshold: float
    max_faces: int | None
    version: GalleryVersion
    updated_at: datetime
    created_at: datetime
    calibration: Calibration | None = None
    rules: GalleryRules = DEFAULT_RULES
    other: OtherSpace | None = None

    @property
    def settings(self) -> GallerySettings:
        return GallerySettings(self.threshold, self.max_faces, self.rules)

    @property
    def key(self) -> IndexKey:
        return IndexKey(self.id, self.space_id)

    def in_other(self) -> "Gallery":
        """The same gallery as it is in its other space, to be searched there.

        Raises:
            NoOtherSpace: it has one space only.
        """
        if self.other is None:
            raise NoOtherSpace(self.name)
        return replace(
            self,
            space_id=self.other.space_id,
            space=self.other.space,
            threshold=self.other.threshold,
            calibration=self.other.calibration,
        )


@dataclass(frozen=True, slots=True)
class GalleryHead:
    """The little of a gallery's row that tells a replica whether it is behind: one for each space
    that it has embeddings in."""

    id: UUID
    name: str
    space_id: UUID
    dimension: int
    version: GalleryVersion

    @property
    def key(self) -> IndexKey:
        return IndexKey(self.id, self.space_id)


@dataclass(frozen=True, slots=True)
class Change:
    """One numbered transaction on a gallery: the faces it touched, or everything."""

    version: GalleryVersion
    previous_mark: UUID
    faces: tuple[UUID, ...]
    everything: bool


def touched_since(
    cursor: GalleryVersion, changes: Sequence[Change], head: GalleryVersion
) -> frozenset[UUID] | None:
    """The faces touched between the cursor and the head, or None if the gallery must be re-read.

    The changes must lead from the cursor to the head without a gap, each naming the mark of the
    one before: else commits were lost (failover), a backup was restored, or rows were pruned.
    """
    touched: set[UUID] = set()
    here = cursor
    for change in changes:
        follows = change.version.number == here.number + 1 and change.previous_mark == here.mark
        if not follows or change.everything:
            return None
        touched.update(change.faces)
        here = change.version
    return frozenset(touched) if here == head else None
