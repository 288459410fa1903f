"""Write down what the migrations make: `make definitions`, after every change of them."""

import json
from pathlib import Path

from sqlalchemy import create_engine

from service.store import definitions, schema
from service.store.embedded import temporary_postgres

FILE = Path(__file__).with_suffix(".json")


def main() -> None:
    with temporary_postgres() as url:
        schema.upgrade(url)
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
        with engine.connect() as connection:
            # where somebody has no right, nothing is said
            content = {name: said for name, said in definitions.found(connection).items() if said}
        engine.dispose()
    FILE.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
