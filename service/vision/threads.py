"""How many threads the engines may start."""

import os
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class ThreadBudget:
    """`runs` faces at once, each by `threads` threads, the caller's own included."""

    runs: int = 1
    threads: int = 1

    @property
    def total(self) -> int:
        return self.runs * self.threads

    @classmethod
    def of(cls, workers: int, cores: int) -> Self:
        """All workers together get the cores, and each one thread at least."""
        return cls(workers, max(1, cores // workers))

    def bind_process(self) -> None:
        """Bound what has one number for the whole process and takes every core otherwise.

        OpenCV gets the threads of one run, for it works inside one. TensorFlow has one pool for
        all runs; it reads its number once, when it starts.
        """
        import cv2

        cv2.setNumThreads(self.threads)
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(self.total))
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(self.runs))
