"""What looks like a mistake of enrolment is found and named."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

import numpy as np
from rich.console import Console

from service.evaluation.enrolled import Enrolled
from service.evaluation.findings import as_json, print_findings
from service.evaluation.inspection import Inspection, inspect
from service.ports import Store
from tests.evaluation.galleries import enrolled

EYE = np.eye(64, dtype=np.float32)


class Names:
    """The store, as far as an inspection asks it: subject 5 has expired."""

    @contextmanager
    def transaction(self, *, read_only: bool) -> Iterator["Names"]:
        assert read_only
        yield self

    def subject_names(self, ids: list[UUID]) -> dict[UUID, str]:
        return {each: f"p{each.int - 2_000_000}" for each in ids if each.int != 2_000_005}

    def face_images(self, ids: list[UUID]) -> dict[UUID, str | None]:
        return {each: f"[b]{each.int - 1_000_000}.jpg" for each in ids}


def inspected(gallery: Enrolled) -> Inspection:
    return inspect(gallery, cast("Store", Names()))


def mistakes() -> Inspection:
    """p0 has a photograph of p1; p2 and the expired p5 are one person; p3 a blurred picture."""
    faces = [
        *(EYE[0], EYE[0] + 0.1 * EYE[9], EYE[1] + 0.2 * EYE[8]),
        *(EYE[1], EYE[1] + 0.1 * EYE[7]),
        EYE[2],
        *(EYE[3], EYE[3] + 0.1 * EYE[10], 0.3 * EYE[3] + EYE[20]),
        EYE[4],
        EYE[2] + 0.3 * EYE[30],
    ]
    return inspected(enrolled(np.array(faces), [0, 0, 0, 1, 1, 2, 3, 3, 3, 4, 5]))


def test_each_kind_is_found() -> None:
    found = mistakes()
    (wrong,) = found.mislabelled
    assert (wrong.subject, wrong.resembles, wrong.image) == ("p0", "p1", "[b]2.jpg")
    assert wrong.similarity is not None
    assert wrong.similarity > 0.9 > 0.1 > wrong.own_similarity
    assert [(each.one, each.other) for each in found.one_person] == [
        ("p0", "p1"),
        ("p2", str(UUID(int=2_000_005))),
    ]
    assert [each.subject for each in found.outliers] == ["p0", "p3"]
    assert found.ceiling == max(each.similarity for each in found.one_person)
    assert not found.well


def test_a_clean_gallery_is_well() -> None:
    found = inspected(enrolled(np.repeat(EYE[:5], 2, axis=0), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]))
    assert found.well
    assert found.ceiling == 0.0


def test_galleries_of_one_subject_and_of_none_have_no_ceiling() -> None:
    alone = inspected(enrolled(EYE[:2], [0, 0]))
    assert alone.ceiling is None
    (far, other) = alone.outliers
    assert (far.resembles, far.similarity, other.subject) == (None, None, "p0")
    single = enrolled(EYE[:1], [0])
    nobody = Enrolled(
        single.gallery,
        single.version,
        EYE[:0],
        single.subjects[:0],
        single.face_ids[:0],
        single.subject_ids[:0],
    )
    assert inspected(nobody).well


def printed(found: Inspection) -> str:
    out = io.StringIO()
    print_findings(found, Console(file=out))
    return out.getvalue()


def test_the_table_names_photographs_as_they_are_called() -> None:
    text = printed(mistakes())
    assert "gallery 'people': 11 faces of 6 subjects, threshold 0.5000" in text
    assert "above the threshold" in text
    assert "[b]2.jpg" in text
    assert "resembles" in text


def test_a_clean_table_says_so() -> None:
    text = printed(inspected(enrolled(EYE[:3], [0, 1, 2])))
    assert "impostor ceiling 0.0000, 0.5000 below the threshold" in text
    assert "nothing doubtful was found" in text
    assert "mislabelled" not in text


def test_long_tables_are_cut_and_the_document_is_not() -> None:
    found = inspected(enrolled(np.repeat(EYE[:1], 60, axis=0), list(range(60))))
    count = len(found.one_person)
    assert f"and {count - 50} more; --json lists all" in printed(found)
    assert len(json.loads(as_json(found))["one_person"]) == count


def test_the_document_holds_no_embedding() -> None:
    document: dict[str, Any] = json.loads(as_json(mistakes()))
    assert document["mislabelled"][0]["face_id"] == str(UUID(int=1_000_002))
    assert set(document["mislabelled"][0]) == {
        *("subject", "face_id", "image", "own_similarity", "resembles", "similarity")
    }
    assert document["well"] is False
