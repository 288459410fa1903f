"""A gallery goes through a file and comes out the same, or not at all."""

import gc
import hashlib
import io
import json
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import psycopg
import pytest

from service.audit import Audit
from service.domain.galleries import Gallery
from service.domain.keys import Caller, Scope, trusted
from service.errors import (
    GalleryExists,
    GalleryNotFound,
    InputFileInvalid,
    ScopeMissing,
    SpaceConflict,
)
from service.exports import Export, Import, Imported, Reader
from service.exports.reading import BATCH
from service.ports import Store
from service.sync import Replica
from tests.exports.conftest import SETTINGS
from tests.store.test_calibrations import CALIBRATION
from tests.store.values import embedding, enrol, one

Sql = psycopg.Connection[Any]
Exported = Callable[..., bytes]

ROWS = """
SELECT s.external_id, s.metadata, s.created_at, s.expires_at, f.created_at, f.created_by,
       f.image_sha256, f.image_name, f.box, f.quality, vector_send(e.vec), e.space_id
  FROM subject s JOIN gallery g ON g.id = s.gallery_id AND g.name = %s
  LEFT JOIN face f ON f.subject_id = s.id LEFT JOIN face_embedding e ON e.face_id = f.id
 ORDER BY s.id, f.id
"""
COUNTS = "SELECT (SELECT count(*) FROM gallery), (SELECT count(*) FROM embedding_space), count(*)"
LEFT = COUNTS + " FROM subject"


def imported(store: Store, content: bytes, name: str | None = None) -> Imported:
    reader = Reader(io.BytesIO(content), "file")
    return Import(store).run(trusted("test"), reader, name)


def rows(psql: Sql, name: str) -> list[Any]:
    return psql.execute(ROWS, (name,)).fetchall()


def found(store: Store, name: str) -> Gallery:
    with store.transaction(read_only=True) as tx:
        gallery = tx.find_gallery(name)
    assert gallery is not None
    return gallery


def sealed(lines: Iterable[bytes], subjects: int | None = None) -> bytes:
    """An export of these lines with an end that is true of them."""
    content = b"".join(line + b"\n" for line in lines)
    told = [json.loads(line) for line in content.splitlines()]
    kinds = [line["kind"] for line in told]
    end = {
        "kind": "end",
        "subjects": kinds.count("subject") if subjects is None else subjects,
        "faces": kinds.count("face"),
        "photographs": sum(line.get("photograph") is not None for line in told),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return content + json.dumps(end).encode() + b"\n"


def changed(line: bytes, **fields: object) -> bytes:
    return json.dumps(json.loads(line) | fields).encode()


def test_every_row_comes_out_as_it_went_in(
    store: Store, people: Gallery, exported: Exported, psql: Sql
) -> None:
    before = rows(psql, "people")
    done = imported(store, exported(), "copy")
    assert (done.name, done.totals.subjects, done.totals.faces) == ("copy", 3, 4)
    assert rows(psql, "copy") == before
    assert len(before) == 5


def test_settings_rules_and_calibration_come_along_and_bind_nobody_on_the_way(
    store: Store, people: Gallery, exported: Exported, psql: Sql
) -> None:
    """The gallery has more faces than its limits allow now: they were lowered since."""
    psql.execute("UPDATE gallery SET max_faces = 1, max_faces_per_subject = 1")
    imported(store, exported(), "copy")
    copy, original = found(store, "copy"), found(store, "people")
    assert copy.settings == original.settings
    assert copy.settings.rules.gates == SETTINGS.rules.gates
    assert copy.threshold != CALIBRATION.threshold
    assert copy.calibration == CALIBRATION
    assert copy.space_id == original.space_id


def test_consents_come_along_also_where_the_gallery_demands_them(
    store: Store, people: Gallery, exported: Exported, psql: Sql
) -> None:
    """One of the people has none: the rule is younger."""
    psql.execute("UPDATE gallery SET consent_required = true")
    imported(store, exported(), "copy")
    kept = psql.execute(
        "SELECT s.external_id, text_version, purpose, given_at = '2020-01-01',"
        " c.expires_at = '2021-01-01', recorded_by = session_user"
        " FROM consent c JOIN subject s ON s.id = c.subject_id"
        " JOIN gallery g ON g.id = c.gallery_id AND g.name = 'copy' ORDER BY 5"
    ).fetchall()
    assert kept == [
        ("ada", "v1", "entry", True, True, True),
        ("ada", "v1", "entry", True, None, True),
    ]
    assert found(store, "copy").settings.rules.consent_required


def test_an_import_of_an_import_is_the_same_file_but_for_its_head(
    store: Store, people: Gallery, exported: Exported
) -> None:
    first = exported()
    imported(store, first, "copy")
    assert exported("copy").splitlines()[1:-1] == first.splitlines()[1:-1]


def test_what_was_imported_is_searched_under_its_new_ids(
    store: Store, people: Gallery, exported: Exported
) -> None:
    imported(store, exported(), "copy")
    copy = found(store, "copy")
    replica = Replica(store.feed(), poll_s=1, stale_s=15, wait_s=10)
    replica.start()
    try:
        assert replica.wait_for(copy.id, copy.version)
        (best, *_) = replica.index(copy.key).search(embedding(2), 2).candidates
    finally:
        replica.close()
    with store.transaction(read_only=True) as tx:
        assert tx.subject_names([best.subject_id]) == {best.subject_id: "ada"}
        assert tx.find_subject(people.id, "ada") != best.subject_id
    assert best.similarity == pytest.approx(1)


def test_faces_of_one_subject_in_several_batches_stay_together_and_in_order(
    store: Store, people: Gallery, exported: Exported, psql: Sql
) -> None:
    head, subject, face, *_ = exported().splitlines()
    size = 2 * BATCH + 10
    lines = [changed(head, subjects=2, faces=size + 1), subject]
    names = [f"{number:04}.jpg" for number in range(size)]
    lines += [changed(face, image_name=name, image_sha256=None) for name in names]
    lines += [changed(subject, external_id="bob"), changed(face, image_name="bob.jpg")]
    done = imported(store, sealed(lines), "large")
    assert done.totals.faces == size + 1
    kept = psql.execute(
        "SELECT s.external_id, f.image_name FROM face f JOIN subject s ON s.id = f.subject_id"
        " JOIN gallery g ON g.id = f.gallery_id WHERE g.name = 'large' ORDER BY f.id"
    ).fetchall()
    assert kept == [*(("ada", name) for name in names), ("bob", "bob.jpg")]
    assert found(store, "large").version.number == 3


def test_the_record_tells_of_both_and_holds(
    store: Store, people: Gallery, exported: Exported, psql: Sql
) -> None:
    content = exported()
    done = imported(store, content, "copy")
    events = psql.execute(
        "SELECT action, gallery_id, gallery_version, detail FROM audit_event"
        " WHERE action IN ('export', 'import') AND gallery_id = ANY (%s) ORDER BY id",
        ([people.id, found(store, "copy").id],),
    ).fetchall()
    assert events[0][:3] == ("export", people.id, people.version.number)
    assert events[0][3] == {"of": "gallery", "faces": 4}
    assert events[1][3] == {
        "sha256": json.loads(content.splitlines()[-1])["sha256"],
        "release": done.header.release,
        "subjects": 3,
        "faces": 4,
    }
    enrolled = "SELECT count(*) FROM audit.enrolments WHERE gallery = 'copy'"
    assert one(psql, enrolled) == 4
    assert [chain for chain in Audit(store).verify() if chain.broken] == []


class Full(io.BytesIO):
    def write(self, content: object) -> int:
        raise OSError(28, "No space left on device")


def test_an_export_is_in_the_record_before_its_first_byte_leaves(
    store: Store, people: Gallery, psql: Sql
) -> None:
    with pytest.raises(OSError, match="No space left"):
        Export(store).run(trusted("test"), "people", Full())
    told = "SELECT count(*) FROM audit_event WHERE action = 'export' AND gallery_id = %s"
    assert one(psql, told, people.id) == 1


class Slow(io.BytesIO):
    """Calls back at the first write, when the header is there and nothing else."""

    def __init__(self, at_first: Callable[[], object]) -> None:
        super().__init__()
        self._at_first: Callable[[], object] | None = at_first

    def write(self, content: Any) -> int:
        run, self._at_first = self._at_first, None
        if run is not None:
            run()
        return super().write(content)


def test_an_export_is_one_state_whatever_is_deleted_or_truncated_meanwhile(
    store: Store, people: Gallery, psql: Sql, exported: Exported
) -> None:
    before = exported().splitlines()[1:-1]

    def truncate() -> None:
        with psycopg.connect(psql.info.dsn) as other:
            other.execute("TRUNCATE subject CASCADE")

    thread = threading.Thread(target=truncate)

    def empty() -> None:
        psql.execute("DELETE FROM face WHERE image_name = '1.jpg'")
        thread.start()
        time.sleep(0.3)

    file = Slow(empty)
    Export(store).run(trusted("test"), "people", file)
    thread.join(10)
    assert file.getvalue().splitlines()[1:-1] == before
    assert one(psql, "SELECT count(*) FROM subject") == 0


def test_another_s_gallery_is_not_exported(
    store: Store, people: Gallery, exported: Exported
) -> None:
    reader = Reader(io.BytesIO(exported()), "file")
    stranger = Caller("stranger", None, frozenset(Scope), galleries=frozenset())
    file = io.BytesIO()
    with pytest.raises(GalleryNotFound):
        Export(store).run(stranger, "people", file)
    assert file.getvalue() == b""
    with pytest.raises(ScopeMissing):
        Import(store).run(stranger, reader, "copy")


@pytest.mark.parametrize("cut", [0, 1, 100, 0.3, 0.5, 0.8, -200, -2, -1])
def test_a_file_that_is_cut_off_leaves_nothing(
    store: Store, people: Gallery, exported: Exported, psql: Sql, cut: float
) -> None:
    content = exported()
    before = psql.execute(LEFT).fetchone()
    place = int(cut * len(content)) if isinstance(cut, float) else cut
    with pytest.raises(InputFileInvalid, match=r"line [0-9]+: "):
        imported(store, content[:place], "copy")
    assert psql.execute(LEFT).fetchone() == before


def test_a_file_that_is_cut_off_between_two_lines_leaves_nothing(
    store: Store, people: Gallery, exported: Exported, psql: Sql
) -> None:
    lines = exported().splitlines(keepends=True)
    before = psql.execute(LEFT).fetchone()
    for number in range(len(lines)):
        with pytest.raises(InputFileInvalid, match="cut off"):
            imported(store, b"".join(lines[:number]), "copy")
    assert psql.execute(LEFT).fetchone() == before


def test_no_changed_byte_passes(
    store: Store, people: Gallery, exported: Exported, psql: Sql
) -> None:
    content = exported()
    before = psql.execute(LEFT).fetchone()
    for place in np.random.default_rng(7).integers(0, len(content), 60):
        damaged = bytearray(content)
        damaged[place] ^= 1
        with pytest.raises(InputFileInvalid):
            imported(store, bytes(damaged), "copy")
    assert psql.execute(LEFT).fetchone() == before


def broken(lines: list[bytes], how: str) -> tuple[list[bytes], int | None]:
    """Lines that are wrong in a way that no checksum tells, and what their end says of subjects."""
    head, subject, face = lines[:3]
    bare = [changed(head, subjects=1, faces=1), subject, face]
    by_name: dict[str, tuple[list[bytes], int | None]] = {
        "version": ([changed(head, version=2), *bare[1:]], None),
        "kind": ([*bare, b'{"kind": "photograph"}'], None),
        "field": ([bare[0], subject, changed(face, consent=True)], None),
        "setting": (
            [changed(bare[0], settings=json.loads(head)["settings"] | {"mood": 1}), *bare[1:]],
            None,
        ),
        "head": (bare[1:], None),
        "two heads": ([*bare, bare[0]], None),
        "orphan": ([bare[0], face, subject], None),
        "fewer": ([changed(head, subjects=2, faces=1), subject, face], None),
        "said": (bare, 7),
        "base64": ([bare[0], subject, changed(face, embedding="###")], None),
        "short": ([bare[0], subject, changed(face, embedding="AAAAAA==")], None),
        "length": ([bare[0], subject, changed(face, embedding=None, box=[1, 2])], None),
        "hash": ([bare[0], subject, changed(face, image_sha256="xyz")], None),
        "name": ([bare[0], changed(subject, external_id=""), face], None),
        "nul": ([bare[0], changed(subject, metadata={"a": "\0"}), face], None),
        "twice": ([changed(head, subjects=2, faces=0), subject, subject], None),
        "same photograph": ([changed(head, subjects=1, faces=2), subject, face, face], None),
        "date": ([bare[0], subject, changed(face, created_at="9999-12-31T23:00:00Z")], None),
        "threshold": (
            [changed(bare[0], settings=json.loads(head)["settings"] | {"threshold": 2}), *bare[1:]],
            None,
        ),
    }
    return by_name[how]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("version", "line 1: not the beginning of a gallery's export"),
        ("kind", "line 4: .*photograph"),
        ("field", "line 3: .*consent"),
        ("setting", "line 1: settings: this release of facematch does not know mood"),
        ("head", "line 1: not the beginning"),
        ("two heads", "line 4: a second header"),
        ("orphan", "line 2: a face before the first subject"),
        ("fewer", "line 4: the file does not hold as much as it says"),
        ("said", "line 4: the file does not hold as much as it says"),
        ("base64", "line 3: embedding: not base64"),
        ("short", "line 3: embedding: not 128 values"),
        ("length", "line 3: .*box"),
        ("hash", "line 3: image_sha256"),
        ("name", "line 2: id: must have 1 to 255"),
        ("nul", "a value cannot be stored"),
        ("twice", "rule uq_subject_gallery_id_external_id refuses"),
        ("same photograph", "rule uq_face_subject_id_image_sha256 refuses"),
        ("date", "rule ck_face_created_at refuses"),
        ("threshold", "rule ck_gallery_threshold refuses"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line_and_leaves_nothing(
    store: Store, people: Gallery, exported: Exported, psql: Sql, how: str, said: str
) -> None:
    lines, subjects = broken(exported().splitlines(), how)
    before = psql.execute(LEFT).fetchone()
    with pytest.raises(InputFileInvalid, match=said):
        imported(store, sealed(lines, subjects), "copy")
    assert psql.execute(LEFT).fetchone() == before


@pytest.mark.parametrize("content", [b"\x89PNG", b"[]\n", b"not json\n", b"x" * 17_000_000])
def test_what_is_no_export_is_told(store: Store, content: bytes) -> None:
    with pytest.raises(InputFileInvalid, match="file, line 1: not the beginning of"):
        imported(store, content)


def test_something_behind_the_end_is_refused(
    store: Store, people: Gallery, exported: Exported
) -> None:
    with pytest.raises(InputFileInvalid, match="something follows the end"):
        imported(store, exported() + b"\n", "copy")


def test_a_gallery_that_is_there_stays_as_it_is(
    store: Store, people: Gallery, exported: Exported, psql: Sql
) -> None:
    content = exported()
    enrol(store, people, "later", 9)
    before = rows(psql, "people")
    with pytest.raises(GalleryExists):
        imported(store, content)
    assert rows(psql, "people") == before


def test_a_name_that_cannot_be_is_refused(
    store: Store, people: Gallery, exported: Exported
) -> None:
    with pytest.raises(InputFileInvalid, match="name: "):
        imported(store, exported(), "a\nb")


def test_a_space_of_another_dimension_is_a_conflict(
    store: Store, people: Gallery, exported: Exported, psql: Sql
) -> None:
    head = exported().splitlines()[0]
    other = json.loads(head)["space"] | {"dimension": 64}
    with pytest.raises(SpaceConflict, match="128"):
        imported(store, sealed([changed(head, space=other, subjects=0, faces=0)]), "copy")


def test_a_file_of_any_size_is_imported_and_exported_in_constant_memory(
    store: Store, people: Gallery, exported: Exported
) -> None:
    head, subject, face = exported().splitlines()[:3]
    peaks = []
    # Both are more than the buffers on the way hold, whose rows go by five hundreds.
    for people_in_it in (1200, 3000):
        lines = [changed(head, subjects=people_in_it, faces=people_in_it)]
        for number in range(people_in_it):
            lines += [changed(subject, external_id=str(number)), face]
        name, content = f"size {people_in_it}", sealed(lines)
        gc.collect()  # else what was there before decides how much garbage is there at the peak
        tracemalloc.start()
        imported(store, content, name)
        with open("/dev/null", "wb") as nowhere:
            Export(store).run(trusted("test"), name, nowhere)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
