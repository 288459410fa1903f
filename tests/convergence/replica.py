"""`facematch serve` itself, with a face model that costs nothing and one more route, for audits.

python -m tests.convergence.replica serve --port N [--broken sequence|deaf|markless]
"""

import argparse
import sys
from typing import Any
from uuid import UUID

from fastapi import FastAPI

from service import cli, model_wiring, web
from service.index import Living
from service.ports import FaceAnalyser
from service.settings import Settings
from service.wiring import Services
from tests.convergence.broken import READERS
from tests.fakes.analyser import FakeAnalyser

create_app = web.create_app


def analyser_for(settings: Settings, gallery: object) -> FaceAnalyser:
    return FakeAnalyser()


def audited_app(*arguments: Any, **named: Any) -> FastAPI:
    app = create_app(*arguments, **named)
    services: Services = app.state.services

    @app.get("/audit/{gallery_id}")
    def audit(gallery_id: UUID) -> dict[str, str]:
        # one state: its version and its content belong together
        (state,) = (
            index.state
            for key, index in services.replica.indexes().items()
            if key.gallery_id == gallery_id
        )
        return {"version": str(state.version), "digest": str(Living.of(state).digest())}

    return app


def main() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--broken", choices=sorted(READERS))
    chosen, others = parser.parse_known_args()
    if chosen.broken:
        READERS[chosen.broken]()
    model_wiring.analyser_for = analyser_for
    web.create_app = audited_app
    sys.argv[1:] = others
    cli.main()


if __name__ == "__main__":
    main()
