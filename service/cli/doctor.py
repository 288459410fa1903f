"""`facematch doctor`."""

import typer


def doctor() -> None:
    """Check database, schema, weights, indexes, replicas, clock and keys; say what to do.

    Exits with 1 when something is not well.
    """
    from service import logs
    from service.diagnosis import diagnose
    from service.settings import Settings

    logs.configure("ERROR")
    ill = 0
    for finding in diagnose(Settings.read()):
        ill += not finding.well
        typer.echo(f"{'ok  ' if finding.well else 'FAIL'} {finding.check}: {finding.text}")
    if ill:
        raise typer.Exit(1)
