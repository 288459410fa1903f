"""Reads the items of one list in a large JSON file without holding the file in memory."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from service.errors import InputFileInvalid

CHUNK = 1 << 20
LONGEST_VALUE = 1 << 28
"""Characters of one value; a file that needs more is not one of ours, or is not JSON."""
WHITESPACE = " \t\n\r"


class JsonObjectReader:
    """Walks the members of a top-level JSON object; one value is in memory at a time.

    Python's decoder is used, since old databases were written by it and hold its `NaN`, which the
    streaming parsers for strict JSON refuse together with the rest of the file.
    """

    def __init__(self, file: TextIO, name: str, on_read: Callable[[int], None]) -> None:
        self._file = file
        self._on_read = on_read
        self._name = name
        self._text = ""
        self._decoder = json.JSONDecoder()

    def items(self, key: str) -> Iterator[Any]:
        """The values of the list under `key`, one by one.

        Raises:
            InputFileInvalid: not a JSON object, no list under the key, or cut off.
        """
        self._expect("{")
        while self._peek() != "}":
            name = self._value()
            self._expect(":")
            if name == key:
                yield from self._list()
                return
            self._value()
            self._skip_comma("}")
        raise InputFileInvalid(f"{self._name} has no list named '{key}'.")

    def _list(self) -> Iterator[Any]:
        self._expect("[")
        while self._peek() != "]":
            yield self._value()
            self._skip_comma("]")

    def _value(self) -> Any:
        self._peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text)
            except json.JSONDecodeError as error:
                if len(self._text) > LONGEST_VALUE or not self._fill():
                    raise self._broken(str(error)) from None
                continue
            if end == len(self._text) and self._fill():
                continue  # a number at the end of the chunk may go on in the next
            self._text = self._text[end:]
            return value

    def _peek(self) -> str:
        self._text = self._text.lstrip(WHITESPACE)
        while not self._text:
            if not self._fill():
                raise self._broken("it ends too early")
            self._text = self._text.lstrip(WHITESPACE)
        return self._text[0]

    def _expect(self, character: str) -> None:
        found = self._peek()
        if found != character:
            raise self._broken(f"expected '{character}' and found '{found}'")
        self._text = self._text[1:]

    def _skip_comma(self, closing: str) -> None:
        if self._peek() != closing:
            self._expect(",")

    def _fill(self) -> bool:
        try:
            chunk = self._file.read(max(CHUNK, len(self._text)))
        except UnicodeDecodeError as error:
            raise self._broken(str(error)) from None
        self._text += chunk
        self._on_read(len(chunk))
        return bool(chunk)

    def _broken(self, why: str) -> InputFileInvalid:
        return InputFileInvalid(f"{self._name} is not a complete JSON file: {why}.")


def json_items(
    path: Path, key: str, on_read: Callable[[int], None] = lambda characters: None
) -> Iterator[Any]:
    """The items of the list `key` of a JSON file; `on_read` is told of every chunk's length.

    Raises:
        InputFileInvalid: see `JsonObjectReader.items`, or the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as file:
            yield from JsonObjectReader(file, path.name, on_read).items(key)
    except OSError as error:
        raise InputFileInvalid(f"{path} cannot be read: {error.strerror}.") from error
