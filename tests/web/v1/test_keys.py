"""/v1/keys over HTTP on a real Postgres."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from service.domain.keys import Scope
from tests.servers import NO_TLS
from tests.web.conftest import ClientFor, Site

ALL = [scope.value for scope in Scope]
NOBODY = "01a21066-80b2-7646-a76d-1c44833cc389"


@pytest.fixture(autouse=True)
def two_galleries(client: httpx.Client, sql: psycopg.Connection) -> Iterator[None]:
    """Beside the default one; afterwards only that one, and the key of the first start."""
    for name in ("staff", "guests"):
        assert client.post("/v1/galleries", json={"name": name}).status_code == 201
    yield
    sql.execute("DELETE FROM gallery WHERE name <> 'dlib'")
    sql.execute("DELETE FROM api_key WHERE name <> 'first start'")
    sql.execute("DELETE FROM idempotency_key")


def create(client: httpx.Client, **more: Any) -> httpx.Response:
    headers = more.pop("headers", None)
    body = {"name": "door 3", "scopes": ["search"], **more}
    return client.post("/v1/keys", json=body, headers=headers)


def status(site: Site, key: str, path: str = "/v1/galleries") -> int:
    return httpx.get(
        f"{site.server.url}{path}", headers={"X-API-Key": key}, verify=NO_TLS
    ).status_code


def check_refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_a_key_is_created_and_shown_once(client: httpx.Client, site: Site) -> None:
    answer = create(client, scopes=["read"], galleries=["staff", "guests"])
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    secret = body.pop("secret")
    assert secret.startswith(body["prefix"])
    assert (body["scopes"], body["galleries"]) == (["read"], ["guests", "staff"])
    assert (body["state"], body["expires_at"], body["revoked_at"]) == ("active", None, None)
    assert body["created_by"] == client.headers["X-API-Key"][:11]
    assert status(site, secret) == 200
    assert client.get(f"/v1/keys/{body['id']}").json() == body
    assert client.get(f"/v1/keys/{body['prefix']}").json() == body
    assert body in client.get("/v1/keys").json()["keys"]


def test_the_database_holds_no_key(client: httpx.Client, sql: psycopg.Connection) -> None:
    headers = {"Idempotency-Key": "one"}
    made = create(client, headers=headers).json()
    turned = client.post(f"/v1/keys/{made['id']}/rotate", headers={"Idempotency-Key": "two"}).json()
    tables = sql.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    ).fetchall()
    for (table,) in tables:
        rows = sql.execute(f"SELECT t::text FROM {table} t".encode()).fetchall()
        for secret in (made["secret"][12:], turned["secret"][12:]):
            assert not [row for row in rows if secret in row[0]]
            assert not [row for row in rows if secret.encode().hex() in row[0]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 256},
        {"name": "a\nb"},
        {"name": "a\x00b"},
        {"scopes": []},
        {"scopes": ["root"]},
        {"scopes": None},
        {"galleries": []},
        {"galleries": [""]},
        {"expires_at": "tomorrow"},
        {"expires_at": "2030-01-01T00:00:00"},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "9999-12-31T23:59:59-12:00"},
        {"expires_at": "0001-01-01T00:00:00+12:00"},
        {"colour": "red"},
    ],
)
def test_what_cannot_be_is_refused(client: httpx.Client, wrong: dict[str, Any]) -> None:
    before = client.get("/v1/keys").json()
    check_refused(create(client, **wrong), 422, "invalid_request")
    assert client.get("/v1/keys").json() == before


def test_a_gallery_that_is_not_there_is_refused(client: httpx.Client) -> None:
    check_refused(create(client, galleries=["staff", "nowhere"]), 404, "gallery_not_found")


def test_a_key_may_have_an_end(client: httpx.Client) -> None:
    end = datetime.now(UTC) + timedelta(days=90)
    made = create(client, expires_at=end.isoformat()).json()
    assert datetime.fromisoformat(made["expires_at"]) == end


def test_nobody_gives_out_scopes_that_they_lack(client_for: ClientFor) -> None:
    giver = client_for(["admin", "read"])
    assert create(giver, scopes=["admin", "read"]).status_code == 201
    for scope in ("search", "enrol", "export"):
        refused = create(giver, scopes=["admin", scope])
        check_refused(refused, 403, "scope_missing")
        assert scope in refused.json()["detail"]


def test_nobody_comes_by_scopes_through_another_s_key(
    client: httpx.Client, client_for: ClientFor, site: Site
) -> None:
    """Rotating a key shows a secret that may do what the key may."""
    export = create(client, scopes=["export"]).json()
    admin = client_for(["admin"])
    check_refused(admin.post(f"/v1/keys/{export['id']}/rotate"), 403, "scope_missing")
    assert status(site, export["secret"], "/stats") == 403, "the key is as it was"
    assert admin.delete(f"/v1/keys/{export['id']}").status_code == 204


def test_nobody_gives_out_galleries_that_they_do_not_reach(client_for: ClientFor) -> None:
    giver = client_for(galleries=["staff"])
    assert create(giver, galleries=["staff"]).status_code == 201
    check_refused(create(giver, galleries=["guests"]), 404, "gallery_not_found")
    check_refused(create(giver, galleries=["staff", "guests"]), 404, "gallery_not_found")
    check_refused(create(giver, galleries=["nowhere"]), 404, "gallery_not_found")
    check_refused(create(giver), 403, "scope_missing")


def test_who_is_bound_sees_and_ends_only_keys_within(
    client: httpx.Client, client_for: ClientFor, site: Site
) -> None:
    inside = create(client, galleries=["staff"]).json()
    others = [
        create(client).json(),
        create(client, galleries=["guests"]).json(),
        create(client, galleries=["staff", "guests"]).json(),
    ]
    bound = client_for(galleries=["staff"])
    seen = {key["id"] for key in bound.get("/v1/keys").json()["keys"]}
    assert inside["id"] in seen
    assert len(seen) == 2, "that one and the bound one itself"
    for other in others:
        for reference in (other["id"], other["prefix"]):
            check_refused(bound.get(f"/v1/keys/{reference}"), 404, "key_not_found")
            check_refused(bound.delete(f"/v1/keys/{reference}"), 404, "key_not_found")
            check_refused(bound.post(f"/v1/keys/{reference}/rotate"), 404, "key_not_found")
        assert status(site, other["secret"], "/stats") == 403
    assert bound.post(f"/v1/keys/{inside['id']}/rotate").status_code == 200
    assert bound.delete(f"/v1/keys/{inside['id']}").status_code == 204


def test_a_key_reaches_its_galleries_and_no_other(client: httpx.Client, site: Site) -> None:
    key = create(client, scopes=["read"], galleries=["staff"]).json()["secret"]
    assert status(site, key, "/v1/galleries/staff") == 200
    assert status(site, key, "/v1/galleries/guests") == 404
    assert status(site, key, "/v1/galleries/nowhere") == 404


def test_a_key_of_deleted_galleries_reaches_none(
    client: httpx.Client, client_for: ClientFor
) -> None:
    bound = client_for(galleries=["staff"])
    client.delete("/v1/galleries/staff", params={"confirm": "staff"})
    client.post("/v1/galleries", json={"name": "staff"})
    assert bound.get("/v1/galleries").json()["galleries"] == []
    check_refused(bound.get("/v1/galleries/staff"), 404, "gallery_not_found")
    check_refused(bound.get("/stats"), 404, "gallery_not_found")
    assert bound.get("/v1/keys").json()["keys"] == []
    check_refused(create(bound, galleries=["staff"]), 404, "gallery_not_found")
    check_refused(create(bound), 403, "scope_missing")


def test_a_rotated_key_has_a_new_secret_and_the_old_one_ends(
    client: httpx.Client, site: Site
) -> None:
    made = create(client, scopes=["read"]).json()
    turned = client.post(f"/v1/keys/{made['id']}/rotate")
    assert turned.status_code == 200, turned.text
    assert turned.headers["Cache-Control"] == "no-store"
    body = turned.json()
    assert body | {"secret": made["secret"]} == made
    assert (status(site, made["secret"]), status(site, body["secret"])) == (401, 200)


def test_the_old_secret_stays_valid_for_the_grace_asked_for(
    client: httpx.Client, site: Site, sql: psycopg.Connection
) -> None:
    first = create(client, scopes=["read"]).json()
    path = f"/v1/keys/{first['prefix']}/rotate"
    second = client.post(path, json={"grace_s": 60}).json()
    assert (status(site, first["secret"]), status(site, second["secret"])) == (200, 200)
    third = client.post(path, json={"grace_s": 60}).json()
    assert [status(site, each["secret"]) for each in (first, second, third)] == [401, 200, 200]
    sql.execute("UPDATE api_key SET previous_until = now() WHERE previous_until IS NOT NULL")
    assert [status(site, each["secret"]) for each in (second, third)] == [401, 200]


@pytest.mark.parametrize("grace", [-1, 7 * 24 * 3600 + 1, "long", None])
def test_a_grace_without_bounds_is_refused(grace: Any, client: httpx.Client, site: Site) -> None:
    made = create(client, scopes=["read"]).json()
    answer = client.post(f"/v1/keys/{made['id']}/rotate", json={"grace_s": grace})
    check_refused(answer, 422, "invalid_request")
    assert status(site, made["secret"]) == 200


def test_a_revoked_key_stays_so_and_stays_listed(client: httpx.Client, site: Site) -> None:
    made = create(client, scopes=["read"]).json()
    path = f"/v1/keys/{made['id']}"
    assert client.delete(path).status_code == 204
    assert status(site, made["secret"]) == 401
    ended = client.get(path).json()
    assert ended["state"] == "revoked"
    assert client.delete(path).status_code == 204
    assert client.get(path).json() == ended
    check_refused(client.post(f"{path}/rotate"), 409, "key_ended")
    assert status(site, made["secret"]) == 401


def test_an_expired_key_is_not_rotated(client: httpx.Client, sql: psycopg.Connection) -> None:
    made = create(client).json()
    sql.execute(
        "UPDATE api_key SET created_at = now() - interval '1 h', expires_at = now()"
        " WHERE name = 'door 3'"
    )
    assert client.get(f"/v1/keys/{made['id']}").json()["state"] == "expired"
    check_refused(client.post(f"/v1/keys/{made['id']}/rotate"), 409, "key_ended")


def test_the_last_secret_with_a_grace_ends_with_its_key(client: httpx.Client, site: Site) -> None:
    made = create(client, scopes=["read"]).json()
    client.post(f"/v1/keys/{made['id']}/rotate", json={"grace_s": 60})
    client.delete(f"/v1/keys/{made['id']}")
    assert status(site, made["secret"]) == 401


@pytest.mark.parametrize("reference", [NOBODY, "fm_aaaaaaaa", "x", "%27", "%00", "ü"])
def test_what_is_no_key_s_name_is_not_found(reference: str, client: httpx.Client) -> None:
    for answer in (
        client.get(f"/v1/keys/{reference}"),
        client.delete(f"/v1/keys/{reference}"),
        client.post(f"/v1/keys/{reference}/rotate"),
    ):
        assert answer.status_code in {404, 422}, answer.text


def test_a_key_in_place_of_its_name_is_not_repeated(client: httpx.Client) -> None:
    secret = create(client).json()["secret"]
    answer = client.get(f"/v1/keys/{secret}")
    assert answer.status_code == 422
    assert secret[12:] not in answer.text


def test_keys_are_listed_page_by_page(client: httpx.Client) -> None:
    made = [create(client, name=f"door {n}").json()["id"] for n in range(5)]
    seen, cursor = [], None
    while True:
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/keys", params=parameters).json()
        seen += [each["id"] for each in page["keys"]]
        assert all("secret" not in each for each in page["keys"])
        cursor = page["next"]
        if cursor is None:
            break
    assert seen[-5:] == made
    assert len(set(seen)) == len(seen)
    check_refused(client.get("/v1/keys", params={"cursor": "eA"}), 422, "invalid_request")


def test_a_repeated_request_makes_one_key_and_does_not_tell_it_again(client: httpx.Client) -> None:
    headers = {"Idempotency-Key": "one"}
    first, second = create(client, headers=headers), create(client, headers=headers)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.status_code == 201
    assert second.headers["Cache-Control"] == "no-store"
    assert first.json()["secret"]
    assert second.json() == first.json() | {"secret": None}
    assert [key["name"] for key in client.get("/v1/keys").json()["keys"]].count("door 3") == 1
    other = create(client, headers=headers, scopes=["read"])
    check_refused(other, 422, "idempotency_key_reused")


def test_a_repeated_rotation_is_carried_out_once(client: httpx.Client, site: Site) -> None:
    made = create(client, scopes=["read"]).json()
    headers = {"Idempotency-Key": "two"}
    first = client.post(f"/v1/keys/{made['id']}/rotate", headers=headers).json()
    second = client.post(f"/v1/keys/{made['id']}/rotate", headers=headers).json()
    assert second == first | {"secret": None}
    assert status(site, first["secret"]) == 200


def test_two_callers_idempotency_keys_are_two(client: httpx.Client, client_for: ClientFor) -> None:
    headers = {"Idempotency-Key": "three"}
    other = client_for()
    assert (
        create(client, headers=headers).json()["id"] != create(other, headers=headers).json()["id"]
    )


def change(client: httpx.Client, key: dict[str, Any], **more: Any) -> httpx.Response:
    headers = more.pop("headers", None)
    return client.patch(f"/v1/keys/{key['id']}", json=more, headers=headers)


def test_a_key_is_changed_and_its_secret_stays(client: httpx.Client, site: Site) -> None:
    made = create(client, scopes=["search"], galleries=["staff"]).json()
    end = "2040-01-31T00:00:00Z"
    changed = change(
        client, made, name="door 4", scopes=["read"], galleries=["guests"], expires_at=end
    )
    assert changed.status_code == 200, changed.text
    body = changed.json()
    assert body["name"] == "door 4"
    assert (body["scopes"], body["galleries"], body["expires_at"]) == (["read"], ["guests"], end)
    assert client.get(f"/v1/keys/{made['id']}").json() == body
    assert status(site, made["secret"], "/v1/galleries/guests") == 200
    assert status(site, made["secret"], "/v1/galleries/staff") == 404


def test_what_is_left_out_of_a_change_stays(client: httpx.Client) -> None:
    made = create(client, scopes=["search", "read"], galleries=["staff"]).json()
    del made["secret"]
    assert change(client, made).json() == made
    assert change(client, made, name="door 4").json() == made | {"name": "door 4"}
    assert change(client, made, galleries=None).json()["galleries"] is None


def test_a_change_of_a_key_rests_on_what_was_read(client: httpx.Client) -> None:
    made = create(client).json()
    tag = client.get(f"/v1/keys/{made['id']}").headers["ETag"]
    first = change(client, made, name="first", headers={"If-Match": tag})
    assert first.status_code == 200
    check_refused(
        change(client, made, name="x", headers={"If-Match": tag}), 412, "precondition_failed"
    )
    again = change(client, made, name="second", headers={"If-Match": first.headers["ETag"]})
    assert again.json()["name"] == "second"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": None},
        {"scopes": []},
        {"scopes": None},
        {"galleries": []},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"state": "active"},
    ],
)
def test_a_key_cannot_be_changed_to_what_cannot_be(
    client: httpx.Client, wrong: dict[str, Any]
) -> None:
    made = create(client).json()
    check_refused(change(client, made, **wrong), 422, "invalid_request")
    assert client.get(f"/v1/keys/{made['id']}").json() == {
        k: made[k] for k in made if k != "secret"
    }


def test_nobody_widens_a_key_beyond_their_own_reach(
    client: httpx.Client, client_for: ClientFor
) -> None:
    export = create(
        client, scopes=["export"], galleries=["staff"], expires_at="2040-01-01T00:00:00Z"
    )
    export = export.json()
    admin = client_for(["admin", "read"])
    check_refused(change(admin, export, scopes=["export", "read"]), 403, "scope_missing")
    check_refused(change(admin, export, galleries=["staff", "guests"]), 403, "scope_missing")
    check_refused(change(admin, export, galleries=None), 403, "scope_missing")
    check_refused(change(admin, export, expires_at="2041-01-01T00:00:00Z"), 403, "scope_missing")
    check_refused(change(admin, export, expires_at=None), 403, "scope_missing")
    assert change(admin, export, scopes=["read"]).status_code == 200, "that gives nothing away"
    check_refused(change(admin, export, scopes=["export"]), 403, "scope_missing")


def test_who_may_do_less_than_a_key_may_narrow_it_all_the_same(
    client: httpx.Client, client_for: ClientFor
) -> None:
    made = create(client, scopes=["export", "search"], galleries=["staff", "guests"]).json()
    admin = client_for(["admin"])
    narrowed = change(
        admin,
        made,
        name="x",
        scopes=["search"],
        galleries=["staff"],
        expires_at="2040-01-01T00:00:00Z",
    )
    assert narrowed.status_code == 200, narrowed.text


def test_who_is_bound_changes_only_keys_within_and_to_nothing_beyond(
    client: httpx.Client, client_for: ClientFor
) -> None:
    bound = client_for(galleries=["staff"])
    inside = create(client, galleries=["staff"]).json()
    outside = create(client, galleries=["staff", "guests"]).json()
    check_refused(change(bound, outside, name="x"), 404, "key_not_found")
    check_refused(change(bound, inside, galleries=["guests"]), 404, "gallery_not_found")
    check_refused(change(bound, inside, galleries=None), 403, "scope_missing")
    assert change(bound, inside, scopes=["read"]).status_code == 200


def test_a_revoked_key_stays_as_it_is_and_an_expired_one_may_be_prolonged(
    client: httpx.Client, site: Site, sql: psycopg.Connection
) -> None:
    made = create(client, scopes=["read"]).json()
    sql.execute(
        "UPDATE api_key SET created_at = now() - interval '2 s', expires_at = now()"
        " - interval '1 s' WHERE id = %s",
        (made["id"],),
    )
    assert status(site, made["secret"]) == 401
    assert change(client, made, expires_at=None).json()["state"] == "active"
    assert status(site, made["secret"]) == 200
    client.delete(f"/v1/keys/{made['id']}")
    check_refused(change(client, made, name="x"), 409, "key_ended")


def test_the_record_tells_of_a_changed_key(client: httpx.Client, sql: psycopg.Connection) -> None:
    made = create(client, galleries=["staff"]).json()
    change(client, made, scopes=["read"])
    change(client, made, galleries=["guests"])
    change(client, made, galleries=["guests"])
    noted = sql.execute(
        "SELECT e.action, g.name, e.detail ->> 'scopes', e.caller FROM audit_event e"
        " LEFT JOIN gallery g ON g.id = e.gallery_id"
        " WHERE e.detail ->> 'key' = %s AND e.action <> 'create_key' ORDER BY e.id",
        (made["id"],),
    ).fetchall()
    me = client.headers["X-API-Key"][:11]
    assert noted == [
        ("admit_key", "staff", None, me),
        ("change_key", None, '["read"]', me),
        ("exclude_key", "staff", None, me),
        ("admit_key", "guests", None, me),
    ]


def test_a_key_that_ends_gives_nobody_more_time(client: httpx.Client, site: Site) -> None:
    end = "2040-01-01T00:00:00Z"
    asking = create(client, scopes=ALL, expires_at=end).json()
    lasting = create(client).json()
    headers = {"X-API-Key": asking["secret"]}
    with httpx.Client(base_url=site.server.url, timeout=30, headers=headers) as ending:
        check_refused(create(ending), 403, "scope_missing")
        check_refused(create(ending, expires_at="2040-01-01T00:00:01Z"), 403, "scope_missing")
        assert create(ending, expires_at=end).status_code == 201
        check_refused(change(ending, asking, expires_at=None), 403, "scope_missing")
        check_refused(
            ending.post(f"/v1/keys/{lasting['id']}/rotate", json={}), 403, "scope_missing"
        )
        assert ending.post(f"/v1/keys/{asking['id']}/rotate", json={}).status_code == 200
