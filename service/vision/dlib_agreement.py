"""dlib's network loaded for its engine; for another than dlib only once that agrees with it."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.vision.agreement import Candidate, lowest_cosine, require_agreement
from service.vision.check_inputs import check_chips
from service.vision.dlib_engines import ChipNetwork, GraphNetwork, ReferenceNetwork
from service.vision.dlib_graph import build_graph
from service.vision.dlib_network import read_network
from service.vision.engines import DLIB
from service.vision.sessions import open_session
from service.vision.threads import ThreadBudget
from service.vision.weights import Weights


def load_networks(
    engine: str, weights: Weights, *, home: Path, budget: ThreadBudget
) -> Callable[[], ChipNetwork]:
    """What gives each worker its network: on dlib one each, else one for all.

    Args:
        home: FACEMATCH_HOME, where the agreement is kept.

    Raises:
        WeightsInvalid: the file is not a complete dlib model, or the engine does not agree.
        EngineUnavailable: the engine is not installed, or not for this CPU.
    """
    if engine == DLIB:
        return lambda: ReferenceNetwork(weights.path)
    shared = agreeing_network(engine, weights, home=home, budget=budget)
    return lambda: shared


def agreeing_network(
    engine: str, weights: Weights, *, home: Path, budget: ThreadBudget
) -> GraphNetwork:
    """The network on that engine, checked against dlib now or before. See `load_networks`."""
    graph = build_graph(read_network(weights.path))
    network = GraphNetwork(open_session(engine, graph, budget))
    candidate = Candidate.of("Dlib", engine, weights.sha256, sha256(graph).hexdigest())

    def measure() -> float:
        return lowest_cosine(_vectors(network), _vectors(ReferenceNetwork(weights.path)))

    require_agreement(candidate, home, measure)
    return network


def _vectors(network: ChipNetwork) -> NDArray[np.float64]:
    return np.stack([network.describe(chip) for chip in check_chips()])
