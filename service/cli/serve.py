"""`facematch serve`."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import uvicorn

    from service.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; PORT.")] = None,
    model: Annotated[str | None, typer.Option(help="Recognition model; MODEL_NAME.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that serve; WORKERS.")] = None,
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Upgrade the schema named by DATABASE_URL first.")
    ] = False,
    ephemeral: Annotated[
        bool,
        typer.Option("--ephemeral", help="Use a temporary database, deleted when stopped."),
    ] = False,
    allow_anonymous_network: Annotated[
        bool,
        typer.Option(
            "--allow-anonymous-network",
            help="With ALLOW_ANONYMOUS: let everybody in who reaches the address.",
        ),
    ] = False,
) -> None:
    """Run the service until it is stopped."""
    from service import logs
    from service.cli.memory import share_heaps
    from service.cli.welcome import check_anonymous, offer_key
    from service.settings import Settings
    from service.store_wiring import open_database

    settings = Settings.read(host=host, port=port, model_name=model, workers=workers)
    logs.configure(settings.log_level)
    check_anonymous(settings, network=allow_anonymous_network)
    share_heaps()
    with open_database(settings, migrate=migrate, ephemeral=ephemeral) as url:
        offer_key(settings, url, ephemeral=ephemeral)
        if settings.workers > 1:
            from service.cli import workers as several

            several.run(settings, url, ephemeral=ephemeral, config=_config(settings))
        else:
            _serve(settings, url, ephemeral)


def _serve(settings: "Settings", url: str, ephemeral: bool) -> None:
    from service.cli.server import Server
    from service.web import create_app, request_ids
    from service.wiring import open_services

    request_ids.show_in_logs()
    with open_services(settings, url, ephemeral=ephemeral) as services:
        config = _config(settings)
        config.app = create_app(services)
        Server(config).run()


def _config(settings: "Settings") -> "uvicorn.Config":
    import uvicorn

    return uvicorn.Config(
        "",  # filled in by who runs it
        factory=settings.workers > 1,
        workers=settings.workers,
        host=settings.host,
        port=settings.port,
        log_config=None,
        # its lines hold paths, and those hold the ids of people
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=15,
    )
