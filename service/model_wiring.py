"""From settings to a model that embeds photographs, with its limits and rules."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial

from service.domain.embeddings import Alignment
from service.domain.galleries import Gallery
from service.domain.quality import QualityPolicy, QualityRules
from service.errors import SpaceConflict, WeightsMissing
from service.images import ImageLimits, PictureGate
from service.ports import FaceAnalyser
from service.settings import Settings
from service.vision import load_analyser
from service.vision.acquisition import pull
from service.vision.catalogue import find_model
from service.vision.loaded import LoadedAnalysers
from service.vision.pool import SlotPool
from service.vision.spaces import check_detector

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to embed photographs, how large those may be, and how good their faces."""

    analyser: FaceAnalyser
    limits: ImageLimits
    quality: QualityPolicy


@contextmanager
def open_model(settings: Settings) -> Iterator[LoadedModel]:
    """Load the model as it would be for a new gallery; opens no database.

    Raises:
        ModelUnknown, WeightsMissing, WeightsInvalid, EngineUnavailable: see `load_analyser`.
    """
    with closing(analyser_for(settings, None)) as analyser:
        yield LoadedModel(analyser, image_limits(settings), quality_policy(settings))


def quality_policy(settings: Settings) -> QualityPolicy:
    """What the settings ask of faces; a gallery may ask for something else of those it enrols."""
    return QualityPolicy(
        enrolment=QualityRules(
            min_size=settings.enrol_min_face_px,
            min_sharpness=settings.enrol_min_sharpness,
            min_brightness=settings.enrol_min_brightness,
            max_brightness=settings.enrol_max_brightness,
            min_contrast=settings.enrol_min_contrast,
            max_yaw=settings.enrol_max_yaw,
            min_score=settings.enrol_min_score,
        ),
        search=QualityRules(
            min_size=settings.search_min_face_px,
            min_sharpness=settings.search_min_sharpness,
            min_brightness=settings.search_min_brightness,
            max_brightness=settings.search_max_brightness,
            min_contrast=settings.search_min_contrast,
            max_yaw=settings.search_max_yaw,
            min_score=settings.search_min_score,
        ),
    )


def check_names(settings: Settings) -> None:
    """Raises ModelUnknown or SettingsInvalid for a model or detector that there is not."""
    find_model(settings.model_name)
    check_detector(settings.detector)


def analyser_for(settings: Settings, gallery: Gallery | None) -> FaceAnalyser:
    """The model, with the detector and alignment of the gallery's row where there is one."""
    check_names(settings)
    detector = settings.detector
    alignment = Alignment(settings.alignment) if settings.alignment else None
    if gallery is not None:
        _check_model(settings, gallery)
        for name, wanted, row in (
            ("DETECTOR", detector, gallery.space.detector),
            ("ALIGNMENT", alignment, gallery.space.alignment),
        ):
            if wanted is not None and wanted != row:
                log.warning(
                    "gallery '%s' was made with %s %s, which rules; the environment says %s",
                    gallery.name,
                    name,
                    row,
                    wanted,
                )
        detector, alignment = gallery.space.detector, gallery.space.alignment
    model = gallery.space.model if gallery else settings.model_name
    weights_sha256 = gallery.space.weights_sha256 if gallery else None
    return analyser_like(settings, model, detector, alignment, weights_sha256)


def analyser_like(
    settings: Settings,
    model: str,
    detector: str | None,
    alignment: Alignment | None,
    weights_sha256: str | None = None,
) -> FaceAnalyser:
    """A model by its name, None takes its default; weights that are missing are downloaded.

    Raises:
        ModelUnknown, SettingsInvalid, WeightsMissing, WeightsInvalid, EngineUnavailable: see
            `load_analyser`.
    """
    engine = settings.engine if model == settings.model_name else engine_of(settings)
    load = partial(
        load_analyser,
        model,
        detector=detector,
        alignment=alignment,
        engine=engine,
        home=settings.facematch_home,
        workers=workers_of(settings),
        cores=cores_of(settings),
        timeout_s=settings.recognition_timeout_s,
        weights_sha256=weights_sha256,
    )
    try:
        return load()
    except WeightsMissing:
        log.info("weights of %s are missing here, trying to download them", model)
        pull(model, settings.facematch_home, engine, lambda *_: None)
        return load()


def _check_model(settings: Settings, gallery: Gallery) -> None:
    """While it has two spaces either model will do: a restart in the middle is no outage."""
    own = gallery.space.model
    if settings.model_name == own:
        return
    if gallery.other is not None and settings.model_name == gallery.other.space.model:
        log.warning(
            "gallery '%s' answers from %s at the moment; MODEL_NAME is %s, its other space's",
            gallery.name,
            own,
            settings.model_name,
        )
        return
    raise SpaceConflict(
        f"Gallery '{gallery.name}' holds embeddings of {own}, and MODEL_NAME is "
        f"{settings.model_name}. Set DEFAULT_GALLERY to another name, or MODEL_NAME to {own}."
    )


def analysers_of(settings: Settings, first: FaceAnalyser) -> LoadedAnalysers:
    """The default model and those loaded beside it; all share the workers."""
    turns = SlotPool(lambda: None, workers_of(settings), settings.recognition_timeout_s)
    return LoadedAnalysers(first, _loader_of(settings), turns)


def _loader_of(settings: Settings) -> Callable[..., FaceAnalyser]:
    return partial(
        load_analyser,
        engine=engine_of(settings),
        home=settings.facematch_home,
        workers=workers_of(settings),
        cores=cores_of(settings),
        timeout_s=settings.recognition_timeout_s,
    )


def engine_of(settings: Settings) -> str:
    """Of the models beside the default one: the engine `dlib` is no other model's."""
    return "auto" if settings.engine == "dlib" else settings.engine


def image_limits(settings: Settings) -> ImageLimits:
    gate = PictureGate(2 * workers_of(settings), settings.recognition_timeout_s)
    return ImageLimits(
        settings.max_image_bytes, settings.max_image_pixels, gate, settings.max_faces_per_photograph
    )


def workers_of(settings: Settings) -> int:
    return settings.recognition_workers or cores_of(settings)


def cores_of(settings: Settings) -> int:
    """Of one process; a container may have fewer cores than its host."""
    return max(1, len(os.sched_getaffinity(0)) // settings.workers)
