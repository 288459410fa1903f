"""The command line. Commands are thin and import what they need when they run."""

import sys

import typer

from service.cli import db, doctor, enrol, models, serve, smoke
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
app.command("enroll")(enrol.enroll)
app.command("import-json")(enrol.import_json)
app.command("smoke")(smoke.smoke)
app.command("doctor")(doctor.doctor)
app.add_typer(db.app, name="db")
app.add_typer(models.app, name="models")


def main() -> None:
    """Run the command; errors raised on purpose end it with a sentence and an exit code."""
    try:
        app()
    except FacematchError as error:
        sys.exit(report(error))
