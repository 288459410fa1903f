"""`facematch` itself, with a face model that takes its time and leases that end soon.

python -m tests.jobs.slow worker|enroll ...; SLOW_MS is what a face costs, in milliseconds.
"""

import os
import time

from service import cli, model_wiring
from service.domain.embeddings import Embedding
from service.domain.faces import DetectedFace
from service.jobs import enrolling
from service.ports import FaceAnalyser, Picture
from service.settings import Settings
from tests.fakes.analyser import FakeAnalyser

FACE_S = float(os.environ.get("SLOW_MS", "0")) / 1000
LEASE_S = 3.0


class SlowAnalyser(FakeAnalyser):
    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        time.sleep(FACE_S)
        return super().embed(picture, face)


def analyser_for(settings: Settings, gallery: object) -> FaceAnalyser:
    return SlowAnalyser()


def main() -> None:
    model_wiring.analyser_for = analyser_for
    enrolling.LEASE_S = LEASE_S
    cli.main()


if __name__ == "__main__":
    main()
