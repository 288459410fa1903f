"""Diagnosis: database, schema, weights, indexes, replicas, clock and keys, checked on demand."""

import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from service.domain.calibrations import Calibration
from service.domain.galleries import Gallery, GalleryHead
from service.domain.keys import trusted
from service.domain.photographs import Keeping
from service.domain.replicas import ReplicaState, unready
from service.errors import FacematchError, StartupError
from service.index import IndexBuilder
from service.model_wiring import analyser_for
from service.photographs import Kept, Photographs
from service.ports import ChangeFeed, FaceRead, Store, Transaction
from service.settings import Settings
from service.store import schema
from service.store_wiring import open_server, open_tables
from service.wiring import photograph_keys

CALLER = trusted("facematch doctor")
LARGEST_CLOCK_DIFFERENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `text` says what to do where it is not well."""

    well: bool
    check: str
    text: str


def diagnose(settings: Settings) -> Iterator[Finding]:
    """Run every check that the ones before allow."""
    try:
        with open_server(settings) as url:
            yield Finding(True, "database", "reachable, PostgreSQL and pgvector are new enough")
            findings = list(_schema(url))
            yield from findings
            if all(finding.well for finding in findings):
                yield from _tables(settings, url)
    except StartupError as error:
        yield Finding(False, "database", str(error))


def _schema(url: str) -> Iterator[Finding]:
    try:
        schema.check(url)
    except FacematchError as error:
        yield Finding(False, "schema", str(error))
        return
    differences = schema.drift(url)
    for difference in differences:
        yield Finding(False, "schema", f"{difference}; undo that change, or restore a backup")
    if not differences:
        yield Finding(
            True, "schema", f"revision {schema.head()}, every part as this release makes it"
        )


def _tables(settings: Settings, url: str) -> Iterator[Finding]:
    with open_tables(settings, url) as store:
        yield from _tried("clock", lambda: [_clock(store)])
        yield from _tried("weights", lambda: [_weights(settings, store)])
        with closing(store.feed()) as feed:
            yield from _tried("galleries", lambda: _galleries(store, feed))
            yield from _tried("photographs", lambda: _photographs(settings, store, feed))
        yield from _tried("imports", lambda: [_imports(store)])


def _tried(check: str, run: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from run()
    except FacematchError as error:
        yield Finding(False, check, str(error))


def _clock(store: Store) -> Finding:
    before = datetime.now(UTC)
    with store.transaction(read_only=True) as tx:
        theirs = tx.now()
    # the database read its clock between our two readings
    nearest = min(max(theirs, before), datetime.now(UTC))
    difference = abs((theirs - nearest).total_seconds())
    if difference > LARGEST_CLOCK_DIFFERENCE_S:
        text = (
            f"this machine's clock differs from the database's by {difference:.1f} s; set both by "
            "NTP: dates in answers and logs depend on them"
        )
        return Finding(False, "clock", text)
    return Finding(True, "clock", f"within {LARGEST_CLOCK_DIFFERENCE_S:g} s of the database's")


def _weights(settings: Settings, store: Store) -> Finding:
    """Load the model as `serve` would, and compare its space with the default gallery's."""
    name = settings.gallery_name()
    with store.transaction(read_only=True) as tx:
        gallery = tx.find_gallery(name)
    with closing(analyser_for(settings, gallery)) as analyser:
        space = analyser.space
    text = f"{space.describe()}, sha256 {space.weights_sha256}"
    if gallery is None:
        return Finding(True, "weights", f"{text}; gallery '{name}' does not exist yet")
    if gallery.space.serves(space):
        return Finding(True, "weights", f"{text}, as gallery '{name}' was made with")
    text = f"gallery '{name}' was made with {gallery.space.weights_sha256}, here is {text}"
    return Finding(False, "weights", f"{text}; bring those weights here, or use another gallery")


def _imports(store: Store) -> Finding:
    with store.transaction(read_only=True) as tx:
        state = tx.spool.state()
    if not state.unfinished:
        return Finding(True, "imports", f"none waits; live workers: {state.workers}")
    if not state.workers:
        text = f"{state.unfinished} wait and no worker is alive: start facematch worker"
        return Finding(False, "imports", f"{text}, or the service with IMPORT_WORKERS above 0")
    text = f"{state.unfinished} under way or waiting; live workers: {state.workers}"
    return Finding(True, "imports", text)


def _galleries(store: Store, feed: ChangeFeed) -> Iterator[Finding]:
    with feed.read() as read:
        heads = read.heads()
        for head in heads:
            yield _index(read, head)
    galleries = {head.id: head for head in heads}.values()
    with store.transaction(read_only=True) as tx:
        states = [(head, state) for head in galleries for state in tx.replicas(head.id)]
        found = [(tx.find_gallery(head.name), tx.count_faces(head.id)) for head in galleries]
        present = [gallery for gallery, _ in found if gallery is not None]
        missing = [each for gallery in present for each in _missing(tx, gallery)]
        moving = [gallery for gallery in present if gallery.other is not None]
        ready = [_readiness(gallery, tx.replicas(gallery.id)) for gallery in moving]
    for gallery, faces in found:
        if gallery is not None and gallery.calibration is not None:
            yield _calibration(gallery, gallery.calibration, faces)
    yield from (*missing, *ready)
    for head, state in states:
        yield _replica(head, state)


def _missing(tx: Transaction, gallery: Gallery) -> Iterator[Finding]:
    """Who is enrolled and cannot be found; no fault, since somebody decided so."""
    name = f"faces of gallery '{gallery.name}'"
    unfound = tx.reembedding.count_missing(gallery)
    if unfound:
        yield Finding(True, name, f"{unfound} have no embedding in its space: no search finds them")
    if gallery.other is not None:
        waiting = tx.reembedding.count_missing(gallery.in_other())
        text = f"{waiting} are missing in its other space ({gallery.other.space.describe()})"
        yield Finding(True, name, f"{text}; facematch gallery missing lists them")


def _photographs(settings: Settings, store: Store, feed: ChangeFeed) -> Iterator[Finding]:
    """Whether what galleries keep can be opened here, and what they are told to keep sealed."""
    photographs = Photographs(store, photograph_keys(settings))
    for name in sorted({head.name for head in feed.heads()}):
        kept = photographs.kept(CALLER, name)
        if kept.by_key or kept.gallery.rules.keep_photographs is not Keeping.NONE:
            yield _kept(kept, sealing=bool(photographs.keys.keys))


def _kept(kept: Kept, *, sealing: bool) -> Finding:
    check = f"photographs of gallery '{kept.gallery.name}'"
    bring = "into PHOTOGRAPH_KEYS or photograph.keys, as on the other replicas"
    if kept.missing:
        count, keys = (
            sum(kept.by_key[each] for each in kept.missing),
            ", ".join(sorted(kept.missing)),
        )
        text = f"{count} are sealed under a key that is not here ({keys}): bring it {bring}"
        return Finding(False, check, text)
    if not sealing:
        return Finding(False, check, f"there is no key to seal them with: bring it {bring}")
    return Finding(True, check, f"{sum(kept.by_key.values())} are kept, and their keys are here")


def _readiness(gallery: Gallery, states: list[ReplicaState]) -> Finding:
    """Whether every replica could follow if the gallery changed over now."""
    check, other = f"replicas of gallery '{gallery.name}'", gallery.in_other()
    found = unready(states, other.space_id)
    if not found:
        return Finding(True, check, "every live one can search its other space")
    names = ", ".join(each.name for each in found)
    text = (
        f"{names} cannot search its other space yet, and facematch gallery switch refuses: run "
        f"facematch models pull {other.space.model} there, or see why in the log"
    )
    return Finding(False, check, text)


def _calibration(gallery: Gallery, made: Calibration, faces: int) -> Finding:
    """Advice at most: an outgrown threshold decides as it did, with more false positives."""
    name = f"threshold of gallery '{gallery.name}'"
    again = f"run facematch calibrate {shlex.quote(gallery.name)} --fpir {made.fpir:g}"
    if gallery.threshold != made.threshold:
        text = f"set to {gallery.threshold:g} by hand since it was calibrated to {made.threshold:g}"
        return Finding(True, name, f"{text}; to go back, {again}")
    if made.outgrown(faces):
        text = f"calibrated with {made.faces} faces, and there are {faces} now: the FPIR is higher"
        return Finding(True, name, f"{text} than the wanted {made.fpir:g}; {again}")
    return Finding(True, name, f"calibrated for FPIR {made.fpir:g} with {made.subjects} people")


def _replica(head: GalleryHead, state: ReplicaState) -> Finding:
    check = f"replica {state.name}"
    if not state.live:
        text = (
            f"silent for {state.silent_s:.0f} s: restart it, unless it is loading a large gallery; "
            "one that is gone for good is forgotten after a day"
        )
        return Finding(False, check, text)
    if state.differences:
        text = (
            f"its index differed from the table {state.differences} times and was rebuilt; this "
            "must never happen: please report it with the replica's log"
        )
        return Finding(False, check, text)
    if state.holds(head.version):
        return Finding(True, check, f"holds gallery '{head.name}' as the table is")
    return Finding(True, check, f"is catching up with gallery '{head.name}'")


def _index(read: FaceRead, head: GalleryHead) -> Finding:
    """Build the index as a replica would, and compare it with the table by content."""
    builder = IndexBuilder(head.dimension)
    for batch in read.all_faces(head):
        builder.add(batch)
    index = builder.finish(head.version)
    name = f"gallery '{head.name}'"
    if index.digest() != read.digest(head):
        return Finding(
            False, name, "an index read from the table differs from the table; please report it"
        )
    return Finding(True, name, f"{len(index)} faces, index digest equals the table's")
