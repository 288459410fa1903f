"""Lines of JSON as items: each a photograph in base64, or an embedding."""

import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from service.domain.embeddings import Alignment, ClaimedSpace, Embedding
from service.domain.subjects import usable_id
from service.enrolment import RawEmbedding, embedded_face
from service.errors import ItemInvalid, RequestError
from service.images import ImageLimits, too_many_bytes
from service.jobs.manifests import consent_of, json_object, subject_of
from service.jobs.spooling import Spooling
from service.jobs.streams import CHUNK

OVERHEAD = 1 << 18
"""Bytes of a line beside the photograph: its id and metadata, or an embedding."""
MEMBERS = {"id", "file", "image", "embedding", "space", "metadata", "consent"}


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
            consent = consent_of(values)
            photograph, embedding = self._content(values, label)
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
                consent=consent,
            )

    def _content(
        self, values: dict[str, Any], name: str | None
    ) -> tuple[bytes | None, Embedding | None]:
        image, embedding = values.get("image"), values.get("embedding")
        if (image is None) == (embedding is None):
            raise ItemInvalid("the line needs an `image` or an `embedding`, and not both")
        if image is not None:
            data = _unpacked(image)
            if len(data) > self.images.max_bytes:
                raise too_many_bytes(self.images)
            return data, None
        raw = RawEmbedding(_numbers(embedding), _space(values.get("space")), name)
        return None, embedded_face(self.into.space, raw, "").embedding


def _numbers(embedding: Any) -> list[float]:
    if isinstance(embedding, list) and all(type(each) in {int, float} for each in embedding):
        with suppress(OverflowError):  # an integer of more than 308 digits
            return [float(each) for each in embedding]
    raise ItemInvalid("embedding: must be a list of numbers")


def _space(space: Any) -> ClaimedSpace:
    """As a gallery's `space` is read, or the first three of its members and what else is known."""
    match space:
        case {"model": str(model), "detector": str(detector), "alignment": "native" | "deepface"}:
            weights = space.get("weights_sha256")
            if isinstance(weights, str | None):
                return ClaimedSpace(model, detector, Alignment(space["alignment"]), weights)
    raise ItemInvalid("space: an embedding needs the space it is of, as the gallery's is read")


def _unpacked(image: Any) -> bytes:
    try:
        return base64.b64decode(image, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise ItemInvalid("image: must be a photograph in base64") from None
