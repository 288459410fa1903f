"""Keys of kept photographs: where they come from, what they open, and what shows of them."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from service.domain.photographs import Keeping, KeptPhotograph, OpenPhotograph
from service.errors import PhotographDamaged, PhotographKeyMissing, SettingsInvalid
from service.photograph_keys import NAME, NO_KEYS, PhotographKey, PhotographKeys, put_first

PHOTOGRAPH = OpenPhotograph(
    uuid4(), uuid4(), Keeping.ORIGINALS, b"\x01" * 32, b"the bytes of a photograph"
)


def keys_of(*keys: PhotographKey) -> PhotographKeys:
    return PhotographKeys(keys)


def kept(keys: PhotographKeys, photograph: OpenPhotograph = PHOTOGRAPH) -> KeptPhotograph:
    """As the tables hold it."""
    sealed = keys.seal(photograph)
    return KeptPhotograph(
        photograph.face_id, photograph.gallery_id, photograph.image_sha256, sealed
    )


def test_what_was_sealed_opens_and_does_not_show() -> None:
    keys = keys_of(PhotographKey.new())
    row = kept(keys)
    assert PHOTOGRAPH.content not in row.sealed.content
    assert keys.open(row) == PHOTOGRAPH


def test_the_same_photograph_is_never_sealed_alike() -> None:
    keys = keys_of(PhotographKey.new())
    assert keys.seal(PHOTOGRAPH).content != keys.seal(PHOTOGRAPH).content


@pytest.mark.parametrize(
    "moved",
    [{"face_id": uuid4()}, {"gallery_id": uuid4()}, {"image_sha256": b"\x02" * 32}],
    ids=["face", "gallery", "image"],
)
def test_another_one_s_photograph_does_not_open(moved: dict[str, object]) -> None:
    keys = keys_of(PhotographKey.new())
    with pytest.raises(PhotographDamaged):
        keys.open(replace(kept(keys), **moved))  # type: ignore[arg-type]  # any one of the fields


def test_a_chip_does_not_pass_for_an_original() -> None:
    keys = keys_of(PhotographKey.new())
    row = kept(keys)
    with pytest.raises(PhotographDamaged):
        keys.open(replace(row, sealed=replace(row.sealed, kind=Keeping.CHIPS)))


def test_a_changed_byte_does_not_open() -> None:
    keys = keys_of(PhotographKey.new())
    row = kept(keys)
    content = row.sealed.content
    for changed in (content[:-1] + bytes([content[-1] ^ 1]), content[:20], b""):
        with pytest.raises(PhotographDamaged):
            keys.open(replace(row, sealed=replace(row.sealed, content=changed)))


def test_another_key_is_refused_by_the_name_of_the_one_that_is_wanted() -> None:
    sealing = PhotographKey.new()
    row = kept(keys_of(sealing))
    with pytest.raises(PhotographKeyMissing, match=sealing.id):
        keys_of(PhotographKey.new()).open(row)


def test_without_a_key_keeping_is_refused_with_what_to_do() -> None:
    with pytest.raises(PhotographKeyMissing, match="facematch photographs new-key"):
        NO_KEYS.check(Keeping.CHIPS)
    NO_KEYS.check(Keeping.NONE)


def test_a_new_key_seals_and_the_old_one_still_opens(tmp_path: Path) -> None:
    old, new = PhotographKey.new(), PhotographKey.new()
    put_first(tmp_path, old)
    row = kept(PhotographKeys.read(None, tmp_path))
    put_first(tmp_path, new)
    keys = PhotographKeys.read(None, tmp_path)
    assert keys.sealing == new
    assert keys.open(row) == PHOTOGRAPH


def test_the_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    path = put_first(tmp_path, PhotographKey.new())
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(SettingsInvalid, match="chmod 600"):
        PhotographKeys.read(None, tmp_path)


def test_the_setting_stands_in_for_the_file(tmp_path: Path) -> None:
    put_first(tmp_path, PhotographKey.new())
    given = PhotographKey.new()
    assert PhotographKeys.read(given.text, tmp_path) == keys_of(given)
    assert (tmp_path / NAME).exists()


def test_what_is_no_key_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        PhotographKeys.read("c2VjcmV0", tmp_path)
    assert "c2VjcmV0" not in str(refused.value)


def test_a_key_does_not_show_where_it_is_printed() -> None:
    key = PhotographKey.new()
    shown = repr(keys_of(key)) + str(key) + repr(kept(keys_of(key)))
    assert key.text not in shown
    assert repr(key.secret) not in shown
    assert "bytes of a photograph" not in repr(PHOTOGRAPH)
