"""`python -m benchmarks.startup`: from starting the process to ready, with the default model."""

import argparse
import os
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.served import served
from service.store import schema
from service.store.embedded import embedded_postgres


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.startup", description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    with TemporaryDirectory(prefix="facematch-benchmark-") as folder:
        home = Path(folder) / "embedded"
        home.mkdir()
        _tell("embedded database, made anew", [_start(home)])
        _tell("embedded database", [_start(home) for _ in range(options.times)])
        beside = Path(folder) / "beside"
        with embedded_postgres(Path(folder) / "server") as url:
            schema.upgrade(url)
            _tell("database running, engine never checked", [_start(beside, url)])
            _tell("database running", [_start(beside, url) for _ in range(options.times)])


def _start(home: Path, url: str = "") -> float:
    environment = {"FACEMATCH_HOME": str(home), "DATABASE_URL": url}
    with served(environment=environment) as running:
        return running.seconds


def _tell(name: str, seconds: list[float]) -> None:
    print(
        f"{name}: {median(seconds):.2f} s to ready (fastest {min(seconds):.2f}, "
        f"slowest {max(seconds):.2f}, {len(seconds)} starts)",
        flush=True,
    )


if __name__ == "__main__":
    main()
