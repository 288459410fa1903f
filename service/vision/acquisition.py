"""Weights files taken in: downloaded or copied, tried out, and only then put in their place."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from service.errors import EngineUnavailable, InputFileInvalid, WeightsInvalid, WeightsMissing
from service.vision.catalogue import ModelSpec, WeightsFile, find_model
from service.vision.checks import check_engines, compare_with_others
from service.vision.conversion import forget_other_conversions
from service.vision.engines import DLIB, ONNXRUNTIME, TENSORFLOW, resolve_engine
from service.vision.sources import addresses
from service.vision.weights import (
    Weights,
    checked_digest,
    deepface_home,
    file_digest,
    keep_digest,
    path_of,
    present,
    sidecar_of,
    weights_for,
)

Progress = Callable[[int, int | None], None]
"""Called with the bytes done so far and the bytes in all, None where those are not known."""

CHUNK_BYTES = 1 << 20
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0

_ENGINE_OF_SUFFIX = {".onnx": ONNXRUNTIME, ".h5": TENSORFLOW, ".dat": DLIB}


def pull(name: str, home: Path, engine: str, progress: Progress) -> Path:
    """Download the model's weights for that engine, unless they are there; returns their path.

    Either way every engine at hand is compared with DeepFace's own call, unless it was before.

    Raises:
        ModelUnknown, SettingsInvalid, EngineUnavailable: no such model or engine.
        WeightsMissing: no address answers; the message says which were tried.
        WeightsInvalid: what came is not this model's weights; nothing is left behind.
    """
    spec = find_model(name)
    root = deepface_home(home)
    chosen = resolve_engine(engine)
    file = weights_for(spec, chosen)
    for known in spec.all_weights_for(chosen) if engine == "auto" else (file,):
        there = present(known, root)
        if there is not None:
            weights = Weights(known, there, checked_digest(there))
            check_engines(spec, chosen, weights, deepface=root, home=home)
            return there
    with _staged(spec, file, chosen, root, home) as staged:
        _download(spec, addresses(file), staged, path_of(file, root), progress)
    return path_of(file, root)


def add(name: str, file: Path, home: Path, progress: Progress) -> Path:
    """Copy a weights file in under the name that DeepFace expects; returns its new path.

    The engine follows from the file's ending: .onnx, .h5 or, for Dlib, .dat.

    Raises:
        ModelUnknown: no such model.
        InputFileInvalid: there is no such file, or its ending belongs to no engine.
        EngineUnavailable: the model has no weights for that engine, or that is not installed.
        WeightsInvalid: not this model's weights; nothing is left behind.
    """
    spec = find_model(name)
    if not file.is_file():
        raise InputFileInvalid(f"There is no file {file}.")
    engine = _ENGINE_OF_SUFFIX.get(file.suffix.lower())
    if engine is None:
        raise InputFileInvalid(f"{file.name} ends neither in .onnx nor in .h5 nor in .dat.")
    root = deepface_home(home)
    own = _own_file(spec, engine)
    target = path_of(own, root)
    with _staged(spec, own, own.engines[0], root, home) as staged, file.open("rb") as source:
        _copy(iter(lambda: source.read(CHUNK_BYTES), b""), staged, file.stat().st_size, progress)
    return target


@contextmanager
def _staged(
    spec: ModelSpec, file: WeightsFile, engine: str, root: Path, home: Path
) -> Iterator[Path]:
    """A path to write the file to; when the block ends it is tried out and put in its place.

    The folder around it is a DeepFace home of its own on the same file system, so that the file
    is loaded exactly as it will be, and the last step is a rename. `home` is FACEMATCH_HOME.
    """
    target = path_of(file, root)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=target.parent) as folder:
        staged = path_of(file, Path(folder))
        staged.parent.mkdir(parents=True)
        yield staged
        weights = Weights(file, staged, file_digest(staged))
        check_engines(spec, engine, weights, deepface=Path(folder), home=home)
        compare_with_others(spec, weights, deepface=Path(folder), others=root, home=home)
        _put_in_place(weights, target)


def _put_in_place(weights: Weights, target: Path) -> None:
    """With what was made of it first, and its old digest gone: a crash in between leaves none, and
    none is computed anew."""
    for made in weights.path.parent.iterdir():
        if made != weights.path:
            made.replace(target.with_name(made.name))
    sidecar_of(target).unlink(missing_ok=True)
    weights.path.replace(target)
    keep_digest(target, weights.sha256)
    forget_other_conversions(replace(weights, path=target))


def _own_file(spec: ModelSpec, engine: str) -> WeightsFile:
    """The model's file in that engine's own format.

    Raises:
        EngineUnavailable: it has none.
    """
    for file in spec.weights:
        if file.engine == engine:
            return file
    own = " or ".join(file.engine for file in spec.weights)
    raise EngineUnavailable(f"The weights of {spec.name} are a file of {own}, not of {engine}.")


def _download(
    spec: ModelSpec, urls: tuple[str, ...], staged: Path, target: Path, progress: Progress
) -> None:
    import httpx

    timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    failures = []
    for url in urls:
        try:
            with httpx.stream("GET", url, timeout=timeout, follow_redirects=True) as answer:
                answer.raise_for_status()
                length = answer.headers.get("content-length")
                total = int(length) if length else None
                _copy(answer.iter_bytes(CHUNK_BYTES), staged, total, progress)
                return
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failures.append(f"{url} ({error or type(error).__name__})")
    raise WeightsMissing(
        f"{target.name} could not be downloaded: {'; '.join(failures) or 'no address is known'}. "
        f"Get it on another machine, then `facematch models add {spec.name} FILE`, "
        f"or put it at {target}."
    )


def _copy(
    chunks: Iterator[bytes], destination: Path, total: int | None, progress: Progress
) -> None:
    done = 0
    progress(done, total)
    with destination.open("wb") as stream:
        for chunk in chunks:
            done += stream.write(chunk)
            progress(done, total)
    if done == 0:
        raise WeightsInvalid("The file is empty.")
