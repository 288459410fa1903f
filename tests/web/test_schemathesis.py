"""The API asked by a program that knows its OpenAPI document and nothing else of it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import photos
from tests.forks import UNMEASURED
from tests.servers import Server, running

CONFIG = Path(__file__).parents[2] / "schemathesis.toml"
"""Names what is left out, each with its reason."""
EXAMPLES = 10
SEED = 1
LEAST_CASES = 1000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("service")
    # it is tried with wrong keys by the hundred
    home = {"FACEMATCH_HOME": str(folder / "home"), "FAILED_KEY_LIMIT": "100000/second"}
    log = folder / "log"
    with running(log, "--ephemeral", environment=home, measured=True) as server:
        yield server
    assert "Traceback" not in log.read_text()


@pytest.mark.timeout(600)
def test_the_service_keeps_what_its_document_promises(server: Server, tmp_path: Path) -> None:
    """All checks of schemathesis; among them: no server error, only documented statuses, bodies of
    the documented form, a key needed wherever the document says so."""
    # it is no program of ours: following it would take longer than it does
    unmeasured = {name: value for name, value in os.environ.items() if name not in UNMEASURED}
    with server.client() as client:
        photo = {"file": ("p.jpg", photos.grace_bytes())}
        client.post("/add_face", data={"id": "grace"}, files=photo).raise_for_status()
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                f"--config-file={CONFIG}",
                "run",
                f"{server.url}/openapi.json",
                f"--header=X-API-Key: {client.headers['X-API-Key']}",
                f"--max-examples={EXAMPLES}",
                f"--seed={SEED}",
                "--request-timeout=60",
                "--no-color",
            ],
            cwd=tmp_path,
            env=unmeasured,
            capture_output=True,
            text=True,
            timeout=580,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr
        cases = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
        assert cases is not None, done.stdout[-2000:]
        assert int(cases[1]) == int(cases[2]) >= LEAST_CASES
        assert httpx.get(f"{server.url}/ready").status_code == 200


def test_every_operation_is_described(server: Server) -> None:
    """A summary, a tag, and the refusals that every request may meet."""
    with server.client() as client:
        document = client.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            assert operation["summary"], name
            assert operation["tags"], name
            if path.startswith("/v1/"):
                assert {"401", "403", "422", "429", "503"} <= operation["responses"].keys(), name
            if method in {"post", "put", "patch"} and path.startswith("/v1/"):
                assert "requestBody" in operation or path.endswith(("/cancel", "/withdraw")), name
    schemas = document["components"]["schemas"]
    assert "Problem" in schemas
