"""What open incidents cost while nothing happens: memory, idle time and a start, with 10 and with 10,000 of them.

Each was told to one reader by mail, as each alert of the peer was.
"""

import contextlib
import time
from collections.abc import Mapping, Sequence

from bench.figures import Figure, Found
from bench.peers import alertmanager as am
from bench.peers import libraries
from bench.processes import cpu, resident, settle
from bench.rounds import Scale, in_turn, progress
from bench.sinks import Sink, fastest, seconds_for
from bench.world import World, folder, world

ALERTS = "Alertmanager, 10,000 active alerts"
BATCH = 1000
WINDOW = 5.0
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
        time.sleep(scale.of(20, 1))  # collectors give memory back a little later
        idle = _idle(pids, scale.of(4, 1))
        memory = {name: resident(pid) for name, pid in pids.items()}
        few.end()
        many.end()
        parsed, started = in_turn(min(scale.rounds, 3), lambda: libraries.parse(many.incidents), lambda: _again(many))
    start = [
        Figure("start", started, "a loop that parses the files (CSafeLoader)", parsed),
        Figure("start-new", [new]),
    ]
    return Found([*_at_rest(idle, memory), *start])


def _hold(here: World, sink: Sink, count: int) -> float:
    """Seconds of a start with so many new files, each of which tells one reader; it returns when all were told."""
    for number in range(count):
        path = here.stage(f"i{number}", "quiet", number % 20)
        path.rename(here.incidents / path.name)
    before = sink.taken()
    taken = here.start()
    seconds_for(sink, before + count, time.monotonic(), 600)
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


def _again(here: World) -> float:
    """Seconds of a start with files that are known."""
    taken = here.start()
    settle(here.pid)
    here.end()
    return taken
