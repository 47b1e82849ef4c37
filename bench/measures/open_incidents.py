"""What open incidents cost while nothing happens: memory, idle time and a start, with 10 and with 10,000 of them.

Each was told to one reader by mail, as each alert of the peer was.
"""

import contextlib
import time
from collections.abc import Mapping, Sequence

from bench.figures import Figure, Found
from bench.peers import alertmanager as am
from bench.peers import libraries
from bench.processes import cpu, resident, settle, wait_alone
from bench.rounds import Scale, in_turn, progress
from bench.sinks import Sink, fastest, seconds_for
from bench.world import TAKEN_IN, World, folder, world

ALERTS = "Alertmanager, 10,000 active alerts"
PARSES = "a loop that parses the files (CSafeLoader)"
BATCH = 1000
WINDOW = 10.0
"""Seconds of one look at what an idle process uses."""


def open_incidents(scale: Scale) -> Found:
    """All of them stand there at once, and are looked at over the same seconds."""
    count = scale.of(10_000, 200)
    with contextlib.ExitStack() as stack:
        sink = fastest(stack.enter_context(folder()))
        stack.callback(sink.close)
        few, many = stack.enter_context(world(1, sink)), stack.enter_context(world(1, sink))
        _hold(few, sink, 10)
        new = _hold(many, sink, count)
        pids = {"ours": many.pid, "few": few.pid}
        if am.is_installed():
            peer = stack.enter_context(am.alertmanager(sink.port))
            _activate(peer, sink, count)
            pids["theirs"] = peer.pid
        for pid in pids.values():
            settle(pid)
            wait_alone(pid)
        time.sleep(scale.of(20, 1))  # collectors give memory back a little later
        idle = _idle(pids, scale.of(4, 1))
        memory = {name: resident(pid) for name, pid in pids.items()}
        few.end()
        many.end()
        starts = Starts(many, sink)
        parsed, paged = in_turn(min(scale.rounds, 3), lambda: libraries.parse(many.incidents), starts.again)
    start = [
        Figure("start", starts.ready, PARSES, parsed),
        Figure("start-page", paged, PARSES, parsed),
        Figure("start-new", [new]),
    ]
    return Found([*_at_rest(idle, memory), *start])


def _hold(here: World, sink: Sink, count: int) -> float:
    """Seconds from a start with so many new files until the last was taken in. Each tells one reader; this returns when
    all were told.
    """
    for number in range(count):
        path = here.stage(f"i{number}", "quiet", number % 20)
        path.rename(here.incidents / path.name)
    before, began = sink.taken(), time.monotonic()
    here.start()
    here.hear(TAKEN_IN, count)
    taken = time.monotonic() - began
    seconds_for(sink, before + count, began, 600)
    progress(f"{count} are open")
    return taken


def _activate(peer: am.Alertmanager, sink: Sink, count: int) -> None:
    before = sink.taken()
    for first in range(0, count, BATCH):
        peer.post_all([f"a{number}" for number in range(first, min(count, first + BATCH))])
    seconds_for(sink, before + count, time.monotonic(), 300)
    progress(f"{count} alerts are active")


def _idle(pids: Mapping[str, int], times: int) -> Mapping[str, Sequence[float]]:
    """Per cent of one core that each process uses, in so many looks."""
    found: dict[str, list[float]] = {name: [] for name in pids}
    for _ in range(times):
        before, began = {name: cpu(pid) for name, pid in pids.items()}, time.monotonic()
        time.sleep(WINDOW)
        for name, pid in pids.items():
            found[name].append((cpu(pid) - before[name]) / (time.monotonic() - began) * 100)
    return found


def _at_rest(idle: Mapping[str, Sequence[float]], memory: Mapping[str, float]) -> Sequence[Figure]:
    ours = [memory["ours"]]
    peer, theirs, missing = (ALERTS, [memory["theirs"]], "") if "theirs" in memory else ("", [], am.PROGRAM)
    beside = f"{peer}: {sum(idle['theirs']) / len(idle['theirs']):.2g} %" if theirs else ""
    return [
        Figure("memory", ours, peer, theirs, missing),
        Figure("memory-10", [memory["few"]]),
        Figure("idle", idle["ours"], note=beside),
        Figure("idle-10", idle["few"]),
    ]


class Starts:
    """Starts with files that are known, and one that was dropped while the daemon was away."""

    def __init__(self, here: World, sink: Sink) -> None:
        self._here, self._sink = here, sink
        self.ready: list[float] = []
        """Seconds of each until the daemon was ready."""

    def again(self) -> float:
        """Seconds until the page of the new one was accepted."""
        before, began = self._sink.taken(), time.monotonic()
        self._here.declare(f"meanwhile{len(self.ready)}", "page", len(self.ready))
        self.ready.append(self._here.start())
        taken = seconds_for(self._sink, before + 1, began)
        settle(self._here.pid)
        self._here.end()
        return taken
