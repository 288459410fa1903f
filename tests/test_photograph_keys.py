"""Keys of kept photographs: where they come from, what they open, and what shows of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from service.domain.photographs import Keeping
from service.errors import PhotographDamaged, PhotographKeyMissing, SettingsInvalid
from service.photograph_keys import NAME, NO_KEYS, PhotographKey, PhotographKeys, put_first

IMAGE, OTHER_IMAGE = b"\x01" * 32, b"\x02" * 32
CONTENT = b"the bytes of a photograph"


def keys_of(*keys: PhotographKey) -> PhotographKeys:
    return PhotographKeys(keys)


def test_what_was_sealed_opens_and_does_not_show() -> None:
    keys = keys_of(PhotographKey.new())
    sealed = keys.seal(Keeping.ORIGINALS, CONTENT, IMAGE)
    assert CONTENT not in sealed.content
    assert keys.open(sealed, IMAGE) == CONTENT


def test_the_same_photograph_is_never_sealed_alike() -> None:
    keys = keys_of(PhotographKey.new())
    first, second = (keys.seal(Keeping.CHIPS, CONTENT, IMAGE) for _ in range(2))
    assert first.content != second.content


def test_another_image_s_photograph_does_not_open() -> None:
    keys = keys_of(PhotographKey.new())
    sealed = keys.seal(Keeping.ORIGINALS, CONTENT, IMAGE)
    with pytest.raises(PhotographDamaged):
        keys.open(sealed, OTHER_IMAGE)


def test_a_chip_does_not_pass_for_an_original() -> None:
    keys = keys_of(PhotographKey.new())
    sealed = keys.seal(Keeping.CHIPS, CONTENT, IMAGE)
    with pytest.raises(PhotographDamaged):
        keys.open(replace(sealed, kind=Keeping.ORIGINALS), IMAGE)


def test_a_changed_byte_does_not_open() -> None:
    keys = keys_of(PhotographKey.new())
    sealed = keys.seal(Keeping.ORIGINALS, CONTENT, IMAGE)
    changed = sealed.content[:-1] + bytes([sealed.content[-1] ^ 1])
    with pytest.raises(PhotographDamaged):
        keys.open(replace(sealed, content=changed), IMAGE)


def test_another_key_is_refused_by_the_name_of_the_one_that_is_wanted() -> None:
    sealing = PhotographKey.new()
    sealed = keys_of(sealing).seal(Keeping.ORIGINALS, CONTENT, IMAGE)
    with pytest.raises(PhotographKeyMissing, match=sealing.id):
        keys_of(PhotographKey.new()).open(sealed, IMAGE)


def test_without_a_key_keeping_is_refused_with_what_to_do() -> None:
    with pytest.raises(PhotographKeyMissing, match="facematch photographs new-key"):
        NO_KEYS.check(Keeping.CHIPS)
    NO_KEYS.check(Keeping.NONE)


def test_a_new_key_seals_and_the_old_one_still_opens(tmp_path: Path) -> None:
    old, new = PhotographKey.new(), PhotographKey.new()
    put_first(tmp_path, old)
    sealed = PhotographKeys.read(None, tmp_path).seal(Keeping.ORIGINALS, CONTENT, IMAGE)
    put_first(tmp_path, new)
    keys = PhotographKeys.read(None, tmp_path)
    assert keys.sealing == new
    assert keys.open(sealed, IMAGE) == CONTENT


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
    shown = repr(keys_of(key)) + str(key)
    assert key.text not in shown
    assert repr(key.secret) not in shown
