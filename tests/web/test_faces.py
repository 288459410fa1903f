"""The plain endpoints, over HTTP on a real Postgres with real photographs."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

from service.web.problems import VERSION_HEADER
from tests import photos

NOBODY = "No face match found above threshold"


def add(client: httpx.Client, face_id: str, data: bytes | None = None) -> httpx.Response:
    photo = photos.grace_bytes() if data is None else data
    return client.post("/add_face", data={"id": face_id}, files={"file": ("p.jpg", photo)})


def match(client: httpx.Client, data: bytes) -> Any:
    answer = client.post("/match_face", files={"file": ("p.jpg", data)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_adding_answers_with_the_promised_body(client: httpx.Client) -> None:
    answer = add(client, "grace")
    assert answer.status_code == 200
    assert answer.json() == {
        "message": "Face added successfully",
        "id": "grace",
        "embedding_size": 128,
        "total_faces": 1,
    }
    assert answer.headers[VERSION_HEADER]


def test_an_added_face_is_found_by_the_very_next_match(client: httpx.Client) -> None:
    add(client, "grace")
    add(client, "eileen", photos.astronaut_bytes())
    found = match(client, photos.astronaut_bytes())
    assert found["match_found"] is True
    assert found["matched_id"] == "eileen"
    assert found["similarity_score"] == pytest.approx(1, abs=1e-5)
    assert found["threshold"] == 0.922
    assert found["confidence"] == "very_high"
    assert found["processing_time_ms"] > 0
    assert found.keys() == {
        "match_found",
        "matched_id",
        "similarity_score",
        "threshold",
        "confidence",
        "processing_time_ms",
    }


def test_a_person_is_found_on_a_changed_photograph(client: httpx.Client) -> None:
    add(client, "grace")
    add(client, "eileen", photos.astronaut_bytes())
    darker = photos.grace().point(lambda value: value * 0.7).resize((410, 480))
    assert match(client, photos.encoded(darker, quality=60))["matched_id"] == "grace"


def test_a_stranger_is_nobody(client: httpx.Client) -> None:
    add(client, "grace")
    answer = match(client, photos.astronaut_bytes())
    assert answer["match_found"] is False
    assert answer["message"] == NOBODY
    assert -1 <= answer["similarity_score"] < answer["threshold"]
    assert answer.keys() == {
        "match_found",
        "similarity_score",
        "threshold",
        "message",
        "processing_time_ms",
    }


def test_an_empty_gallery_has_no_score(client: httpx.Client) -> None:
    answer = match(client, photos.grace_bytes())
    assert (answer["match_found"], answer["similarity_score"]) == (False, None)


def test_the_largest_face_is_looked_at(client: httpx.Client) -> None:
    add(client, "grace")
    add(client, "eileen", photos.astronaut_bytes())
    both = photos.couple()
    small = photos.grace().resize((256, 300))
    both.paste(small, (0, 0))
    both.paste((0, 0, 0), (256, 0, 512, 600))
    both.paste((0, 0, 0), (0, 300, 512, 600))
    assert match(client, photos.encoded(both, quality=95))["matched_id"] == "eileen"


@pytest.mark.parametrize(
    "face_id",
    [
        "Grace Hopper",
        "a/b//c",
        "/",
        "%2F",
        "naïve",
        "👩‍🚀",
        "x" * 255,
        "a?b#c",
        "../etc",
        "'; DROP",
    ],
)
def test_unusual_ids_make_the_whole_round(client: httpx.Client, face_id: str) -> None:
    assert add(client, face_id).json()["id"] == face_id
    assert match(client, photos.grace_bytes())["matched_id"] == face_id
    assert client.get("/list_faces").json()["faces"][0]["id"] == face_id
    answer = client.delete(f"/delete_face/{quote(face_id, safe='')}")
    assert answer.json() == {
        "message": "Face deleted successfully",
        "deleted_id": face_id,
        "remaining_faces": 0,
    }


def test_a_deleted_face_is_not_found_by_the_very_next_match(client: httpx.Client) -> None:
    add(client, "grace")
    assert client.delete("/delete_face/grace").status_code == 200
    assert match(client, photos.grace_bytes())["match_found"] is False
    again = client.delete("/delete_face/grace")
    assert again.status_code == 404
    assert again.headers[VERSION_HEADER]
    assert again.json() == {
        "detail": "Face with ID 'grace' not found",
        "code": "subject_not_found",
    }


def test_deleting_counts_what_remains(client: httpx.Client) -> None:
    add(client, "grace")
    add(client, "eileen", photos.astronaut_bytes())
    assert client.delete("/delete_face/grace").json()["remaining_faces"] == 1


def test_an_id_enrolled_twice_is_refused(client: httpx.Client) -> None:
    add(client, "grace")
    answer = add(client, "grace", photos.astronaut_bytes())
    assert (answer.status_code, answer.json()["code"]) == (409, "subject_exists")
    assert answer.headers[VERSION_HEADER] == client.get("/stats").headers[VERSION_HEADER]
    assert client.get("/stats").json()["total_faces"] == 1


def test_one_of_many_simultaneous_enrolments_of_an_id_wins(client: httpx.Client) -> None:
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda: codes.append(add(client, "grace").status_code))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200] + [409] * 7
    assert client.get("/list_faces").json()["total_faces"] == 1


def test_two_faces_are_refused_and_counted(client: httpx.Client) -> None:
    answer = add(client, "both", photos.encoded(photos.couple(), quality=95))
    assert (answer.status_code, answer.json()["code"]) == (400, "several_faces")
    assert "2 faces" in answer.json()["detail"]
    assert client.get("/list_faces").json() == {"total_faces": 0, "faces": []}


def test_no_face_is_refused_in_the_promised_words(client: httpx.Client) -> None:
    landscape = photos.encoded(photos.landscape())
    for answer in (
        add(client, "coffee", landscape),
        client.post("/match_face", files={"file": landscape}),
    ):
        assert answer.status_code == 400
        assert answer.json() == {
            "detail": "Face detection failed. Please ensure the image contains a clear face.",
            "code": "no_face",
        }


def test_the_limit_of_faces_is_the_rows(client: httpx.Client, sql: psycopg.Connection) -> None:
    sql.execute("UPDATE gallery SET max_faces = 1")
    assert add(client, "grace").status_code == 200
    answer = add(client, "eileen", photos.astronaut_bytes())
    assert (answer.status_code, answer.json()["code"]) == (409, "gallery_full")
    assert client.get("/list_faces").json()["total_faces"] == 1


def test_the_threshold_is_the_rows(client: httpx.Client, sql: psycopg.Connection) -> None:
    add(client, "grace")
    sql.execute("UPDATE gallery SET threshold = 0.1")
    answer = match(client, photos.astronaut_bytes())
    assert (answer["matched_id"], answer["threshold"]) == ("grace", 0.1)


def test_listing_gives_utc_dates_and_pages(client: httpx.Client) -> None:
    for name in ("c", "a", "b"):
        add(client, name)
    answer = client.get("/list_faces")
    faces = answer.json()["faces"]
    assert [face["id"] for face in faces] == ["a", "b", "c"]
    for face in faces:
        added = datetime.fromisoformat(face["added_date"])
        assert added.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - added) < timedelta(minutes=5)
    page = client.get("/list_faces", params={"limit": 2}).json()
    assert ([face["id"] for face in page["faces"]], page["total_faces"]) == (["a", "b"], 3)
    rest = client.get("/list_faces", params={"limit": 2, "after": "b"}).json()
    assert [face["id"] for face in rest["faces"]] == ["c"]
    assert answer.headers[VERSION_HEADER]


def test_rows_written_by_hand_are_searched(client: httpx.Client, sql: psycopg.Connection) -> None:
    add(client, "grace")
    with sql.transaction():
        sql.execute("INSERT INTO subject (gallery_id, external_id) SELECT id, 'typed' FROM gallery")
        sql.execute(
            "WITH f AS (INSERT INTO face (gallery_id, subject_id)"
            " SELECT gallery_id, id FROM subject WHERE external_id = 'typed' RETURNING *)"
            " INSERT INTO face_embedding (face_id, gallery_id, space_id, vec)"
            " SELECT f.id, f.gallery_id, e.space_id, e.vec FROM f, face_embedding e"
        )
        sql.execute("DELETE FROM subject WHERE external_id = 'grace'")
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if match(client, photos.grace_bytes()).get("matched_id") == "typed":
            break
    assert match(client, photos.grace_bytes())["matched_id"] == "typed"


def test_truncate_by_hand_empties_every_answer(
    client: httpx.Client, sql: psycopg.Connection
) -> None:
    add(client, "grace")
    sql.execute("TRUNCATE subject CASCADE")
    assert match(client, photos.grace_bytes())["match_found"] is False
    end = time.monotonic() + 5
    while client.get("/stats").json()["indexed_faces"] and time.monotonic() < end:
        time.sleep(0.02)
    assert client.get("/stats").json()["indexed_faces"] == 0


def test_an_expired_subject_is_passed_over(client: httpx.Client, sql: psycopg.Connection) -> None:
    add(client, "grace")
    add(client, "twin", photos.encoded(photos.grace(), quality=90))
    sql.execute("UPDATE subject SET expires_at = now() WHERE external_id = 'grace'")
    assert match(client, photos.grace_bytes())["matched_id"] == "twin"


def test_stats_tell_the_figures(client: httpx.Client) -> None:
    add(client, "grace")
    stats = client.get("/stats").json()
    assert stats["total_faces"] == stats["indexed_faces"] == 1
    assert (stats["model"], stats["embedding_dimension"]) == ("Dlib", 128)
    assert stats["database_size_mb"] > 1
    assert stats["uptime_seconds"] > 0
    changed = datetime.fromisoformat(stats["last_updated"])
    assert abs(datetime.now(UTC) - changed) < timedelta(minutes=5)


def test_health_and_readiness(client: httpx.Client) -> None:
    health = client.get("/health")
    assert health.status_code == 200
    assert health.json().keys() == {"status", "model_loaded", "database_connected", "timestamp"}
    assert health.json()["status"] == "healthy"
    assert client.get("/ready").json() == {"status": "ready"}


def test_the_enrolment_can_be_read_in_sql(client: httpx.Client, sql: psycopg.Connection) -> None:
    add(client, "grace")
    row = sql.execute(
        "SELECT s.external_id, encode(f.image_sha256, 'hex'), f.image_name, k.name,"
        " e.dimension, p.model"
        " FROM face f JOIN subject s ON s.id = f.subject_id"
        " JOIN api_key k ON k.prefix = f.created_by"
        " JOIN face_embedding e ON e.face_id = f.id JOIN embedding_space p ON p.id = e.space_id"
    ).fetchone()
    import hashlib

    digest = hashlib.sha256(photos.grace_bytes()).hexdigest()
    assert row == ("grace", digest, "p.jpg", "first start", 128, "Dlib")
    (quality,) = sql.execute("SELECT quality FROM face").fetchone() or ({},)
    assert quality.keys() == {
        *("size", "sharpness", "brightness", "contrast"),
        *("score", "roll", "yaw"),
    }
    assert quality["size"] > 80
    assert abs(quality["roll"]) < 15
