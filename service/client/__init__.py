"""A client of the API for other programs; needs httpx and nothing else of this package."""

from service.client.connection import FaceMatchError
from service.client.facematch import FaceMatch
from service.client.values import (
    Compared,
    Consent,
    DetectedFace,
    EnrolledFace,
    Erasure,
    FoundFace,
    Gallery,
    Item,
    Job,
    Match,
    Searched,
    Subject,
    Verified,
)

__all__ = [
    "Compared",
    "Consent",
    "DetectedFace",
    "EnrolledFace",
    "Erasure",
    "FaceMatch",
    "FaceMatchError",
    "FoundFace",
    "Gallery",
    "Item",
    "Job",
    "Match",
    "Searched",
    "Subject",
    "Verified",
]
