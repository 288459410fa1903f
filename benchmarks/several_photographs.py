"""What several photographs of a subject bring, and cost.

python -m benchmarks.several_photographs FOLDER

FOLDER has photographs, `pairs.csv` and `identities.csv`, as for `facematch evaluate`. People with
at least three photographs are enrolled with 1, 2, 3 ... of them, in every choice there is, and
searched for with each of their other photographs, and with everybody else's; the probes are
untouched or made worse as in `benchmarks.quality`. Prints the share of right people found and of
strangers answered at the model's default threshold, and the middle and the worst of both sides.
"""

import argparse
import csv
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.degradations import DEGRADATIONS
from benchmarks.quality import Bench, Seen, read, similarity
from service.model_wiring import open_model
from service.settings import Settings

FEWEST = 3
MOST = 5
PROBES = (("blurred", 4), ("turned", 40), ("brighter", 3))
"""Of the degradations those, and that step, that lose people without losing all of them."""


def people_of(folder: Path) -> dict[str, list[str]]:
    """The photographs of each person."""
    people = defaultdict(list)
    with (folder / "identities.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            people[row["person"]].append(row["image"])
    return dict(people)


def scores(
    bench: Bench, probes: dict[str, Seen], people: dict[str, list[str]], enrolled: int
) -> tuple[list[float], list[float]]:
    """Best similarities of all choices of so many enrolled photographs: own, and strangers'."""
    own, strangers = [], []
    for names in people.values():
        if len(names) < max(FEWEST, enrolled + 1):
            continue
        for chosen in combinations(names, enrolled):
            for probe, seen in probes.items():
                best = max(similarity(seen, bench.originals[name]) for name in chosen)
                if probe in names and probe not in chosen:
                    own.append(best)
                elif probe not in names:
                    strangers.append(best)
    return own, strangers


def print_probes(name: str, bench: Bench, probes: dict[str, Seen], folder: Path) -> None:
    people = people_of(folder)
    labelled = {image for names in people.values() for image in names}
    chosen = {image: seen for image, seen in probes.items() if image in labelled}
    for enrolled in range(1, MOST + 1):
        own, strangers = (np.array(side) for side in scores(bench, chosen, people, enrolled))
        print(
            f"{name:<14}{enrolled:>9}{100 * (own >= bench.threshold).mean():>8.1f}"
            f"{100 * (strangers >= bench.threshold).mean():>10.2f}"
            f"{np.median(own):>9.4f}{own.min():>9.4f}"
            f"{np.median(strangers):>11.4f}{strangers.max():>9.4f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    with open_model(Settings.read()) as loaded:
        bench = read(loaded, folder)
        print(f"{loaded.analyser.space.describe()}, threshold {bench.threshold:g}")
        print(
            f"{'probes':<14}{'enrolled':>9}{'found %':>8}{'strangers':>10}"
            f"{'median':>9}{'lowest':>9}{'strangers':>11}{'highest':>9}"
        )
        print_probes("untouched", bench, bench.originals, folder)
        for name, level in PROBES:
            (degradation,) = (each for each in DEGRADATIONS if each.name.startswith(name))
            print_probes(f"{name} {level}", bench, bench.worse(degradation, level), folder)


if __name__ == "__main__":
    main()
