"""Recognition: whose faces are these?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from service.domain.audit import MATCH, NO_MATCH, RecordedSearch, wanted
from service.domain.galleries import Gallery
from service.domain.keys import Caller, Scope
from service.domain.matches import Match
from service.domain.subjects import valid_metadata
from service.errors import (
    DatabaseBusy,
    DatabaseUnavailable,
    FacematchError,
    GalleryMoved,
    Overloaded,
    ScopeMissing,
    SpaceMismatch,
)
from service.galleries import again_if_moved, glanced
from service.ports import Indexes, SearchRecord, Store
from service.probes import Probes
from service.searches import Asking, Decided, Search, Searched, Versions, decide

MOST_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class LastSeen:
    """Galleries as searches saw them, to know what a probe is to be embedded for without asking.

    They may be out of date. An answer is decided by what is read after them, which tells if one
    was in another space; any failure may come of it, so `doubt` is called before anybody hears.
    """

    _galleries: dict[str, Gallery] = field(default_factory=dict)

    def gallery(self, store: Store, name: str, caller: Caller) -> Gallery:
        """Raises GalleryNotFound, GalleryMoved: see `galleries.glanced`."""
        known = self._galleries.get(name)
        if known is not None and caller.reaches(known.id):
            return known
        return self._seen(store, name, caller)

    def doubt(self, store: Store, before: Sequence[Gallery], caller: Caller) -> None:
        """See whether those that a search went by were up to date.

        Raises:
            GalleryNotFound: one is not there any more.
            GalleryMoved: one is another gallery now, or in other spaces: begin again.
        """
        for gallery in before:
            self._galleries.pop(gallery.name, None)
            if _spaces(self._seen(store, gallery.name, caller)) != _spaces(gallery):
                raise GalleryMoved

    def _seen(self, store: Store, name: str, caller: Caller) -> Gallery:
        gallery = glanced(store, name, caller).gallery
        if len(self._galleries) >= MOST_REMEMBERED:
            self._galleries.clear()
        self._galleries[name] = gallery
        return gallery


def _spaces(gallery: Gallery) -> tuple[object, ...]:
    other = gallery.other
    return gallery.key, gallery.space, other and (other.space_id, other.space)


@dataclass(frozen=True, slots=True)
class Recognition:
    store: Store
    indexes: Indexes
    probes: Probes
    record: SearchRecord
    seen: LastSeen = field(default_factory=LastSeen)

    @again_if_moved
    def search(
        self, caller: Caller, names: Sequence[str], search: Search, at_least: Versions
    ) -> Searched:
        """The subjects of one or several galleries whom the probe resembles.

        Each gallery is searched in one state of its index; who of it exists, under which name and
        with which embedding, says one state of the tables, no older.

        Raises:
            SpaceMismatch: the galleries' spaces differ, or the embedding's does.
            NoOtherSpace: a gallery has one space only.
            VersionLost: the database does not know a version in `at_least`, for which the caller
                has waited.
            ScopeMissing: metadata is for those who may read.
            RequestInvalid: metadata that no subject can have is asked for.
            AuditBehind: try again shortly.
            and what `Probes.look` and `searches.decide` raise.
        """
        self.record.check()
        if search.with_metadata and not caller.may(Scope.READ):
            raise ScopeMissing(Scope.READ)
        valid_metadata(search.metadata or {})
        before = [self.seen.gallery(self.store, name, caller) for name in names]
        try:
            decided = self._decided(caller, before, search, at_least)
        except (DatabaseUnavailable, DatabaseBusy, Overloaded):
            raise  # whatever the galleries are; and who asks again waits again
        except FacematchError:
            self.seen.doubt(self.store, before, caller)
            raise
        self.record.record([*_recorded(caller, decided)])
        return decided.found

    def _decided(
        self, caller: Caller, before: Sequence[Gallery], search: Search, at_least: Versions
    ) -> Decided:
        galleries = [search.sought(each) for each in before]
        _check_one_space(galleries)
        looked = self.probes.look(search.probe, galleries[0].space)
        # before the first statement that decides: the tables must not be older than the indexes
        views = {each.id: self.indexes.index(each.key).view() for each in galleries}
        return decide(self.store, Asking(caller, galleries, search, at_least, looked, views))


def _recorded(caller: Caller, decided: Decided) -> Iterator[RecordedSearch]:
    """For each gallery and face: everybody who was named, or that nobody was."""
    found = decided.found
    for gallery, searched in zip(decided.galleries, found.galleries, strict=True):
        event = RecordedSearch(
            action="search",
            outcome=NO_MATCH,
            caller=caller,
            gallery_id=gallery.id,
            space_id=gallery.space_id,
            threshold=searched.threshold,
            version=searched.version.number,
            occurred_at=decided.now,
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
