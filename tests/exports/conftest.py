"""A gallery with everything that an export must carry."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from service.domain.galleries import EnrolmentGates, Gallery, GalleryRules, GallerySettings
from service.domain.keys import trusted
from service.exports import Export
from service.ports import Store
from tests.store.conftest import clean_url, psql, shared_url, store
from tests.store.test_calibrations import CALIBRATION
from tests.store.values import SPACE, enrol, imported_face, new_face

__all__ = ["clean_url", "psql", "shared_url", "store"]

SETTINGS = GallerySettings(
    0.77, 100, GalleryRules(3, 86_400, EnrolmentGates(quality=False, new_person=True))
)
METADATA = '{"team": "blue\\nand \\u2028 green", "age": 36.5, "large": 12345678901234567890}'


@pytest.fixture
def people(store: Store, psql: psycopg.Connection[Any]) -> Gallery:
    """Two people: one with three faces, one of them without photograph and one without embedding;
    the other expired. A subject without faces. A threshold set by hand after the calibration."""
    with store.transaction() as tx:
        gallery = tx.create_gallery("people", SPACE, SETTINGS)
        tx.calibrate(gallery, CALIBRATION)
        tx.change_gallery(gallery.id, SETTINGS)
    ada, _ = enrol(store, gallery, "ada", 1)
    with store.transaction() as tx:
        tx.add_face(gallery, ada, imported_face(2))
        bare = tx.add_face(gallery, ada, new_face(3))
        odd = tx.add_subject(gallery.id, 'Ørsted/😀 "x"\\')
        named = replace(new_face(4), created_at=datetime(2001, 2, 3, 4, 5, 6, 789, tzinfo=UTC))
        tx.add_face(gallery, odd, named)
        tx.add_subject(gallery.id, "nobody")
    psql.execute("DELETE FROM face_embedding WHERE face_id = %s", (bare,))
    psql.execute('UPDATE face SET quality = \'{"size": 35.25, "turn": null}\' WHERE box IS NULL')
    psql.execute("UPDATE subject SET metadata = %s WHERE id = %s", (METADATA, ada))
    psql.execute("UPDATE subject SET expires_at = '2020-01-01' WHERE id = %s", (odd,))
    psql.execute("UPDATE subject SET expires_at = NULL WHERE external_id = 'nobody'")
    psql.execute(
        "INSERT INTO consent (gallery_id, subject_id, text_version, purpose, given_at, expires_at)"
        " SELECT gallery_id, id, 'v1', 'entry', '2020-01-01', until"
        " FROM subject, unnest(%s::timestamptz[]) AS until WHERE id = %s",
        (["2021-01-01", "infinity"], ada),
    )
    with store.transaction(read_only=True) as tx:
        found = tx.find_gallery("people")
    assert found is not None
    return found


@pytest.fixture
def exported(store: Store) -> Callable[[str], bytes]:
    def export(name: str = "people") -> bytes:
        file = io.BytesIO()
        Export(store).run(trusted("test"), name, file)
        return file.getvalue()

    return export
