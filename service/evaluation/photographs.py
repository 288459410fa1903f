"""The photographs of a folder that labels name, each numbered once."""

from dataclasses import dataclass
from pathlib import Path

from service.errors import InputFileInvalid

SUBFOLDER = "images"
"""Where photographs may lie below the folder, besides the folder itself."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """`name` is what the labels call it."""

    name: str
    path: Path


class Album:
    """Numbers photographs from 0 in the order in which they are first named.

    Two names of one file are one photograph, so it is embedded once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers: dict[Path, int] = {}
        self._named: dict[str, int] = {}
        self.photographs: list[Photograph] = []

    def number(self, name: str, place: str) -> int:
        """The number of the photograph of that name.

        Args:
            name: relative to the folder, or to `images` below it where the first is no file.
            place: where the name was read, for the error.

        Raises:
            InputFileInvalid: there is no such file.
        """
        if name not in self._named:
            self._named[name] = self.add(name, self._path(name, place))
        return self._named[name]

    def add(self, name: str, path: Path) -> int:
        """The number of the photograph at `path`, which exists."""
        key = path.resolve()
        if key not in self._numbers:
            self._numbers[key] = len(self.photographs)
            self.photographs.append(Photograph(name, path))
        return self._numbers[key]

    def _path(self, name: str, place: str) -> Path:
        places = (self._folder / name, self._folder / SUBFOLDER / name)
        for path in places:
            if path.is_file():
                return path
        raise InputFileInvalid(
            f"{place}: there is no photograph '{name}' in {self._folder} or "
            f"{self._folder / SUBFOLDER}; names are relative to these."
        )
