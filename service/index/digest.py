"""A fingerprint of a gallery's content that no order of rows can change."""

import struct
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from service.index.rows import Ids

MODULUS = 2**64
"""Digests of disjoint sets of faces add up, modulo this."""


def digest(face_ids: Ids, subject_ids: Ids, embeddings: NDArray[np.float32]) -> int:
    """The sum, modulo 2**64, of the first 8 bytes (big-endian) of each face's SHA-256.

    Hashed are face id, subject id and the embedding as pgvector sends it, so PostgreSQL says the
    same over `face_embedding AS e JOIN face AS f ON f.id = e.face_id` by

        coalesce(mod(mod(sum(('x' || encode(substr(sha256(
            uuid_send(e.face_id) || uuid_send(f.subject_id) || vector_send(e.vec)
        ), 1, 8), 'hex'))::bit(64)::bigint),
        18446744073709551616) + 18446744073709551616, 18446744073709551616), 0)

    (the cast from 64 bits is signed, hence the second mod).
    """
    records = _records(face_ids, subject_ids, embeddings)
    length = records.shape[1]
    stream = records.tobytes()
    starts = range(0, len(stream), length)
    hashed = b"".join([sha256(stream[start : start + length]).digest()[:8] for start in starts])
    return int(np.frombuffer(hashed, dtype=">u8").sum(dtype=np.uint64))


def _records(face_ids: Ids, subject_ids: Ids, embeddings: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A row of bytes for each face."""
    count, dimension = embeddings.shape
    head = np.frombuffer(struct.pack(">HH", dimension, 0), dtype=np.uint8)
    values = embeddings.astype(">f4").view(np.uint8).reshape(count, 4 * dimension)
    ids = [
        np.ascontiguousarray(ids).view(np.uint8).reshape(count, 16)
        for ids in (face_ids, subject_ids)
    ]
    return np.hstack([*ids, np.broadcast_to(head, (count, 4)), values])
