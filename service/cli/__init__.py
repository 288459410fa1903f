"""The command line. Commands are thin and import what they need when they run."""

import signal
import sys

import typer

from service.cli import (
    audit,
    db,
    doctor,
    enrol,
    erasures,
    evaluate,
    exports,
    gallery,
    keys,
    models,
    photographs,
    reembed,
    serve,
    smoke,
    worker,
)
from service.cli.failures import report
from service.errors import FacematchError

app = typer.Typer(
    name="facematch",
    help="Self-hosted face matching: enrol photographs, ask whose face it is.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("enroll")(enrol.enroll)
app.command("import-json")(enrol.import_json)
app.command("evaluate")(evaluate.evaluate)
app.command("calibrate")(gallery.calibrate)
app.command("smoke")(smoke.smoke)
app.command("doctor")(doctor.doctor)
app.add_typer(audit.app, name="audit")
app.add_typer(erasures.app, name="erasures")
app.add_typer(db.app, name="db")
app.add_typer(models.app, name="models")
gallery.app.command("export")(exports.export_gallery)
gallery.app.command("import")(exports.import_gallery)
for command in (reembed.reembed, reembed.missing, reembed.compare, reembed.switch, reembed.discard):
    gallery.app.command()(command)
app.add_typer(gallery.app, name="gallery")
app.add_typer(keys.app, name="keys")
app.add_typer(photographs.app, name="photographs")


def stop_on_signals() -> None:
    """End in order, at start-up too: everything opened is closed again.

    The signals' default would end the process there and then, with the embedded database still
    running. Uvicorn stops on them itself and then raises them anew.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))


def main() -> None:
    """Run the command; errors raised on purpose end it with a sentence and an exit code."""
    stop_on_signals()
    try:
        app()
    except FacematchError as error:
        sys.exit(report(error))
