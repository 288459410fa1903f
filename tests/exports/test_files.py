"""An export's file: whole or not there, its owner's alone, packed or not."""

import gzip
import stat
from pathlib import Path

import pytest

from service.errors import InputFileInvalid
from service.exports.files import opened, written


@pytest.mark.parametrize("name", ["export.ndjson", "export.ndjson.gz"])
def test_what_is_written_is_read_again_whatever_the_file_is_called(
    tmp_path: Path, name: str
) -> None:
    path, other = tmp_path / name, tmp_path / "other"
    with written(path) as out:
        out.write(b"content")
    path.rename(other)
    with opened(other) as content:
        assert content.read() == b"content"
    assert other.read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "export.ndjson"
    with written(path) as out:
        modes = [stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()]
        out.write(b"content")
    assert [*modes, stat.S_IMODE(path.stat().st_mode)] == [0o600, 0o600]


def test_an_export_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def export() -> None:
        with written(tmp_path / "export.ndjson") as out:
            out.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["export.ndjson", "export.ndjson.part"])
def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"yesterday's")
    with (
        pytest.raises(InputFileInvalid, match="is there already"),
        written(tmp_path / "export.ndjson"),
    ):
        pass
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"yesterday's"]


def test_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(InputFileInvalid, match="cannot be written: No such file"),
        written(tmp_path / "nowhere" / "export.ndjson"),
    ):
        pass


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputFileInvalid, match="cannot be read"), opened(tmp_path / "none"):
        pass


def test_the_same_content_is_the_same_packed_file(tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz"):
        with written(tmp_path / name) as out:
            out.write(b"content")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b"content"
