"""The first bytes of a snapshot file: what it is, whose it is and where its parts lie."""

import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import Self
from uuid import UUID

from service.domain.galleries import GalleryVersion, IndexKey

MAGIC = b"FMATCHIX"
FORMAT = 1
"""To be raised with any change of the layout, or of what the bytes mean."""

LAYOUT = struct.Struct("<8sII16s16sQq16sQ32s")
CHECKSUM_BYTES = 32
HEADER_BYTES = 256
"""With room to spare and a multiple of 64, so that the embeddings after it are aligned."""
PADDING = bytes(HEADER_BYTES - LAYOUT.size - CHECKSUM_BYTES)


class SnapshotUnusable(Exception):
    """There is a file, but this index cannot start from it; the message says why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a snapshot must be of: embeddings of another space are never compared."""

    gallery_id: UUID
    space_id: UUID
    dimension: int

    @property
    def key(self) -> IndexKey:
        return IndexKey(self.gallery_id, self.space_id)


@dataclass(frozen=True, slots=True)
class Header:
    """After it come the embeddings, the face ids and the subject ids, in order of face id.

    `digest` is that of `service.index.digest`; `body` is the SHA-256 of all after the header.
    """

    identity: Identity
    version: GalleryVersion
    count: int
    digest: int
    body: bytes

    @property
    def face_ids_at(self) -> int:
        return HEADER_BYTES + 4 * self.identity.dimension * self.count

    @property
    def subject_ids_at(self) -> int:
        return self.face_ids_at + 16 * self.count

    @property
    def file_bytes(self) -> int:
        return self.subject_ids_at + 16 * self.count

    def pack(self) -> bytes:
        fields = LAYOUT.pack(
            MAGIC,
            FORMAT,
            self.identity.dimension,
            self.identity.gallery_id.bytes,
            self.identity.space_id.bytes,
            self.count,
            self.version.number,
            self.version.mark.bytes,
            self.digest,
            self.body,
        )
        return fields + PADDING + sha256(fields + PADDING).digest()

    @classmethod
    def unpack(cls, content: bytes) -> Self:
        """Raises SnapshotUnusable."""
        if len(content) < HEADER_BYTES or content[: len(MAGIC)] != MAGIC:
            raise SnapshotUnusable("it is not a snapshot of an index")
        fields, checksum = content[:-CHECKSUM_BYTES], content[-CHECKSUM_BYTES:]
        _, layout, dimension, gallery, space, count, number, mark, digest, body = (
            LAYOUT.unpack_from(fields)
        )
        # told before the checksum, whose place and kind belong to the format
        if layout != FORMAT:
            raise SnapshotUnusable(f"its format is {layout}, not {FORMAT}")
        if sha256(fields).digest() != checksum:
            raise SnapshotUnusable("its header is damaged")
        identity = Identity(UUID(bytes=gallery), UUID(bytes=space), dimension)
        return cls(identity, GalleryVersion(number, UUID(bytes=mark)), count, digest, body)
