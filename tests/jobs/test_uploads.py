"""What may be uploaded, and what becomes of each item of it."""

import base64
import gzip
import io
import json
import random
import tarfile
import zipfile
from typing import Any

import psycopg
import pytest

from service.domain.keys import Caller
from service.errors import ImportInvalid, ImportTooLarge
from service.jobs.enrolling import Enrolling
from service.jobs.imports import Imports
from tests.fakes.analyser import photograph
from tests.jobs.conftest import LIMITS, MAX_IMAGE_BYTES
from tests.jobs.values import (
    embedding,
    finished,
    lines_of,
    outcome,
    people,
    submitted,
    tar_of,
    zip_of,
)

FILES = {
    "grace/1.png": photograph(1),
    "grace/2.png": photograph(2),
    "eileen.png": photograph(3),
    "./margaret.png": photograph(4),
    "notes.txt": b"no picture",
    ".hidden": b"passed over",
    "__MACOSX/grace/._1.png": b"passed over",
}
EXPECTED = {
    "grace/1.png": "enrolled: grace",
    "grace/2.png": "enrolled: grace",
    "eileen.png": "enrolled: eileen",
    "margaret.png": "enrolled: margaret",
    "notes.txt": "image_type_unsupported",
}


class Trickling(io.BytesIO):
    """A body that arrives in small pieces, as over a network."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, random.randint(1, 700)))


def rows(psql: psycopg.Connection[Any], table: str) -> int:
    (count,) = psql.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() or (0,)
    return int(count)


@pytest.mark.parametrize(
    "body",
    [tar_of(FILES), tar_of(FILES, "gz"), zip_of(FILES), zip_of(FILES, zipfile.ZIP_STORED)],
    ids=["tar", "tar.gz", "zip", "zip, stored"],
)
def test_without_a_manifest_the_folder_or_the_name_is_the_id(
    body: bytes, imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    job, items = finished(imports, enrolling, caller, body)
    assert outcome(items) == EXPECTED
    assert (job.total, job.done, job.state) == (5, 5, "finished")


def test_pieces_of_any_size_are_read(
    imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    for body in (tar_of(FILES), tar_of(FILES, "gz"), zip_of(FILES)):
        job = imports.submit(caller, "people", Trickling(body))
        assert job.total == 5


MANIFEST_CSV = "file,id,team,floor\ngrace/1.png,Grace Hopper,navy,\neileen.png,Eileen,,2\n"
MANIFEST_JSON = lines_of(
    {"file": "grace/1.png", "id": "Grace Hopper", "metadata": {"team": "navy"}},
    {"file": "eileen.png", "id": "Eileen", "metadata": {"floor": 2}},
)


@pytest.mark.parametrize("place", ["first", "in the middle", "last"])
@pytest.mark.parametrize("pack", [tar_of, zip_of])
@pytest.mark.parametrize(
    ("name", "manifest"),
    [
        ("manifest.csv", MANIFEST_CSV.encode()),
        ("./manifest.csv", MANIFEST_CSV.replace(",", ";").encode("utf-8-sig")),
        ("manifest.ndjson", MANIFEST_JSON),
        ("manifest.jsonl", MANIFEST_JSON + b"\n"),
    ],
)
def test_a_manifest_says_whose_photographs_they_are_wherever_it_stands(
    name: str,
    manifest: bytes,
    pack: Any,
    place: str,
    imports: Imports,
    enrolling: Enrolling,
    caller: Caller,
) -> None:
    files = list({n: FILES[n] for n in ("grace/1.png", "grace/2.png", "eileen.png")}.items())
    files.insert({"first": 0, "in the middle": 1, "last": 3}[place], (name, manifest))
    _, items = finished(imports, enrolling, caller, pack(dict(files)))
    assert outcome(items) == {
        "grace/1.png": "enrolled: Grace Hopper",
        "eileen.png": "enrolled: Eileen",
        "grace/2.png": "invalid_item",  # not named
    }


def test_rows_that_cannot_be_are_rejected_one_by_one(
    imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    manifest = (
        "file,id\n1.png,a\n1.png,b\nnone.png,c\n2.png,\n3.png,  \n4.png,d,too many\n5.png\n,e\n"
    )
    files = {"manifest.csv": manifest.encode()} | {f"{n}.png": photograph(n) for n in range(1, 7)}
    job, _ = finished(imports, enrolling, caller, tar_of(files))
    items = imports.items(caller, job.id, None, 0, 100)
    assert [(item.file, item.reason and item.reason.text) for item in items] == [
        ("1.png", None),
        ("2.png", "id: must have 1 to 255 characters, this one has 0"),
        ("3.png", "id: must not be blank"),
        ("4.png", "the row has more values than there are columns"),
        ("5.png", "id: must be a text"),
        ("6.png", "manifest.csv does not name this file"),
        ("1.png", "the archive has no such photograph, or the manifest names it twice"),
        ("none.png", "the archive has no such photograph, or the manifest names it twice"),
        ("manifest.csv, row 8", "file: must name a file of the archive"),
    ]
    assert job.counts == {"enrolled": 1, "rejected": 8}


@pytest.mark.parametrize(
    "manifest",
    [b"", b"name,id\na,b\n", b"file,id,id\n", b"file,id\n\xff\xfe,x\n"],
    ids=["empty", "no file", "a column twice", "no UTF-8"],
)
def test_what_is_no_manifest_fails_the_import(
    manifest: bytes, imports: Imports, caller: Caller, psql: psycopg.Connection[Any]
) -> None:
    with pytest.raises(ImportInvalid):
        submitted(imports, caller, tar_of({"1.png": photograph(1), "manifest.csv": manifest}))
    assert rows(psql, "import_job") == rows(psql, "import_item") == 0


def test_two_manifests_fail_the_import(imports: Imports, caller: Caller) -> None:
    files = {"manifest.csv": MANIFEST_CSV.encode(), "manifest.ndjson": MANIFEST_JSON}
    with pytest.raises(ImportInvalid, match="two manifests"):
        submitted(imports, caller, zip_of(files))


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


SPACE_SENT = {"model": "Dlib", "detector": "dlib", "alignment": "native", "dimension": 32}


@pytest.mark.parametrize("pack", [lambda lines: lines, gzip.compress], ids=["plain", "gzip"])
def test_lines_hold_photographs_or_embeddings(
    pack: Any, imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    long = "x" * (MAX_IMAGE_BYTES * 4 // 3 + (1 << 18))
    body = lines_of(
        {"id": "a", "image": encoded(photograph(1)), "file": "a.png"},
        {"id": "b", "embedding": embedding(2), "space": SPACE_SENT, "metadata": {"team": "navy"}},
        {"id": "c"},
        {
            "id": "d",
            "image": encoded(photograph(1)),
            "embedding": embedding(1),
            "space": SPACE_SENT,
        },
        {"id": "e", "image": "%%%"},
        {"id": "f", "embedding": embedding(2)[1:], "space": SPACE_SENT},
        {"id": "g", "embedding": [float("nan")] * 32, "space": SPACE_SENT},
        {"id": "h", "embedding": ["x"]},
        {"id": 7, "embedding": embedding(7)},
        {"id": "\n", "embedding": embedding(7)},
        {"id": "k", "embedding": embedding(7), "colour": "red"},
        {"id": "l", "image": encoded(bytes(MAX_IMAGE_BYTES + 1))},
        {"id": "m", "image": long},
        {"id": "n", "embedding": embedding(9), "metadata": []},
        ["no object"],
    )
    body += b"no JSON\n" + b"[" * 100_000 + b"\n"
    body += lines_of(
        {"id": "z", "embedding": embedding(5), "space": SPACE_SENT},
        {"id": "y", "embedding": embedding(5)},
        {"id": "x", "embedding": embedding(5), "space": SPACE_SENT | {"detector": "opencv"}},
        {"id": "w", "embedding": embedding(5), "space": SPACE_SENT | {"weights_sha256": "ab" * 32}},
    )
    _, items = finished(imports, enrolling, caller, pack(body))
    assert outcome(items) == {
        "a.png": "enrolled: a",
        2: "enrolled: b",
        3: "invalid_item",
        4: "invalid_item",
        5: "invalid_item",
        6: "invalid_embedding",
        7: "invalid_embedding",
        8: "invalid_item",
        9: "invalid_item",
        10: "invalid_request",
        11: "invalid_item",
        12: "image_too_large",
        13: "image_too_large",
        14: "invalid_item",
        15: "invalid_item",
        16: "invalid_item",
        17: "invalid_item",
        18: "enrolled: z",
        19: "invalid_item",
        20: "space_mismatch",
        21: "space_mismatch",
    }


def linked(kind: bytes, name: str = "link.png") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = "/etc/passwd"
    return member


def test_links_and_devices_of_a_tar_are_no_photographs(
    imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    kinds = {
        "sym.png": tarfile.SYMTYPE,
        "hard.png": tarfile.LNKTYPE,
        "fifo.png": tarfile.FIFOTYPE,
        "device.png": tarfile.CHRTYPE,
    }
    links = [linked(kind, name) for name, kind in kinds.items()]
    _, items = finished(imports, enrolling, caller, tar_of(people(1), links=links))
    assert outcome(items) == {"person-00000.png": "enrolled: person-00000"} | dict.fromkeys(
        kinds, "invalid_item"
    )


def test_links_and_encrypted_members_of_a_zip_are_no_photographs(
    imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a.png", photograph(1))
        archive.writestr("lzma.png", photograph(2), zipfile.ZIP_LZMA)
        archive.writestr("locked.png", photograph(3))
        archive.getinfo("locked.png").flag_bits |= 1
    _, items = finished(imports, enrolling, caller, out.getvalue())
    assert outcome(items) == {
        "a.png": "enrolled: a",
        "link.png": "invalid_item",
        "lzma.png": "invalid_item",
        "locked.png": "invalid_item",
    }


@pytest.mark.parametrize("pack", [tar_of, zip_of])
@pytest.mark.parametrize("name", ["../../etc/a.png", "/etc/a.png", "x/../../a.png", "..\\a.png"])
def test_paths_that_lead_elsewhere_are_rejected(
    pack: Any, name: str, imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    _, items = finished(imports, enrolling, caller, pack(people(1) | {name: photograph(7)}))
    codes = sorted(outcome(items).values())
    assert codes == ["enrolled: person-00000", "invalid_item"]


def test_names_of_any_characters_are_kept_or_made_harmless(
    imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    files = {"Zoë 🙂/1.png": photograph(1), "x" * 300 + ".png": photograph(2)}
    _, items = finished(imports, enrolling, caller, tar_of(files))
    assert sorted(outcome(items).values()) == ["enrolled: Zoë 🙂", "invalid_item"]
    raw = tarfile.TarInfo("half\udcff.png")
    raw.size = len(photograph(3))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(raw, io.BytesIO(photograph(3)))
    job, _ = finished(imports, enrolling, caller, out.getvalue())
    assert job.counts == {"enrolled": 1}


TAR = tar_of(people(20))
ZIP = zip_of(people(20))
GZIP = tar_of(people(20), "gz")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        b"nothing of the kind",
        b'--boundary\r\nContent-Disposition: form-data; name="file"\r\n\r\n',
        TAR[:10_000],
        TAR[: 512 * 6],
        TAR[: len(TAR) // 2],
        TAR[: 512 * 12] + b"\xff" * 512 + TAR[512 * 13 :],
        ZIP[: len(ZIP) // 2],
        ZIP[:40] + b"\xff" * 200 + ZIP[240:],
        GZIP[: len(GZIP) // 2],
        GZIP[:-4] + b"\0\0\0\0",
        GZIP + b"more",
        zip_of({}),
        tar_of({}),
        tar_of({".hidden": b""}),
    ],
    ids=[
        "empty",
        "one byte",
        "text",
        "a form",
        "tar, cut in a photograph",
        "tar, cut between members",
        "tar, half",
        "tar, a broken header",
        "zip, half",
        "zip, overwritten",
        "gzip, half",
        "gzip, wrong checksum",
        "gzip, something behind",
        "zip, nothing in it",
        "tar, nothing in it",
        "tar, only hidden files",
    ],
)
def test_what_cannot_be_read_is_refused_and_leaves_nothing(
    body: bytes, imports: Imports, caller: Caller, psql: psycopg.Connection[Any]
) -> None:
    with pytest.raises(ImportInvalid):
        submitted(imports, caller, body)
    assert rows(psql, "import_job") == rows(psql, "import_item") == 0
    assert rows(psql, "procrastinate_jobs") == 0
    assert not any(imports.limits.folder.iterdir())


def huge_header(kind: bytes) -> bytes:
    """A tar whose first header claims a gigabyte of header data."""
    member = tarfile.TarInfo("x")
    member.type = kind
    member.size = 1 << 30
    return member.tobuf() + b"\0" * 100_000


def sparse_bomb() -> bytes:
    """A tar member with an endless list of holes."""
    member = tarfile.TarInfo("x")
    member.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[482] = 1
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + (b"00000000001\0" * 42 + b"\1" + b"\0" * 7) * 3000


BIG = LIMITS["max_bytes"] + 1


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"\0" * 50_000_000),
        tar_of({"a.png": b"\0" * BIG}, "gz"),
        tar_of({"a.png": b"\0" * BIG}),
        zip_of({f"{n}.png": b"\0" * (MAX_IMAGE_BYTES + 1) for n in range(150)}),
        zip_of({"manifest.csv": b"file,id\n" + b"\n" * (1 << 26)}),
        lines_of({"id": "a"}) * (LIMITS["max_items"] + 1),
        tar_of({f"{n}.png": b"" for n in range(LIMITS["max_items"] + 1)}),
        zip_of({f"{n}.png": b"" for n in range(LIMITS["max_items"] + 1)}),
        zip_of({f"{n}" + "x" * 2000 + ".png": b"" for n in range(700)}),
    ],
    ids=[
        "gzip bomb",
        "tar.gz bomb",
        "tar, too many bytes",
        "zip bomb",
        "a manifest that is a bomb",
        "too many lines",
        "tar, too many members",
        "zip, too many members",
        "zip, an endless list of members",
    ],
)
def test_what_is_too_large_is_refused_and_leaves_nothing(
    body: bytes, imports: Imports, caller: Caller, psql: psycopg.Connection[Any]
) -> None:
    with pytest.raises(ImportTooLarge, match=r"in parts|more than"):
        submitted(imports, caller, body)
    assert rows(psql, "import_job") == rows(psql, "import_item") == 0


@pytest.mark.parametrize(
    "body",
    [huge_header(tarfile.XHDTYPE), huge_header(tarfile.GNUTYPE_LONGNAME), sparse_bomb()],
    ids=["pax header", "long name", "sparse"],
)
def test_headers_of_absurd_sizes_are_not_read(
    body: bytes, imports: Imports, caller: Caller
) -> None:
    with pytest.raises(ImportInvalid, match="damaged"):
        submitted(imports, caller, body)


def test_one_photograph_that_is_too_large_does_not_fail_the_others(
    imports: Imports, enrolling: Enrolling, caller: Caller
) -> None:
    for pack in (tar_of, zip_of):
        files = people(2) | {"large.png": bytes(MAX_IMAGE_BYTES + 1)}
        _, items = finished(imports, enrolling, caller, pack(files))
        assert items["large.png"].reason is not None
        assert items["large.png"].reason.code == "image_too_large"


def test_metadata_of_embeddings_and_of_csv_are_kept_for_the_subject(
    imports: Imports, enrolling: Enrolling, caller: Caller, psql: psycopg.Connection[Any]
) -> None:
    finished(imports, enrolling, caller, tar_of(FILES | {"manifest.csv": MANIFEST_CSV.encode()}))
    found = psql.execute("SELECT external_id, metadata FROM subject ORDER BY 1").fetchall()
    assert found == [("Eileen", {"floor": "2"}), ("Grace Hopper", {"team": "navy"})]
    assert json.dumps(found)
