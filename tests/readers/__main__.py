"""`make sim INCIDENTS=10000 SEED=1`: every message of so many generated incidents, held against what readers need."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.readers.laws import faults
from tests.readers.worlds import worlds

PIECE = 25
"""Incidents that are done at a time."""
SHOWN_MOST = 60
"""Faults that are shown."""


def piece(first: int, count: int) -> tuple[int, list[str]]:
    """How many messages so many incidents bring, and what is wrong with them."""
    done = list(worlds(first, count))
    return sum(len(world.messages) for world in done), [fault for world in done for fault in faults(world)]


def main(arguments: Sequence[str] | None = None) -> int:
    """1 when something is wrong, else 0."""
    parser = argparse.ArgumentParser(prog="make sim", description=__doc__)
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="the first one; each incident has its own")
    options = parser.parse_args(arguments)
    firsts = range(options.seed, options.seed + options.incidents, PIECE)
    last = options.seed + options.incidents
    begun, messages, wrong = time.monotonic(), 0, list[str]()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(piece, firsts, (min(PIECE, last - first) for first in firsts))
        for number, (count, some) in enumerate(results, 1):
            messages += count
            wrong += some
            done = min(number * PIECE, options.incidents)
            shown = f"{done:,} of {options.incidents:,} incidents, {messages:,} messages, {len(wrong)} faults"
            print(f"{shown}, {time.monotonic() - begun:.0f} s", end="\r" if sys.stdout.isatty() else "\n", flush=True)
    print(*([""] if sys.stdout.isatty() else []), *wrong[:SHOWN_MOST], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
