"""The form of an export: lines of JSON (NDJSON, UTF-8), each with its `kind`.

    header   the format's version, the release, the gallery's settings, space and calibration
    subject  one person, with the consents that were recorded
    face     one face of the subject above it, its embedding as base64 of little-endian float32,
             its photograph, where one comes along, as base64 of the file, unsealed
    end      how many there were, and the SHA-256 of every byte before this line

A later version may add kinds; a reader refuses what it does not know.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import asdict
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from service.domain.calibrations import Calibration
from service.domain.embeddings import Embedding, EmbeddingSpace
from service.domain.exports import (
    ExportedConsent,
    ExportedFace,
    ExportedSubject,
    ExportHeader,
    Totals,
)
from service.domain.faces import Box
from service.domain.galleries import GallerySettings
from service.domain.photographs import Keeping, OpenPhotograph, Sealing
from service.domain.subjects import valid_external_id
from service.errors import RequestInvalid
from service.photograph_keys import PhotographKeys

FORMAT = "facematch gallery"
VERSION = 1
LARGEST_PHOTOGRAPH = 100_000_000
LONGEST_LINE = LARGEST_PHOTOGRAPH // 3 * 4 + 16_000_000
"""Bytes; a longer one is not of an export."""
SHA256 = re.compile("[0-9a-f]{64}")


class Line(BaseModel):
    """A field that is not known would be lost, so it is refused. Strict: `true` is no number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class HeaderLine(Line):
    kind: Literal["header"] = "header"
    format: Literal["facematch gallery"] = "facematch gallery"
    version: Literal[1] = 1
    release: str
    exported_at: AwareDatetime
    gallery: str
    gallery_version: str
    settings: dict[str, Any]
    space: dict[str, Any]
    calibration: dict[str, Any] | None
    subjects: int
    faces: int
    photographs: int = 0


class ConsentPart(Line):
    text_version: str
    purpose: str
    given_at: AwareDatetime
    expires_at: AwareDatetime | None
    recorded_by: str
    withdrawn_at: AwareDatetime | None = None


class SubjectLine(Line):
    kind: Literal["subject"] = "subject"
    external_id: str
    metadata: dict[str, Any]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    consents: list[ConsentPart]


class FaceLine(Line):
    kind: Literal["face"] = "face"
    created_at: AwareDatetime
    created_by: str
    image_sha256: str | None
    image_name: str | None
    box: tuple[int, int, int, int] | None
    quality: dict[str, Any] | None
    embedding: str | None
    photograph: str | None = None


class EndLine(Line):
    kind: Literal["end"] = "end"
    subjects: int
    faces: int
    photographs: int = 0
    sha256: str


Parsed = HeaderLine | SubjectLine | FaceLine | EndLine
LINE: TypeAdapter[Parsed] = TypeAdapter(Annotated[Parsed, Field(discriminator="kind")])
SETTINGS, SPACE = TypeAdapter(GallerySettings), TypeAdapter(EmbeddingSpace)
CALIBRATION = TypeAdapter(Calibration)


def header_line(header: ExportHeader) -> Line:
    return HeaderLine(
        release=header.release,
        exported_at=header.exported_at,
        gallery=header.name,
        gallery_version=header.version,
        settings=asdict(header.settings),
        space=asdict(header.space),
        calibration=None if header.calibration is None else asdict(header.calibration),
        subjects=header.totals.subjects,
        faces=header.totals.faces,
        photographs=header.totals.photographs,
    )


def subject_line(subject: ExportedSubject) -> Line:
    return SubjectLine(
        external_id=subject.external_id,
        metadata=dict(subject.metadata),
        created_at=subject.created_at,
        expires_at=subject.expires_at,
        consents=[ConsentPart(**asdict(consent)) for consent in subject.consents],
    )


def face_line(face: ExportedFace, keys: PhotographKeys) -> Line:
    """Raises what `PhotographKeys.open` raises."""
    box, image = face.box, face.image_sha256
    return FaceLine(
        created_at=face.created_at,
        created_by=face.created_by,
        image_sha256=None if image is None else image.hex(),
        image_name=face.image_name,
        box=None if box is None else (box.left, box.top, box.width, box.height),
        quality=None if face.quality is None else dict(face.quality),
        embedding=None if face.embedding is None else _text(face.embedding),
        photograph=_unsealed(face, keys),
    )


def end_line(totals: Totals, sha256: str) -> Line:
    return EndLine(**asdict(totals), sha256=sha256)


def encoded(line: Line) -> bytes:
    return line.model_dump_json().encode() + b"\n"


def decoded(line: bytes) -> Parsed:
    """Raises RequestInvalid with what is wrong, and never with a value."""
    try:
        return LINE.validate_json(line)
    except ValidationError as error:
        raise RequestInvalid(_said(error)) from None


def header_of(line: HeaderLine) -> ExportHeader:
    """Raises RequestInvalid for settings that this release does not know, or that cannot be."""
    calibration = line.calibration
    return ExportHeader(
        release=line.release,
        exported_at=line.exported_at,
        name=line.gallery,
        version=line.gallery_version,
        settings=_value(SETTINGS, line.settings, "settings"),
        space=_value(SPACE, line.space, "space"),
        calibration=None
        if calibration is None
        else _value(CALIBRATION, calibration, "calibration"),
        totals=Totals(line.subjects, line.faces, line.photographs),
    )


def subject_of(line: SubjectLine) -> ExportedSubject:
    return ExportedSubject(
        external_id=valid_external_id(line.external_id),
        metadata=line.metadata,
        created_at=line.created_at,
        expires_at=line.expires_at,
        consents=tuple(ExportedConsent(**consent.model_dump()) for consent in line.consents),
    )


def face_of(line: FaceLine, header: ExportHeader, keys: PhotographKeys) -> ExportedFace:
    """With what seals its photograph.

    Raises:
        RequestInvalid: what stands for bytes does not, or the photograph is another's.
    """
    image, embedding = line.image_sha256, line.embedding
    if image is not None and not SHA256.fullmatch(image):
        raise RequestInvalid("image_sha256: not 64 hexadecimal digits")
    return ExportedFace(
        created_at=line.created_at,
        created_by=line.created_by,
        image_sha256=None if image is None else bytes.fromhex(image),
        image_name=line.image_name,
        box=None if line.box is None else Box(*line.box),
        quality=line.quality,
        embedding=None if embedding is None else _embedding(embedding, header.space.dimension),
        sealing=_sealing(line, header, keys),
    )


def _unsealed(face: ExportedFace, keys: PhotographKeys) -> str | None:
    if face.photograph is None:
        return None
    content = keys.open(face.photograph).content
    if len(content) > LARGEST_PHOTOGRAPH:
        raise RequestInvalid(f"a photograph is larger than {LARGEST_PHOTOGRAPH} bytes")
    return base64.b64encode(content).decode()


def _sealing(line: FaceLine, header: ExportHeader, keys: PhotographKeys) -> Sealing | None:
    if line.photograph is None:
        return None
    keeping = header.settings.rules.keep_photographs
    if line.image_sha256 is None or keeping is Keeping.NONE:
        raise RequestInvalid("photograph: of a face, or a gallery, that can have none")
    sha256, content = bytes.fromhex(line.image_sha256), _bytes(line.photograph, "photograph")
    if keeping is Keeping.ORIGINALS and hashlib.sha256(content).digest() != sha256:
        raise RequestInvalid("photograph: not the one that image_sha256 is of")
    return lambda gallery_id, face_id: keys.seal(
        OpenPhotograph(face_id, gallery_id, keeping, sha256, content)
    )


def _bytes(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RequestInvalid(f"{name}: not base64") from None


def _text(embedding: Embedding) -> str:
    return base64.b64encode(embedding.astype("<f4").tobytes()).decode()


def _embedding(text: str, dimension: int) -> Embedding:
    """As it was, to the bit."""
    content = _bytes(text, "embedding")
    if len(content) != 4 * dimension:
        raise RequestInvalid(f"embedding: not {dimension} values of four bytes")
    return np.frombuffer(content, dtype="<f4").astype(np.float32)


def _value(kind: TypeAdapter[Any], given: dict[str, Any], name: str) -> Any:
    try:
        value = kind.validate_python(given)
    except ValidationError as error:
        raise RequestInvalid(f"{name}: {_said(error)}") from None
    unknown = sorted(_unknown(given, asdict(value)))
    if unknown:
        raise RequestInvalid(f"{name}: this release of facematch does not know {unknown[0]}")
    return value


def _unknown(given: dict[str, Any], known: dict[str, Any]) -> set[str]:
    """Keys that were left out because nothing here has that name."""
    found = given.keys() - known.keys()
    for key in given.keys() & known.keys():
        if isinstance(given[key], dict) and isinstance(known[key], dict):
            found |= _unknown(given[key], known[key])
    return found


def _said(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(each) for each in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
