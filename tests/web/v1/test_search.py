"""Searching one gallery and several, over HTTP, on real photographs."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg
import pytest

from tests import photos
from tests.servers import running
from tests.web.v1.conftest import GALLERY, copied, detected, face_of, in_json

SEARCH = f"{GALLERY}/search"


def search(client: httpx.Client, photograph: bytes, **fields: Any) -> httpx.Response:
    return client.post(SEARCH, data=fields, files={"file": photograph})


def subjects(answer: httpx.Response, face: int = 0) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [match["subject"] for match in answer.json()["faces"][face]["matches"]]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def test_a_photograph_finds_its_person(
    client: httpx.Client, sql: psycopg.Connection, people: None
) -> None:
    answer = search(client, photos.grace_bytes())
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["gallery"], body["threshold"], body["faces_found"]) == ("dlib", 0.922, 1)
    (face,) = body["faces"]
    assert face["best_similarity"] == 1.0
    assert face["face"]["box"] == {"left": 161, "top": 137, "width": 216, "height": 216}
    assert face["face"]["quality"]["size"] == 216
    (match,) = face["matches"]
    assert match == {
        "gallery": "dlib",
        "subject": "grace",
        "face": face_of(sql, "grace"),
        "similarity": 1.0,
        "confidence": "very_high",
        "metadata": None,
    }
    version = client.get(GALLERY).headers["x-gallery-version"]
    assert answer.headers["x-gallery-version"] == version


def test_a_photograph_in_json_is_the_same_photograph(client: httpx.Client, people: None) -> None:
    sent = client.post(SEARCH, json={"image": in_json(photos.grace_bytes())})
    assert sent.json() == search(client, photos.grace_bytes()).json()


def test_the_plain_endpoint_says_the_same(client: httpx.Client, people: None) -> None:
    photograph = photos.encoded(photos.grace(), quality=30)
    plain = client.post("/match_face", files={"file": photograph}).json()
    (face,) = search(client, photograph).json()["faces"]
    (match,) = face["matches"]
    assert (plain["matched_id"], plain["similarity_score"], plain["confidence"]) == (
        match["subject"],
        match["similarity"],
        match["confidence"],
    )
    assert plain["similarity_score"] < 1


def test_nobody_is_an_answer(client: httpx.Client) -> None:
    (face,) = search(client, photos.grace_bytes()).json()["faces"]
    assert (face["best_similarity"], face["matches"]) == (None, [])
    client.post("/add_face", data={"id": "eileen"}, files={"file": photos.astronaut_bytes()})
    (face,) = search(client, photos.grace_bytes()).json()["faces"]
    assert 0.5 < face["best_similarity"] < 0.922
    assert face["matches"] == []


def test_every_face_of_a_photograph_finds_its_own_person(
    client: httpx.Client, people: None
) -> None:
    both = photos.encoded(photos.couple(), quality=92)
    answer = search(client, both, faces="all", top_k=5)
    assert answer.json()["faces_found"] == 2
    assert (subjects(answer, 0), subjects(answer, 1)) == (["grace"], ["eileen"])
    lefts = [face["face"]["box"]["left"] for face in answer.json()["faces"]]
    assert lefts[0] < 512 < lefts[1]
    largest = search(client, both)
    assert (len(largest.json()["faces"]), subjects(largest)) == (1, ["grace"])


def test_a_face_that_cannot_be_seen_well_is_listed_and_not_searched_for(
    database_url: str, tmp_path: Path
) -> None:
    """`eileen`, who is beside `grace`, is smaller than what is asked for."""
    environment = {"DATABASE_URL": database_url, "FACEMATCH_HOME": str(tmp_path)}
    both = photos.encoded(photos.couple(), quality=92)
    with (
        running(
            tmp_path / "log", environment=environment | {"SEARCH_MIN_FACE_PX": "150"}
        ) as server,
        server.client() as client,
    ):
        for name, photo in (("grace", photos.grace_bytes()), ("eileen", photos.astronaut_bytes())):
            client.post("/add_face", data={"id": name}, files={"file": photo})
        body = search(client, both, faces="all", threshold=-1).json()
        small = search(client, photos.astronaut_bytes(), faces="all").json()
        refused = search(client, photos.astronaut_bytes())
    assert body["faces_found"] == 2
    well, poor = body["faces"]
    assert (well["flaws"], [match["subject"] for match in well["matches"]]) == ([], ["grace"])
    assert (poor["best_similarity"], poor["matches"]) == (None, [])
    (flaw,) = poor["flaws"]
    assert (flaw["reason"], flaw["limit"]) == ("too_small", 150)
    assert flaw["measured"] < 150
    assert "come closer" in flaw["detail"]
    assert [face["matches"] for face in small["faces"]] == [[]]
    assert refusal(refused) == (400, "low_quality")
    assert refused.json()["reasons"] == ["too_small"]


def test_a_lower_threshold_gives_more_subjects_best_first(
    client: httpx.Client, people: None
) -> None:
    assert subjects(search(client, photos.grace_bytes(), top_k=5)) == ["grace"]
    answer = search(client, photos.grace_bytes(), top_k=5, threshold=0.5)
    assert subjects(answer) == ["grace", "eileen"]
    assert answer.json()["threshold"] == 0.5
    matches = answer.json()["faces"][0]["matches"]
    assert matches[0]["similarity"] > matches[1]["similarity"]
    assert matches[1]["confidence"] == "low"
    assert subjects(search(client, photos.grace_bytes(), threshold=0.5)) == ["grace"]
    assert subjects(search(client, photos.grace_bytes(), threshold=1)) == ["grace"]


def test_an_embedding_of_the_gallerys_space_is_searched_for(
    client: httpx.Client, people: None
) -> None:
    embedding, space = detected(client, photos.grace_bytes())
    answer = client.post(SEARCH, json={"embedding": [3 * x for x in embedding], "space": space})
    assert subjects(answer) == ["grace"]
    (face,) = answer.json()["faces"]
    assert (face["face"], face["best_similarity"]) == (None, 1.0)
    few = {key: space[key] for key in ("model", "detector", "alignment")}
    assert subjects(client.post(SEARCH, json={"embedding": embedding, "space": few})) == ["grace"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "Facenet"},
        {"detector": "mtcnn"},
        {"alignment": "deepface"},
        {"weights_sha256": "0" * 64},
    ],
)
def test_an_embedding_of_another_space_is_never_compared(
    wrong: dict[str, str], client: httpx.Client, people: None
) -> None:
    embedding, space = detected(client, photos.grace_bytes())
    body = {"embedding": embedding, "space": space | wrong}
    assert refusal(client.post(SEARCH, json=body)) == (409, "space_mismatch")


@pytest.mark.parametrize(
    "values", [[], [0.0] * 128, [1.0] * 127, [1.0] * 512, [float("nan")] + [0.1] * 127]
)
def test_values_that_are_no_embedding_of_the_space_are_refused(
    values: list[float], client: httpx.Client, people: None
) -> None:
    _, space = detected(client, photos.grace_bytes())
    body = json.dumps({"embedding": values, "space": space})
    answer = client.post(SEARCH, content=body, headers={"Content-Type": "application/json"})
    assert refusal(answer) == (400, "invalid_embedding")


def test_an_enrolled_face_finds_who_else_looks_like_it(
    client: httpx.Client, sql: psycopg.Connection, people: None
) -> None:
    grace = face_of(sql, "grace")
    turned = photos.encoded(photos.grace().rotate(4), quality=80)
    client.post("/add_face", data={"id": "admiral"}, files={"file": turned})
    others = client.post(SEARCH, json={"face": grace, "top_k": 9})
    assert subjects(others) == ["admiral"]
    everybody = client.post(SEARCH, json={"face": grace, "top_k": 9, "exclude_self": False})
    assert subjects(everybody) == ["grace", "admiral"]
    assert everybody.json()["faces"][0]["matches"][0]["similarity"] == 1.0
    as_form = client.post(SEARCH, data={"face": grace, "top_k": "9"}, files={"x": b""})
    assert refusal(as_form) == (422, "invalid_request")


def test_a_face_that_is_not_there_is_no_probe(
    client: httpx.Client, sql: psycopg.Connection, people: None
) -> None:
    copied(sql, "grace", "other", "somebody")
    theirs = face_of(sql, "somebody")
    nobodys = "00000000-0000-7000-8000-000000000000"
    expired = face_of(sql, "eileen")
    sql.execute("UPDATE subject SET expires_at = now() WHERE external_id = 'eileen'")
    for face in (theirs, nobodys, expired):
        answer = client.post(SEARCH, json={"face": face})
        assert refusal(answer) == (404, "face_not_found"), face


def test_only_subjects_whose_metadata_contains_the_filter_are_answers(
    client: httpx.Client, sql: psycopg.Connection, people: None
) -> None:
    sql.execute("""UPDATE subject SET metadata = '{"site": "north", "badges": [1, 2]}'
                   WHERE external_id = 'eileen'""")
    for wanted, found in (
        ({}, ["grace", "eileen"]),
        ({"site": "north"}, ["eileen"]),
        ({"badges": [2]}, ["eileen"]),
        ({"site": "south"}, []),
        ({"site": None}, []),
    ):
        given = {"metadata": json.dumps(wanted), "threshold": 0.5, "top_k": 9}
        answer = search(client, photos.grace_bytes(), **given)
        assert subjects(answer) == found, wanted
        assert (answer.json()["faces"][0]["best_similarity"] is None) == (not found)


def test_metadata_comes_along_when_asked_for(
    client: httpx.Client, sql: psycopg.Connection, people: None
) -> None:
    sql.execute("""UPDATE subject SET metadata = '{"site": "north"}'""")
    answer = search(client, photos.grace_bytes(), include="metadata")
    assert answer.json()["faces"][0]["matches"][0]["metadata"] == {"site": "north"}


def test_a_rare_filter_in_a_large_gallery_finds_them_all(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    """Three of 4,000 subjects pass, and 3,997 resemble the probe more."""
    probe = crowd(sql, 4000, rare=3)
    space = client.get(GALLERY).json()["space"]
    body = {"embedding": probe, "space": space, "threshold": -1, "metadata": {"rare": True}}
    version = client.get(GALLERY).headers["x-gallery-version"]
    headers = {"X-Min-Gallery-Version": version}
    began = time.monotonic()
    for top_k in (1, 2, 100):
        answer = client.post(SEARCH, json=body | {"top_k": top_k}, headers=headers)
        assert subjects(answer) == ["3997", "3998", "3999"][:top_k]
    assert time.monotonic() - began < 5
    nobody = client.post(SEARCH, json=body | {"metadata": {"rare": False}}, headers=headers)
    assert nobody.json()["faces"][0] == {
        "face": None,
        "best_similarity": None,
        "matches": [],
        "flaws": [],
    }


def crowd(sql: psycopg.Connection, count: int, rare: int) -> list[float]:
    """So many subjects, each less similar to the returned probe than the one before; the last ones
    are the rare ones."""
    angles = np.linspace(0.05, 3, count)
    vectors = np.zeros((count, 128))
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    with sql.transaction(), sql.cursor() as cursor:
        cursor.execute(
            "INSERT INTO subject (gallery_id, external_id, metadata)"
            " SELECT g.id, to_char(n, 'FM0000'),"
            "  CASE WHEN n >= %s THEN '{\"rare\": true}' ELSE '{}' END::jsonb"
            " FROM gallery g, generate_series(0, %s) n WHERE g.name = 'dlib'",
            (count - rare, count - 1),
        )
        cursor.execute(
            "INSERT INTO face (gallery_id, subject_id) SELECT gallery_id, id FROM subject"
        )
        cursor.execute("CREATE TEMP TABLE sent (name text, vec vector) ON COMMIT DROP")
        with cursor.copy("COPY sent FROM STDIN") as copy:
            for number, vector in enumerate(vectors):
                copy.write_row((f"{number:04}", str(vector.tolist())))
        cursor.execute(
            "INSERT INTO face_embedding (face_id, gallery_id, space_id, vec)"
            " SELECT f.id, g.id, g.space_id, sent.vec FROM sent JOIN subject s ON"
            "  s.external_id = sent.name JOIN face f ON f.subject_id = s.id"
            "  JOIN gallery g ON g.id = s.gallery_id"
        )
    return [1.0] + [0.0] * 127


def test_a_deleted_face_is_no_answer_while_the_subjects_other_one_is(
    client: httpx.Client, sql: psycopg.Connection, people: None
) -> None:
    """Whatever the index holds at that moment."""
    copied(sql, "eileen", "dlib", "twin")
    sql.execute(
        "UPDATE face SET subject_id = (SELECT id FROM subject WHERE external_id = 'grace')"
        " WHERE subject_id = (SELECT id FROM subject WHERE external_id = 'twin')"
    )
    assert subjects(search(client, photos.grace_bytes())) == ["grace"]
    sql.execute("DELETE FROM face WHERE id = %s", (face_of(sql, "grace"),))
    answer = search(client, photos.grace_bytes(), threshold=0.5, top_k=2)
    matches = answer.json()["faces"][0]["matches"]
    assert sorted(match["subject"] for match in matches) == ["eileen", "grace"]
    assert matches[0]["similarity"] == matches[1]["similarity"] < 0.922


def test_a_version_that_the_database_does_not_know_is_said_to_be_lost(
    client: httpx.Client, people: None
) -> None:
    version = client.get(GALLERY).headers["x-gallery-version"]
    known = client.post(
        SEARCH, files={"file": photos.grace_bytes()}, headers={"X-Min-Gallery-Version": version}
    )
    assert known.status_code == 200
    lost = client.post(
        SEARCH,
        files={"file": photos.grace_bytes()},
        headers={"X-Min-Gallery-Version": "1-" + "0" * 32},
    )
    assert refusal(lost) == (409, "version_lost")


GRACE = in_json(photos.grace_bytes())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"image": GRACE, "face": "00000000-0000-7000-8000-000000000000"},
        {"embedding": [0.1] * 128},
        {"image": GRACE, "space": {"model": "Dlib", "detector": "dlib", "alignment": "native"}},
        {"image": "not base64!"},
        {"image": f"data:image/jpeg;base64,{GRACE}"},
        {"image": 7},
        {"image": GRACE, "top_k": 0},
        {"image": GRACE, "top_k": 101},
        {"image": GRACE, "top_k": "3"},
        {"image": GRACE, "threshold": 1.01},
        {"image": GRACE, "faces": "some"},
        {"image": GRACE, "metadata": [1]},
        {"image": GRACE, "metadata": {"a": "x" * 20_000}},
        {"image": GRACE, "metadata": {"a": "\0"}},
        {"image": GRACE, "include": ["embedding"]},
        {"image": GRACE, "colour": "red"},
        {"face": "not-a-uuid"},
        [],
        "text",
        None,
    ],
)
def test_a_body_that_cannot_be_is_refused(body: Any, client: httpx.Client) -> None:
    assert refusal(client.post(SEARCH, json=body)) == (422, "invalid_request")


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 10_000, b'{"image": "\xff"}', b"\x00"])
def test_a_body_that_is_no_json_is_refused(body: bytes, client: httpx.Client) -> None:
    answer = client.post(SEARCH, content=body, headers={"Content-Type": "application/json"})
    assert refusal(answer) == (422, "invalid_request")


@pytest.mark.parametrize("kind", ["", "text/plain", "image/jpeg", "application/xml"])
def test_a_body_of_another_kind_is_refused(kind: str, client: httpx.Client) -> None:
    answer = client.post(SEARCH, content=photos.grace_bytes(), headers={"Content-Type": kind})
    assert refusal(answer) == (422, "invalid_request")
    assert "multipart/form-data" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("fields", "files"),
    [
        ({"top_k": "many"}, {"file": photos.grace_bytes()}),
        ({"metadata": "{"}, {"file": photos.grace_bytes()}),
        ({"metadata": "[" * 5000}, {"file": photos.grace_bytes()}),
        ({"metadata": "[1]"}, {"file": photos.grace_bytes()}),
        ({"embedding": "[1]"}, {"file": photos.grace_bytes()}),
        ({"colour": "red"}, {"file": photos.grace_bytes()}),
        ({}, {"photo": photos.grace_bytes()}),
        ({"file": "a text"}, {"photo": b""}),
    ],
)
def test_a_form_that_cannot_be_is_refused(
    fields: dict[str, str], files: dict[str, bytes], client: httpx.Client
) -> None:
    assert refusal(client.post(SEARCH, data=fields, files=files)) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("photograph", "status", "code"),
    [
        (photos.encoded(photos.landscape()), 400, "no_face"),
        (b"", 400, "image_damaged"),
        (photos.grace_bytes()[:20_000], 400, "image_damaged"),
        (b"hello", 415, "image_type_unsupported"),
        (photos.bomb(), 413, "image_too_large"),
    ],
    ids=["landscape", "empty", "cut off", "text", "bomb"],
)
def test_a_photograph_that_does_not_serve_is_refused(
    photograph: bytes, status: int, code: str, client: httpx.Client
) -> None:
    assert refusal(search(client, photograph)) == (status, code)
    assert refusal(search(client, photograph, faces="all")) == (status, code)
    in_body = client.post(SEARCH, json={"image": in_json(photograph)})
    assert refusal(in_body) == (status, code)


def test_a_gallery_that_is_not_there_is_not_found(client: httpx.Client) -> None:
    answer = client.post("/v1/galleries/none/search", files={"file": photos.grace_bytes()})
    assert refusal(answer) == (404, "gallery_not_found")


def test_several_galleries_are_searched_by_their_own_thresholds(
    client: httpx.Client, sql: psycopg.Connection, people: None
) -> None:
    copied(sql, "grace", "visitors", "admiral")
    copied(sql, "eileen", "visitors", "commander")
    sql.execute("UPDATE gallery SET threshold = 0.5 WHERE name = 'visitors'")
    versions = {
        name: client.get(f"/v1/galleries/{name}").headers["x-gallery-version"]
        for name in ("dlib", "visitors")
    }
    body = {"image": GRACE, "galleries": list(versions), "top_k": 9, "min_versions": versions}
    answer = client.post("/v1/search", json=body)
    assert answer.status_code == 200, answer.text
    matches = answer.json()["faces"][0]["matches"]
    assert [(match["gallery"], match["subject"]) for match in matches] == [
        ("dlib", "grace"),
        ("visitors", "admiral"),
        ("visitors", "commander"),
    ]
    assert answer.json()["galleries"] == [
        {"name": "dlib", "threshold": 0.922, "version": versions["dlib"]},
        {"name": "visitors", "threshold": 0.5, "version": versions["visitors"]},
    ]
    first = client.post("/v1/search", json=body | {"top_k": 1}).json()["faces"][0]["matches"]
    assert [(match["gallery"], match["subject"]) for match in first] == [("dlib", "grace")]
    as_form = client.post(
        "/v1/search",
        data={"galleries": ["dlib", "visitors"], "top_k": "9"},
        files={"file": photos.grace_bytes()},
    )
    assert as_form.json() == answer.json()


def test_a_face_of_any_of_the_galleries_may_be_the_probe(
    client: httpx.Client, sql: psycopg.Connection, people: None
) -> None:
    copied(sql, "grace", "visitors", "admiral")
    copied(sql, "grace", "elsewhere", "captain")
    body = {"face": face_of(sql, "admiral"), "galleries": ["dlib", "visitors"], "top_k": 9}
    version = client.get("/v1/galleries/visitors").headers["x-gallery-version"]
    answer = client.post("/v1/search", json=body | {"min_versions": {"visitors": version}})
    assert subjects(answer) == ["grace"]
    elsewhere = body | {"face": face_of(sql, "captain")}
    assert refusal(client.post("/v1/search", json=elsewhere)) == (404, "face_not_found")


@pytest.fixture
def foreign(sql: psycopg.Connection) -> str:
    """A gallery of a space whose model is not here, with one subject."""
    sql.execute(
        "WITH s AS (INSERT INTO embedding_space"
        " (model, dimension, detector, alignment, default_threshold)"
        " VALUES ('ArcFace', 512, 'dlib', 'native', 0.32)"
        " ON CONFLICT (model, weights_sha256, detector, alignment)"
        " DO UPDATE SET model = excluded.model RETURNING id)"
        " INSERT INTO gallery (name, space_id, threshold) SELECT 'foreign', id, 0.32 FROM s"
    )
    with sql.transaction():
        sql.execute(
            "WITH g AS (SELECT id, space_id FROM gallery WHERE name = 'foreign'),"
            " s AS (INSERT INTO subject (gallery_id, external_id) SELECT id, 'far' FROM g"
            "  RETURNING id, gallery_id),"
            " f AS (INSERT INTO face (gallery_id, subject_id) SELECT gallery_id, id FROM s"
            "  RETURNING id)"
            " INSERT INTO face_embedding (face_id, gallery_id, space_id, vec)"
            " SELECT f.id, g.id, g.space_id, l2_normalize(array_fill(1, ARRAY[512])::vector)"
            " FROM f, g"
        )
    return "foreign"


def test_galleries_of_different_spaces_are_not_searched_together(
    client: httpx.Client, foreign: str
) -> None:
    image = in_json(photos.grace_bytes())
    answer = client.post("/v1/search", json={"image": image, "galleries": ["dlib", foreign]})
    assert refusal(answer) == (409, "space_mismatch")


def test_a_gallery_whose_model_is_not_here_can_be_searched_by_embedding(
    client: httpx.Client, foreign: str
) -> None:
    version = client.get(f"/v1/galleries/{foreign}").headers["x-gallery-version"]
    headers = {"X-Min-Gallery-Version": version}
    space = {"model": "ArcFace", "detector": "dlib", "alignment": "native"}
    body = {"embedding": [1] * 512, "space": space}
    path = f"/v1/galleries/{foreign}/search"
    assert subjects(client.post(path, json=body, headers=headers)) == ["far"]
    photograph = client.post(path, files={"file": photos.grace_bytes()})
    assert refusal(photograph) == (503, "model_unavailable")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"galleries": []}, 422, "invalid_request"),
        ({"galleries": [f"g{n}" for n in range(17)]}, 422, "invalid_request"),
        ({"galleries": ["dlib", "none"]}, 404, "gallery_not_found"),
        ({"min_versions": {"other": "1-" + "0" * 32}}, 422, "invalid_request"),
        ({"min_versions": {"dlib": "nonsense"}}, 422, "invalid_request"),
        ({"min_versions": {"dlib": "1-" + "0" * 32}}, 409, "version_lost"),
    ],
)
def test_what_cannot_be_asked_of_several_galleries(
    change: dict[str, Any], status: int, code: str, client: httpx.Client
) -> None:
    body = {"image": GRACE, "galleries": ["dlib"]} | change
    assert refusal(client.post("/v1/search", json=body)) == (status, code)


def test_the_header_of_one_gallery_is_refused_for_several(client: httpx.Client) -> None:
    version = client.get(GALLERY).headers["x-gallery-version"]
    body = {"image": GRACE, "galleries": ["dlib"]}
    answer = client.post("/v1/search", json=body, headers={"X-Min-Gallery-Version": version})
    assert refusal(answer) == (422, "invalid_request")
    assert "min_versions" in answer.json()["detail"]


def test_every_face_of_a_group_is_found(client: httpx.Client) -> None:
    photograph = (photos.faces_folder() / "images" / "selfie-many-people.jpg").read_bytes()
    body = search(client, photograph, faces="all").json()
    assert len(body["faces"]) == body["faces_found"] >= 4
    areas = [f["face"]["box"]["width"] * f["face"]["box"]["height"] for f in body["faces"]]
    assert areas == sorted(areas, reverse=True)
