"""/v1/models: the recognition models, and what of them is here."""

from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from service.domain.embeddings import Alignment
from service.domain.models import Model
from service.web.callers import Reading
from service.web.services import Provided
from service.web.v1.problems import problems

router = APIRouter(prefix="/models", tags=["models"])


class WeightsBody(BaseModel):
    file: str = Field(examples=["arcface_weights.onnx"])
    engines: list[str] = Field(description="that it can run on", examples=[["onnxruntime"]])
    present: bool = Field(description="on the replica that answers")
    size_bytes: int | None = Field(description="about; null: not known")
    sha256: str | None = Field(description="as kept beside the file; null: none is kept")


class InputBody(BaseModel):
    width: int = Field(examples=[150])
    height: int = Field(examples=[150])


class ModelBody(BaseModel):
    name: str = Field(examples=["Dlib"])
    dimension: int = Field(examples=[128])
    input: InputBody = Field(description="the face as the network sees it, in pixels")
    default_detector: str = Field(examples=["dlib"])
    default_alignment: Alignment
    default_thresholds: dict[Alignment, float] = Field(
        description="a new gallery's threshold, by alignment", examples=[{"native": 0.922}]
    )
    licence: str
    commercial_use: bool | None = Field(description="null: upstream does not say clearly")
    engine: str | None = Field(
        description="what would run it on the replica that answers; null: no weights there",
        examples=["onnxruntime"],
    )
    weights: list[WeightsBody]

    @classmethod
    def of(cls, model: Model) -> Self:
        width, height = model.input_size
        return cls(
            name=model.name,
            dimension=model.dimension,
            input=InputBody(width=width, height=height),
            default_detector=model.default_detector,
            default_alignment=model.default_alignment,
            default_thresholds=dict(model.thresholds),
            licence=model.licence,
            commercial_use=model.commercial_use,
            engine=model.engine,
            weights=[WeightsBody.model_validate(w, from_attributes=True) for w in model.weights],
        )


class ModelList(BaseModel):
    models: list[ModelBody]


@router.get("", summary="List the models")
def list_models(services: Provided, caller: Reading) -> ModelList:
    """Every model of the catalogue, whether its weights are here or not."""
    return ModelList(models=[ModelBody.of(each) for each in services.models.all()])


@router.get("/{model}", summary="Read a model", responses=problems(404))
def read_model(
    services: Provided,
    caller: Reading,
    model: Annotated[str, Path(max_length=100, description="its name; letter case matters")],
) -> ModelBody:
    return ModelBody.of(services.models.named(model))
