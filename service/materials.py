"""Materials: where the photographs of enrolled faces are to be had, to embed them anew."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self
from uuid import UUID

from service.domain.photographs import Keeping
from service.domain.reembedding import MissingFace
from service.errors import InputFileInvalid
from service.ports import PhotographOpener, Store


@dataclass(frozen=True, slots=True)
class Material:
    """A picture's file that shows an enrolled face. `chip`: nothing but that face, in the middle;
    otherwise the face is where its box says."""

    data: bytes
    chip: bool = False


class Source(Protocol):
    def of(self, face: MissingFace) -> Material | None:
        """None where this source does not have the face's photograph."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """What the gallery itself keeps."""

    store: Store
    opener: PhotographOpener
    gallery_id: UUID

    def of(self, face: MissingFace) -> Material | None:
        """Raises:
        PhotographKeyMissing: the operator has to give its key.
        PhotographDamaged: it was changed.
        """
        with self.store.transaction(read_only=True) as tx:
            kept = tx.kept_photograph(self.gallery_id, face.face_id)
        if kept is None:
            return None
        opened = self.opener.open(kept)
        return Material(opened.content, opened.kind is Keeping.CHIPS)


@dataclass(frozen=True, slots=True)
class Originals:
    """A folder of the files that were once uploaded, whatever their names are now: they are known
    by their SHA-256, which stands with each face."""

    files: Mapping[bytes, Path]

    @classmethod
    def read(cls, folder: Path, max_bytes: int, advance: Callable[[], None] = lambda: None) -> Self:
        """Every file in it and in the folders below; larger ones than uploads may be are left out.

        Raises:
            InputFileInvalid: no such folder, or nothing in it, or a file that cannot be read.
        """
        if not folder.is_dir():
            raise InputFileInvalid(f"{folder} is not a folder.")
        files = dict(_hashed(_files(folder, max_bytes), advance))
        if not files:
            raise InputFileInvalid(f"{folder} holds no files of photographs.")
        return cls(files)

    def of(self, face: MissingFace) -> Material | None:
        path = self.files.get(face.image_sha256) if face.image_sha256 else None
        if path is None:
            return None
        data = _content(path)
        if hashlib.sha256(data).digest() != face.image_sha256:
            return None  # it was changed since it was read first
        return Material(data)


def _files(folder: Path, max_bytes: int) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size <= max_bytes:
            yield path


def _hashed(paths: Iterable[Path], advance: Callable[[], None]) -> Iterator[tuple[bytes, Path]]:
    for path in paths:
        yield hashlib.sha256(_content(path)).digest(), path
        advance()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputFileInvalid(f"{path} cannot be read: {error.strerror}.") from error
