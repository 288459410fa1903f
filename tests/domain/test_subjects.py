"""Which ids can name a subject."""

import pytest

from service.domain.subjects import valid_external_id
from service.errors import RequestInvalid

GOOD = ["a", "Grace Hopper", "a/b/c", "Jürgen", "宇航员", "👩‍🚀", "x" * 255, "..", "%2F", "'; --"]
BAD = ["", " ", "\t", "\u3000", "a\x00b", "a\nb", "\x7f", "a\x85b", "x" * 256, "x" * 10_000]


@pytest.mark.parametrize("external_id", GOOD)
def test_good_ids_are_kept_as_they_are(external_id: str) -> None:
    assert valid_external_id(external_id) == external_id


@pytest.mark.parametrize("external_id", BAD)
def test_bad_ids_are_refused_with_a_reason(external_id: str) -> None:
    with pytest.raises(RequestInvalid, match=r"^id: must"):
        valid_external_id(external_id)
