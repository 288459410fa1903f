"""A probe in a body: a photograph, an embedding or an enrolled face."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from service.domain.embeddings import Alignment, ClaimedSpace
from service.domain.probes import EmbeddingProbe, FaceProbe, PhotographProbe, Probe
from service.web.v1.bodies import Image

LONGEST_EMBEDDING = 4096

FACE_ID = "019a1b2c-3d4e-7f50-8a1b-2c3d4e5f6071"
"""For examples."""
PROBES = ("image", "embedding", "face")


class ClaimedSpaceBody(BaseModel):
    """As a gallery's `space` is read, or what of it the caller knows."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(max_length=100, examples=["Dlib"])
    detector: str = Field(max_length=100, examples=["dlib"])
    alignment: Alignment
    dimension: int | None = None
    weights_sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")

    def claimed(self) -> ClaimedSpace:
        return ClaimedSpace(self.model, self.detector, self.alignment, self.weights_sha256)


class ProbeBody(BaseModel):
    """Exactly one of `image` (in a form: `file`), `embedding` and `face`."""

    model_config = ConfigDict(extra="forbid")

    image: Image | None = None
    embedding: list[float] | None = Field(
        None, max_length=LONGEST_EMBEDDING, description="of any length; needs `space`"
    )
    space: ClaimedSpaceBody | None = Field(
        None, description="what the embedding was made with: the gallery's, or it is refused"
    )
    face: UUID | None = Field(None, description="id of an enrolled face", examples=[FACE_ID])

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in PROBES if getattr(self, name) is not None]
        if len(given) != 1:
            raise PydanticCustomError(
                "probe", "give exactly one of image (in a form: file), embedding and face"
            )
        if (self.space is None) != (self.embedding is None):
            raise PydanticCustomError(
                "space", "an embedding needs its space, and nothing else has one"
            )
        return self

    def probe(self, *, every_face: bool = False) -> Probe:
        if self.face is not None:
            return FaceProbe(self.face)
        if self.image is not None:
            return PhotographProbe(self.image, every_face)
        assert self.embedding is not None
        assert self.space is not None
        return EmbeddingProbe(self.embedding, self.space.claimed())
