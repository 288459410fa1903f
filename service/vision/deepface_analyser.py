"""DeepFace's detection, crop and preprocessing, split into `detect` and `embed`.

Vectors made here equal those of `DeepFace.represent` with its default arguments on the same
picture, which the tests check; so the steps below follow deepface.modules.detection and
deepface.modules.representation one by one, by their own functions, at the picture's full size.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.domain.embeddings import Embedding, EmbeddingSpace, unit
from service.domain.faces import Box, DetectedFace, Point
from service.errors import FaceNotDetected
from service.ports import Picture
from service.vision.detectors import SMALLEST_SIDE, load_detector
from service.vision.pool import SlotPool
from service.vision.quality import rated
from service.vision.recognisers import Recogniser


class DeepFaceSlot:
    """One thread's detectors and its recogniser."""

    def __init__(self, detector: str, recogniser: Recogniser, home: Path) -> None:
        self.recogniser = recogniser
        self._skips = detector == "skip"
        self._detector = None if self._skips else load_detector(detector, home)
        # DeepFace looks for the eyes by OpenCV where the detector finds none
        finds_eyes = self._skips or detector == "opencv"
        self._eyes = None if finds_eyes else load_detector("opencv", home)
        if self._detector is not None:
            self.detect(np.zeros((64, 64, 3), dtype=np.uint8))
        recogniser.try_out()

    def detect(self, picture: Picture) -> list[DetectedFace]:
        height, width = picture.shape[:2]
        if self._detector is None:
            return [DetectedFace(Box(0, 0, width, height), 0.0)]
        if min(height, width) < SMALLEST_SIDE:
            return []
        x_border, y_border = int(0.5 * width), int(0.5 * height)
        bordered = _bordered(_bgr(picture), y_border, x_border)
        found = (self._face(bordered, area) for area in self._detector.detect_faces(bordered))
        return [_moved(face, -x_border, -y_border) for face in found if face.box.area]

    def _face(self, picture: Picture, area: Any) -> DetectedFace:
        """DeepFace's area as ours: clipped to the picture, with both eyes or none."""
        x, y = max(0, int(area.x)), max(0, int(area.y))
        width = max(0, min(picture.shape[1], int(area.x + area.w)) - x)
        height = max(0, min(picture.shape[0], int(area.y + area.h)) - y)
        left, right = area.left_eye, area.right_eye
        if self._eyes is not None and (left is None or right is None):
            seen = self._eyes.find_eyes(picture[y : y + height, x : x + width])
            offset = (x, y)
            left = left or _shifted(seen[0], offset)
            right = right or _shifted(seen[1], offset)
        eyes = () if left is None or right is None else (_point(left), _point(right))
        score = 0.0 if area.confidence is None else float(np.ravel(area.confidence)[0])
        return DetectedFace(Box(x, y, width, height), score, eyes)

    def describe(
        self, picture: Picture, face: DetectedFace, input_size: tuple[int, int]
    ) -> NDArray[np.float64]:
        """The raw vector of one face."""
        crop: NDArray[Any] = _bgr(picture)
        if not self._skips:
            crop = _aligned_crop(picture, face)
            if crop.max(initial=0) > 1:
                crop = crop / 255
        return self.recogniser.describe(_input(crop, input_size))


class DeepFaceAnalyser:
    """`FaceAnalyser` with `alignment=deepface`.

    `recogniser` is called once for every worker; it may give the same one each time if that one
    is safe to share.
    """

    def __init__(
        self,
        space: EmbeddingSpace,
        input_size: tuple[int, int],
        recogniser: Callable[[], Recogniser],
        *,
        home: Path,
        workers: int,
        timeout_s: float,
    ) -> None:
        self._space = space
        self._input_size = input_size
        self._slots = SlotPool(
            lambda: DeepFaceSlot(space.detector, recogniser(), home), workers, timeout_s
        )

    @property
    def space(self) -> EmbeddingSpace:
        return self._space

    def detect(self, picture: Picture, *, thorough: bool = False) -> tuple[DetectedFace, ...]:
        """All faces, largest first, with left and right eye (the person's) or no landmarks.

        Always as thorough as DeepFace is: at full size.
        """
        with self._slots.take() as slot:
            found = slot.detect(picture)
            faces = [rated(picture, face, self._space.detector) for face in found]
        return tuple(sorted(faces, key=lambda face: face.box.area, reverse=True))

    def embed(self, picture: Picture, face: DetectedFace) -> Embedding:
        """The unit vector of one face; see `FaceAnalyser.embed`.

        Raises:
            FaceNotDetected: nothing is left of the face once it is turned upright.
        """
        with self._slots.take() as slot:
            raw = slot.describe(picture, face, self._input_size)
        return unit(raw, self._space.dimension)

    def close(self) -> None:
        """Nothing is held but memory."""


def _aligned_crop(picture: Picture, face: DetectedFace) -> Picture:
    """The face turned by its eyes, in BGR, as DeepFace's `extract_face` cuts it.

    DeepFace borders the whole picture in black, four times its memory; what it then reads lies
    within half a box of the box, so only that window is cut out and bordered.
    """
    from deepface.models.Detector import FacialAreaRegion
    from deepface.modules.detection import extract_face

    box = face.box
    x_margin, y_margin = box.width // 2 + 1, box.height // 2 + 1
    window = _window(picture, box, x_margin, y_margin)
    placed = _moved(face, x_margin - box.left, y_margin - box.top)
    left_eye, right_eye = placed.landmarks or (None, None)
    area = FacialAreaRegion(
        x=x_margin, y=y_margin, w=box.width, h=box.height, left_eye=left_eye, right_eye=right_eye
    )
    crop: Picture = extract_face(
        facial_area=area,
        img=window,
        align=True,
        expand_percentage=0,
        width_border=0,
        height_border=0,
        detector_backend="opencv",  # the one for which it does not look for eyes again
    ).img
    if crop.size == 0:
        raise FaceNotDetected
    return crop


def _window(picture: Picture, box: Box, x_margin: int, y_margin: int) -> Picture:
    """The box with a margin on all sides, black where that lies outside the picture."""
    height, width = box.height + 2 * y_margin, box.width + 2 * x_margin
    left, top = box.left - x_margin, box.top - y_margin
    window = np.zeros((height, width, 3), dtype=np.uint8)
    seen = picture[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
    y, x = max(0, -top), max(0, -left)
    window[y : y + seen.shape[0], x : x + seen.shape[1]] = seen[:, :, ::-1]
    return window


def _input(crop: NDArray[Any], input_size: tuple[int, int]) -> NDArray[np.floating]:
    """The model's input, shape (1, height, width, 3), float, BGR, 0..1.

    Raises:
        FaceNotDetected: the crop is so narrow that nothing is left of it at the model's size.
    """
    from deepface.modules.preprocessing import normalize_input, resize_image

    width, height = input_size
    factor = min(height / crop.shape[0], width / crop.shape[1])
    if min(crop.shape[:2]) * factor < 1:
        raise FaceNotDetected
    resized = resize_image(img=crop, target_size=(height, width))
    batch: NDArray[np.floating] = normalize_input(img=resized, normalization="base")
    return batch


def _bgr(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[:, :, ::-1])


def _bordered(picture: Picture, y_border: int, x_border: int) -> Picture:
    return np.pad(picture, ((y_border, y_border), (x_border, x_border), (0, 0)))


def _moved(face: DetectedFace, x: int, y: int) -> DetectedFace:
    box = replace(face.box, left=face.box.left + x, top=face.box.top + y)
    return replace(
        face, box=box, landmarks=tuple((eye_x + x, eye_y + y) for eye_x, eye_y in face.landmarks)
    )


def _point(point: Any) -> Point:
    return (float(point[0]), float(point[1]))


def _shifted(point: Any, offset: tuple[int, int]) -> Point | None:
    if point is None:
        return None
    return (int(point[0]) + offset[0], int(point[1]) + offset[1])
