"""The snapshot files of this replica's galleries, as the sync side sees them.

They only save time: what is in them is believed up to their version and mark, and the database
decides whether that version is still part of its history.
"""

import logging
from pathlib import Path

from service.domain.galleries import GalleryHead, IndexKey
from service.index import GalleryIndex, State
from service.index.snapshot import (
    Header,
    Identity,
    SnapshotUnusable,
    describe,
    forget_others,
    load,
    save,
    snapshot_path,
)

log = logging.getLogger(__name__)


class Snapshots:
    """A folder of snapshot files, of one database. May be used by many processes of a host."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._said: dict[IndexKey, str] = {}

    def first(self, heads: list[GalleryHead]) -> dict[IndexKey, GalleryIndex]:
        """What there is of these galleries to start from."""
        found = {}
        for head in heads:
            index = self.load(Identity(head.id, head.space_id, head.dimension))
            if index is not None:
                found[head.key] = index
                log.info("gallery '%s': %d faces from the snapshot", head.name, len(index))
        return found

    def load(self, identity: Identity) -> GalleryIndex | None:
        """The index in the gallery's file; None without a usable one."""
        try:
            return load(self._path(identity.key), identity)
        except FileNotFoundError:
            return None
        except SnapshotUnusable as error:
            self._warn(identity.key, f"is ignored: {error}")
            return None

    def header(self, identity: Identity) -> Header | None:
        """What the gallery's file says of itself; None without one of that identity."""
        try:
            header = describe(self._path(identity.key))
        except (FileNotFoundError, SnapshotUnusable):
            return None
        return header if header.identity == identity else None

    def save(self, identity: Identity, state: State) -> bool | None:
        """Replace the file; False when that failed, None while another process writes there.

        A file that cannot be replaced is removed: it may hold faces that were erased since.
        """
        try:
            saved = save(state, identity, self._path(identity.key))
        except OSError as error:
            self._warn(identity.key, f"cannot be written: {error}")
            self.remove(identity.key)
            return False
        if not saved:
            return None
        self._said.pop(identity.key, None)
        return True

    def remove(self, key: IndexKey) -> None:
        """Remove the file; says so loudly where even that cannot be done."""
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            log.error(
                "the snapshot %s may hold erased faces and cannot be removed: %s; delete it",
                self._path(key),
                error,
            )

    def forget_others(self, keys: set[IndexKey]) -> bool:
        """Remove the files of indexes that are no more; False when it could not be done now."""
        try:
            return forget_others(self._folder, keys)
        except OSError as error:
            log.warning("snapshots of deleted galleries cannot be removed: %s", error)
            return False

    def _path(self, key: IndexKey) -> Path:
        return snapshot_path(self._folder, key)

    def _warn(self, key: IndexKey, text: str) -> None:
        """Once, not at every try."""
        if self._said.get(key) != text:
            self._said[key] = text
            log.warning("the snapshot %s %s", self._path(key), text)
