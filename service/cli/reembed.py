"""`facematch gallery reembed` and what belongs to it: from one model to another, without a stop."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.domain.keys import trusted

if TYPE_CHECKING:
    from rich.progress import Progress

    from service.domain.galleries import Gallery
    from service.materials import Source
    from service.ports import Store
    from service.reembedding import Filled
    from service.settings import Settings

CALLER = trusted("facematch gallery")
PAGE = 1000

Name = Annotated[str, typer.Argument(help="Name of the gallery.", metavar="GALLERY")]
LeaveBehind = Annotated[
    int, typer.Option(help="So many faces may stay without an embedding.", min=0)
]


def reembed(
    name: Name,
    model: Annotated[
        str | None, typer.Option(help="Recognition model of the new space; the gallery's own.")
    ] = None,
    detector: Annotated[
        str | None, typer.Option(help="Face detector; the model's default.")
    ] = None,
    alignment: Annotated[
        str | None, typer.Option(help="native or deepface; the model's default.")
    ] = None,
    originals: Annotated[
        Path | None,
        typer.Option(help="Folder of the uploaded files, where the gallery keeps none."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="Threshold in the new space; the model's default.", min=-1, max=1),
    ] = None,
) -> None:
    """Embed a gallery's faces in a second space, beside the one that it answers from.

    From kept photographs, or else from the folder of originals. Safe to break off and to run again.
    Exits with 1 when a face could not be embedded: `facematch gallery missing` lists them.
    """
    from service.cli.progress import bar
    from service.domain.embeddings import Alignment
    from service.galleries import read_gallery
    from service.model_wiring import analyser_like, image_limits, workers_of
    from service.reembedding import Filling, Reembedding

    with _opened(alignment) as (settings, store):
        own = read_gallery(store, CALLER, name)
        wanted = Alignment(alignment) if alignment else None
        load = partial(analyser_like, settings, model or own.space.model, detector, wanted)
        with closing(load()) as analyser, bar("faces") as shown:
            sources = _sources(settings, store, own, originals, shown)
            gallery = Reembedding(store).begin(CALLER, name, analyser.space, threshold)
            limits, threads = image_limits(settings), workers_of(settings)
            filling = Filling(store, CALLER, gallery, analyser, limits, sources, threads)
            task = shown.add_task("embedding", total=filling.count())
            filled = filling.run(lambda done: shown.advance(task, done))
    _report(name, filled)


def _sources(
    settings: "Settings",
    store: "Store",
    gallery: "Gallery",
    originals: Path | None,
    shown: "Progress",
) -> "list[Source]":
    from service.materials import Kept, Originals
    from service.wiring import photograph_keys

    sources: list[Source] = [Kept(store, photograph_keys(settings), gallery.id)]
    if originals is not None:
        task = shown.add_task("reading originals", total=None)
        advance = partial(shown.advance, task)
        sources.append(Originals.read(originals, settings.max_image_bytes, advance))
    return sources


def _report(name: str, filled: "Filled") -> None:
    typer.echo(f"gallery '{name}': {filled.embedded} faces were embedded in its other space")
    for code, count in sorted(filled.failed.items()):
        typer.echo(f"  {count} could not be: {code}", err=True)
    if filled.failed:
        raise typer.Exit(1)


def missing(name: Name) -> None:
    """List the faces without an embedding in a gallery's other space, or in its only one.

    One a line: subject, face, photograph's name, code, reason, between tabs. Exits with 1 when
    there are any. Names the replicas that are not ready for the other space on standard error.
    """
    from service.reembedding import Reembedding

    with _opened() as (_, store):
        after, any_missing = None, False
        unready = Reembedding(store).unready(CALLER, name)
        while page := Reembedding(store).missing(CALLER, name, after, PAGE)[1]:
            for face in page:
                fields = (face.external_id, str(face.face_id), face.image_name)
                typer.echo("\t".join(map(_field, (*fields, face.code, face.reason))))
            after, any_missing = page[-1].face_id, True
    if unready:
        names = ", ".join(each.name for each in unready)
        typer.echo(f"replicas that cannot search its other space yet: {names}", err=True)
    if any_missing:
        raise typer.Exit(1)


def _field(value: str | None) -> str:
    return "" if value is None else " ".join(value.split())


def compare(
    name: Name,
    json: Annotated[Path | None, typer.Option(help="Write every difference to this file.")] = None,
) -> None:
    """Search for every face among the others, in both spaces, and say where the answers differ.

    Loads no model and changes nothing.
    """
    from rich.console import Console

    from service.cli.progress import bar
    from service.evaluation.comparison import compare as compared
    from service.evaluation.differences import as_json, print_differences
    from service.evaluation.enrolled import read_both
    from service.evaluation.files import check_writable, write

    check_writable(json)
    with _opened() as (_, store), bar("faces") as shown:
        own, other = read_both(store, name)
        task = shown.add_task("comparing", total=2 * len(own))
        found = compared(own, other, store, lambda done: shown.advance(task, done))
    if json:
        write(json, as_json(found))
    print_differences(found, Console())


def switch(
    name: Name,
    back: Annotated[
        bool, typer.Option("--back", help="To the space that the gallery came from.")
    ] = False,
    leave_behind: LeaveBehind = 0,
    even_if_unready: Annotated[
        bool,
        typer.Option("--even-if-unready", help="Though live replicas cannot search there."),
    ] = False,
) -> None:
    """Have a gallery answer from its other space from now on, in one transaction.

    Refuses while a live replica has not said that it can search there, or faces are missing there.
    """
    from service.reembedding import Reembedding

    with _opened() as (_, store):
        done = Reembedding(store).switch(
            CALLER, name, back=back, leave_behind=leave_behind, even_if_unready=even_if_unready
        )
    space = done.gallery.space.describe()
    said = "answers from" if done.changed else "answered before from"
    typer.echo(
        f"gallery '{name}' {said} {space}, threshold {done.gallery.threshold:g}; faces left "
        f"behind: {done.left_behind}"
    )


def discard(name: Name, leave_behind: LeaveBehind = 0) -> None:
    """Give up a gallery's other space, and delete every embedding in it.

    Safe to break off and to run again. After a switch there is no way back.
    """
    from service.cli.progress import bar
    from service.reembedding import Reembedding

    with _opened() as (_, store), bar("embeddings") as shown:
        task = shown.add_task("deleting", total=None)
        done = Reembedding(store).discard(
            CALLER,
            name,
            leave_behind,
            lambda done, total: shown.update(task, completed=done, total=total),
        )
    typer.echo(f"gallery '{name}' has one space; {done} embeddings of the other were deleted")


@contextmanager
def _opened(alignment: str | None = None) -> Iterator[tuple["Settings", "Store"]]:
    from service import logs
    from service.settings import Settings
    from service.store_wiring import open_database, open_tables

    logs.configure("WARNING")
    settings = Settings.read(alignment=alignment)
    with open_database(settings) as url, open_tables(settings, url) as store:
        yield settings, store
