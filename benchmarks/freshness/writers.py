"""Enrolments of ready embeddings, through the use case; photographs take too long to embed."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from service.domain.embeddings import Alignment, EmbeddingSpace, unit
from service.domain.faces import NewFace
from service.domain.galleries import Gallery, GallerySettings, GalleryVersion
from service.enrolment import add_new_subject
from service.ports import Store, Transaction

THREADS = 8


def space(dimension: int) -> EmbeddingSpace:
    return EmbeddingSpace(
        model="Dlib" if dimension == 128 else "Facenet512",
        dimension=dimension,
        weights_sha256="ab" * 32,
        detector="dlib",
        alignment=Alignment.NATIVE,
        default_threshold=0.9,
    )


def new_face(number: int, dimension: int) -> NewFace:
    values = np.random.default_rng(number).normal(size=dimension)
    return NewFace(
        embedding=unit(values, dimension),
        image_sha256=number.to_bytes(32, "big"),
        image_name=None,
        box=None,
        created_by="benchmark",
    )


def filled(store: Store, faces: int, dimension: int) -> Gallery:
    """A gallery of so many subjects with a face each."""
    with store.transaction() as tx:
        gallery = tx.create_gallery("benchmark", space(dimension), GallerySettings(0.9))
    fill(store, gallery, faces)
    return gallery


def fill(store: Store, gallery: Gallery, faces: int) -> None:
    """Add so many subjects with a face each."""
    dimension = gallery.space.dimension
    for start in range(0, faces, 1000):
        with store.transaction() as tx:
            for number in range(start, min(start + 1000, faces)):
                add_new_subject(tx, gallery, f"old-{number}", new_face(number, dimension))


def enrol_at(store: Store, gallery: Gallery, rate: float, seconds: float) -> dict[int, float]:
    """Enrol at that rate, whatever the last one took; the version each made, and when its commit
    began: the wait for the commit itself counts as staleness too."""
    commits: dict[int, float] = {}
    lock = threading.Lock()

    def enrol(number: int) -> None:
        face = new_face(10_000_000 + number, gallery.space.dimension)

        def work(tx: Transaction) -> tuple[GalleryVersion, float]:
            add_new_subject(tx, gallery, f"new-{number}", face)
            return tx.made_version(gallery.id), time.monotonic()

        version, began = store.write(work)
        with lock:
            commits[version.number] = began

    began = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        tasks = []
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            tasks.append(pool.submit(enrol, number))
        for task in tasks:
            task.result()
    return commits
