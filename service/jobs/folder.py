"""Enrols a folder of photographs: spooled, then worked on here and by whoever else is free."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from service.domain.imports import ImportJob, ItemStatus, ListedItem
from service.domain.keys import trusted
from service.domain.subjects import usable_id, valid_external_id
from service.errors import InputFileInvalid, ItemInvalid, RequestError, UnavailableError
from service.images import ImageLimits, too_many_bytes
from service.jobs.enrolling import Enrolling
from service.jobs.imports import Imports
from service.jobs.outcomes import Outcome, Verdict
from service.jobs.spooling import Spooling, spooling
from service.ports import Store

CALLER = trusted("facematch enroll")
LOOK_S = 0.2
PAGE = 1000


@dataclass(frozen=True, slots=True)
class FolderItem:
    path: Path
    external_id: str


@dataclass(frozen=True, slots=True)
class Folder:
    """The photographs of a folder with the ids they are for, and what is there besides."""

    path: Path
    items: list[FolderItem]
    passed_over: list[Path]


def read_folder(path: Path, *, by_folder: bool) -> Folder:
    """The photographs of a folder with the ids they are for.

    A file's name without its ending is the id; with `by_folder` each sub-folder's name is the id
    of everybody in it. Hidden files are passed over.

    Raises:
        InputFileInvalid: no such folder, or nothing in it to enrol.
    """
    if not path.is_dir():
        raise InputFileInvalid(f"{path} is not a folder.")
    files, folders = _content(path)
    if by_folder:
        inner = {folder: _content(folder) for folder in folders}
        items = [
            FolderItem(file, sub.name) for sub, (inside, _) in inner.items() for file in inside
        ]
        passed_over = files + [deeper for _, folders in inner.values() for deeper in folders]
    else:
        items, passed_over = [FolderItem(file, file.stem) for file in files], folders
    if not items:
        hint = "" if by_folder else " (for a folder per person, use --by-folder)"
        raise InputFileInvalid(f"{path} holds no files to enrol{hint}.")
    return Folder(path, items, passed_over)


def _content(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files and the folders in it, by name."""
    visible = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    files = [path for path in visible if path.is_file()]
    return files, [path for path in visible if path.is_dir()]


@dataclass(frozen=True, slots=True)
class FolderEnrolment:
    """`several` lets a subject have more than one face, as a folder per person does; `threads`
    work on photographs here."""

    store: Store
    imports: Imports
    enrolling: Enrolling
    gallery: str
    images: ImageLimits
    several: bool
    threads: int

    def run(
        self, folder: Folder, on_spooled: Callable[[], None], on_done: Callable[[int], None]
    ) -> Iterator[Outcome]:
        """Enrol the folder, then say what became of each photograph, in order.

        Safe to run again: a photograph that its subject already has is skipped. Whoever stops it
        cancels it; what was committed stays.

        Args:
            on_spooled: called for each photograph that is in the database.
            on_done: called with the number of those that are done, now and then.

        Raises:
            UnavailableError: the database or the model went away; what was enrolled is stored.
        """
        job = self._spool(folder, on_spooled)
        with self._cancelled_when_stopped(job):
            self._work(job, on_done)
        yield from self._outcomes(job, folder.path)

    def _spool(self, folder: Folder, on_spooled: Callable[[], None]) -> ImportJob:
        with spooling(
            self.store,
            CALLER,
            self.gallery,
            several=self.several,
            certain=True,
            max_items=len(folder.items),
        ) as into:
            for item in folder.items:
                self._add(into, item, str(item.path.relative_to(folder.path)))
                on_spooled()
            return into.publish(CALLER)

    def _add(self, into: Spooling, item: FolderItem, file: str) -> None:
        try:
            valid_external_id(item.external_id)
            if item.path.stat().st_size > self.images.max_bytes:
                raise too_many_bytes(self.images)
            into.add(file, item.external_id, photograph=item.path.read_bytes())
        except OSError as error:
            into.refuse(file, item.external_id, ItemInvalid(f"it cannot be read: {error.strerror}"))
        except RequestError as error:
            into.refuse(file, usable_id(item.external_id), error)

    def _work(self, job: ImportJob, on_done: Callable[[int], None]) -> None:
        stopping = threading.Event()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                working = {pool.submit(self._turns, job.id, stopping) for _ in range(self.threads)}
                while working:
                    ended, working = wait(working, LOOK_S, FIRST_EXCEPTION)
                    for each in ended:
                        each.result()
                    on_done(self.imports.read(CALLER, job.id).done)
            finally:
                stopping.set()

    def _turns(self, job_id: UUID, stopping: threading.Event) -> None:
        while not stopping.is_set():
            again_s = self.enrolling.work(job_id, stopping.is_set)
            if again_s is None:
                return
            stopping.wait(min(again_s, LOOK_S))  # others hold the last ones

    @contextmanager
    def _cancelled_when_stopped(self, job: ImportJob) -> Iterator[None]:
        try:
            yield
        except BaseException:
            with suppress(UnavailableError):
                self.imports.cancel(CALLER, job.id)
            raise

    def _outcomes(self, job: ImportJob, folder: Path) -> Iterator[Outcome]:
        after = 0
        while page := self.imports.items(CALLER, job.id, None, after, PAGE):
            for item in page:
                yield _outcome(item, folder)
            after = page[-1].number


def _outcome(item: ListedItem, folder: Path) -> Outcome:
    path = str(folder / (item.file or ""))
    if item.status is ItemStatus.CANCELLED:
        return Outcome(path, Verdict.REJECTED, "somebody cancelled the job")
    return Outcome(path, Verdict(item.status), item.reason.text if item.reason else None)
