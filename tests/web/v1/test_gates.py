"""What a gallery refuses an enrolment for, over HTTP: each gate on, and off."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from PIL import Image, ImageFilter

from tests import photos
from tests.web.conftest import ClientFor
from tests.web.v1.conftest import GALLERY, detected
from tests.web.v1.test_faces import FACES, added, another, with_rules
from tests.web.v1.test_subjects import SUBJECTS, add, at, created, found, refusal


@pytest.fixture(autouse=True)
def usual_gates(client: httpx.Client) -> Iterator[None]:
    yield
    with_rules(client, gates={})


def with_gates(client: httpx.Client, **gates: bool) -> None:
    with_rules(client, gates={"one_face": True, "quality": True} | gates)


def blurred() -> bytes:
    return photos.encoded(photos.grace().filter(ImageFilter.GaussianBlur(5)), quality=95)


def at_once(*calls: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """The answers of requests that are all sent at the same moment."""
    answers: list[httpx.Response] = []
    begin = threading.Barrier(len(calls))

    def run(call: Callable[[], httpx.Response]) -> None:
        begin.wait()
        answers.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_without_its_gate_the_largest_of_several_faces_is_enrolled(client: httpx.Client) -> None:
    both = Image.new("RGB", (1024, 600))
    both.paste(photos.astronaut(), (512, 0))
    both.paste(photos.grace().resize((256, 300)), (0, 0))
    photograph = photos.encoded(both, quality=95)
    refused = add(client, "eileen", photograph, create=True)
    assert refusal(refused) == (400, "several_faces")
    with_gates(client, one_face=False)
    assert added(client, photograph, "eileen")["box"]["left"] > 512
    assert found(client, photos.astronaut_bytes()) == ["eileen"]
    plain = client.post("/add_face", data={"id": "again"}, files={"file": photograph})
    assert plain.status_code == 200


def test_without_its_gate_a_poor_face_is_enrolled(client: httpx.Client) -> None:
    refused = add(client, "grace", blurred(), create=True)
    assert refusal(refused) == (400, "low_quality")
    assert refused.json()["reasons"] == ["too_blurred"]
    face = added(client, another())
    assert refusal(client.put(f"{FACES}/{face['id']}", files={"file": blurred()})) == (
        400,
        "low_quality",
    )
    with_gates(client, quality=False)
    assert add(client, "grace", blurred()).status_code == 201


def test_a_photograph_that_anybody_is_enrolled_with_is_known(client: httpx.Client) -> None:
    added(client)
    assert add(client, "hopper", photos.grace_bytes(), create=True).status_code == 201
    client.delete(at("hopper"))
    with_gates(client, new_photograph=True)
    answer = add(client, "hopper", photos.grace_bytes(), create=True)
    assert refusal(answer) == (409, "photograph_known")
    assert answer.json()["subject"] == "grace"
    assert refusal(client.get(at("hopper"))) == (404, "subject_not_found")
    plain = client.post("/add_face", data={"id": "b"}, files={"file": photos.grace_bytes()})
    assert (plain.status_code, plain.json()["code"]) == (409, "photograph_known")
    assert add(client, "hopper", another(), create=True).status_code == 201
    same = client.put(
        at("hopper", "faces", client.get(at("hopper", "faces")).json()["faces"][0]["id"]),
        files={"file": another()},
    )
    assert same.status_code == 200
    own = add(client, "grace", photos.grace_bytes())
    assert refusal(own) == (409, "face_exists")


def test_one_photograph_sent_for_two_people_at_once_is_known_for_one(client: httpx.Client) -> None:
    with_gates(client, new_photograph=True)
    answers = at_once(
        *(
            lambda id=id: add(client, id, photos.grace_bytes(), create=True)
            for id in ("a", "b", "c", "d")
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


def test_a_person_enrolled_as_somebody_else_is_known(client: httpx.Client) -> None:
    added(client)
    with_gates(client, new_person=True)
    answer = add(client, "hopper", another(), create=True)
    assert refusal(answer) == (409, "person_known")
    problem = answer.json()
    assert problem["subject"] == "grace"
    assert 0.922 <= problem["similarity"] <= 1
    assert answer.headers["x-gallery-version"]
    plain = client.post("/add_face", data={"id": "b"}, files={"file": another()})
    assert (plain.status_code, plain.json()["code"]) == (409, "person_known")
    assert plain.json()["subject"] == "grace"
    assert [each["id"] for each in client.get(SUBJECTS).json()["subjects"]] == ["grace"]
    assert add(client, "grace", another()).status_code == 201
    assert added(client, photos.astronaut_bytes(), "eileen")["subject"] == "eileen"


def test_an_embedding_of_somebody_known_is_refused_too(client: httpx.Client) -> None:
    added(client)
    created(client, "hopper")
    with_gates(client, new_person=True)
    embedding, space = detected(client, another())
    sent = {"embedding": embedding, "space": space}
    answer = client.post(at("hopper", "faces"), json=sent)
    assert refusal(answer) == (409, "person_known")


def test_a_replacing_photograph_passes_the_same_gates(client: httpx.Client) -> None:
    face = added(client)
    added(client, photos.astronaut_bytes(), "eileen")
    path = f"{FACES}/{face['id']}"
    with_gates(client, new_person=True, new_photograph=True)
    answer = client.put(path, files={"file": photos.astronaut_bytes()})
    assert refusal(answer) == (409, "photograph_known")
    again = photos.encoded(photos.astronaut(), quality=70)
    assert refusal(client.put(path, files={"file": again})) == (409, "person_known")
    assert client.put(path, files={"file": another()}).status_code == 200
    assert found(client, photos.grace_bytes()) == ["grace"]


def test_who_is_known_is_told_only_to_those_who_may_read(
    client: httpx.Client, client_for: ClientFor
) -> None:
    added(client)
    enrolling = client_for(["enrol"])
    with_gates(client, new_person=True)
    hidden = add(enrolling, "hopper", another(), create=True)
    assert refusal(hidden) == (409, "person_known")
    assert not {"subject", "similarity"} & hidden.json().keys()
    assert "grace" not in hidden.text
    plain = enrolling.post("/add_face", data={"id": "b"}, files={"file": another()})
    assert plain.json().keys() == {"detail", "code"}
    with_gates(client, new_photograph=True)
    hidden = add(enrolling, "hopper", photos.grace_bytes(), create=True)
    assert refusal(hidden) == (409, "photograph_known")
    assert "subject" not in hidden.json()
    with_gates(client, own_likeness=True)
    hidden = add(enrolling, "grace", photos.astronaut_bytes())
    assert refusal(hidden) == (409, "unlike_subject")
    assert "similarity" not in hidden.json()


def test_the_expired_and_the_deleted_are_not_known(client: httpx.Client) -> None:
    added(client)
    with_gates(client, new_person=True)
    client.patch(at("grace"), json={"expires_at": "2020-01-01T00:00:00Z"})
    assert added(client, another(), "hopper")["subject"] == "hopper"
    client.delete(at("hopper"))
    client.patch(at("grace"), json={"expires_at": None})
    assert refusal(add(client, "hopper", another(), create=True)) == (409, "person_known")
    client.delete(at("grace"))
    assert added(client, another(), "hopper")["subject"] == "hopper"


@pytest.mark.parametrize("turn", range(3))
def test_one_person_enrolled_under_several_ids_at_once_is_enrolled_once(
    client: httpx.Client, turn: int
) -> None:
    """Whoever comes second sees the first, committed a moment ago, before any index does."""
    with_gates(client, new_person=True)
    photographs = {f"{turn}-{quality}": another(quality) for quality in (95, 85, 75, 65)}
    answers = at_once(
        *(
            lambda id=id, data=data: add(client, id, data, create=True)
            for id, data in photographs.items()
        ),
        lambda: client.post("/add_face", data={"id": "plain"}, files={"file": another(55)}),
    )
    refused = [answer for answer in answers if answer.status_code == 409]
    assert len(refused) == 4, [answer.text for answer in answers]
    (one,) = client.get(SUBJECTS).json()["subjects"]
    for answer in refused:
        assert answer.json()["code"] == "person_known"
        assert answer.json()["subject"] == one["id"]


def test_a_face_that_resembles_none_of_the_subject_s_own_is_refused(client: httpx.Client) -> None:
    with_gates(client, own_likeness=True)
    face = added(client)
    answer = add(client, "grace", photos.astronaut_bytes())
    assert refusal(answer) == (409, "unlike_subject")
    assert -1 <= answer.json()["similarity"] < 0.922
    assert add(client, "grace", another()).status_code == 201
    assert added(client, photos.astronaut_bytes(), "eileen")
    embedding, space = detected(client, photos.astronaut_bytes())
    bare = client.post(FACES, json={"embedding": embedding, "space": space})
    assert refusal(bare) == (409, "unlike_subject")
    replaced = client.put(f"{FACES}/{face['id']}", files={"file": photos.astronaut_bytes()})
    assert refusal(replaced) == (409, "unlike_subject")


def test_a_person_s_only_face_does_not_become_somebody_else_s(client: httpx.Client) -> None:
    with_gates(client, own_likeness=True)
    face = added(client)
    path = f"{FACES}/{face['id']}"
    replaced = client.put(path, files={"file": photos.astronaut_bytes()})
    assert refusal(replaced) == (409, "unlike_subject")
    assert client.put(path, files={"file": another()}).status_code == 200
    client.delete(path)
    assert add(client, "grace", photos.astronaut_bytes()).status_code == 201


def test_first_faces_of_two_people_at_once_make_no_subject_of_both(client: httpx.Client) -> None:
    with_gates(client, own_likeness=True)
    answers = at_once(
        lambda: add(client, "grace", photos.grace_bytes(), create=True),
        lambda: add(client, "grace", photos.astronaut_bytes(), create=True),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert client.get(at("grace")).json()["faces"] == 1


def test_a_threshold_changed_by_hand_counts_at_the_next_enrolment(client: httpx.Client) -> None:
    added(client)
    with_gates(client, new_person=True)
    with_rules(client, threshold=0.5)
    answer = add(client, "eileen", photos.astronaut_bytes(), create=True)
    assert refusal(answer) == (409, "person_known")
    with_rules(client, threshold=0.922)
    assert add(client, "eileen", photos.astronaut_bytes(), create=True).status_code == 201


def test_gates_of_one_gallery_do_not_look_into_another(client: httpx.Client) -> None:
    added(client)
    gates = {"new_person": True, "new_photograph": True}
    client.post("/v1/galleries", json={"name": "guests", "gates": gates})
    path = "/v1/galleries/guests/subjects/hopper/faces"
    file: Any = {"file": photos.grace_bytes()}
    assert client.post(path, params={"create": True}, files=file).status_code == 201
    assert client.get(GALLERY).status_code == 200
