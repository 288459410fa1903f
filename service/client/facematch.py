"""The client: a method for each thing that the API can do."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from service.client.connection import Connection
from service.client.values import (
    Compared,
    Consent,
    DetectedFace,
    EnrolledFace,
    Erasure,
    Gallery,
    Item,
    Job,
    Json,
    Searched,
    Subject,
    Verified,
)

Photograph = bytes | str | os.PathLike[str]
"""The bytes of a JPEG, PNG or WebP file, or where it lies."""
CHUNK_BYTES = 1 << 20


class FaceMatch:
    """A service as a caller sees it; `with FaceMatch(url, key) as facematch:`.

    Reads its own writes on whichever replica answers: versions are carried along. A call is tried
    again while the service says "not now", for `patience_s` seconds at most; what writes is
    carried out once all the same. (A deletion or renaming whose answer got lost may be told "not
    found" when it is tried again: it is done.) Not for use by several threads at once.
    """

    def __init__(
        self, url: str, key: str | None = None, *, timeout_s: float = 60, patience_s: float = 60
    ) -> None:
        self._connection = Connection(url, key, timeout_s, patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.http.close()

    # galleries

    def create_gallery(self, name: str, **settings: Any) -> Gallery:
        """`settings` as in docs/api.md: model, threshold, max_faces, gates and so on."""
        body = {"name": name, **settings}
        return Gallery.of(self._call("POST", "/v1/galleries", gallery=name, json=body))

    def gallery(self, name: str) -> Gallery:
        return Gallery.of(self._call("GET", _at("galleries", name), gallery=name))

    def galleries(self) -> Iterator[Gallery]:
        return map(Gallery.of, self._pages("/v1/galleries", "galleries"))

    def change_gallery(self, name: str, **settings: Any) -> Gallery:
        path = _at("galleries", name)
        return Gallery.of(self._call("PATCH", path, gallery=name, json=settings))

    def delete_gallery(self, name: str) -> None:
        """With every subject and face in it."""
        self._call("DELETE", _at("galleries", name), params={"confirm": name})
        self._connection.seen.pop(name, None)

    # subjects

    def create_subject(
        self,
        gallery: str,
        id: str,
        metadata: Json | None = None,
        expires_at: str | None = None,
        *,
        consent: Json | None = None,
    ) -> Subject:
        """`consent` as in `record_consent`, here and below."""
        body = {"id": id, "metadata": metadata or {}, "expires_at": expires_at}
        body |= _given(consent=consent)
        path = _at("galleries", gallery, "subjects")
        return Subject.of(self._call("POST", path, gallery=gallery, json=body))

    def subject(self, gallery: str, id: str) -> Subject:
        path = _of_subject(gallery, id)
        return Subject.of(self._call("GET", path, gallery=gallery))

    def subjects(self, gallery: str, **filters: Any) -> Iterator[Subject]:
        path = _at("galleries", gallery, "subjects")
        return map(Subject.of, self._pages(path, "subjects", gallery, filters))

    def change_subject(self, gallery: str, id: str, **changes: Any) -> Subject | None:
        """`changes`: id, to rename it; metadata; expires_at. Answers None where the key may not
        read."""
        path = _of_subject(gallery, id)
        changed = self._call("PATCH", path, gallery=gallery, json=changes)
        return Subject.of(changed) if changed else None

    def merge_subject(self, gallery: str, id: str, other: str) -> Subject | None:
        """Give `id` the faces of `other`, and delete that. None where the key may not read."""
        path = _of_subject(gallery, id, "merge")
        merged = self._call("POST", path, gallery=gallery, json={"from": other})
        return Subject.of(merged["subject"]) if merged else None

    def delete_subject(self, gallery: str, id: str, *, everywhere: bool = False) -> Json:
        """With every face of it; `everywhere` waits until every live replica has dropped it."""
        path = _of_subject(gallery, id)
        params = {"wait": "all"} if everywhere else None
        deleted: Json = self._call("DELETE", path, gallery=gallery, params=params)
        return deleted

    # faces

    def add_face(
        self,
        gallery: str,
        subject: str,
        photograph: Photograph,
        *,
        create: bool = True,
        consent: Json | None = None,
    ) -> EnrolledFace:
        """`create` makes the subject where there is none of that id."""
        path = _of_subject(gallery, subject, "faces")
        params = {"create": str(create).lower()}
        sent = {"files": {"file": _file(photograph)}, "params": params, "data": _form(consent)}
        return EnrolledFace.of(self._call("POST", path, gallery=gallery, **sent))

    def add_embedding(
        self,
        gallery: str,
        subject: str,
        embedding: Sequence[float],
        space: Json,
        *,
        consent: Json | None = None,
    ) -> EnrolledFace:
        """`space` says what made it, as `Gallery.space` does."""
        path = _of_subject(gallery, subject, "faces")
        sent = {
            "json": {"embedding": list(embedding), "space": space, **_given(consent=consent)},
            "params": {"create": "true"},
        }
        return EnrolledFace.of(self._call("POST", path, gallery=gallery, **sent))

    def faces(
        self, gallery: str, subject: str, *, embeddings: bool = False
    ) -> Iterator[EnrolledFace]:
        path = _of_subject(gallery, subject, "faces")
        filters = {"include": "embedding"} if embeddings else {}
        return map(EnrolledFace.of, self._pages(path, "faces", gallery, filters))

    def replace_face(
        self,
        gallery: str,
        subject: str,
        face: str,
        photograph: Photograph,
        *,
        consent: Json | None = None,
    ) -> EnrolledFace:
        path = _of_subject(gallery, subject, "faces", face)
        sent = {"files": {"file": _file(photograph)}, "data": _form(consent)}
        return EnrolledFace.of(self._call("PUT", path, gallery=gallery, **sent))

    def delete_face(self, gallery: str, subject: str, face: str) -> None:
        path = _of_subject(gallery, subject, "faces", face)
        self._call("DELETE", path, gallery=gallery)

    # consents

    def record_consent(
        self, gallery: str, subject: str, text_version: str, purpose: str, **times: str
    ) -> Consent:
        """What a person agreed to; `times`: given_at (else now) and expires_at."""
        path = _of_subject(gallery, subject, "consents")
        body = {"text_version": text_version, "purpose": purpose, **times}
        return Consent.of(self._call("POST", path, gallery=gallery, json=body))

    def consents(self, gallery: str, subject: str) -> Iterator[Consent]:
        """In the order of their recording, ended ones too."""
        path = _of_subject(gallery, subject, "consents")
        return map(Consent.of, self._pages(path, "consents", gallery))

    def withdraw_consent(self, gallery: str, subject: str, consent: str) -> Consent:
        """End it; who has no other valid one is no longer found, and soon deleted."""
        path = _of_subject(gallery, subject, "consents", consent, "withdraw")
        return Consent.of(self._call("POST", path, gallery=gallery))

    # questions

    def search(self, gallery: str, photograph: Photograph, **options: Any) -> Searched:
        """Whose faces are these? `options` as in docs/api.md: faces, top_k, threshold and so on."""
        sent = {"files": {"file": _file(photograph)}, "data": _fields(options)}
        path = _at("galleries", gallery, "search")
        return Searched.of(self._call("POST", path, gallery=gallery, **sent))

    def search_embedding(
        self, gallery: str, embedding: Sequence[float], space: Json, **options: Any
    ) -> Searched:
        body = {"embedding": list(embedding), "space": space, **options}
        path = _at("galleries", gallery, "search")
        return Searched.of(self._call("POST", path, gallery=gallery, json=body))

    def verify(self, gallery: str, subject: str, photograph: Photograph) -> Verified:
        """Is this that person?"""
        sent = {"files": {"file": _file(photograph)}, "data": {"subject": subject}}
        path = _at("galleries", gallery, "verify")
        return Verified.of(self._call("POST", path, gallery=gallery, **sent))

    def compare(self, one: Photograph, *others: Photograph) -> list[Compared]:
        """Do these show the same person as the first one? Nothing is stored."""
        files = [("file_a", _file(one)), *(("file_b", _file(each)) for each in others)]
        answer = self._call("POST", "/v1/verify", files=files)
        return [Compared.of(each) for each in answer["comparisons"]]

    def detect(self, photograph: Photograph, **options: Any) -> list[DetectedFace]:
        sent = {"files": {"file": _file(photograph)}, "data": _fields(options)}
        return [DetectedFace.of(each) for each in self._call("POST", "/v1/detect", **sent)["faces"]]

    def models(self) -> list[Json]:
        found: list[Json] = self._call("GET", "/v1/models")["models"]
        return found

    # many at once

    def import_archive(self, gallery: str, archive: str | os.PathLike[str]) -> Job:
        """Send a tar or zip of photographs, or lines of JSON; they are enrolled by the job."""
        path = _at("galleries", gallery, "imports")

        def body() -> Iterator[bytes]:
            with Path(archive).open("rb") as file:
                yield from iter(lambda: file.read(CHUNK_BYTES), b"")

        return Job.of(self._call("POST", path, gallery=gallery, body=body))

    def job(self, id: str) -> Job:
        return Job.of(self._call("GET", _at("jobs", id)))

    def wait_for(self, job: Job, progress: Callable[[Job], None] = lambda _: None) -> Job:
        """Look at the job until it has ended; `progress` is called after each look."""
        while True:
            job = self.job(job.id)
            progress(job)
            if job.ended:
                return job
            time.sleep(0.5)

    def items(self, job: Job, **filters: Any) -> Iterator[Item]:
        """What became of each item; `status="rejected"` for those only."""
        return map(Item.of, self._pages(_at("jobs", job.id, "items"), "items", None, filters))

    def cancel(self, job: Job) -> Job:
        return Job.of(self._call("POST", _at("jobs", job.id, "cancel")))

    # erasure

    def erase(self, subject: str) -> list[str]:
        """Delete everything of one id in every gallery that the key reaches; their names."""
        answer = self._call("POST", "/v1/erasures", json={"subject": subject})
        for each in answer["galleries"]:
            self._connection.seen[each["gallery"]] = each["gallery_version"]
        return [each["gallery"] for each in answer["galleries"]]

    def erasures(self, gallery: str) -> Iterator[Erasure]:
        """The receipts of a gallery's deletions, newest first."""
        path, before = _at("galleries", gallery, "erasures"), None
        while True:
            page = self._call("GET", path, gallery=gallery, params=_given(before=before))
            yield from map(Erasure.of, page["erasures"])
            before = page["next"]
            if before is None:
                return

    # how

    def _call(self, method: str, path: str, **sent: Any) -> Any:
        return self._connection.call(method, path, **sent)

    def _pages(
        self, path: str, name: str, gallery: str | None = None, filters: Json | None = None
    ) -> Iterator[Json]:
        cursor = None
        while True:
            params = _given(cursor=cursor, **(filters or {}))
            page = self._call("GET", path, gallery=gallery, params=params)
            yield from page[name]
            cursor = page["next"]
            if cursor is None:
                return


def _at(*parts: str) -> str:
    """A path of these names, whatever is in them."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def _of_subject(gallery: str, subject: str, *more: str) -> str:
    """The path of a subject, or of what it has; these two names cannot stand in one."""
    if subject in {".", ".."}:
        return f"{_at('galleries', gallery, 'subjects', '-', *more)}?subject={subject}"
    return _at("galleries", gallery, "subjects", subject, *more)


def _given(**parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _fields(options: Json) -> dict[str, Any]:
    """As a form says them."""
    return {
        name: json.dumps(value) if isinstance(value, dict | bool) else value
        for name, value in options.items()
    }


def _form(consent: Json | None) -> dict[str, str]:
    return {} if consent is None else {"consent": json.dumps(consent)}


def _file(photograph: Photograph) -> tuple[str, bytes]:
    if isinstance(photograph, bytes):
        return "photograph", photograph
    path = Path(photograph)
    return path.name, path.read_bytes()
