"""Archives and results that the tests of bulk imports share."""

import io
import json
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np

from service.domain.embeddings import Alignment, Embedding, EmbeddingSpace
from service.domain.faces import DetectedFace
from service.domain.imports import ImportJob, ListedItem
from service.domain.keys import Caller
from service.jobs.enrolling import Enrolling
from service.jobs.imports import Imports
from service.ports import FaceAnalyser, Picture
from tests.fakes.analyser import SPACE, FakeAnalyser, photograph

Files = Mapping[str, bytes]


class OneAnalyser:
    """See `ports.Analysers`: one for whatever space."""

    def __init__(self, analyser: FaceAnalyser) -> None:
        self._analyser = analyser

    def of(self, space: EmbeddingSpace) -> FaceAnalyser:
        return self._analyser

    def usual(self, model: str | None) -> FaceAnalyser:
        return self._analyser

    def like(self, model: str, detector: str | None, alignment: Alignment | None) -> FaceAnalyser:
        return self._analyser


def people(count: int, first: int = 0) -> dict[str, bytes]:
    """Photographs of as many people, each in a file of its own."""
    return {f"person-{n:05}.png": photograph(n) for n in range(first, first + count)}


def tar_of(files: Files, form: str = "", links: Iterable[tarfile.TarInfo] = ()) -> bytes:
    """`form` as in `tarfile.open`'s mode: "gz" or nothing."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{form}") as tar:  # type: ignore[call-overload]  # as built
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        for link in links:
            tar.addfile(link)
    return out.getvalue()


def zip_of(files: Files, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def lines_of(*items: object) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def embedding(seed: int) -> list[float]:
    values: list[float] = np.random.default_rng(seed).normal(size=SPACE.dimension).tolist()
    return values


def submitted(imports: Imports, caller: Caller, body: bytes, **more: Any) -> ImportJob:
    return imports.submit(caller, "people", io.BytesIO(body), **more)


def finished(
    imports: Imports, enrolling: Enrolling, caller: Caller, body: bytes, **more: Any
) -> tuple[ImportJob, dict[str | int, ListedItem]]:
    """The job of that body, worked on to its end, and its items by file, or by number."""
    job = submitted(imports, caller, body, **more)
    assert enrolling.work(job.id, lambda: False) is None
    return imports.read(caller, job.id), items_of(imports, caller, job.id)


def items_of(imports: Imports, caller: Caller, job_id: UUID) -> dict[str | int, ListedItem]:
    items = imports.items(caller, job_id, None, 0, 1_000_000)
    return {item.file or item.number: item for item in items}


def outcome(items: Mapping[str | int, ListedItem]) -> dict[str | int, str]:
    """The code of what was not enrolled, else the id."""
    return {
        name: item.reason.code if item.reason else f"{item.status}: {item.external_id}"
        for name, item in items.items()
    }


def counted(items: Mapping[str | int, ListedItem]) -> Counter[str]:
    return Counter(str(item.status) for item in items.values())


class Troubled(FakeAnalyser):
    """Does something of the test's own before each embedding."""

    def __init__(self, before: Callable[[int], None]) -> None:
        self._before = before

    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        self._before(int.from_bytes(picture.reshape(-1)[:8].tobytes(), "big"))
        return super().embed(picture, face)


def troubled(enrolling: Enrolling, before: Callable[[int], None]) -> Enrolling:
    return replace(enrolling, analysers=OneAnalyser(Troubled(before)))
