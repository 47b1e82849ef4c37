"""What a page costs while many other incidents are open: pages a second, and the time of one.

What is held tells nobody, so that only the page is measured. Two daemons, with few held and with many, in turn.
"""

import contextlib
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.figures import Figure, Found, Line
from bench.measures.latency import taken
from bench.peers import libraries
from bench.processes import settle, wait_alone
from bench.rounds import Scale, in_turn, progress
from bench.sinks import StampingSink
from bench.world import World, world

NOBODY = "severities: {held: {title: Held}}\n"
"""A severity that pages and tells nobody."""
FEW, MANY = 10, 100_000
PARSED = "limit: a loop that parses"


class Holding:
    """A daemon with so many incidents open, at rest."""

    def __init__(self, here: World, held: int) -> None:
        self.here, self.held = here, held
        self._pages = 0
        for number in range(held):
            path = here.stage(f"h{number}", "held", number % 20)
            path.rename(here.incidents / path.name)
        self.start_new = here.start()
        settle(here.pid)
        wait_alone(here.pid)
        self.memory = here.resident()
        assert isinstance(here.sink, StampingSink)
        self._sink = here.sink
        self.rate(20)
        progress(f"{held} are held")

    def rate(self, count: int) -> float:
        """Pages a second, of so many incidents declared at once."""
        self._pages += 1
        before = self._sink.taken()
        began = self.here.declare_all([f"p{self._pages}-{number}" for number in range(count)], "page")
        while self._sink.taken() < before + count:
            if time.monotonic() > began + 300:
                raise TimeoutError("pages did not leave")
            time.sleep(0.005)
        return count / (time.monotonic() - began)

    def latency(self, count: int) -> float:
        """Milliseconds from the rename of a file to its page accepted, the median of so many."""
        self._pages += 1
        name = f"d{self._pages}"
        drop = self.here.declare
        return statistics.median(taken(self._sink, lambda each, number: drop(each, "page", number % 20), name, count))

    def again(self) -> float:
        """Seconds of a start with the files known."""
        self.here.end()
        return self.here.start()


@contextlib.contextmanager
def holding(held: int, ledger: str = "") -> Iterator[Holding]:
    """One in a world of its own, gone afterwards."""
    with world(more=NOBODY, ledger=ledger) as here:
        yield Holding(here, held)


def held(scale: Scale) -> Found:
    """Pages with few and with many held, in turn; and the points of `many` for the plots."""
    pages, drops = scale.of(300, 30), scale.of(20, 5)
    many = scale.of(MANY, 1000)
    rounds = min(scale.rounds, 4)
    with holding(FEW) as small, holding(many) as large:
        quick, slow = in_turn(rounds, lambda: small.rate(pages), lambda: large.rate(pages))
        soon, late = in_turn(rounds, lambda: small.latency(drops), lambda: large.latency(drops))
        point = Point(many, statistics.median(slow), statistics.median(late), large.memory, large.again())
        bare = Line("open-start", PARSED, [(many, libraries.parse(large.here.incidents))])
    peer = "the same with 10"
    figures = [Figure("held-rate", slow, peer, quick), Figure("held-latency", late, peer, soon)]
    return Found(figures, [*lines("SQLite", [point]), bare])


@dataclass(frozen=True)
class Point:
    """What one size gave: pages a second, milliseconds of one, MB, and seconds of a start."""

    held: int
    rate: float
    latency: float
    memory: float
    start: float


def lines(name: str, points: Sequence[Point]) -> Sequence[Line]:
    """A line in each plot of open incidents."""
    return [
        Line(f"open-{what}", name, [(point.held, getattr(point, what)) for point in points])
        for what in ("rate", "latency", "memory", "start")
    ]
