"""Embeddings on the wire: pgvector's binary format, both ways, without a Python number between.

One vector is two big-endian int16 (dimension, unused) and the float32 values, big-endian.
"""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

from service.domain.embeddings import Embedding
from service.ports import FaceBatch

COPY_HEADER = b"PGCOPY\n\xff\r\n\0"
COPY_TRAILER = b"\xff\xff"


def encoded(embedding: Embedding) -> bytes:
    return struct.pack(">HH", embedding.size, 0) + embedding.astype(">f4").tobytes()


def received(sent: bytes) -> Embedding:
    """The embedding in what `vector_send` gives."""
    return np.frombuffer(sent, dtype=">f4", offset=4).astype(np.float32)


def received_together(sent: bytes, dimension: int) -> NDArray[np.float32]:
    """The embeddings, shape (n, dimension), in what `vector_send` gives for each, one behind the
    other."""
    rows = np.frombuffer(sent, dtype=">f4").reshape(-1, 1 + dimension)
    return rows[:, 1:].astype(np.float32)


class EmbeddingDumper(Dumper):
    """Sends an array as a vector. Its type is left for the server to infer (a column, a cast), so
    that no look-up of the extension's type is needed on every new connection."""

    format = Format.BINARY
    oid = 0

    def dump(self, obj: NDArray[np.float32]) -> Buffer:
        return encoded(obj)


def register(context: AdaptContext) -> None:
    adapters = context.adapters
    if adapters is not None:
        adapters.register_dumper(np.ndarray, EmbeddingDumper)


def record(dimension: int) -> np.dtype[Any]:
    """A row (face id, subject id, vector) of binary COPY: every row has the same size."""
    return np.dtype(
        [
            ("fields", ">i2"),
            ("face_length", ">i4"),
            ("face_id", "V16"),
            ("subject_length", ">i4"),
            ("subject_id", "V16"),
            ("vector_length", ">i4"),
            ("dimension", ">u2"),
            ("unused", ">u2"),
            ("vector", ">f4", (dimension,)),
        ]
    )


def decoded(rows: bytes | bytearray | memoryview, dimension: int) -> FaceBatch:
    """The batch in whole COPY rows, without header and trailer."""
    found = np.frombuffer(rows, dtype=record(dimension))
    framed = (
        (found["fields"] == 3)
        & (found["face_length"] == 16)
        & (found["subject_length"] == 16)
        & (found["vector_length"] == 4 + 4 * dimension)
        & (found["dimension"] == dimension)
    )
    if not framed.all():
        raise ValueError(f"a COPY row is not of the form (uuid, uuid, vector({dimension}))")
    return FaceBatch(
        face_ids=found["face_id"].copy(),
        subject_ids=found["subject_id"].copy(),
        embeddings=found["vector"].astype(np.float32),
    )


def header_size(start: bytes | bytearray) -> int:
    """Length of the COPY header: signature, flags and an extension area of a given length."""
    if not start.startswith(COPY_HEADER):
        raise ValueError("the answer does not begin like a binary COPY")
    (extension,) = struct.unpack_from(">i", start, len(COPY_HEADER) + 4)
    return len(COPY_HEADER) + 8 + int(extension)
