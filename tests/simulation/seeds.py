"""Which generated stories the tests try: a sample in each run, the others with `make faults`."""

import pytest


def seeds(every: int, sample: int) -> list[object]:
    """The seeds from 0 on; those beyond the sample are marked as attacks, which take their time."""
    return [seed if seed < sample else pytest.param(seed, marks=pytest.mark.attack) for seed in range(every)]
