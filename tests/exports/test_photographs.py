"""A gallery's kept photographs go through a file and are sealed anew, each for its new face."""

import base64
import io
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest

from service.domain.galleries import Gallery
from service.domain.keys import trusted
from service.domain.photographs import Keeping
from service.errors import InputFileInvalid, PhotographDamaged, PhotographKeyMissing
from service.exports import Export, Import, Imported, Reader, reading
from service.photograph_keys import NO_KEYS, PhotographKey, PhotographKeys
from service.ports import Store
from tests.exports.test_exports import changed, sealed
from tests.store.photographs import KEYS, all_kept, content_of, enrol_kept, keeping_gallery
from tests.store.values import enrol, one

Sql = psycopg.Connection[Any]
CALLER = trusted("test")
OTHER = PhotographKeys((PhotographKey(b"\x0c" * 32),))
COUNT = "SELECT count(*) FROM kept_photograph"


@pytest.fixture
def gallery(store: Store) -> Gallery:
    """Three faces whose chips are kept, and one without."""
    gallery = keeping_gallery(store, "people", Keeping.CHIPS)
    for seed in range(3):
        enrol_kept(store, gallery, f"person {seed}", seed, Keeping.CHIPS)
    enrol(store, gallery, "nothing kept", 9)
    return gallery


def exported(store: Store, keys: PhotographKeys = KEYS) -> bytes:
    file = io.BytesIO()
    Export(store, photographs=True, keys=keys).run(CALLER, "people", file)
    return file.getvalue()


def imported(store: Store, content: bytes, keys: PhotographKeys = OTHER) -> Imported:
    return Import(store).run(CALLER, Reader(io.BytesIO(content), "file", keys), "copy")


def opened(store: Store, name: str, keys: PhotographKeys) -> list[bytes]:
    with store.transaction(read_only=True) as tx:
        gallery = tx.find_gallery(name)
        assert gallery is not None
        kept = all_kept(tx, gallery)
    return sorted(keys.open(each).content for each in kept)


def test_photographs_come_out_as_they_went_in_under_the_key_that_is_there(
    store: Store, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH_BYTES", 1)
    done = imported(store, exported(store))
    assert (done.totals.faces, done.totals.photographs) == (4, 3)
    assert done.totals.without_photograph == 1
    assert opened(store, "copy", OTHER) == [*map(content_of, range(3))]


def test_what_the_record_says_of_it(store: Store, gallery: Gallery, psql: Sql) -> None:
    imported(store, exported(store))
    told = psql.execute(
        "SELECT action, detail -> 'photographs' FROM audit_event"
        " WHERE action IN ('export', 'import') ORDER BY id DESC LIMIT 2"
    ).fetchall()
    assert told == [("import", 3), ("export", True)]
    Export(store).run(CALLER, "people", io.BytesIO())
    shown = psql.execute("SELECT photographs FROM audit.exports ORDER BY occurred_at").fetchall()
    assert shown[-2:] == [(True,), (False,)]


def test_a_photograph_that_cannot_be_opened_ends_the_export(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    with pytest.raises(PhotographKeyMissing, match=KEYS.sealing.id):
        exported(store, OTHER)
    psql.execute("UPDATE kept_photograph SET sealed = sealed || 'x'")
    with pytest.raises(PhotographDamaged):
        exported(store)


def test_what_its_gallery_keeps_no_more_is_not_exported(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    psql.execute("UPDATE gallery SET keep_photographs = 'none'")
    assert (one(psql, COUNT), imported(store, exported(store)).totals.photographs) == (3, 0)


@pytest.mark.parametrize("with_photographs", [True, False])
def test_without_a_key_a_gallery_that_keeps_is_not_imported(
    store: Store, gallery: Gallery, psql: Sql, with_photographs: bool
) -> None:
    file = io.BytesIO()
    Export(store, photographs=with_photographs, keys=KEYS).run(CALLER, "people", file)
    with pytest.raises(PhotographKeyMissing, match="new-key"):
        imported(store, file.getvalue(), NO_KEYS)
    assert one(psql, "SELECT count(*) FROM gallery") == 1


def photographs_of(content: bytes, change: Callable[[bytes], bytes]) -> list[bytes]:
    """The lines without the end, the first photograph changed."""
    lines = content.splitlines()[:-1]
    at = next(n for n, line in enumerate(lines) if json.loads(line).get("photograph"))
    lines[at] = change(lines[at])
    return lines


def test_a_file_that_was_tampered_with_leaves_nothing(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    content = exported(store)
    other = base64.b64encode(b"another photograph").decode()
    lines = photographs_of(content, partial(changed, photograph=other))
    end = content.splitlines()[-1]
    with pytest.raises(InputFileInvalid, match="checksum"):
        imported(store, b"\n".join([*lines, end, b""]))
    for wrong in ("not base64!", 5):
        lines = photographs_of(content, partial(changed, photograph=wrong))
        with pytest.raises(InputFileInvalid, match="photograph"):
            imported(store, sealed(lines))
    lines = photographs_of(content, partial(changed, photograph=None))
    with pytest.raises(InputFileInvalid, match="as much as it says"):
        imported(store, sealed(lines))
    assert one(psql, "SELECT count(*) FROM gallery") == 1


def test_an_original_that_is_another_file_s_is_refused(store: Store, psql: Sql) -> None:
    """Its face says of which file it is."""
    gallery = keeping_gallery(store, "people")
    enrol_kept(store, gallery, "ada", 1)
    with pytest.raises(InputFileInvalid, match="not the one that image_sha256 is of"):
        imported(store, exported(store))
    assert one(psql, "SELECT count(*) FROM gallery") == 1


def test_a_photograph_where_none_can_be_is_refused(
    store: Store, gallery: Gallery, psql: Sql
) -> None:
    lines = photographs_of(exported(store), partial(changed, image_sha256=None))
    with pytest.raises(InputFileInvalid, match="can have none"):
        imported(store, sealed(lines))
    assert one(psql, "SELECT count(*) FROM gallery") == 1
