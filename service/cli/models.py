"""`facematch models`: the catalogue and the weights."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The recognition models and their weights.", no_args_is_help=True)

Engine = Annotated[str, typer.Option(help="Engine to get the weights for; see ENGINE.")]


@app.command("list")
def list_() -> None:
    """List every model with its figures, licence and defaults, and where its weights belong."""
    from itertools import groupby

    from service.settings import Settings
    from service.vision.weights import list_models

    statuses = list_models(Settings.read().facematch_home)
    for spec, files in groupby(statuses, key=lambda status: status.spec):
        width, height = spec.input_size
        threshold = spec.default_threshold(spec.default_alignment)
        typer.echo(
            f"{spec.name}: {spec.dimension} dimensions, input {width} x {height}, "
            f"detector {spec.default_detector}, alignment {spec.default_alignment}\n"
            f"  threshold {threshold:g} ({spec.threshold_source(spec.default_alignment)})\n"
            f"  licence: {spec.licence}"
        )
        for status in files:
            size = spec.about_bytes(status.file)
            about = f"about {size / 1e6:.0f} MB" if size else "size not known"
            there = "there" if status.present else "missing"
            typer.echo(f"  {there}: {status.path} ({' or '.join(status.file.engines)}, {about})")


@app.command()
def pull(name: str, engine: Engine = "auto") -> None:
    """Download a model's weights into the weights folder and keep their sha256 beside them."""
    from service.cli.progress import transfer
    from service.settings import Settings
    from service.vision.acquisition import pull as pull_weights

    with transfer(f"pulling {name}") as progress:
        path = pull_weights(name, Settings.read().facematch_home, engine, progress)
    typer.echo(f"{name}: {path}")


@app.command()
def add(name: str, file: Path) -> None:
    """Copy a weights file into the weights folder, after checking that the model runs with it."""
    from service.cli.progress import transfer
    from service.settings import Settings
    from service.vision.acquisition import add as add_weights

    with transfer(f"adding {name}") as progress:
        path = add_weights(name, file, Settings.read().facematch_home, progress)
    typer.echo(f"{name}: {path}")
