import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import matplotlib.cbook
import numpy as np
import pytest
import skimage.data
from PIL import Image

from service.ports import FaceAnalyser, Picture
from service.vision import load_analyser


@pytest.fixture(autouse=True)
def scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own DeepFace reaches a test, nor a test its folder."""
    for name in ("DEEPFACE_HOME", "DEEPFACE_BACKEND_ENGINE", "DEEPFACE_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def grace() -> Picture:
    """Grace Hopper, 600 x 512 pixels, one face."""
    sample: Any = matplotlib.cbook.get_sample_data("grace_hopper.jpg")
    with sample, Image.open(sample) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="session")
def astronaut() -> Picture:
    """Eileen Collins, 512 x 512 pixels, one face."""
    return cast(Picture, skimage.data.astronaut())


@pytest.fixture(scope="session")
def dlib_native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaceAnalyser]:
    analyser = load_analyser(
        "Dlib",
        detector=None,
        alignment=None,
        engine="auto",
        home=tmp_path_factory.mktemp("home"),
        workers=2,
        timeout_s=60,
    )
    yield analyser
    analyser.close()


@pytest.fixture(scope="session")
def faces_folder() -> Path:
    """A folder of labelled photographs like facematch's own, where there is one."""
    folder = os.environ.get("FACEMATCH_FACES")
    if not folder:
        pytest.skip("FACEMATCH_FACES names no folder of labelled photographs")
    return Path(folder)
