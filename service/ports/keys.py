"""The keys, as rows."""

from typing import Protocol
from uuid import UUID

from service.domain.keys import HashedKey, Key, NewKey


class KeyRows(Protocol):
    """The keys, within one transaction. A key's state is told by the database's clock."""

    def pepper(self) -> bytes:
        """What secrets are hashed with, 32 bytes; the same for every replica."""
        ...

    def hashed(self, prefix: str) -> HashedKey | None: ...

    def find(self, reference: str, *, lock: bool = False) -> Key | None:
        """By id or prefix; with `lock` nobody else changes it before this transaction ends."""
        ...

    def listed(self, after: UUID | None, limit: int, among: frozenset[UUID] | None) -> list[Key]:
        """Oldest first, those after that id; `among`: only those bound to some of these galleries
        and no other, None for every key."""
        ...

    def add(
        self,
        new: NewKey,
        galleries: frozenset[UUID] | None,
        prefix: str,
        key_hash: bytes,
        created_by: str,
    ) -> Key: ...

    def rotate(self, key_id: UUID, key_hash: bytes, grace_s: int) -> None:
        """Put the hash in place of the present one, which stays valid for `grace_s` seconds."""
        ...

    def change(self, key_id: UUID, to: NewKey, galleries: frozenset[UUID] | None) -> None: ...

    def revoke(self, key_id: UUID) -> None: ...

    def be_first(self) -> bool:
        """Whether no key was ever made; nobody else makes one before this transaction ends."""
        ...
