"""Labels from CSV files and folders, and which sentence a wrong one gets."""

from pathlib import Path

import pytest

from service.errors import InputFileInvalid
from service.evaluation.labels import Labels, read_labels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a1.jpg", "a2.jpg", "b1.jpg", "images/c1.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(labels: Labels) -> list[str]:
    return [photograph.name for photograph in labels.photographs]


def labelled(labels: Labels) -> set[tuple[str, str, bool]]:
    said = names(labels)
    rows = zip(labels.pairs.one, labels.pairs.other, labels.pairs.same, strict=True)
    return {(said[one], said[other], bool(same)) for one, other, same in rows}


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


PAIRS = ("image_a,image_b,same_person", "a1.jpg,a2.jpg,true", "a2.jpg,b1.jpg,false")
IDENTITIES = ("image,person", "a1.jpg,ada", "a2.jpg,ada", "b1.jpg,bob")


def test_pairs_are_read(folder: Path) -> None:
    labels = read_labels(folder, pairs=write(folder / "some.csv", *PAIRS))
    assert labelled(labels) == {("a1.jpg", "a2.jpg", True), ("a2.jpg", "b1.jpg", False)}
    assert labels.people is None
    assert labels.source == "some.csv"


def test_identities_make_every_pair(folder: Path) -> None:
    labels = read_labels(folder, identities=write(folder / "who.csv", *IDENTITIES))
    assert labelled(labels) == {
        ("a1.jpg", "a2.jpg", True),
        ("a1.jpg", "b1.jpg", False),
        ("a2.jpg", "b1.jpg", False),
    }
    assert labels.people is not None
    assert labels.people.tolist() == [0, 0, 1]


def test_both_files_of_the_folder_are_found_and_each_has_its_part(folder: Path) -> None:
    write(folder / "pairs.csv", *PAIRS)
    write(folder / "identities.csv", *IDENTITIES)
    labels = read_labels(folder)
    assert len(labels.pairs) == 2
    assert labels.people is not None
    assert labels.people.tolist() == [0, 0, 1]
    assert labels.source == "pairs.csv and identities.csv"


def test_a_named_file_alone_counts(folder: Path) -> None:
    write(folder / "pairs.csv", *PAIRS)
    write(folder / "identities.csv", *IDENTITIES)
    assert read_labels(folder, pairs=folder / "pairs.csv").people is None
    assert len(read_labels(folder, identities=folder / "identities.csv").pairs) == 3


def test_a_file_is_looked_for_in_the_folder_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write(folder / "some.csv", *PAIRS)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert len(read_labels(folder, pairs=Path("some.csv")).pairs) == 2


def test_photographs_may_lie_in_images(folder: Path) -> None:
    labels = read_labels(folder, pairs=write(folder / "p.csv", *PAIRS, "a1.jpg,c1.jpg,no"))
    assert labels.photographs[-1].path == folder / "images" / "c1.jpg"


def test_two_names_of_one_file_are_one_photograph(folder: Path) -> None:
    labels = read_labels(
        folder, pairs=write(folder / "p.csv", *PAIRS, "c1.jpg,a1.jpg,0", "images/c1.jpg,b1.jpg,0")
    )
    assert names(labels) == ["a1.jpg", "a2.jpg", "b1.jpg", "c1.jpg"]


def test_a_pair_named_twice_counts_once(folder: Path) -> None:
    labels = read_labels(folder, pairs=write(folder / "p.csv", *PAIRS, "a2.jpg,a1.jpg,TRUE"))
    assert len(labels.pairs) == 2


def test_spreadsheets_write_a_byte_order_mark_spaces_and_more_columns(folder: Path) -> None:
    text = "\ufeffcomment,image_a, image_b,same_person\r\n,a1.jpg, a2.jpg,Yes\r\n,a1.jpg,b1.jpg,No"
    (folder / "p.csv").write_text(text, encoding="utf-8")
    assert labelled(read_labels(folder, pairs=folder / "p.csv")) == {
        ("a1.jpg", "a2.jpg", True),
        ("a1.jpg", "b1.jpg", False),
    }


def test_a_folder_a_person(tmp_path: Path) -> None:
    for name in ("ada/1.jpg", "ada/2.jpg", "bob/1.jpg", ".cache/x.jpg", "bob/.hidden", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for labels in (read_labels(tmp_path), read_labels(tmp_path, by_folder=True)):
        assert names(labels) == ["ada/1.jpg", "ada/2.jpg", "bob/1.jpg"]
        assert labels.people is not None
        assert labels.people.tolist() == [0, 0, 1]
        assert labels.source == "a folder a person"


def test_by_folder_passes_over_the_files(folder: Path) -> None:
    write(folder / "pairs.csv", *PAIRS)
    with pytest.raises(InputFileInvalid, match=r"no labels.*--pairs"):
        read_labels(folder, by_folder=True)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["image_a,image_b", "a1.jpg,a2.jpg"], "p.csv, line 1: the column same_person is missing"),
        (["image_a;image_b;same_person"], "line 1: the column image_a is missing.*commas"),
        ([], "line 1: the column image_a is missing"),
        ([*PAIRS, "a1.jpg,nobody.jpg,true"], "p.csv, line 4: there is no photograph 'nobody.jpg'"),
        ([*PAIRS, "a1.jpg,c1.jpg,maybe"], "line 4: same_person must be true or false, not 'maybe'"),
        ([*PAIRS, "a1.jpg,c1.jpg"], "line 4: same_person is empty"),
        ([*PAIRS, ",c1.jpg,true"], "line 4: image_a is empty"),
        ([*PAIRS, "a1.jpg,a1.jpg,true"], "line 4: 'a1.jpg' is paired with itself"),
        ([*PAIRS, "a2.jpg,a1.jpg,false"], "line 4: an earlier line says the opposite"),
        (list(PAIRS[:2]), "no pair of photographs of two people"),
        ([PAIRS[0], PAIRS[2]], "no pair of photographs of one person"),
    ],
)
def test_wrong_pairs_are_named_with_their_line(
    folder: Path, lines: list[str], sentence: str
) -> None:
    with pytest.raises(InputFileInvalid, match=sentence):
        read_labels(folder, pairs=write(folder / "p.csv", *lines))


def test_a_photograph_of_two_people_is_refused(folder: Path) -> None:
    path = write(folder / "i.csv", *IDENTITIES, "a1.jpg,bob")
    with pytest.raises(InputFileInvalid, match=r"i.csv, line 5: 'a1.jpg' shows 'bob'"):
        read_labels(folder, identities=path)


def test_a_missing_file_and_a_missing_folder_are_named(folder: Path) -> None:
    with pytest.raises(InputFileInvalid, match=r"none\.csv cannot be read: No such file"):
        read_labels(folder, pairs=folder / "none.csv")
    with pytest.raises(InputFileInvalid, match="is not a folder"):
        read_labels(folder / "a1.jpg")


def test_a_file_that_is_no_text_is_named(folder: Path) -> None:
    (folder / "p.csv").write_bytes(b"\xff\xd8\xff\xe0 a photograph")
    with pytest.raises(InputFileInvalid, match="is not a CSV file in UTF-8"):
        read_labels(folder, pairs=folder / "p.csv")
