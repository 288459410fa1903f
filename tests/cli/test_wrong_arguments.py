"""What is wrong on a command line ends the command with a sentence, before anything is opened."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.servers import facematch


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """No database answers there, and none is needed."""
    return {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "FACEMATCH_HOME": str(tmp_path)}


@pytest.mark.parametrize("content", [None, b"\xff\xfe nothing of ours"])
def test_anchors_that_cannot_be_read_are_named(
    content: bytes | None, environment: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "anchors.jsonl"
    if content is not None:
        path.write_bytes(content)
    done = facematch("audit", "verify", "--anchors", str(path), environment=environment)
    assert done.returncode == 5
    assert "invalid_input_file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", "prune", "--older-than-days", "1e9"),
        ("audit", "prune", "--older-than-days", "nan"),
        ("smoke", "http://[bad"),
        ("keys", "create", "--name", "x", "--scope", "read", "--expires", "tomorrow"),
        ("calibrate", "dlib", "--fpir", "nan"),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    done = facematch(*arguments, environment=environment)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr


def test_an_old_database_that_is_not_there_is_refused_before_a_gallery_is_made(
    environment: dict[str, str], tmp_path: Path
) -> None:
    missing = str(tmp_path / "old.json")
    asked = ("import-json", missing, "--detector", "opencv", "--model", "Facenet")
    done = facematch(*asked, environment=environment)
    assert done.returncode == 5
    assert f"{missing} cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


class Page(BaseHTTPRequestHandler):
    """Another service, which answers everything with a page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_what_is_another_service_fails_the_smoke_test(
    page: str, environment: dict[str, str]
) -> None:
    done = facematch("smoke", page, environment=environment)
    assert done.returncode == 1
    assert "FAIL GET /health answered with no JSON: <html>" in done.stderr
