"""From the rename of a file to its page accepted by the mail server, one at a time; beside a POST to Alertmanager."""

import contextlib
import itertools
import statistics
import time
from collections.abc import Callable

from bench.figures import Figure, Found, percentile
from bench.peers import alertmanager as am
from bench.processes import wait
from bench.rounds import Scale, progress
from bench.sinks import StampingSink
from bench.world import PEOPLE, folder, world

APART = 0.15
"""Seconds between two."""
Drop = Callable[[str, int], float]
"""Brings in one of that name and number, and gives the time just before."""


def taken(sink: StampingSink, drop: Drop, name: str, count: int) -> list[float]:
    """Milliseconds from what `drop` says to the mail, of so many drops, each after the one before was taken."""
    found = []
    for number in range(count):
        before = sink.taken()
        began = drop(f"{name}-{number}", number)
        time.sleep(APART)
        wait(lambda before=before: sink.taken() > before, 30)  # type: ignore[misc]
        found.append((sink.mails()[before][0] - began) * 1000)
    return found


def latency(scale: Scale) -> Found:
    """Both run side by side, and have drops in turn."""
    each = scale.of(40, 10)
    ours: list[list[float]] = []
    theirs: list[list[float]] = []
    with contextlib.ExitStack() as stack:
        here = stack.enter_context(world())
        here.start()
        time.sleep(2)  # a watch needs a moment to begin; what is dropped before is found within a second
        sides: list[tuple[list[list[float]], StampingSink, Drop]] = []
        if am.is_installed():
            other = StampingSink(stack.enter_context(folder()))
            stack.callback(other.close)
            peer = stack.enter_context(am.alertmanager(other.port))
            sides.append((theirs, other, lambda name, _number: peer.post(am.alerts([name]))))
        assert isinstance(here.sink, StampingSink)
        sides.append((ours, here.sink, lambda name, number: here.declare(name, "page", number % PEOPLE)))
        for _, sink, drop in sides:
            taken(sink, drop, "warm", 5)
        for turn in range(scale.rounds):
            for values, sink, drop in sides:
                values.append(taken(sink, drop, f"d{turn}", each))
            progress(f"round {turn + 1} of {scale.rounds}")
    return Found(_figures(ours, theirs))


def _figures(ours: list[list[float]], theirs: list[list[float]]) -> list[Figure]:
    """The median of each round, and the 99th of a hundred of all rounds together."""
    peer, missing = ("Alertmanager, POST -> mail accepted", "") if theirs else ("", am.PROGRAM)
    middle = [list(map(statistics.median, values)) for values in (ours, theirs)]
    late = [[percentile(itertools.chain(*values), 0.99)] if values else [] for values in (ours, theirs)]
    return [
        Figure("latency-p50", middle[0], peer, middle[1], missing),
        Figure("latency-p99", late[0], peer, late[1], missing, note=f"of {sum(map(len, ours))} each"),
    ]
