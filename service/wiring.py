"""From settings to running services: opens everything once, in order, and closes it again."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from service import model_wiring
from service.audit import Recorder
from service.consents import Consents
from service.detection import Detection
from service.domain.galleries import Gallery
from service.domain.quality import QualityPolicy
from service.enrolment import Enrolment
from service.erasures import Erasures
from service.faces import Faces
from service.galleries import Galleries, GalleryDefaults, open_gallery, report_differences
from service.images import ImageLimits
from service.jobs.enrolling import Enrolling
from service.jobs.folder import FolderEnrolment
from service.jobs.imports import Imports
from service.jobs.uploads import ImportLimits
from service.key_file import KeyFile
from service.keys import Keys
from service.photograph_keys import PhotographKeys
from service.photographs import require_key
from service.ports import Analysers, FaceAnalyser, Models, Store
from service.probes import Probes
from service.recognition import Recognition
from service.retention import Retention
from service.settings import Settings
from service.store_wiring import store_of
from service.subjects import Subjects
from service.sync import AntiEntropy, Keeper, Preparer, Replica, Snapshots
from service.verification import Verification
from service.vision.models import KnownModels
from service.vision.spaces import published_space

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call, beside those with a key.

    `anonymous`: whoever sends no key may do everything; `any_host`: under any host name, since the
    address is not a loopback one. `origins`: of web pages that may call. `rates` as RATE_LIMIT,
    `failures` as FAILED_KEY_LIMIT.
    """

    anonymous: bool = False
    any_host: bool = False
    origins: tuple[str, ...] = ()
    rates: str | None = None
    failures: str = "30/minute"


@dataclass(frozen=True, slots=True)
class Services:
    """What the front doors call. `started` is a `time.monotonic()` reading; `workers` is how many
    photographs are processed at once, `patience_s` how long one may wait for that."""

    gallery_name: str
    limits: ImageLimits
    analysers: Analysers
    replica: Replica
    galleries: Galleries
    enrolment: Enrolment
    recognition: Recognition
    verification: Verification
    detection: Detection
    models: Models
    subjects: Subjects
    faces: Faces
    consents: Consents
    keys: Keys
    access: Access
    imports: Imports
    erasures: Erasures
    workers: int
    patience_s: float
    started: float


@dataclass(frozen=True, slots=True)
class Tools:
    """What offline work needs: the tables and the models, but no index. `analyser` is the default
    gallery's; `workers` is how many photographs are processed at once."""

    store: Store
    analyser: FaceAnalyser
    analysers: Analysers
    gallery: Gallery
    limits: ImageLimits
    imports: Imports
    enrolling: Enrolling
    workers: int
    quality: QualityPolicy


@contextmanager
def open_services(settings: Settings, url: str, *, ephemeral: bool = False) -> Iterator[Services]:
    """Load the model, open the default gallery and start following the change feed.

    The snapshots of `settings` are another database's than an `ephemeral` one.
    """
    with open_tools(settings, url) as tools, ExitStack() as stack:
        snapshots = None if ephemeral else _snapshots(settings)
        replica = Replica(
            tools.store.feed(),
            poll_s=settings.feed_poll_s,
            stale_s=settings.feed_stale_s,
            wait_s=settings.write_wait_s,
            keep_s=settings.change_retention_s,
            snapshots=snapshots,
        )
        if snapshots is not None:
            keeper = Keeper(
                snapshots,
                indexes=replica.fileable,
                adopt=replica.adopt,
                adopting=replica.is_adopting,
            )
            stack.callback(keeper.close)
            keeper.start()
        stack.callback(replica.close)
        replica.start()
        entropy = AntiEntropy(
            tools.store.feed(),
            every_s=settings.digest_every_s,
            indexes=replica.indexes,
            distrust=replica.distrust,
            tell=replica.checked,
        )
        stack.callback(entropy.close)
        entropy.start()
        preparer = Preparer(
            tools.store, tools.analysers, indexes=replica.indexes, tell=replica.prepared
        )
        stack.callback(preparer.close)
        preparer.start()
        stack.enter_context(working(tools, settings.import_workers))
        retention = Retention(tools.store, settings.retention_every_s)
        stack.callback(retention.close)
        retention.start()
        recorder = Recorder(tools.store)
        stack.callback(recorder.close)
        recorder.start()
        yield _services(settings, tools, replica, recorder)


@contextmanager
def working(tools: Tools, threads: int) -> Iterator[None]:
    """Work on bulk imports meanwhile; at the end the batches under way are finished."""
    if threads == 0:
        yield
        return
    workers = tools.store.workers(tools.enrolling, threads)
    workers.start()
    try:
        yield
    finally:
        workers.close()


def _snapshots(settings: Settings) -> Snapshots | None:
    snapshots = Snapshots(settings.facematch_home / "snapshots")
    if settings.snapshots:
        return snapshots
    snapshots.forget_others(set())
    return None


def _services(settings: Settings, tools: Tools, replica: Replica, recorder: Recorder) -> Services:
    analysers = tools.analysers
    keys = tools.enrolling.photograph_keys
    galleries = Galleries(tools.store, replica, analysers, settings.wait_all_s, keys)
    probes = Probes(analysers, tools.limits, tools.quality.search)
    return Services(
        gallery_name=tools.gallery.name,
        limits=tools.limits,
        analysers=analysers,
        replica=replica,
        galleries=galleries,
        enrolment=Enrolment(galleries, analysers, tools.limits, tools.quality.enrolment),
        recognition=Recognition(tools.store, replica, probes, recorder),
        verification=Verification(tools.store, probes, recorder),
        detection=Detection(analysers, tools.limits, tools.quality.enrolment, tools.store),
        models=KnownModels(settings.facematch_home, model_wiring.engine_of(settings)),
        subjects=Subjects(galleries),
        faces=Faces(galleries),
        consents=Consents(galleries),
        keys=Keys(tools.store, KeyFile.of(settings.facematch_home)),
        access=_access(settings),
        imports=tools.imports,
        workers=tools.workers,
        erasures=Erasures(tools.store),
        patience_s=settings.recognition_timeout_s,
        started=time.monotonic(),
    )


def _access(settings: Settings) -> Access:
    return Access(
        anonymous=settings.allow_anonymous,
        any_host=not settings.on_loopback(),
        origins=settings.origins(),
        rates=settings.rate_limit,
        failures=settings.failed_key_limit,
    )


def photograph_keys(settings: Settings) -> PhotographKeys:
    """What kept photographs are sealed with; see `PhotographKeys.read`."""
    given = settings.photograph_keys
    setting = None if given is None else given.get_secret_value()
    return PhotographKeys.read(setting, settings.facematch_home)


@contextmanager
def open_tools(settings: Settings, url: str) -> Iterator[Tools]:
    """Open the store, the model, and the default gallery in the model's embedding space.

    Raises:
        SpaceConflict: the gallery belongs to another embedding space.
        SettingsInvalid: see `PhotographKeys.read` and `require_key`.
        ModelUnknown, WeightsMissing, WeightsInvalid, EngineUnavailable: see `load_analyser`.
    """
    limits, keys = model_wiring.image_limits(settings), photograph_keys(settings)
    defaults = GalleryDefaults(
        settings.gallery_name(), settings.first_threshold(), settings.max_faces
    )
    with (
        closing(store_of(settings, url)) as store,
        closing(model_wiring.analyser_for(settings, _found(store, defaults.name))) as analyser,
    ):
        require_key(store, keys)
        gallery = open_gallery(store, defaults, analyser.space)
        report_differences(gallery, defaults)
        log.info("gallery '%s': %s", gallery.name, gallery.space.describe())
        with closing(model_wiring.analysers_of(settings, analyser)) as analysers:
            policy = model_wiring.quality_policy(settings)
            imports = Imports(store, limits, _import_limits(settings), settings.job_retention_s)
            yield Tools(
                store=store,
                analyser=analyser,
                analysers=analysers,
                gallery=gallery,
                limits=limits,
                imports=imports,
                enrolling=Enrolling(store, analysers, limits, imports, policy.enrolment, keys),
                workers=model_wiring.workers_of(settings),
                quality=policy,
            )


def _import_limits(settings: Settings) -> ImportLimits:
    return ImportLimits(
        settings.max_import_bytes, settings.max_import_items, settings.facematch_home / "imports"
    )


@contextmanager
def open_folder_enrolment(
    settings: Settings, url: str, *, several: bool
) -> Iterator[FolderEnrolment]:
    """What enrols a folder into the default gallery; raises what `open_tools` does."""
    with open_tools(settings, url) as tools:
        yield FolderEnrolment(
            store=tools.store,
            imports=tools.imports,
            enrolling=tools.enrolling,
            gallery=tools.gallery.name,
            images=tools.limits,
            several=several,
            threads=tools.workers,
        )


@dataclass(frozen=True, slots=True)
class LegacyTarget:
    store: Store
    gallery: Gallery


@contextmanager
def open_legacy_gallery(settings: Settings, url: str, detector: str) -> Iterator[LegacyTarget]:
    """Open the default gallery for vectors that DeepFace made with that detector; loads no model.

    Raises:
        ModelUnknown, SettingsInvalid: no such model or detector.
        SpaceConflict: the gallery belongs to another embedding space.
    """
    space = published_space(settings.model_name, detector)
    defaults = GalleryDefaults(
        settings.gallery_name(), settings.first_threshold(), settings.max_faces
    )
    with closing(store_of(settings, url)) as store:
        yield LegacyTarget(store, open_gallery(store, defaults, space))


def _found(store: Store, name: str) -> Gallery | None:
    with store.transaction(read_only=True) as tx:
        return tx.find_gallery(name)
