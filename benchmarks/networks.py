"""One aligned face through one network, on every engine at hand, beside DeepFace's own call.

python -m benchmarks.networks [MODEL...] [--repeat N]

One face at a time, on all cores. Dlib runs its own weights; the other models run generated weights
of DeepFace's own architecture, which take as long as trained ones and need TensorFlow to be made.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from service.vision import find_model
from service.vision.acquisition import add
from service.vision.catalogue import ModelSpec
from service.vision.check_inputs import check_chips
from service.vision.dlib_agreement import load_networks
from service.vision.engines import DLIB, GRAPH_ENGINES, TENSORFLOW
from service.vision.model_agreement import agreeing_recogniser
from service.vision.recognisers import load_reference
from service.vision.sessions import at_hand
from service.vision.threads import ThreadBudget
from service.vision.weights import deepface_home, locate

MODELS = ("ArcFace", "Facenet", "Dlib")
ROUNDS = 3
DEEPFACE = "DeepFace's own call"

Times = dict[str, list[float]]
"""Seconds of each repetition, by engine."""


def cores() -> int:
    return len(os.sched_getaffinity(0))


def measured(run: Callable[[], object], repeat: int) -> list[float]:
    for _ in range(3):
        run()
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return seconds


def times(model: str, home: Path, repeat: int) -> Times:
    """In rounds, so that what else the machine does falls on every engine."""
    spec = find_model(model)
    if spec.weights_for(DLIB) is None:
        make_weights(spec, home)
    networks = dict(dlib(spec, home) if spec.weights_for(DLIB) else graphs(spec, home))
    found: Times = {engine: [] for engine in networks}
    for _ in range(ROUNDS):
        for engine, run in networks.items():
            found[engine] += measured(run, repeat)
        if spec.weights_for(DLIB) is None:
            for engine, seconds in in_tensorflow("time", model, home, repeat).items():
                found.setdefault(engine, []).extend(seconds)
    return found


def dlib(spec: ModelSpec, home: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """DeepFace calls dlib itself."""
    chip = check_chips()[0]
    for engine in (*filter(at_hand, GRAPH_ENGINES), DLIB):
        weights = locate(spec, engine, deepface_home(home))
        network = load_networks(engine, weights, home=home, budget=ThreadBudget(1, cores()))()
        yield (DEEPFACE if engine == DLIB else engine), partial(network.describe, chip)


def graphs(spec: ModelSpec, home: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    batch = faces(spec)
    for engine in filter(at_hand, GRAPH_ENGINES):
        recogniser = agreeing_recogniser(
            spec,
            engine,
            locate(spec, engine, home),
            deepface=home,
            home=home,
            budget=ThreadBudget(1, cores()),
        )
        yield engine, partial(recogniser.describe, batch)


def faces(spec: ModelSpec) -> NDArray[np.float32]:
    batch = check_chips(spec.input_size)[0][np.newaxis].astype(np.float32)
    return batch / np.float32(255)


def make_weights(spec: ModelSpec, home: Path) -> None:
    in_tensorflow("generate", spec.name, home, 0)
    add(spec.name, home / "generated.h5", home, lambda done, total: None)


def in_tensorflow(task: str, model: str, home: Path, repeat: int) -> Times:
    """In a process of its own: its threads would be in the way of the other engines."""
    command = [sys.executable, "-m", "benchmarks.networks", "--task", task, model]
    done = subprocess.run(
        [*command, "--home", str(home), "--repeat", str(repeat)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    found: Times = json.loads(done.stdout)
    return found


def generate(model: str, home: Path) -> Times:
    from tests.vision.keras_networks import generate as generated

    generated(model, home).save_weights(str(home / "generated.h5"))
    return {}


def time_keras(model: str, home: Path, repeat: int) -> Times:
    spec = find_model(model)
    weights = locate(spec, TENSORFLOW, home)
    budget = ThreadBudget(1, cores())
    budget.bind_process()
    own = load_reference(spec, TENSORFLOW, weights.path, home)
    compiled = agreeing_recogniser(
        spec, TENSORFLOW, weights, deepface=home, home=home, budget=budget
    )
    batch = faces(spec)
    return {
        TENSORFLOW: measured(lambda: compiled.describe(batch), repeat),
        DEEPFACE: measured(lambda: own.describe(batch), repeat),
    }


def table(model: str, found: Times) -> Iterator[str]:
    yield f"{model + ', milliseconds':<26}{'fastest':>10}{'median':>10}{'times as fast':>16}"
    slowest = median(found[DEEPFACE])
    for engine, seconds in found.items():
        ratio = slowest / median(seconds)
        yield f"{engine:<26}{1e3 * min(seconds):>10.1f}{1e3 * median(seconds):>10.1f}{ratio:>16.1f}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--repeat", type=int, default=20, metavar="N", help="faces in a round")
    parser.add_argument("--task", choices=("generate", "time"), help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.task == "generate":
        print(json.dumps(generate(options.models[0], options.home)))
    elif options.task == "time":
        print(json.dumps(time_keras(options.models[0], options.home, options.repeat)))
    else:
        print(f"one face at a time, {cores()} cores, load {os.getloadavg()[0]:.1f}")
        for model in options.models:
            with tempfile.TemporaryDirectory() as folder:
                print(*table(model, times(model, Path(folder), options.repeat)), sep="\n")


if __name__ == "__main__":
    main()
