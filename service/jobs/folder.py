"""Enrols a folder of photographs, one after the other, in constant memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.domain.galleries import Gallery
from service.domain.quality import QualityRules
from service.domain.subjects import valid_external_id
from service.enrolment import Photograph, add_new_subject, add_to_subject, new_face
from service.errors import FaceExists, InputFileInvalid, RequestError
from service.images import ImageLimits, too_many_bytes
from service.jobs.outcomes import Outcome, Verdict
from service.ports import FaceAnalyser, Store

CREATED_BY = "facematch enroll"


@dataclass(frozen=True, slots=True)
class FolderItem:
    path: Path
    external_id: str


def folder_items(folder: Path, *, by_folder: bool) -> list[FolderItem]:
    """The photographs of a folder with the ids they are for.

    A file's name without its ending is the id; with `by_folder` each sub-folder's name is the id
    of everybody in it. Hidden files are passed over.

    Raises:
        InputFileInvalid: no such folder, or nothing in it to enrol.
    """
    if not folder.is_dir():
        raise InputFileInvalid(f"{folder} is not a folder.")
    if by_folder:
        folders = sorted(path for path in folder.iterdir() if path.is_dir() and _visible(path))
        items = [FolderItem(file, sub.name) for sub in folders for file in _files(sub)]
    else:
        items = [FolderItem(file, file.stem) for file in _files(folder)]
    if not items:
        hint = "" if by_folder else " (for a folder per person, use --by-folder)"
        raise InputFileInvalid(f"{folder} holds no files to enrol{hint}.")
    return items


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and _visible(path))


def _visible(path: Path) -> bool:
    return not path.name.startswith(".")


@dataclass(frozen=True, slots=True)
class FolderEnrolment:
    """`several` lets a subject have more than one face, as a folder per person does."""

    store: Store
    analyser: FaceAnalyser
    gallery: Gallery
    limits: ImageLimits
    rules: QualityRules
    several: bool

    def run(self, items: list[FolderItem]) -> Iterator[Outcome]:
        """Enrol the items one by one, each committed when its outcome is yielded.

        Safe to run again: a photograph that its subject already has is skipped.

        Raises:
            UnavailableError: the database or the model went away; what was yielded is stored.
        """
        for item in items:
            name = str(item.path)
            try:
                self._enrol(item)
            except FaceExists as error:
                yield Outcome(name, Verdict.SKIPPED, str(error))
            except (RequestError, OSError) as error:
                yield Outcome(name, Verdict.REJECTED, str(error))
            else:
                yield Outcome(name, Verdict.ENROLLED)

    def _enrol(self, item: FolderItem) -> None:
        valid_external_id(item.external_id)
        if item.path.stat().st_size > self.limits.max_bytes:
            raise too_many_bytes(self.limits)
        photograph = Photograph(item.path.read_bytes(), item.path.name)
        face = new_face(self.analyser, self.limits, self.rules, photograph, CREATED_BY)
        add = add_to_subject if self.several else add_new_subject
        self.store.write(lambda tx: add(tx, self.gallery, item.external_id, face))
