"""The answers of the plain endpoints."""

from datetime import datetime
from typing import Annotated, Any, Literal

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


class Replicas(BaseModel):
    """Which replicas have applied a change, by name."""

    applied: list[str]
    pending: list[str] = Field(description="live, but not seen to have applied it in time")
    dead: list[str] = Field(description="silent for 15 s; each reads the table anew if it returns")


class FaceDeleted(BaseModel):
    message: Literal["Face deleted successfully"] = "Face deleted successfully"
    deleted_id: str
    remaining_faces: int
    replicas: Replicas | None = Field(None, description="only when asked to wait for all")


class Replica(BaseModel):
    name: str = Field(examples=["host-1:4711"])
    state: Literal["live", "dead"]
    version: str | None = Field(description="the gallery version it holds; null: not loaded yet")
    behind: int | None = Field(description="versions between this one and the table's")
    last_success: datetime = Field(description="its last report, in UTC")
    silent_seconds: float
    checked_at: datetime | None = Field(description="last comparison of its index with the table")
    differences: int = Field(description="times its index differed from the table; must be 0")


class Calibration(BaseModel):
    """What the threshold was calibrated for; see docs/evaluation.md."""

    fpir: float = Field(description="wanted share of strangers that get an answer")
    calibrated_at: datetime = Field(description="in UTC")
    subjects: int = Field(description="people whose faces were compared")


class Stats(BaseModel):
    total_faces: int
    model: str
    embedding_dimension: int
    database_size_mb: float = Field(
        description="the whole database; for a key of certain galleries: this gallery's rows"
    )
    uptime_seconds: float
    last_updated: datetime = Field(description="last change of the gallery, in UTC")
    gallery: str
    threshold: Similarity
    calibration: Calibration | None = Field(description="null: not calibrated in this space")
    max_faces: int | None = Field(description="null: no limit")
    detector: str
    alignment: str
    weights_sha256: str | None
    indexed_faces: int | None = Field(
        description="faces in this replica's index; null while it is being loaded"
    )
    replicas: list[Replica] = Field(description="every replica that has reported in the last day")


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
    reasons: list[str] | None = Field(
        None,
        description="with `low_quality` only: `too_small`, `too_blurred`, `too_dark`, `too_bright`,"
        " `low_contrast`, `extreme_pose`, `low_score`",
    )


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that refuses with these."""
    return {status: {"model": Problem} for status in statuses}
