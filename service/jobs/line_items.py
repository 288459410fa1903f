"""Lines of JSON as items: each a photograph in base64, or an embedding."""

import base64
import binascii
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from service.domain.subjects import usable_id
from service.errors import ItemInvalid, RequestError
from service.images import ImageLimits, too_many_bytes
from service.jobs.manifests import json_object, subject_of
from service.jobs.spooling import Spooling
from service.jobs.streams import CHUNK

OVERHEAD = 1 << 18
"""Bytes of a line beside the photograph: its id and metadata, or an embedding."""
MEMBERS = {"id", "file", "image", "embedding", "metadata"}


@dataclass(frozen=True, slots=True)
class LineItems:
    """Spools lines, one in memory at a time; an item's number is its line's."""

    into: Spooling
    images: ImageLimits

    def read(self, stream: IO[bytes]) -> None:
        longest = self.images.max_bytes * 4 // 3 + OVERHEAD
        number = 0
        while line := stream.readline(longest):
            number += 1
            if len(line) == longest and not line.endswith(b"\n"):
                while (rest := stream.readline(CHUNK)) and not rest.endswith(b"\n"):
                    pass
                self.into.refuse(None, None, too_many_bytes(self.images), number)
            elif line.strip():
                self._line(number, line)

    def _line(self, number: int, line: bytes) -> None:
        values = json_object(line, MEMBERS)
        if isinstance(values, RequestError):
            self.into.refuse(None, None, values, number)
            return
        file = values.get("file")
        label = file if isinstance(file, str) else None
        try:
            external_id, metadata = subject_of(values)
            photograph, embedding = self._content(values)
        except RequestError as error:
            self.into.refuse(label, usable_id(values.get("id")), error, number)
        else:
            self.into.add(
                label,
                external_id,
                metadata=metadata,
                photograph=photograph,
                embedding=embedding,
                number=number,
            )

    def _content(self, values: dict[str, Any]) -> tuple[bytes | None, bytes | None]:
        image, embedding = values.get("image"), values.get("embedding")
        if (image is None) == (embedding is None):
            raise ItemInvalid("the line needs an `image` or an `embedding`, and not both")
        if embedding is not None:
            return None, _packed(embedding)
        data = _unpacked(image)
        if len(data) > self.images.max_bytes:
            raise too_many_bytes(self.images)
        return data, None


def _packed(embedding: Any) -> bytes:
    try:
        with np.errstate(over="ignore"):  # infinite, which is refused where it is enrolled
            return np.asarray(embedding, dtype=np.float64).astype(np.float32).tobytes()
    except (TypeError, ValueError, OverflowError):
        raise ItemInvalid("embedding: must be a list of numbers") from None


def _unpacked(image: Any) -> bytes:
    try:
        return base64.b64decode(image, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise ItemInvalid("image: must be a photograph in base64") from None
