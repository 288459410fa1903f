"""`facematch enroll` and `facematch import-json`: moving in, straight into the database."""

from pathlib import Path
from typing import Annotated

import typer

Gallery = Annotated[
    str | None, typer.Option(help="Gallery to fill; DEFAULT_GALLERY, else the model's name.")
]


def enroll(
    folder: Annotated[Path, typer.Argument(help="Folder of photographs.")],
    by_folder: Annotated[
        bool,
        typer.Option("--by-folder", help="A sub-folder per person, its name the id."),
    ] = False,
    gallery: Gallery = None,
    model: Annotated[str | None, typer.Option(help="Recognition model; MODEL_NAME.")] = None,
) -> None:
    """Enrol a folder of photographs: file name = id. Safe to run again."""
    from service import logs
    from service.cli.progress import bar, summarise
    from service.jobs.folder import read_folder
    from service.settings import Settings
    from service.store_wiring import open_database
    from service.wiring import open_folder_enrolment

    settings = Settings.read(default_gallery=gallery, model_name=model)
    logs.configure("WARNING")
    found = read_folder(folder, by_folder=by_folder)
    for path in found.passed_over:
        typer.echo(f"passed over: {path}: {_why_not(by_folder)}", err=True)
    with (
        open_database(settings) as url,
        open_folder_enrolment(settings, url, several=by_folder) as enrolment,
        bar("files") as shown,
    ):
        reading = shown.add_task("reading", total=len(found.items))
        enrolling = shown.add_task("enrolling", total=len(found.items))
        outcomes = enrolment.run(
            found,
            on_spooled=lambda: shown.advance(reading),
            on_done=lambda done: shown.update(enrolling, completed=done),
        )
        summarise(outcomes, shown)


def _why_not(by_folder: bool) -> str:
    return "it is in no folder of a person" if by_folder else "a folder; see --by-folder"


def import_json(
    detector: Annotated[
        str, typer.Option(help="Face detector that the old server used, e.g. opencv.")
    ],
    file: Annotated[
        Path | None, typer.Argument(help="The old JSON database; DATABASE_PATH when left out.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model of the vectors; else what the file says, else MODEL_NAME."),
    ] = None,
    gallery: Gallery = None,
) -> None:
    """Import the JSON database of an older Facenet or ArcFace server. Safe to run again."""
    from service import logs
    from service.cli.progress import bar, summarise
    from service.errors import InputFileInvalid
    from service.jobs.json_items import json_items
    from service.jobs.legacy_json import LIST_NAME, LegacyImport, model_of
    from service.settings import Settings
    from service.store_wiring import open_database
    from service.wiring import open_legacy_gallery

    logs.configure("WARNING")
    settings = Settings.read(default_gallery=gallery)
    path = file or settings.database_path
    if path is None:
        raise InputFileInvalid("Name the JSON file, or set DATABASE_PATH.")
    named = model or next(filter(None, map(model_of, json_items(path, LIST_NAME))), None)
    settings = Settings.read(default_gallery=gallery, model_name=named)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputFileInvalid(f"{path} cannot be read: {error.strerror}.") from error
    with (
        open_database(settings) as url,
        open_legacy_gallery(settings, url, detector) as target,
        bar("characters") as shown,
    ):
        task = shown.add_task("importing", total=size)
        items = json_items(path, LIST_NAME, lambda read: shown.advance(task, read))
        typer.echo(f"gallery '{target.gallery.name}': {target.gallery.space.describe()}", err=True)
        summarise(LegacyImport(target.store, target.gallery).run(items), shown)
