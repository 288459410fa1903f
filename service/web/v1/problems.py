"""The body of every refusal under /v1, for the OpenAPI document."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from service.web.problems import MEDIA_TYPE


class Problem(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:facematch:problem:gallery_not_found"])
    title: str = Field(examples=["Gallery not found"])
    status: int = Field(examples=[404])
    detail: str = Field(description="what is wrong and what to do")
    code: str = Field(description="stable, for programs", examples=["gallery_not_found"])
    request_id: str | None = Field(description="as in X-Request-ID")


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that refuses with these."""
    # written out: the plain endpoints have a schema of the same name among the components
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status: {"description": _NAMES[status], "content": content} for status in statuses}


_NAMES = {
    400: "The body cannot be parsed, or its photograph does not serve",
    401: "No valid key",
    403: "The key lacks a scope",
    404: "Not found",
    409: "In conflict with what is there",
    410: "Erased since",
    412: "Changed since it was read",
    413: "Too large",
    415: "Not a JPEG, PNG or WebP",
    422: "Malformed",
    429: "Too many requests",
    503: "Try again shortly",
}

PROBLEMS = problems(400, 401, 403, 413, 422, 429, 503)
"""What every route may answer."""
