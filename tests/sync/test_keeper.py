"""Snapshot files in the hands of replicas: started from, shared, replaced, and never believed."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import pytest

from service.domain.galleries import Gallery, GallerySettings
from service.index import GalleryIndex
from service.index.snapshot import Identity, describe, snapshot_path
from service.ports import Store
from service.sync import Keeper, Replica, Snapshots
from service.sync.keeper import mapped
from tests.store.values import SPACE, add, embedding, enrol

FACES = 40


class Process:
    """What one process of a host holds; its keeper looks when told to."""

    def __init__(self, store: Store, gallery: Gallery, folder: Path) -> None:
        self.gallery = gallery
        self.snapshots = Snapshots(folder)
        self.replica = Replica(
            store.feed(), poll_s=0.05, stale_s=15, wait_s=5, snapshots=self.snapshots
        )
        self.keeper = Keeper(
            self.snapshots,
            indexes=self.replica.fileable,
            adopt=self.replica.adopt,
            adopting=self.replica.is_adopting,
            look_s=3600,
        )
        self.replica.start()
        self.until(lambda: self.replica.fileable() is not None)

    @property
    def index(self) -> GalleryIndex:
        return self.replica.index(self.gallery.key)

    def look(self) -> None:
        """As the thread does, but at once however hard the last one was."""
        self.keeper._not_before.clear()
        self.keeper.look()
        adopted = self.replica._adopted
        self.until(lambda: not adopted)

    def stop(self) -> None:
        self.replica.close()
        self.keeper.close()

    @staticmethod
    def until(holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.005)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


@pytest.fixture
def path(folder: Path, gallery: Gallery) -> Path:
    return snapshot_path(folder, gallery.key)


@pytest.fixture
def faces(store: Store, gallery: Gallery) -> list[UUID]:
    """Each of its own subject, whose name is the seed of its embedding."""
    return [enrol(store, gallery, str(seed), seed)[1] for seed in range(FACES)]


@pytest.fixture
def begin(
    store: Store, gallery: Gallery, folder: Path, faces: list[UUID]
) -> Iterator[Callable[[], Process]]:
    with ExitStack() as stack:

        def start() -> Process:
            process = Process(store, gallery, folder)
            stack.callback(process.stop)
            return process

        yield start


def delete(store: Store, gallery: Gallery, *names: str) -> None:
    with store.transaction() as tx:
        for name in names:
            tx.delete_subject(gallery.id, name)


def caught_up(process: Process, store: Store) -> None:
    with store.transaction() as tx:
        found = tx.find_gallery(process.gallery.name)
    assert found is not None
    assert process.replica.wait_for(found.id, found.version)
    assert process.index.version == found.version


Begin = Callable[[], Process]


def test_a_replica_stands_on_the_file_it_wrote(begin: Begin, path: Path) -> None:
    process = begin()
    before = process.index.contents()
    assert not mapped(process.index.state)
    process.look()
    assert mapped(process.index.state)
    assert process.index.contents().keys() == before.keys()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_start_reads_the_file_and_only_what_came_since(
    begin: Begin, store: Store, gallery: Gallery, caplog: pytest.LogCaptureFixture
) -> None:
    begin().stop()
    delete(store, gallery, "0")
    enrol(store, gallery, "new", 1000)
    with caplog.at_level(logging.INFO):
        process = begin()
    assert f"{FACES} faces from the snapshot" in caplog.text
    state = process.index.state
    assert mapped(state)
    assert (state.faces, len(state.base), len(state.tail.alive)) == (FACES, FACES, 1)


def test_an_erased_face_leaves_the_file(
    begin: Begin, store: Store, gallery: Gallery, path: Path
) -> None:
    process = begin()
    process.look()
    assert embedding(7).tobytes() in path.read_bytes()
    delete(store, gallery, "7")
    caught_up(process, store)
    process.look()
    content = path.read_bytes()
    assert embedding(7).tobytes() not in content
    assert embedding(8).tobytes() in content
    # and the memory of the process: it stands on the new file
    assert mapped(process.index.state)
    assert len(process.index.state.base) == FACES - 1


def test_stopping_leaves_no_erased_face_behind(
    begin: Begin, store: Store, gallery: Gallery, path: Path
) -> None:
    process = begin()
    process.look()
    delete(store, gallery, "7")
    caught_up(process, store)
    process.stop()
    assert embedding(7).tobytes() not in path.read_bytes()


def test_processes_of_a_host_share_the_newest_file(
    begin: Begin, store: Store, gallery: Gallery, path: Path
) -> None:
    one, other = begin(), begin()
    one.look()
    other.look()
    written = path.stat().st_ino
    delete(store, gallery, "7")
    for process in (one, other):
        caught_up(process, store)
    one.look()
    rewritten = path.stat().st_ino
    assert rewritten != written
    enrol(store, gallery, "new", 1000)
    for process in (other, one, other):
        process.look()
    assert path.stat().st_ino == rewritten
    for process in (one, other):
        caught_up(process, store)
        state = process.index.state
        assert mapped(state)
        assert (len(state.base), state.faces) == (FACES - 1, FACES)


def test_few_new_faces_do_not_have_it_written_again(
    begin: Begin, store: Store, gallery: Gallery, path: Path
) -> None:
    process = begin()
    process.look()
    written = path.stat().st_ino
    enrol(store, gallery, "new", 1000)
    caught_up(process, store)
    process.look()
    assert path.stat().st_ino == written
    with store.transaction() as tx:
        for seed in range(2000, 2010):
            add(tx, gallery, str(seed), seed)
    caught_up(process, store)
    process.look()  # but many do, once enough time has passed
    assert path.stat().st_ino == written
    process.keeper._grown_at.clear()
    process.look()
    assert path.stat().st_ino != written


def test_a_file_of_a_history_that_the_database_lost_is_not_believed(
    begin: Begin, store: Store, gallery: Gallery, path: Path
) -> None:
    process = begin()
    process.stop()
    with store.transaction() as tx:
        # what a failover leaves behind: as many versions, of other content
        tx.delete_subject(gallery.id, "3")
    rewrite(store, "UPDATE gallery SET mark = gen_random_uuid(), version = version - 1")
    process = begin()
    assert len(process.index) == FACES - 1
    for _ in range(3):
        process.look()
    assert describe(path).version == process.index.version
    assert mapped(process.index.state)
    assert embedding(3).tobytes() not in path.read_bytes()


def rewrite(store: Store, statement: str) -> None:
    with store.transaction() as tx:
        tx._connection.exec_driver_sql(statement)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-100],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda _: b"",
    ],
    ids=["cut short", "another byte", "empty"],
)
def test_a_damaged_file_is_said_and_replaced(
    begin: Begin,
    path: Path,
    damage: Callable[[bytes], bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    process = begin()
    process.look()
    process.stop()
    content = path.read_bytes()
    path.write_bytes(damage(content))
    process = begin()
    assert "is ignored" in caplog.text
    assert len(process.index) == FACES
    process.look()
    process.look()
    assert mapped(process.index.state)
    assert len(path.read_bytes()) == len(content)


def test_a_file_that_cannot_be_replaced_is_removed(
    begin: Begin,
    store: Store,
    gallery: Gallery,
    path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    process = begin()
    process.look()
    delete(store, gallery, "7")
    caught_up(process, store)
    # the temporary name is taken by what cannot be removed as a file, as by a full disk
    path.with_name(path.name + ".tmp").mkdir()
    process.look()
    assert not path.exists()
    assert "cannot be written" in caplog.text
    path.with_name(path.name + ".tmp").rmdir()
    process.look()
    assert embedding(7).tobytes() not in path.read_bytes()


def test_an_index_that_differed_leaves_files_alone_from_then_on(
    begin: Begin, store: Store, gallery: Gallery, path: Path
) -> None:
    """Another process may hold the same mistake, and write it down again."""
    one, other = begin(), begin()
    one.look()
    other.look()
    rewrite(
        store,
        "ALTER TABLE face_embedding DISABLE TRIGGER feed_delete;"
        "DELETE FROM face_embedding WHERE face_id = (SELECT id FROM face LIMIT 1);"
        "ALTER TABLE face_embedding ENABLE ALWAYS TRIGGER feed_delete",
    )
    wrong = one.index
    one.replica.distrust(gallery.key)
    assert not path.exists()
    one.until(lambda: one.index is not wrong)
    other.look()  # still wrong, it writes its own
    for number in range(3):
        enrol(store, gallery, f"new-{number}", 1000 + number)
        for process in (one, other):
            caught_up(process, store)
            process.look()
        assert len(one.index) == FACES - 1 + number + 1
        assert not mapped(one.index.state)


def test_what_a_distrusted_write_left_is_removed(begin: Begin, path: Path) -> None:
    process = begin()
    process.look()
    content = path.read_bytes()
    process.replica.distrust(process.gallery.key)
    path.write_bytes(content)  # as a write does that had begun before
    process.look()
    assert not path.exists()


def test_what_a_killed_writer_left_is_removed(begin: Begin, path: Path) -> None:
    process = begin()
    process.look()
    left = path.with_name(path.name + ".tmp")
    left.write_bytes(embedding(7).tobytes())
    process.look()
    assert not left.exists()
    assert path.exists()


def test_a_process_that_cannot_follow_leaves_a_newer_file_alone(
    begin: Begin, store: Store, gallery: Gallery, path: Path
) -> None:
    stuck, healthy = begin(), begin()
    stuck.look()
    healthy.look()
    stuck.replica.close()
    delete(store, gallery, "7")
    caught_up(healthy, store)
    healthy.look()
    assert embedding(7).tobytes() not in path.read_bytes()
    for _ in range(3):
        stuck.keeper._not_before.clear()
        stuck.keeper.look()
        assert embedding(7).tobytes() not in path.read_bytes()
        healthy.look()
    stuck.keeper.close()
    assert embedding(7).tobytes() not in path.read_bytes()


def test_the_file_of_a_deleted_gallery_is_removed(
    begin: Begin, store: Store, gallery: Gallery, path: Path
) -> None:
    with store.transaction() as tx:
        other = tx.create_gallery("other", SPACE, GallerySettings(0.5))
    process = begin()
    process.look()
    assert path.exists()
    rewrite(store, f"DELETE FROM gallery WHERE id = '{gallery.id}'")
    process.until(lambda: gallery.key not in process.replica.indexes())
    process.look()
    assert [each.name for each in path.parent.iterdir()] == [
        snapshot_path(path.parent, other.key).name
    ]


def test_an_older_index_never_answers_in_a_newer_ones_place(
    begin: Begin, store: Store, gallery: Gallery
) -> None:
    process = begin()
    identity = Identity(gallery.id, gallery.space_id, SPACE.dimension)
    process.look()
    enrol(store, gallery, "new", 1000)
    caught_up(process, store)
    newest = process.index.version.number
    for _ in range(50):
        index = process.snapshots.load(identity)
        assert index is not None
        assert index.version.number < newest
        process.replica.adopt(gallery.key, index)
        while process.replica._adopted:
            assert process.index.version.number == newest
    assert process.index is index
    assert len(process.index) == FACES + 1


def test_one_gallerys_failure_leaves_the_others_their_files(
    begin: Begin,
    store: Store,
    gallery: Gallery,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with store.transaction() as tx:
        other = tx.create_gallery("other", SPACE, GallerySettings(0.5))
    process = begin()
    header = process.snapshots.header

    def failing(identity: Identity) -> object:
        if identity.gallery_id == gallery.id:
            raise RuntimeError
        return header(identity)

    monkeypatch.setattr(process.snapshots, "header", failing)
    process.look()
    assert snapshot_path(path.parent, other.key).exists()
    assert "unexpected failure" in caplog.text
