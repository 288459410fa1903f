"""Searches: what is asked for, and how the tables decide it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from service.domain.faces import DetectedFace
from service.domain.galleries import Gallery, GalleryVersion
from service.domain.keys import Caller
from service.domain.matches import Match, SubjectFilter
from service.domain.probes import Probe
from service.domain.quality import Flaw
from service.domain.subjects import Metadata
from service.errors import GalleryMoved, GalleryNotReady
from service.galleries import check_known, existing, glanced, in_space
from service.matching import (
    SPARE,
    Asked,
    GallerySearch,
    KnownRows,
    MoreNeeded,
    Nearest,
    nearest,
)
from service.ports import IndexView, MatchRows, Store, Transaction
from service.probes import Looked, Probed, Unfit, probed

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
class Asking:
    """A search on its way: its `galleries`, one or several of different names, as they were when
    the probe was looked at, in the space that is searched; `views` are those of their indexes, by
    the gallery's id, taken before this was made: the tables must not be older than they are."""

    caller: Caller
    galleries: Sequence[Gallery]
    search: Search
    at_least: Versions
    looked: Looked | None
    views: Mapping[UUID, IndexView]

    @property
    def is_plain(self) -> bool:
        """Whether of each gallery there is nothing to read but itself and the nearest faces: where
        many are wanted, a filter hardly leaves as many of those."""
        search = self.search
        few_left = search.metadata is not None and search.top_k > SPARE
        more = search.in_other or search.with_metadata or any(self.at_least.values())
        return not (few_left or more)

    def checked(self, now: Sequence[Gallery]) -> Sequence[Gallery]:
        """The galleries as they are now; raises GalleryMoved where one is not in the very space
        that the probe was looked at for, or cannot be compared with what came of that."""
        for gallery, before in zip(now, self.galleries, strict=True):
            in_space(gallery, self.looked.space if self.looked else self.galleries[0].space)
            if gallery.space != before.space:
                raise GalleryMoved
        return now


@dataclass(frozen=True, slots=True)
class Decided:
    """The answer, and the galleries and the database's clock as of then."""

    found: Searched
    galleries: Sequence[Gallery]
    now: datetime


def decide(store: Store, asking: Asking) -> Decided:
    """One statement for most searches, a transaction where that does not decide.

    Raises:
        GalleryNotFound: see `galleries.existing`.
        GalleryMoved: a gallery changed over to another space meanwhile.
        NoOtherSpace: it has only one by now.
        FaceNotFound: see `probes.probed`.
        VersionLost: see `galleries.check_known`.
        GalleryNotReady, GalleryBehind, DatabaseUnavailable: try again shortly.
    """
    if asking.looked is None or len(asking.galleries) > 1:
        return _in_a_transaction(store, asking, None)
    (view,), faces = asking.views.values(), asking.looked.faces
    first = [nearest(view, face.embedding, asking.search.top_k) for face in faces]
    if asking.is_plain:
        with suppress(MoreNeeded):
            return _at_a_glance(store, asking, faces, first)
    return _in_a_transaction(store, asking, first)


def _at_a_glance(
    store: Store, asking: Asking, faces: Sequence[Probed], first: Sequence[Nearest]
) -> Decided:
    """Raises MoreNeeded."""
    ids = {candidate.face_id for each in first for candidate in each}
    among = SubjectFilter(asking.search.metadata)
    seen = glanced(store, asking.galleries[0].name, asking.caller, sorted(ids), among)
    galleries = asking.checked([seen.gallery])
    found = _found(KnownRows(ids, seen.faces), galleries, asking, faces, first)
    return Decided(found, galleries, seen.now)


def _in_a_transaction(store: Store, asking: Asking, first: Sequence[Nearest] | None) -> Decided:
    search = asking.search
    with store.transaction(read_only=True) as tx:
        present = [existing(tx, each.name, asking.caller) for each in asking.galleries]
        galleries = asking.checked([search.sought(each) for each in present])
        probes = probed(tx, galleries, search.probe, asking.looked)
        found = _found(tx, galleries, asking, probes, first)
        if search.with_metadata:
            found = replace(found, faces=_with_metadata(tx, found.faces))
        for gallery in galleries:
            check_known(tx, gallery, asking.at_least.get(gallery.name))
        return Decided(found, galleries, tx.now())


def _found(
    rows: MatchRows,
    galleries: Sequence[Gallery],
    asking: Asking,
    faces: Sequence[Probed],
    first: Sequence[Nearest] | None,
) -> Searched:
    """`first`: for each face where the search of the only gallery begins, None where unknown."""
    search, looked = asking.search, asking.looked
    among = SubjectFilter(search.metadata, _besides(search, faces))
    asked = Asked(search.top_k, search.threshold, among)
    searches = [GallerySearch(rows, each, _same(each, asking.views), asked) for each in galleries]
    begins: Sequence[Nearest | None] = first or [None] * len(faces)
    answers = [
        _answer(searches, face, search.top_k, begin)
        for face, begin in zip(faces, begins, strict=True)
    ]
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


def _answer(
    searches: Sequence[GallerySearch], probe: Probed, top_k: int, first: Nearest | None
) -> SearchedFace:
    found = [search.find(probe.embedding, first) for search in searches]
    matches = sorted(
        (match for each in found for match in each.matches),
        key=lambda match: (-match.similarity, match.gallery, match.external_id),
    )
    best = max((each.best for each in found if each.best is not None), default=None)
    return SearchedFace(probe.face, best, tuple(matches[:top_k]))


def _with_metadata(tx: Transaction, faces: Sequence[SearchedFace]) -> tuple[SearchedFace, ...]:
    ids = {match.subject_id for face in faces for match in face.matches}
    metadata = tx.subject_metadata(sorted(ids))
    return tuple(
        replace(
            face,
            matches=tuple(
                replace(match, metadata=metadata[match.subject_id]) for match in face.matches
            ),
        )
        for face in faces
    )


def _beside_unfit(
    answers: list[SearchedFace], unfit: tuple[Unfit, ...]
) -> tuple[SearchedFace, ...]:
    """All faces of the photograph, largest first."""
    others = [SearchedFace(each.face, None, (), each.flaws) for each in unfit]
    return tuple(sorted(answers + others, key=lambda each: -each.face.box.area if each.face else 0))
