"""The soak: `python -m tests.convergence --seconds 600 [--seed N]`."""

import argparse
import random
import sys

from tests.convergence.trial import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.convergence", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    chosen = parser.parse_args()
    sys.stdout.write(f"seed: {chosen.seed}\n")
    sys.stdout.flush()
    record = run(seed=chosen.seed, seconds=chosen.seconds)
    sys.stdout.write(record.summary() + "\n")
    return bool(record.violations)


if __name__ == "__main__":
    sys.exit(main())
