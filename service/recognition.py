"""Recognition: whose faces are these?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from uuid import UUID

from service.domain.audit import MATCH, NO_MATCH, RecordedSearch, wanted
from service.domain.faces import DetectedFace
from service.domain.galleries import Gallery, GalleryVersion
from service.domain.keys import Caller, Scope
from service.domain.matches import Match, SubjectFilter
from service.domain.probes import Probe
from service.domain.quality import Flaw
from service.domain.subjects import Metadata, valid_metadata
from service.errors import GalleryNotReady, ScopeMissing, SpaceMismatch
from service.galleries import again_if_moved, check_known, existing, in_space
from service.matching import Asked, GallerySearch
from service.ports import Indexes, IndexView, SearchRecord, Store, Transaction
from service.probes import Looked, Probed, Probes, Unfit, probed

Versions = Mapping[str, GalleryVersion | None]
"""What a caller demands of each gallery, by name."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for. `threshold` None: each gallery's own; `metadata`: see `SubjectFilter`;
    `exclude_self`: an enrolled face's own subject is no answer to it; `with_metadata`: of each
    match; `in_other`: in the other space of galleries that are moved from one model to another."""

    probe: Probe
    top_k: int = 1
    threshold: float | None = None
    metadata: Metadata | None = None
    exclude_self: bool = True
    with_metadata: bool = False
    in_other: bool = False

    def sought(self, gallery: Gallery) -> Gallery:
        """Raises NoOtherSpace."""
        return gallery.in_other() if self.in_other else gallery


@dataclass(frozen=True, slots=True)
class SearchedGallery:
    """`version` is the state of its index that was searched, `threshold` what was decided by."""

    name: str
    version: GalleryVersion
    threshold: float


@dataclass(frozen=True, slots=True)
class SearchedFace:
    """The answer to one face: `best` is the similarity of the most similar subject that may be an
    answer, None where there is none; `matches` are best first, nobody where there are none. `face`
    is None for a probe without photograph. `flaws`: why it was not searched for."""

    face: DetectedFace | None
    best: float | None
    matches: tuple[Match, ...]
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True, slots=True)
class Searched:
    """`faces`: largest first; `faces_found`: how many were seen in the photograph, small
    ones only where all were asked for."""

    galleries: tuple[SearchedGallery, ...]
    faces: tuple[SearchedFace, ...]
    faces_found: int


@dataclass(frozen=True, slots=True)
class Recognition:
    store: Store
    indexes: Indexes
    probes: Probes
    record: SearchRecord

    @again_if_moved
    def search(
        self, caller: Caller, names: Sequence[str], search: Search, at_least: Versions
    ) -> Searched:
        """The subjects of one or several galleries whom the probe resembles.

        Each gallery is searched in one state of its index; who of it exists, under which name and
        with which embedding, says one state of the tables, no older.

        Raises:
            GalleryNotFound: see `galleries.existing`.
            SpaceMismatch: the galleries' spaces differ, or the embedding's does.
            NoOtherSpace: a gallery has one space only.
            FaceNotFound: see `probes.probed`.
            VersionLost: the database does not know a version in `at_least`, for which the caller
                has waited.
            ScopeMissing: metadata is for those who may read.
            RequestInvalid: metadata that no subject can have is asked for.
            GalleryNotReady, GalleryBehind, AuditBehind, DatabaseUnavailable: try again shortly.
            and what `Probes.look` raises.
        """
        self.record.check()
        if search.with_metadata and not caller.may(Scope.READ):
            raise ScopeMissing(Scope.READ)
        valid_metadata(search.metadata or {})
        with self.store.transaction(read_only=True) as tx:
            galleries = [existing(tx, name, caller) for name in names]
        galleries = [search.sought(each) for each in galleries]
        _check_one_space(galleries)
        looked = self.probes.look(search.probe, galleries[0].space)
        # before the transaction's first statement: the tables must not be older than the indexes
        views = {each.id: self.indexes.index(each.key).view() for each in galleries}
        with self.store.transaction(read_only=True) as tx:
            space = looked.space if looked else galleries[0].space
            present = (search.sought(existing(tx, name, caller)) for name in names)
            galleries = [in_space(each, space) for each in present]
            found = _found(tx, galleries, views, search, looked)
            for gallery in galleries:
                check_known(tx, gallery, at_least.get(gallery.name))
            now = tx.now()
        self.record.record([*_recorded(caller, galleries, found, now)])
        return found


def _recorded(
    caller: Caller, galleries: Sequence[Gallery], found: Searched, now: datetime
) -> Iterator[RecordedSearch]:
    """For each gallery and face: everybody who was named, or that nobody was."""
    for gallery, searched in zip(galleries, found.galleries, strict=True):
        event = RecordedSearch(
            action="search",
            outcome=NO_MATCH,
            caller=caller,
            gallery_id=gallery.id,
            space_id=gallery.space_id,
            threshold=searched.threshold,
            version=searched.version.number,
            occurred_at=now,
        )
        for face in found.faces:
            named = [match for match in face.matches if match.gallery == gallery.name]
            events = [_named(event, match) for match in named]
            events = events or [replace(event, similarity=face.best)]
            policy = gallery.rules.audit_searches
            yield from (each for each in events if wanted(policy, each.outcome))


def _named(event: RecordedSearch, match: Match) -> RecordedSearch:
    return replace(
        event,
        outcome=MATCH,
        subject_id=match.subject_id,
        face_id=match.face_id,
        similarity=match.similarity,
    )


def _check_one_space(galleries: Sequence[Gallery]) -> None:
    for one, other in combinations(galleries, 2):
        if not one.space.serves(other.space):
            raise SpaceMismatch(
                f"Galleries '{one.name}' and '{other.name}' hold embeddings of different spaces, "
                "which cannot be compared; search them one by one."
            )


def _found(
    tx: Transaction,
    galleries: Sequence[Gallery],
    views: Mapping[UUID, IndexView],
    search: Search,
    looked: Looked | None,
) -> Searched:
    faces = probed(tx, galleries, search.probe, looked)
    among = SubjectFilter(search.metadata, _besides(search, faces))
    asked = Asked(search.top_k, search.threshold, among)
    searches = [GallerySearch(tx, each, _same(each, views), asked) for each in galleries]
    answers = [_answer(searches, face, search.top_k) for face in faces]
    if search.with_metadata:
        answers = _with_metadata(tx, answers)
    return Searched(
        galleries=tuple(
            SearchedGallery(each.gallery.name, each.view.version, each.threshold)
            for each in searches
        ),
        faces=_beside_unfit(answers, looked.unfit if looked else ()),
        faces_found=looked.found if looked else 1,
    )


def _besides(search: Search, faces: Sequence[Probed]) -> UUID | None:
    """The subject that is no answer: an enrolled probe's own."""
    own = (each.enrolled.subject_id for each in faces if each.enrolled)
    return next(own, None) if search.exclude_self else None


def _same(gallery: Gallery, views: Mapping[UUID, IndexView]) -> IndexView:
    view = views.get(gallery.id)
    if view is None:
        raise GalleryNotReady("The gallery was made anew at this moment; try again.")
    return view


def _answer(searches: Sequence[GallerySearch], probe: Probed, top_k: int) -> SearchedFace:
    found = [search.find(probe.embedding) for search in searches]
    matches = sorted(
        (match for each in found for match in each.matches),
        key=lambda match: (-match.similarity, match.gallery, match.external_id),
    )
    best = max((each.best for each in found if each.best is not None), default=None)
    return SearchedFace(probe.face, best, tuple(matches[:top_k]))


def _with_metadata(tx: Transaction, faces: list[SearchedFace]) -> list[SearchedFace]:
    ids = {match.subject_id for face in faces for match in face.matches}
    metadata = tx.subject_metadata(sorted(ids))
    return [
        replace(
            face,
            matches=tuple(
                replace(match, metadata=metadata[match.subject_id]) for match in face.matches
            ),
        )
        for face in faces
    ]


def _beside_unfit(
    answers: list[SearchedFace], unfit: tuple[Unfit, ...]
) -> tuple[SearchedFace, ...]:
    """All faces of the photograph, largest first."""
    others = [SearchedFace(each.face, None, (), each.flaws) for each in unfit]
    return tuple(sorted(answers + others, key=lambda each: -each.face.box.area if each.face else 0))
