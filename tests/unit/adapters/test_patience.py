"""How tests wait: a machine that stands still is not what they wait for."""

import os
from types import SimpleNamespace

import pytest

from tests.fakes import patience
from tests.fakes.patience import LONGEST_NAP, NAP, STALL, Patience, Stopwatch


class Clock:
    """Goes on by naps, and as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.naps = 0.0, list[float]()
        monkeypatch.setattr(patience, "time", SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep))

    def sleep(self, seconds: float) -> None:
        """A nap."""
        self.naps.append(seconds)
        self.now += seconds


def test_a_machine_that_stands_still_costs_a_second_of_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a minute without a turn is no half minute of looking; what is looked at in vain ends."""
    clock = Clock(monkeypatch)
    waiting = Patience(3 * STALL)
    clock.now += 30
    assert waiting.nap()
    began, turns = clock.now, 1
    while waiting.nap():
        turns += 1
    assert clock.now - began == pytest.approx(2 * STALL, abs=2 * NAP)
    assert turns == pytest.approx(2 * STALL / NAP, abs=3)


def test_a_nap_is_as_long_as_the_look_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits takes half of a processor at most."""
    clock = Clock(monkeypatch)
    waiting = Patience(60)
    for look in (0.0, 0.4, 5.0):
        clock.now += look
        waiting.nap()
    assert clock.naps == [NAP, pytest.approx(0.4), LONGEST_NAP]


def test_a_stopwatch_leaves_out_what_others_had_of_the_processor() -> None:
    """What a process sleeps counts; one that has ended lost nothing more."""
    taking = Stopwatch(os.getpid())
    assert 0 <= taking.stood_in_line <= taking.seconds + taking.stood_in_line
    assert Stopwatch(2**22 + 1).stood_in_line == 0
