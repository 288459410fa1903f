"""Bodies that may be sent as a form, with photographs as files, or as JSON, with them in base64."""

import base64
import binascii
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Annotated, Any, BinaryIO, Generic, TypeVar, cast, get_origin

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.datastructures import FormData, UploadFile

from service.errors import RequestInvalid
from service.web.body_limit import FORM, JSON, media_type
from service.web.forms import sent_again

Model = TypeVar("Model", bound=BaseModel)

IN_MEMORY_BYTES = 1 << 20
"""What is longer lies on the disk, so that many slow uploads take no memory."""
MOST_FILES = 32
MOST_FIELDS = 64


PHOTOGRAPH = "/9j/4AAQSkZJRgABAQEAYABgAAD..."
"""The beginning of a JPEG in base64, for examples."""


def _decoded(sent: object) -> object:
    """Base64 as the bytes it stands for; a form's file is bytes already."""
    if not isinstance(sent, str):
        return sent
    try:
        return base64.b64decode(sent, validate=True)
    except (binascii.Error, ValueError):
        raise PydanticCustomError(
            "base64", "must be base64: the standard alphabet, padded, without a data: prefix"
        ) from None


Image = Annotated[
    bytes,
    BeforeValidator(_decoded),
    WithJsonSchema(
        {
            "type": "string",
            "contentEncoding": "base64",
            "description": "a JPEG, PNG or WebP photograph",
            "examples": [PHOTOGRAPH],
        }
    ),
]


@dataclass(frozen=True, slots=True)
class Sent:
    """A body as it came: one of the two."""

    form: FormData | None = None
    json: IO[bytes] | None = None


async def _sent(request: Request) -> AsyncIterator[Sent]:
    """On the event loop only what must be there: whoever parses the body does so on a thread.

    Raises:
        RequestInvalid: neither a form nor JSON.
    """
    kind = media_type(request.scope)
    if kind == FORM:
        async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS) as form:
            yield Sent(form=form)
    elif kind == JSON:
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
            # writes on a thread what goes to the disk
            spooled = UploadFile(cast(BinaryIO, file))
            async for chunk in request.stream():
                await spooled.write(chunk)
            file.seek(0)
            yield Sent(json=file)
    else:
        raise RequestInvalid(f"Content-Type: send {FORM} or {JSON}")


@dataclass(frozen=True, slots=True, eq=False)  # FastAPI hashes its dependencies
class EitherBody(Generic[Model]):
    """A body of `model`. `files`: the form's file fields, and what the model calls each;
    `json_only`: what a form cannot say; `names`: what the model calls a file's name, where it
    wants to know."""

    model: type[Model]
    files: Mapping[str, str]
    json_only: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)

    def parsed(self, sent: Annotated[Sent, Depends(_sent)]) -> Model:
        """The dependency that gives it.

        Raises:
            RequestValidationError: it is not of the model, in the form's names if it is a form.
        """
        try:
            if sent.json is not None:
                return self.model.model_validate_json(sent.json.read(), strict=True)
            return self.model.model_validate(self._fields(sent.form or FormData()))
        except ValidationError as error:
            raise RequestValidationError(self._placed(error, sent)) from None

    def _fields(self, form: FormData) -> dict[str, Any]:
        """What the form says in the model's names; a text in the place of a file says nothing.

        Raises:
            RequestInvalid: of two values where one is asked for, nobody knows which is meant.
        """
        fields: dict[str, Any] = {}
        once: set[str] = set()
        for key, sent in form.multi_items():
            name = self.files.get(key, key)
            value = sent.file.read() if isinstance(sent, UploadFile) else sent
            if key in self.files and isinstance(value, str):
                continue
            if key in self.names and isinstance(sent, UploadFile) and sent.filename:
                fields.setdefault(self.names[key], sent.filename)
            if self._is_list(name):
                fields.setdefault(name, []).append(value)
            elif name in once:
                raise sent_again(key)
            else:
                fields[name] = value
                once.add(name)
        return fields

    def _is_list(self, name: str) -> bool:
        field = self.model.model_fields.get(name)
        return field is not None and get_origin(field.annotation) is list

    def _placed(self, error: ValidationError, sent: Sent) -> list[dict[str, Any]]:
        names = {} if sent.form is None else {name: field for field, name in self.files.items()}
        return [
            {**each, "loc": ("body", *(names.get(str(part), part) for part in each["loc"]))}
            for each in error.errors(include_url=False, include_input=False)
        ]

    def documented(self) -> dict[str, Any]:
        """The `openapi_extra` of its routes."""
        schema = self.model.model_json_schema()
        schema = _inlined(schema, schema.pop("$defs", {}))
        content = {FORM: {"schema": self._form(schema)}, JSON: {"schema": schema}}
        return {"requestBody": {"required": True, "content": content}}

    def _form(self, schema: dict[str, Any]) -> dict[str, Any]:
        properties, required = schema["properties"], schema.get("required", ())
        fields = {field: _file(properties[name]) for field, name in self.files.items()}
        hidden = {*self.files.values(), *self.json_only}
        texts = {key: _text(each) for key, each in properties.items() if key not in hidden}
        names = [*self.files.items(), *((key, key) for key in texts)]
        return {
            **{key: each for key, each in schema.items() if key != "examples"},
            "properties": fields | texts,
            "required": [field for field, name in names if name in required],
        }


def _file(schema: dict[str, Any]) -> dict[str, Any]:
    """One file, or as many as the model takes."""
    file = {"type": "string", "format": "binary"}
    return schema | {"items": file} if schema.get("type") == "array" else file


def _text(schema: dict[str, Any]) -> dict[str, Any]:
    """Without null, which a form cannot say."""
    others = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(others) != 1:
        return schema
    rest = {key: each for key, each in schema.items() if key not in ("anyOf", "default")}
    return {**others[0], **rest}


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema without references: those of a body written by hand lead nowhere."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {key: _inlined(each, definitions) for key, each in schema.items()}
