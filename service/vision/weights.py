"""Weights files: where they lie, and the sha256 kept beside each.

The folder is DeepFace's own, `<home>/.deepface/weights`, so files that DeepFace downloaded are
used where they are.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from service.errors import EngineUnavailable, WeightsInvalid, WeightsMissing
from service.vision.catalogue import CATALOGUE, ModelSpec, WeightsFile
from service.vision.dlib_files import packaged
from service.vision.engines import DLIB
from service.vision.sources import addresses


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One weights file of one model. `sha256` is the one kept beside the file, if there is one."""

    spec: ModelSpec
    file: WeightsFile
    path: Path
    present: bool
    sha256: str | None


def deepface_home(home: Path) -> Path:
    """The folder that holds `.deepface`: the environment's DEEPFACE_HOME, else `home`."""
    return Path(os.environ.get("DEEPFACE_HOME") or home)


def path_of(file: WeightsFile, home: Path) -> Path:
    """Where the file belongs below a DeepFace home; it need not exist."""
    return home / ".deepface" / "weights" / file.name


def present(file: WeightsFile, home: Path) -> Path | None:
    """The file's path if it is there. Dlib's comes with a package unless one was added."""
    path = path_of(file, home)
    if path.is_file():
        return path
    return packaged(file.name) if file.engine == DLIB else None


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file that is there. `sha256` is that of its content, in hex."""

    file: WeightsFile
    path: Path
    sha256: str


def locate(spec: ModelSpec, engine: str, home: Path, wanted_sha256: str | None = None) -> Weights:
    """The model's weights below a DeepFace home that the engine is to run.

    Of several files the one with the wanted digest, else the one in the engine's own format.

    Raises:
        WeightsMissing: none is there; the message names the file, where to get it and to put it.
        WeightsInvalid: the file is not the one that was checked when it came.
        EngineUnavailable: there are no weights of this model for this engine.
    """
    first = weights_for(spec, engine)
    found = [(file, present(file, home)) for file in spec.all_weights_for(engine)]
    there = [(file, path) for file, path in found if path is not None]
    if not there:
        raise WeightsMissing(
            f"The weights of {spec.name} are missing: {path_of(first, home)}. Run "
            f"`facematch models pull {spec.name}`, or get {first.name} from "
            f"{' or '.join(addresses(first))} and run `facematch models add {spec.name} FILE`."
        )
    there.sort(key=lambda item: wanted_sha256 is None or kept_digest(item[1]) != wanted_sha256)
    file, path = there[0]
    return Weights(file, path, checked_digest(path))


def weights_for(spec: ModelSpec, engine: str) -> WeightsFile:
    """Raises EngineUnavailable when the model has no weights for that engine."""
    file = spec.weights_for(engine)
    if file is None:
        *engines, last = spec.engines
        raise EngineUnavailable(
            f"{spec.name} runs on {', '.join(engines)} or {last}, not on {engine}."
        )
    return file


def list_models(home: Path) -> tuple[ModelStatus, ...]:
    """Every weights file of every model, present or not. Reads no large file."""
    root = deepface_home(home)
    return tuple(_status(spec, file, root) for spec in CATALOGUE for file in spec.weights)


def _status(spec: ModelSpec, file: WeightsFile, root: Path) -> ModelStatus:
    path = present(file, root)
    return ModelStatus(
        spec=spec,
        file=file,
        path=path or path_of(file, root),
        present=path is not None,
        sha256=kept_digest(path) if path else None,
    )


def checked_digest(path: Path) -> str:
    """The file's sha256 in hex, equal to the one kept beside it.

    A file that was copied in by hand has none yet: it is written once (where the folder allows).

    Raises:
        WeightsInvalid: the file is not the one that was checked when it came.
    """
    digest = file_digest(path)
    kept = kept_digest(path)
    if kept is None:
        keep_digest(path, digest)
    elif kept != digest:
        raise WeightsInvalid(
            f"{path} does not have the sha256 in {sidecar_of(path)}: it was damaged or replaced. "
            "Get it again, or delete the .sha256 file if you replaced it on purpose."
        )
    return digest


def sidecar_of(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def kept_digest(path: Path) -> str | None:
    """What the sidecar says, in hex; None where there is no sidecar."""
    try:
        words = sidecar_of(path).read_text(encoding="utf-8", errors="replace").split()
    except FileNotFoundError:
        return None
    return words[0] if words else ""


def keep_digest(path: Path, digest: str) -> None:
    """Write the sidecar as `sha256sum` would. Best effort: the folder may be read-only."""
    if ".deepface" not in path.parts:
        return  # a Python package's folder is not ours to write to
    sidecar = sidecar_of(path)
    temporary = sidecar.with_name(f".{sidecar.name}.{os.getpid()}")
    try:
        temporary.write_text(f"{digest}  {path.name}\n", encoding="utf-8")
        temporary.replace(sidecar)
    except OSError:
        temporary.unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
