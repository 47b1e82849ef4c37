"""Operators hear of a log that loses lines or that nobody reads (rule 61)."""

from dataclasses import dataclass
from datetime import timedelta

from tocsin.app.lifecycle.log_watch import LOOKS_EVERY, LogWatch
from tocsin.app.state.notices import Notices

from tests.fakes.clock import StillClock


@dataclass
class Progress:
    """What became of the lines."""

    written: int = 0
    lost: int = 0
    waiting: int = 0
    fault: str = ""


class Desk:
    """A log, its watch, and what operators hear."""

    def __init__(self) -> None:
        self.clock, self.progress = StillClock(), Progress()
        self.notices = Notices(self.clock)
        self.watch = LogWatch(self.clock, self.progress, self.notices)

    def look(self, looks: int = 1) -> list[str]:
        """Some looks pass; what operators hear."""
        for _ in range(looks):
            self.clock.go(timedelta(seconds=LOOKS_EVERY))
            self.watch.look()
        return [notice.text for notice in self.notices.take()]

    def recovered(self) -> list[str]:
        """What operators hear to be over."""
        return [recovery.text for recovery in self.notices.take_recovered()]


def test_lost_lines_are_told() -> None:
    """Rule 61: at the next look, with what the system said and how many are gone; once an hour."""
    desk = Desk()
    assert desk.look() == []
    desk.recovered()
    desk.progress.lost, desk.progress.fault = 7, "no space left on device"
    told = "stderr: no space left on device; 7 lines are lost so far"
    assert desk.look() == [told]
    desk.progress.lost = 9
    assert desk.look() == []
    assert desk.recovered() == [], "nothing was written since"
    desk.progress.written, desk.progress.fault = 1, ""
    assert desk.look() == []
    assert desk.recovered() == ["stderr is written again; 9 lines are lost so far"]


def test_a_reader_that_is_stuck_is_told() -> None:
    """Rule 61: lines wait for a minute and none is taken, though none is lost yet."""
    desk = Desk()
    desk.progress.written, desk.progress.waiting = 3, 100
    assert desk.look(12) == []
    told = "stderr: whatever reads it takes nothing; no line is lost yet"
    assert desk.look() == [told]
    assert desk.recovered() == []


def test_a_slow_reader_is_no_trouble() -> None:
    """As long as lines are taken, or none waits, nobody is told."""
    desk = Desk()
    for _ in range(30):
        desk.progress.written, desk.progress.waiting = desk.progress.written + 1, 100
        assert desk.look() == []
    desk.progress.waiting = 0
    assert desk.look(30) == []
