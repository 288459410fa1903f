"""`facematch serve`."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from service.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; PORT.")] = None,
    model: Annotated[str | None, typer.Option(help="Recognition model; MODEL_NAME.")] = None,
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Upgrade the schema named by DATABASE_URL first.")
    ] = False,
    ephemeral: Annotated[
        bool,
        typer.Option("--ephemeral", help="Use a temporary database, deleted when stopped."),
    ] = False,
) -> None:
    """Run the service until it is stopped."""
    from service import logs
    from service.settings import Settings
    from service.wiring import open_database, open_services

    settings = Settings.read(host=host, port=port, model_name=model)
    logs.configure(settings.log_level)
    with (
        open_database(settings, migrate=migrate, ephemeral=ephemeral) as url,
        open_services(settings, url) as services,
    ):
        from service.web import create_app

        _run(settings, create_app(services))


def _run(settings: "Settings", app: object) -> None:
    import uvicorn

    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # an ASGI application
        host=settings.host,
        port=settings.port,
        log_config=None,
        # its lines hold paths, and those hold the ids of people
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=15,
    )
    uvicorn.Server(config).run()
