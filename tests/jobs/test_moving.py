"""An import into a gallery that gets a second embedding space meanwhile."""

from dataclasses import replace

from service.domain.keys import Caller
from service.jobs.enrolling import Enrolling
from service.jobs.imports import Imports
from service.ports import Store
from service.reembedding import Reembedding
from tests.fakes.analyser import SPACE
from tests.jobs.values import counted, finished, people, tar_of, troubled


def test_what_is_not_committed_by_then_is_embedded_in_both(
    imports: Imports, enrolling: Enrolling, caller: Caller, store: Store
) -> None:
    begun = False

    def begin(_: int) -> None:
        nonlocal begun
        if not begun:
            begun = True
            other = replace(SPACE, model="ArcFace")
            Reembedding(store).begin(caller, "people", other, 0.5)

    _, items = finished(imports, troubled(enrolling, begin), caller, tar_of(people(5)))
    assert counted(items) == {"enrolled": 5}
    with store.transaction(read_only=True) as tx:
        gallery = tx.find_gallery("people")
        assert gallery is not None
        assert tx.reembedding.count_missing(gallery.in_other()) == 0
        assert tx.reembedding.count_missing(gallery) == 0
