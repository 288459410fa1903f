"""A gallery in two spaces: filled, searched, switched, given up, and what is told of that."""

from dataclasses import replace
from typing import Any

import numpy as np
import psycopg
import pytest

from service.domain.embeddings import Alignment, ClaimedSpace
from service.domain.faces import Beside, Box, NewFace
from service.enrolment import Photograph, RawEmbedding
from service.errors import (
    FacesMissing,
    GalleryMoved,
    NoOtherSpace,
    OtherSpaceExists,
    RequestInvalid,
)
from service.evaluation.comparison import Answer, compare
from service.evaluation.enrolled import read_both
from service.faces import Faces
from service.materials import Originals
from service.ports import Transaction
from service.reembedding import Filled, Filling
from tests.fakes.analyser import SPACE, photograph
from tests.reembedding.values import CALLER, LIMITS, OTHER, Site


def test_faces_are_found_in_both_spaces_and_after_the_switch_in_the_other_one(
    site: Site, originals: Originals
) -> None:
    for seed in range(35):  # more than a batch
        site.enrol(f"person {seed}", seed)
    assert site.fill(originals) == Filled(35, {})
    everybody = [f"person {seed}" for seed in range(35)]
    assert [site.found(seed) for seed in range(35)] == everybody
    assert [site.found(seed, in_other=True) for seed in range(35)] == everybody
    before = site.gallery()
    assert (before.space.model, before.threshold) == ("Dlib", 0.5)
    done = site.reembedding.switch(CALLER, "people")
    assert (done.changed, done.left_behind) == (True, 0)
    after = site.gallery()
    assert (after.space.model, after.threshold) == ("ArcFace", 0.7)
    assert after.version.number == before.version.number + 1
    assert [site.found(seed) for seed in range(35)] == everybody
    assert site.found(36) is None


def test_a_switch_can_be_taken_back_and_loses_nobody_who_came_since(
    site: Site, originals: Originals
) -> None:
    site.enrol("ada", 1)
    site.fill(originals)
    site.reembedding.switch(CALLER, "people")
    site.enrol("grace", 2)
    assert not site.reembedding.switch(CALLER, "people").changed
    assert site.reembedding.switch(CALLER, "people", back=True).changed
    assert not site.reembedding.switch(CALLER, "people", back=True).changed
    gallery = site.gallery()
    assert (gallery.space.model, gallery.threshold) == ("Dlib", 0.5)
    assert gallery.other is not None
    assert gallery.other.switched_at is None
    assert [site.found(1), site.found(2)] == ["ada", "grace"]


def test_a_replica_builds_nothing_anew_at_a_switch(site: Site, originals: Originals) -> None:
    site.enrol("ada", 1)
    site.fill(originals)
    before = dict(site.replica.indexes())
    assert len(before) == 2
    switched = site.reembedding.switch(CALLER, "people").gallery
    assert site.replica.wait_for(switched.id, switched.version)
    after = site.replica.indexes()
    assert {key: id(index) for key, index in after.items()} == {
        key: id(index) for key, index in before.items()
    }


def test_who_is_enrolled_meanwhile_is_embedded_in_both(site: Site) -> None:
    site.begin()
    face = site.enrol("ada", 1)
    assert site.missing() == []
    assert site.found(1, in_other=True) == "ada"
    offer = Photograph(photograph(2), "new.png")
    site.enrolment.replace(CALLER, "people", "ada", face, offer)
    assert [site.found(seed) for seed in (1, 2)] == [None, "ada"]
    assert [site.found(seed, in_other=True) for seed in (1, 2)] == [None, "ada"]


def test_who_cannot_be_embedded_is_enrolled_listed_and_never_dropped(
    site: Site, originals: Originals
) -> None:
    site.blind_to.update({1, 2})
    site.enrol("ada", 1)
    site.begin()
    site.enrol("grace", 2)
    site.enrol("joan", 99)  # in no folder, but seen
    claimed = ClaimedSpace("Dlib", "dlib", Alignment.NATIVE)
    raw = RawEmbedding([1.0] + [0.0] * 31, claimed, None)
    site.enrolment.add(CALLER, "people", "raw", raw, create=True)
    assert site.missing() == [("ada", None), ("grace", None), ("raw", None)]
    assert site.fill(originals) == Filled(0, {"no_face": 2, "no_photograph": 1})
    listed = [("ada", "no_face"), ("grace", "no_face"), ("raw", "no_photograph")]
    assert site.missing() == listed
    with pytest.raises(FacesMissing, match="--leave-behind 3"):
        site.reembedding.switch(CALLER, "people", leave_behind=2)
    assert site.found(2) == "grace"
    assert site.reembedding.switch(CALLER, "people", leave_behind=3).left_behind == 3
    site.blind_to.clear()
    assert site.found(2) is None
    with pytest.raises(FacesMissing):
        site.reembedding.discard(CALLER, "people", leave_behind=2)
    site.reembedding.switch(CALLER, "people", back=True)
    assert site.found(2) == "grace"
    assert site.fill(originals) == Filled(2, {"no_photograph": 1})
    assert site.missing() == [("raw", "no_photograph")]


def test_a_run_that_was_broken_off_goes_on_where_it_was(site: Site, originals: Originals) -> None:
    for seed in range(40):
        site.enrol(f"person {seed}", seed)

    class Interrupted(Exception):
        pass

    class Breaking:
        def of(self, face: Any) -> Any:
            if face.external_id == "person 35":
                raise Interrupted
            return originals.of(face)

    with pytest.raises(Interrupted):
        site.fill(Breaking())
    assert len(site.missing()) == 8
    assert site.fill(originals) == Filled(8, {})


def test_a_photograph_that_is_replaced_meanwhile_is_not_embedded_for_the_new_one(
    site: Site, originals: Originals
) -> None:
    face = site.enrol("ada", 1)
    site.begin()

    class Replacing:
        """Somebody replaces the photograph while the old one is being read, by one unseen."""

        def __init__(self) -> None:
            self.done = False

        def of(self, of: Any) -> Any:
            material = originals.of(of)
            if not self.done:
                self.done = True
                offer = Photograph(photograph(50), "new.png")
                site.enrolment.replace(CALLER, "people", "ada", face, offer)
            return material

    site.blind_to.add(50)
    assert site.fill(Replacing()) == Filled(0, {})
    assert site.found(1, in_other=True) is None
    assert site.missing() == [("ada", None)]


def test_an_erased_face_is_gone_from_both(
    site: Site, originals: Originals, psql: psycopg.Connection[Any]
) -> None:
    face = site.enrol("ada", 1)
    site.fill(originals)
    Faces(site.galleries).delete(CALLER, "people", "ada", face)
    assert [site.found(1), site.found(1, in_other=True)] == [None, None]
    assert [len(index) for index in site.replica.indexes().values()] == [0, 0]
    assert psql.execute("SELECT count(*) FROM face_embedding").fetchone() == (0,)


def test_a_second_space_is_given_once(site: Site) -> None:
    began = site.begin()
    assert site.begin() == began
    with pytest.raises(RequestInvalid, match="in that space already"):
        site.reembedding.begin(CALLER, "people", SPACE, None)
    third = replace(OTHER, model="Facenet", weights_sha256="ef" * 32)
    with pytest.raises(OtherSpaceExists):
        site.reembedding.begin(CALLER, "people", third, None)
    site.reembedding.discard(CALLER, "people")
    assert site.reembedding.begin(CALLER, "people", third, 0.3).in_other().threshold == 0.3


def test_without_a_second_space_there_is_nothing_to_search_or_to_switch_to(site: Site) -> None:
    with pytest.raises(NoOtherSpace):
        site.found(1, in_other=True)
    with pytest.raises(NoOtherSpace):
        site.reembedding.switch(CALLER, "people")


def test_what_is_discarded_is_deleted_and_nothing_else(
    site: Site, originals: Originals, psql: psycopg.Connection[Any]
) -> None:
    for seed in range(3):
        site.enrol(f"person {seed}", seed)
    site.fill(originals)
    site.reembedding.switch(CALLER, "people")
    assert site.reembedding.discard(CALLER, "people") == 3
    assert site.reembedding.discard(CALLER, "people") == 0
    gallery = site.gallery()
    assert (gallery.space.model, gallery.other) == ("ArcFace", None)
    assert [site.found(seed) for seed in range(3)] == [f"person {seed}" for seed in range(3)]
    kept = psql.execute("SELECT DISTINCT space_id FROM face_embedding").fetchall()
    assert kept == [(gallery.space_id,)]
    assert site.replica.wait_for(gallery.id, gallery.version)
    assert set(site.replica.indexes()) == {gallery.key}


def test_a_filling_whose_space_was_given_up_ends(site: Site, originals: Originals) -> None:
    site.enrol("ada", 1)
    gallery = site.begin()
    filling = Filling(site.store, CALLER, gallery, site.other, LIMITS, [originals], 2)
    site.reembedding.discard(CALLER, "people")
    with pytest.raises(NoOtherSpace):
        filling.run()
    gallery = site.begin()
    filling = Filling(site.store, CALLER, gallery, site.other, LIMITS, [originals], 2)
    site.reembedding.switch(CALLER, "people", leave_behind=1)
    with pytest.raises(GalleryMoved):
        filling.run()


def test_a_filling_tells_how_far_it_is(site: Site, originals: Originals) -> None:
    for seed in range(3):
        site.enrol(f"person {seed}", seed)
    site.enrol("nowhere", 9)
    gallery = site.begin()
    filling = Filling(site.store, CALLER, gallery, site.other, LIMITS, [originals], 2)
    assert filling.count() == 4
    told: list[int] = []
    filling.run(told.append)
    assert sum(told) == 4


def test_the_record_tells_of_the_move(
    site: Site, originals: Originals, psql: psycopg.Connection[Any]
) -> None:
    site.enrol("ada", 1)
    site.fill(originals)
    site.reembedding.switch(CALLER, "people")
    site.reembedding.discard(CALLER, "people")
    told = psql.execute(
        "SELECT action, caller FROM audit.enrolment_history WHERE gallery_id = %s"
        " AND action ~ 'embedding|change_gallery' ORDER BY seq",
        (site.gallery().id,),
    ).fetchall()
    assert [row[0] for row in told] == [
        "begin_reembedding",
        "add_embedding",
        "change_gallery",
        "change_reembedding",
        "end_reembedding",
        "delete_embedding",
    ]
    assert {row[1] for row in told} == {"tests"}


def test_an_enrolment_is_told_under_what_it_was_embedded_with_before_and_after_a_move(
    site: Site, originals: Originals, psql: psycopg.Connection[Any]
) -> None:
    site.blind_to.add(1)
    site.enrol("ada", 1)
    site.fill(originals)
    site.reembedding.switch(CALLER, "people", leave_behind=1)
    site.enrol("grace", 2)
    told = "SELECT subject, model, threshold FROM audit.enrolments ORDER BY 1"
    assert psql.execute(told).fetchall() == [("ada", "Dlib", 0.5), ("grace", "ArcFace", 0.7)]


def test_faces_that_two_spaces_answer_differently_are_named(site: Site) -> None:
    """The own space tells everybody apart; the other one takes one face of grace's for ada's."""
    gallery = site.begin()
    axes = np.eye(16, dtype=np.float32)
    seen = [("ada", 0, 0), ("ada", 0, 0), ("grace", 1, 1), ("grace", 1, 0), ("joan", 2, 2)]

    def work(tx: Transaction) -> None:
        for number, (name, own, other) in enumerate(seen):
            known = tx.find_subject(gallery.id, name)
            subject = known or tx.add_subject(gallery.id, name)
            beside = Beside(gallery.in_other().space_id, axes[other])
            sha = bytes([number]) * 32
            vector = np.concatenate([axes[own], axes[15] * 0])
            face = NewFace(vector, sha, None, Box(0, 0, 1, 1), "test", beside=beside)
            tx.add_face(gallery, subject, face)
        tx.add_face(gallery, subject, NewFace(vector, None, None, None, "test"))

    site.store.write(work)
    found = compare(*read_both(site.store, "people"), site.store)
    assert (found.faces, found.only_own, found.only_other) == (5, 1, 0)
    assert found.answers == {
        (Answer.RIGHT, Answer.RIGHT): 2,
        (Answer.RIGHT, Answer.WRONG): 1,
        (Answer.RIGHT, Answer.NOBODY): 1,
        (Answer.NOBODY, Answer.NOBODY): 1,
    }
    assert sorted((each.subject, each.other.answer) for each in found.differences) == [
        ("grace", Answer.NOBODY),
        ("grace", Answer.WRONG),
    ]
