"""Manifests: which photograph of an archive is for which id."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import IO, Any

from service.domain.consents import FIELDS, Consent, read_consent, valid_consent
from service.domain.imports import ManifestRow
from service.domain.subjects import valid_external_id, valid_metadata
from service.errors import ImportInvalid, ItemInvalid, RequestError

MANIFESTS = ("manifest.csv", "manifest.ndjson", "manifest.jsonl")
"""Their names, at the archive's root."""
MANIFEST_BYTES = 1 << 26
LONGEST_LINE = 1 << 18
CONSENT = "consent_"
COLUMNS = frozenset(CONSENT + name for name in FIELDS)
"""Of a CSV: they tell of the consent, the others are metadata."""
SURPLUS = ""
"""The key of what stands behind the last column of a row."""

Row = tuple[str, ManifestRow | RequestError]
"""The file that it names, or which row it is, and the row, or what is wrong with it."""


def manifest_rows(name: str, file: IO[bytes]) -> Iterator[Row]:
    """The rows of a manifest, each checked by itself.

    Raises:
        ImportInvalid: it is not one at all: no UTF-8, no header.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        read = _csv_rows(text) if name.endswith(".csv") else _json_rows(text)
        for number, values in enumerate(read, start=1):
            yield _checked(f"{name}, row {number}", values)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ImportInvalid(f"The manifest {name} cannot be read: {error}.") from None
    finally:
        text.detach()


def _csv_rows(text: IO[str]) -> Iterator[Any]:
    header = text.readline(LONGEST_LINE)
    separator = ";" if ";" in header and "," not in header else ","
    names = next(csv.reader([header], delimiter=separator), [])
    if not {"file", "id"} <= set(names) or len(set(names)) != len(names):
        raise ImportInvalid(
            "The first line of manifest.csv must name the columns, each once, `file` and `id` "
            "among them."
        )
    for row in csv.DictReader(text, names, restkey=SURPLUS, delimiter=separator):
        values = dict(row)
        file, external_id = values.pop("file"), values.pop("id")
        given = {name: value for name, value in values.items() if name and value}
        surplus = {SURPLUS: True} if SURPLUS in values else {}
        consent = {
            name.removeprefix(CONSENT): given.pop(name) for name in list(given) if name in COLUMNS
        }
        told = {"consent": consent} if consent else {}
        yield {"file": file, "id": external_id, "metadata": given, **told, **surplus}


def _json_rows(text: IO[str]) -> Iterator[Any]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise ImportInvalid(f"The manifest has a line of more than {LONGEST_LINE} characters.")
        if line.strip():
            yield json_object(line, {"file", "id", "metadata", "consent"})


def json_object(line: str | bytes, known: set[str]) -> dict[str, Any] | ItemInvalid:
    """The JSON object on one line, or what is wrong with it: members that nobody knows, too."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return ItemInvalid("the line is not JSON")
    if not isinstance(value, dict):
        return ItemInvalid("the line is not a JSON object")
    if unknown := sorted(value.keys() - known):
        names = ", ".join(f"'{name[:40]}'" for name in unknown[:3])
        return ItemInvalid(f"unknown members {names}; known are {', '.join(sorted(known))}")
    return value


def _checked(row: str, values: Any) -> Row:
    if isinstance(values, RequestError):
        return row, values
    file = values.get("file")
    if not isinstance(file, str) or not file:
        return row, ItemInvalid("file: must name a file of the archive")
    file = file.removeprefix("./")
    if SURPLUS in values:
        return file, ItemInvalid("the row has more values than there are columns")
    try:
        external_id, metadata = subject_of(values)
        consent = consent_of(values)
    except RequestError as error:
        return file, error
    return file, ManifestRow(file, external_id, metadata, consent)


def subject_of(values: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The id and metadata of a JSON object; raises RequestInvalid or ItemInvalid."""
    external_id, metadata = values.get("id"), values.get("metadata")
    if not isinstance(external_id, str):
        raise ItemInvalid("id: must be a text")
    if not isinstance(metadata, dict | None):
        raise ItemInvalid("metadata: must be a JSON object")
    return valid_external_id(external_id), valid_metadata(metadata or {})


def consent_of(values: Mapping[str, Any]) -> Consent | None:
    """The consent that a JSON object tells of; raises RequestInvalid or ItemInvalid."""
    consent = values.get("consent")
    if consent is None:
        return None
    if not isinstance(consent, dict):
        raise ItemInvalid("consent: must be a JSON object")
    return valid_consent(read_consent(consent), datetime.now(UTC))
