"""Labels: which photographs show one person, from CSV files or from folders."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from service.errors import InputFileInvalid
from service.evaluation.pairs import Numbers, Pairs, pairs_among
from service.evaluation.photographs import Album, Photograph

PAIRS_FILE = "pairs.csv"
IDENTITIES_FILE = "identities.csv"
SAME = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Labels:
    """`pairs` are what verification is measured on, `people` what identification is: the number
    of the person on each photograph, -1 where that is not said, shape (photographs,); None where
    people are not named. `source` says in a few words where the labels come from."""

    photographs: tuple[Photograph, ...]
    pairs: Pairs
    people: Numbers | None
    source: str


def read_labels(
    folder: Path,
    *,
    pairs: Path | None = None,
    identities: Path | None = None,
    by_folder: bool = False,
) -> Labels:
    """Read the labels of a folder of photographs.

    Args:
        folder: where the photographs are, in it or in its sub-folder `images`.
        pairs: CSV file `image_a,image_b,same_person`; looked for in `folder` too.
        identities: CSV file `image,person`; looked for in `folder` too.
        by_folder: each sub-folder holds the photographs of one person.

    With none of the three, `pairs.csv` and `identities.csv` in the folder are taken, both where
    both are there, else sub-folders. Where there are no labelled pairs, all pairs among the
    labelled people are.

    Raises:
        InputFileInvalid: no such folder, file, column or photograph, a wrong or contradicting
            value, or labels without a pair of one person or without a pair of two.
    """
    if not folder.is_dir():
        raise InputFileInvalid(f"{folder} is not a folder.")
    if not (pairs or identities or by_folder):
        pairs = _present(folder / PAIRS_FILE)
        identities = _present(folder / IDENTITIES_FILE)
    if pairs or identities:
        labels = _from_files(folder, _found(folder, pairs), _found(folder, identities))
    else:
        labels = _from_folders(folder)
    if not labels.pairs.same.any() or labels.pairs.same.all():
        missing = "two people" if labels.pairs.same.any() else "one person"
        raise InputFileInvalid(
            f"The labels ({labels.source}) hold no pair of photographs of {missing}; "
            "both kinds are needed."
        )
    return labels


def _present(path: Path) -> Path | None:
    return path if path.is_file() else None


def _found(folder: Path, path: Path | None) -> Path | None:
    """The file as named, else the one of that name in the folder."""
    if path is None or path.is_file() or not (folder / path).is_file():
        return path
    return folder / path


def _from_files(folder: Path, pairs_file: Path | None, identities_file: Path | None) -> Labels:
    album = Album(folder)
    pairs = None if pairs_file is None else _read_pairs(pairs_file, album)
    named = {} if identities_file is None else _read_identities(identities_file, album)
    people = None if identities_file is None else _numbered(named, len(album.photographs))
    if pairs is None:
        assert people is not None  # one of the two files is given
        pairs = pairs_among(people)
    source = " and ".join(str(path.name) for path in (pairs_file, identities_file) if path)
    return Labels(tuple(album.photographs), pairs, people, source)


def _numbered(named: dict[int, str], photographs: int) -> Numbers:
    numbers = {person: number for number, person in enumerate(sorted(set(named.values())))}
    people = np.full(photographs, -1, dtype=np.int64)
    for photograph, person in named.items():
        people[photograph] = numbers[person]
    return people


def _read_pairs(path: Path, album: Album) -> Pairs:
    labelled: dict[tuple[int, int], bool] = {}
    for place, (name_a, name_b, answer) in _rows(path, ("image_a", "image_b", "same_person")):
        same = SAME.get(answer.lower())
        if same is None:
            raise InputFileInvalid(f"{place}: same_person must be true or false, not '{answer}'.")
        one, other = sorted((album.number(name_a, place), album.number(name_b, place)))
        if one == other:
            raise InputFileInvalid(f"{place}: '{name_a}' is paired with itself.")
        if labelled.setdefault((one, other), same) != same:
            raise InputFileInvalid(f"{place}: an earlier line says the opposite of this pair.")
    numbers = np.array(list(labelled), dtype=np.int64).reshape(-1, 2)
    return Pairs(numbers[:, 0], numbers[:, 1], np.array(list(labelled.values()), dtype=np.bool_))


def _read_identities(path: Path, album: Album) -> dict[int, str]:
    people: dict[int, str] = {}
    for place, (name, person) in _rows(path, ("image", "person")):
        number = album.number(name, place)
        if people.setdefault(number, person) != person:
            raise InputFileInvalid(
                f"{place}: '{name}' shows '{person}' here and '{people[number]}' in an earlier "
                "line; a photograph can be of one person only."
            )
    return people


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Each row's place, for errors, and its values of those columns, none of them empty."""
    try:
        # Excel writes a byte order mark
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, skipinitialspace=True)
            _check_columns(path, list(reader.fieldnames or ()), columns)
            for row in reader:
                place = f"{path.name}, line {reader.line_num}"
                values = [(row[column] or "").strip() for column in columns]
                if "" in values:
                    raise InputFileInvalid(f"{place}: {columns[values.index('')]} is empty.")
                yield place, values
    except OSError as error:
        raise InputFileInvalid(f"{path} cannot be read: {error.strerror}.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputFileInvalid(f"{path} is not a CSV file in UTF-8: {error}.") from error


def _check_columns(path: Path, found: list[str], wanted: tuple[str, ...]) -> None:
    missing = [column for column in wanted if column not in found]
    if missing:
        raise InputFileInvalid(
            f"{path.name}, line 1: the column {missing[0]} is missing; the first line must name "
            f"the columns {','.join(wanted)}, separated by commas."
        )


def _from_folders(folder: Path) -> Labels:
    album = Album(folder)
    named: dict[int, str] = {}
    for person in sorted(path for path in folder.iterdir() if path.is_dir() and _visible(path)):
        for file in sorted(person.iterdir()):
            if file.is_file() and _visible(file):
                name = f"{person.name}/{file.name}"
                named.setdefault(album.add(name, file), person.name)
    if len(set(named.values())) < 2:
        raise InputFileInvalid(
            f"{folder} has no labels: put {PAIRS_FILE} or {IDENTITIES_FILE} there, name them with "
            "--pairs or --identities, or keep the photographs of each person in a folder."
        )
    people = _numbered(named, len(album.photographs))
    return Labels(tuple(album.photographs), pairs_among(people), people, "a folder a person")


def _visible(path: Path) -> bool:
    return not path.name.startswith(".")
