"""A calibration is stored with the threshold it gives, and counts for one space."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import errors

from service.domain.calibrations import Calibration, Tail
from service.domain.galleries import Gallery, GallerySettings
from service.errors import GalleryNotReady
from service.ports import Store
from service.store import open_store, schema
from tests.store.values import SPACE, enrol, one

CALIBRATION = Calibration(
    fpir=0.001,
    threshold=0.91,
    low=0.9,
    high=0.93,
    subjects=70,
    faces=100,
    suspects=1,
    tail=Tail(0.85, 0.1, 7.5),
    version=7,
    release="0.1.0",
    calibrated_at=datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
)


def found(store: Store) -> Gallery:
    with store.transaction(read_only=True) as tx:
        gallery = tx.find_gallery("people")
    assert gallery is not None
    return gallery


def save(store: Store, gallery: Gallery, calibration: Calibration = CALIBRATION) -> None:
    store.write(lambda tx: tx.calibrate(gallery, calibration))


def test_a_new_gallery_has_none(gallery: Gallery) -> None:
    assert gallery.calibration is None


def test_the_threshold_and_its_evidence_change_together(store: Store, gallery: Gallery) -> None:
    save(store, gallery)
    assert (found(store).threshold, found(store).calibration) == (0.91, CALIBRATION)
    newer = replace(CALIBRATION, threshold=0.92, faces=200)
    save(store, gallery, newer)
    assert (found(store).threshold, found(store).calibration) == (0.92, newer)


def test_a_threshold_set_by_hand_leaves_the_evidence(
    store: Store, gallery: Gallery, psql: psycopg.Connection[Any]
) -> None:
    save(store, gallery)
    psql.execute("UPDATE gallery SET threshold = 0.8")
    assert (found(store).threshold, found(store).calibration) == (0.8, CALIBRATION)


def test_it_does_not_count_in_another_space(
    store: Store, gallery: Gallery, psql: psycopg.Connection[Any]
) -> None:
    save(store, gallery)
    other = replace(SPACE, weights_sha256="cd" * 32)
    with store.transaction() as tx:
        another = tx.create_gallery("others", other, GallerySettings(0.5))
    psql.execute("UPDATE gallery SET space_id = %s WHERE name = 'people'", (another.space_id,))
    assert found(store).calibration is None
    with pytest.raises(GalleryNotReady, match="calibrate it again"):
        save(store, gallery, replace(CALIBRATION, threshold=0.5))
    assert found(store).threshold == 0.91


def test_a_gallery_goes_with_its_calibration(
    store: Store, gallery: Gallery, psql: psycopg.Connection[Any]
) -> None:
    save(store, gallery)
    psql.execute("DELETE FROM gallery")
    assert one(psql, "SELECT count(*) FROM gallery_calibration") == 0


def test_weights_that_turn_out_to_be_known_ones_end_it(store: Store) -> None:
    unpinned = replace(SPACE, weights_sha256=None, model="Other")
    with store.transaction() as tx:
        gallery = tx.create_gallery("people", unpinned, GallerySettings(0.5))
        tx.create_gallery("twin", replace(unpinned, weights_sha256="cd" * 32), GallerySettings(0.5))
    save(store, gallery)
    store.write(lambda tx: tx.pin_weights(gallery.space_id, "cd" * 32))
    assert found(store).calibration is None


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"fpir": 0.0}, "ck_gallery_calibration_fpir"),
        ({"fpir": math.nan}, "ck_gallery_calibration_fpir"),
        ({"low": 0.92}, "ck_gallery_calibration_threshold"),
        ({"high": math.nan}, "ck_gallery_calibration_threshold"),
        ({"faces": 69}, "ck_gallery_calibration_counts"),
        ({"tail": Tail(0.85, 0.1, 0.0)}, "ck_gallery_calibration_tail"),
        ({"tail": Tail(0.85, 0.1, math.nan)}, "ck_gallery_calibration_tail"),
        ({"release": ""}, "ck_gallery_calibration_release"),
    ],
)
def test_evidence_that_cannot_be_is_refused_and_changes_nothing(
    store: Store, gallery: Gallery, change: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(Exception, match=constraint) as refused:
        save(store, gallery, replace(CALIBRATION, **change))
    assert isinstance(refused.value.__cause__, errors.CheckViolation)
    assert (found(store).threshold, found(store).calibration) == (0.5, None)


def test_the_names_of_photographs(store: Store, gallery: Gallery) -> None:
    _, face_id = enrol(store, gallery, "ada", 3)
    with store.transaction(read_only=True) as tx:
        assert tx.face_images([face_id]) == {face_id: "3.jpg"}
        assert tx.face_images([]) == {}


def test_down_a_revision_and_up_again_keeps_the_threshold(database_url: str) -> None:
    store = open_store(database_url, pool_size=1, timeout_s=3)
    with store.transaction() as tx:
        save_in = tx.create_gallery("people", SPACE, GallerySettings(0.5))
        tx.calibrate(save_in, CALIBRATION)
    store.close()
    schema.downgrade(database_url, "0005")
    with psycopg.connect(database_url) as connection:
        assert one(connection, "SELECT threshold FROM gallery") == 0.91
    schema.upgrade(database_url)
    assert schema.drift(database_url) == []
    store = open_store(database_url, pool_size=1, timeout_s=3)
    assert (found(store).threshold, found(store).calibration) == (0.91, None)
    store.close()
