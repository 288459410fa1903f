"""The base of an index: a matrix of embeddings, in memory or mapped from a file, and its scan."""

from collections.abc import Iterable

import faiss
import numpy as np
from numpy.typing import NDArray

from service.domain.embeddings import Embedding

Base = NDArray[np.float32]
"""Shape (faces, dimension), C-contiguous; may be a read-only view of a mapped file."""


def stacked(parts: Iterable[NDArray[np.float32]], count: int, dimension: int) -> Base:
    """One matrix of all parts. Parts that their iterator lets go of are freed on the way."""
    base = np.empty((count, dimension), dtype=np.float32)
    place = 0
    for part in parts:
        base[place : place + len(part)] = part
        place += len(part)
    return base


def nearest(
    base: Base, probe: Embedding, count: int, selector: faiss.IDSelector | None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The similarities and rows of the `count` nearest, best first; row -1 where there are fewer.

    The very function that IndexFlatIP.search calls, on a matrix that FAISS need not own: its
    indexes copy what is added, and then no two processes could share the pages.
    """
    if probe.shape != base.shape[1:]:  # FAISS gets bare pointers and would read past the end
        raise ValueError(f"probe of shape {probe.shape} for a base of shape {base.shape}")
    probe = np.ascontiguousarray(probe, dtype=np.float32)
    similarities = np.empty(count, dtype=np.float32)
    rows = np.empty(count, dtype=np.int64)
    # FAISS is slower with more threads than probes; the setting belongs to the thread
    faiss.omp_set_num_threads(1)
    faiss.knn_inner_product(
        faiss.swig_ptr(probe),
        faiss.swig_ptr(base),
        base.shape[1],
        1,
        len(base),
        count,
        faiss.swig_ptr(similarities),
        faiss.swig_ptr(rows),
        selector,
    )
    return similarities, rows
