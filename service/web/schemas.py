"""The answers of the plain endpoints."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

Similarity = Annotated[float, Field(description="cosine similarity, -1 to 1", examples=[0.9731])]


class FaceAdded(BaseModel):
    message: Literal["Face added successfully"] = "Face added successfully"
    id: str = Field(examples=["grace"])
    embedding_size: int = Field(examples=[128])
    total_faces: int = Field(description="faces in the gallery now", examples=[1])


class Matched(BaseModel):
    match_found: Literal[True] = True
    matched_id: str = Field(examples=["grace"])
    similarity_score: Similarity
    threshold: Similarity
    confidence: Literal["very_high", "high", "medium", "low"]
    processing_time_ms: float


class NotMatched(BaseModel):
    match_found: Literal[False] = False
    similarity_score: float | None = Field(
        description="the best similarity in the gallery; null when it has no faces"
    )
    threshold: Similarity
    message: Literal["No face match found above threshold"] = "No face match found above threshold"
    processing_time_ms: float


class FaceEntry(BaseModel):
    id: str
    added_date: datetime = Field(description="in UTC")


class FaceList(BaseModel):
    total_faces: int = Field(description="faces in the gallery, on this page or not")
    faces: list[FaceEntry]


class FaceDeleted(BaseModel):
    message: Literal["Face deleted successfully"] = "Face deleted successfully"
    deleted_id: str
    remaining_faces: int


class Stats(BaseModel):
    total_faces: int
    model: str
    embedding_dimension: int
    database_size_mb: float
    uptime_seconds: float
    last_updated: datetime = Field(description="last change of the gallery, in UTC")
    gallery: str
    threshold: Similarity
    max_faces: int | None = Field(description="null: no limit")
    detector: str
    alignment: str
    weights_sha256: str | None
    indexed_faces: int | None = Field(
        description="faces in this replica's index; null while it is being loaded"
    )


class Health(BaseModel):
    status: Literal["healthy", "degraded"]
    model_loaded: bool
    database_connected: bool
    timestamp: datetime


class Ready(BaseModel):
    status: Literal["ready"] = "ready"


class Problem(BaseModel):
    detail: str = Field(description="what is wrong and what to do")
    code: str = Field(description="stable, for programs", examples=["subject_not_found"])
