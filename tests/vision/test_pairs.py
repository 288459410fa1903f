"""The labelled photographs that FACEMATCH_FACES names: every pair decided at the default."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from service.domain.embeddings import Embedding
from service.ports import FaceAnalyser


def embedding_of(analyser: FaceAnalyser, path: Path) -> Embedding:
    with Image.open(path) as image:
        picture = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    return analyser.embed(picture, analyser.detect(picture)[0])


@pytest.mark.timeout(300)
def test_all_pairs_are_decided_rightly_with_room_on_both_sides(
    dlib_native: FaceAnalyser, faces_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (faces_folder / "pairs.csv").open(newline="") as stream:
        pairs = [tuple(row.values()) for row in csv.DictReader(stream)]
    images = {name for one, other, _ in pairs for name in (one, other)}
    vectors = {
        name: embedding_of(dlib_native, faces_folder / "images" / name) for name in sorted(images)
    }
    scores = [(float(vectors[one] @ vectors[other]), same == "true") for one, other, same in pairs]
    lowest = min(score for score, same in scores if same)
    highest = max(score for score, same in scores if not same)
    threshold = dlib_native.space.default_threshold
    right = sum((score >= threshold) == same for score, same in scores)
    with capsys.disabled():
        print(  # noqa: T201  # the margin is what a reader of the test's output looks for
            f"\n{right} of {len(scores)} pairs right at {threshold}; "
            f"lowest genuine {lowest:.4f}, highest impostor {highest:.4f}"
        )
    assert len(scores) == 300
    assert right / len(scores) >= 0.99
    assert highest < threshold < lowest
