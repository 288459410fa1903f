"""The photographs of an archive as items, for the ids that its manifest or their names say."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from service.domain.imports import ManifestRow
from service.domain.subjects import usable_id
from service.errors import ImportInvalid, ItemInvalid, RequestError
from service.images import ImageLimits, too_many_bytes
from service.jobs.archives import Member
from service.jobs.manifests import MANIFEST_BYTES, MANIFESTS, manifest_rows
from service.jobs.spooling import Spooling
from service.jobs.streams import copy

ROWS = 500
"""Of a manifest at a time."""


@dataclass(frozen=True, slots=True)
class ArchiveItems:
    """Spools members; `folder` is where a manifest lies meanwhile: it may come first or last."""

    into: Spooling
    images: ImageLimits
    folder: Path

    def read(self, members: Iterable[Member]) -> None:
        """Raises ImportInvalid for a manifest that is none, or for two of them."""
        with tempfile.TemporaryFile(dir=self.folder) as manifest:
            name: str | None = None
            for member in members:
                path = member.name.removeprefix("./")
                if path in MANIFESTS and member.plain:
                    if name is not None:
                        raise ImportInvalid(f"There are two manifests: {name} and {path}.")
                    name = path
                    copy(member.read, manifest, MANIFEST_BYTES)
                    self.into.unname_items()
                elif not _is_hidden(path):
                    self._photograph(path, member, named=name is None)
            if name is None:
                self.into.refuse_unnamed(ItemInvalid("no id can be made of the file's name"))
            else:
                manifest.seek(0)
                self._follow(name, manifest)

    def _photograph(self, path: str, member: Member, *, named: bool) -> None:
        """`named`: for the id that the path says."""
        external_id = id_of(path) if named else None
        try:
            _check_path(path, member)
            data = member.read(self.images.max_bytes + 1)
            if len(data) > self.images.max_bytes:
                raise too_many_bytes(self.images)
        except RequestError as error:
            self.into.refuse(path, external_id, error)
        else:
            self.into.add(path, external_id, photograph=data)

    def _follow(self, name: str, manifest: IO[bytes]) -> None:
        self.into.flush()
        rows: dict[str, ManifestRow | RequestError] = {}
        for file, row in manifest_rows(name, manifest):
            if file in rows:
                self._not_there(file, row)
            else:
                rows[file] = row
            if len(rows) == ROWS:
                self._apply(rows)
                rows = {}
        self._apply(rows)
        self.into.refuse_unnamed(ItemInvalid(f"{name} does not name this file"))

    def _apply(self, rows: dict[str, ManifestRow | RequestError]) -> None:
        named = [row for row in rows.values() if isinstance(row, ManifestRow)]
        wrong = {file: row for file, row in rows.items() if isinstance(row, RequestError)}
        found = self.into.name_items(named) | self.into.refuse_items(wrong)
        for file, row in rows.items():
            if file not in found:
                self._not_there(file, row)

    def _not_there(self, file: str, row: ManifestRow | RequestError) -> None:
        """A row without a photograph is an item too, so that somebody hears of it."""
        if isinstance(row, ManifestRow):
            why = "the archive has no such photograph, or the manifest names it twice"
            self.into.refuse(file, row.external_id, ItemInvalid(why))
        else:
            self.into.refuse(file, None, row)


def id_of(path: str) -> str | None:
    """The folder at the root that the file is in, else its name without the ending; None where
    that cannot be an id."""
    parts = PurePosixPath(path).parts
    if not parts:
        return None
    return usable_id(parts[0] if len(parts) > 1 else PurePosixPath(path).stem)


def _check_path(path: str, member: Member) -> None:
    """No member is ever written under its name; one that would lead elsewhere is no photograph."""
    if not member.plain:
        raise ItemInvalid("it is a link, encrypted, or otherwise not a plain file")
    if ".." in _parts(path) or "/" in _parts(path):
        raise ItemInvalid("its path leads out of the archive")


def _is_hidden(path: str) -> bool:
    """What systems leave in archives: .DS_Store, __MACOSX and the like."""
    parts = _parts(path)
    return any(part.startswith(".") and part != ".." for part in parts) or "__MACOSX" in parts


def _parts(path: str) -> tuple[str, ...]:
    """By either system's separator."""
    return PurePosixPath(path.replace("\\", "/")).parts
