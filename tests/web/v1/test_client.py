"""The client for other programs against a real service."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from service.client import FaceMatch, FaceMatchError
from tests import photos
from tests.web.conftest import Site


@pytest.fixture
def facematch(client: httpx.Client, site: Site, sql: psycopg.Connection) -> Iterator[FaceMatch]:
    with FaceMatch(site.server.url, client.headers["X-API-Key"]) as facematch:
        facematch.create_gallery("staff", max_faces_per_subject=5)
        yield facematch
    sql.execute("DELETE FROM gallery WHERE name <> 'dlib'")


def test_an_enrolled_person_is_found_verified_and_gone_after_deletion(
    facematch: FaceMatch, tmp_path: Path
) -> None:
    path = tmp_path / "grace.jpg"
    path.write_bytes(photos.grace_bytes())
    face = facematch.add_face("staff", "grace", path)
    assert (face.subject, face.image_name) == ("grace", "grace.jpg")
    found = facematch.search("staff", path)
    assert found.best is not None
    assert (found.best.subject, found.best.face) == ("grace", face.id)
    assert facematch.search("staff", photos.astronaut_bytes()).best is None
    assert facematch.verify("staff", "grace", path).matched
    assert not facematch.verify("staff", "grace", photos.astronaut_bytes()).matched
    facematch.delete_subject("staff", "grace", everywhere=True)
    assert facematch.search("staff", path).best is None


def test_an_embedding_goes_out_and_in_again(facematch: FaceMatch) -> None:
    facematch.add_face("staff", "grace", photos.grace_bytes())
    (face,) = facematch.faces("staff", "grace", embeddings=True)
    assert face.embedding is not None
    space = facematch.gallery("staff").space
    copy = facematch.add_embedding("staff", "copy", face.embedding, space)
    assert copy.image_sha256 is None
    found = facematch.search_embedding("staff", face.embedding, space, top_k=2)
    assert {match.subject for match in found.faces[0].matches} == {"grace", "copy"}


@pytest.mark.parametrize("name", ["a/b", "..", ".", "é 💡", "a?b#c%2F", "x" * 255])
def test_a_subject_of_any_name_is_made_changed_and_deleted(facematch: FaceMatch, name: str) -> None:
    assert facematch.create_subject("staff", name, {"badge": 1}).id == name
    changed = facematch.change_subject("staff", name, metadata={"badge": 2})
    assert changed is not None
    assert changed.metadata == {"badge": 2}
    assert facematch.subject("staff", name).id == name
    assert [each.id for each in facematch.subjects("staff")] == [name]
    facematch.delete_subject("staff", name)
    with pytest.raises(FaceMatchError) as error:
        facematch.subject("staff", name)
    assert error.value.code == "subject_not_found"


def test_subjects_are_merged_and_faces_replaced(facematch: FaceMatch) -> None:
    first = facematch.add_face("staff", "grace", photos.grace_bytes())
    facematch.add_face("staff", "twin", photos.astronaut_bytes())
    merged = facematch.merge_subject("staff", "grace", "twin")
    assert merged is not None
    assert merged.faces == 2
    other = photos.encoded(photos.grace(), quality=60)
    replaced = facematch.replace_face("staff", "grace", first.id, other)
    assert replaced.id == first.id
    assert replaced.image_sha256 != first.image_sha256
    facematch.delete_face("staff", "grace", first.id)
    assert first.id not in [face.id for face in facematch.faces("staff", "grace")]


def test_photographs_are_compared_and_faces_detected(facematch: FaceMatch) -> None:
    grace, other = photos.grace_bytes(), photos.astronaut_bytes()
    assert [each.matched for each in facematch.compare(grace, grace, other)] == [True, False]
    (face,) = facematch.detect(grace)
    assert face.box["width"] > 0
    assert any(model["name"] == "Dlib" for model in facematch.models())


def test_an_archive_is_imported_and_everything_of_one_id_erased(
    facematch: FaceMatch, tmp_path: Path
) -> None:
    for name, data in (("grace", photos.grace_bytes()), ("empty", b"")):
        (tmp_path / f"{name}.jpg").write_bytes(data)
    with tarfile.open(tmp_path / "people.tar", "w") as archive:
        for name in ("grace", "empty"):
            archive.add(tmp_path / f"{name}.jpg", f"{name}.jpg")
    seen: list[int] = []
    job = facematch.import_archive("staff", tmp_path / "people.tar")
    job = facematch.wait_for(job, lambda job: seen.append(job.done))
    assert (job.state, job.enrolled, job.rejected) == ("finished", 1, 1)
    (rejected,) = facematch.items(job, status="rejected")
    assert rejected.id == "empty"
    assert seen[-1] == 2
    assert facematch.erase("grace") == ["staff"]
    receipt = next(facematch.erasures("staff"))
    assert (receipt.subjects, receipt.faces) == (1, 1)
    assert receipt.erased.tzinfo is not None
