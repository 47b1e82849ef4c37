"""How the cost grows: with open incidents, with readers of one update, with connections to the mail server.

On SQLite, and on PostgreSQL beside it, which flushes each commit to its disk as SQLite does.
"""

import contextlib
import statistics
import sys
from collections.abc import Iterator, Sequence

from bench.figures import Found, Line
from bench.measures.held import PARSED, Point, held, holding, lines
from bench.peers import libraries, postfix
from bench.rounds import Scale, progress
from bench.sinks import Sink, StampingSink, fastest, seconds_for
from bench.world import ROOT, World, folder, world
from tests.fakes.postgres import Server, installed

OPEN = (10, 100, 1_000, 10_000)
"""How many are open; 100,000 is measured in turn with 10 on SQLite."""
READERS = (1, 10, 100, 1_000, 10_000)
CONNECTIONS = (1, 2, 4, 8, 16)
AWAY = 0.005
"""Seconds to a mail server that is not on this machine, there and back."""
WARM, LIMIT = 40, "limit: smtp-source"
SAFE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB"}
"""What a PostgreSQL for the tests has not, and one of people has."""


class Databases:
    """An address of an empty ledger, again and again; empty for SQLite."""

    def __init__(self, server: Server | None = None) -> None:
        self._server = server
        self.name = "PostgreSQL" if server else "SQLite"

    def fresh(self) -> str:
        """The next one."""
        return self._server.make_database().url() if self._server else ""


@contextlib.contextmanager
def databases() -> Iterator[list[Databases]]:
    """SQLite, and PostgreSQL where a server can be started here."""
    programs = installed()
    if programs is None:
        progress("PostgreSQL is not installed here: its lines are missing")
        yield [Databases()]
        return
    server = Server(programs, SAFE)
    try:
        yield [Databases(), Databases(server)]
    finally:
        server.close()


def growth(scale: Scale) -> Found:
    """All three, and the measures with 100,000 held that are points of them."""
    many = held(scale)
    with databases() as kinds:
        found = [*many.lines]
        for kind in kinds:
            found += _open(scale, kind)
            found += _readers(scale, kind)
    found += _connections(scale)
    return Found(many.figures, _joined(found))


def _open(scale: Scale, kind: Databases) -> list[Line]:
    """Points of each size, each in a world of its own."""
    points, bare = [], []
    sizes = OPEN[: scale.of(len(OPEN), 2)]
    if kind.name != "SQLite" and not scale.quick:
        sizes = (*sizes, 100_000)
    for size in sizes:
        with holding(size, kind.fresh()) as one:
            rate = statistics.median(one.rate(scale.of(300, 30)) for _ in range(scale.of(3, 1)))
            points.append(Point(size, rate, one.latency(scale.of(20, 5)), one.memory, one.again()))
            bare.append((float(size), libraries.parse(one.here.incidents)))
    limit = [Line("open-start", PARSED, bare)] if kind.name == "SQLite" else []
    return [*lines(kind.name, points), *limit]


def _readers(scale: Scale, kind: Databases) -> list[Line]:
    """Seconds until the last reader of one update has it, and the mails a second that this is."""
    sizes = READERS[: scale.of(len(READERS), 3)]
    seconds = []
    with contextlib.ExitStack() as stack:
        sink = fastest(stack.enter_context(folder()))
        stack.callback(sink.close)
        here = stack.enter_context(world(1, sink, more="".join(_groups(sizes)), ledger=kind.fresh()))
        here.start()
        _tell(here, sink, WARM, "warm")
        for size in sizes:
            turns = range(1 if size > 1000 else scale.of(3, 1))
            seconds.append((size, statistics.median(_tell(here, sink, size, f"u{size}-{turn}") for turn in turns)))
            progress(f"{kind.name}, {size} readers: {seconds[-1][1]:.3f} s")
        found = _as_lines(kind.name, seconds)
        if kind.name == "SQLite" and postfix.is_installed():
            limit = postfix.mails_a_second(sink, scale.of(10_000, 1000))
            found += _as_lines(LIMIT, [(size, size / limit) for size in sizes])
    return found


def _tell(here: World, sink: Sink, readers: int, name: str) -> float:
    """Seconds until so many readers have heard of a new incident."""
    before = sink.taken()
    return seconds_for(sink, before + readers, here.declare_all([name], f"tell{readers}"))


def _groups(sizes: Sequence[int]) -> Iterator[str]:
    """A group for each size, and a severity that tells it and pages nobody."""
    yield "stakeholders:\n"
    for size in (WARM, *sizes):
        readers = ", ".join(f"r{number}@example.com" for number in range(size))
        yield f"  group{size}: {{emails: [{readers}], external: false}}\n"
    yield "severities:\n"
    for size in (WARM, *sizes):
        yield f"  tell{size}: {{updates: [{{to: [group{size}], every: 4h}}]}}\n"


def _as_lines(name: str, seconds: Sequence[tuple[int, float]]) -> list[Line]:
    rates = [(size, size / taken) for size, taken in seconds]
    return [Line("readers-seconds", name, seconds), Line("readers-rate", name, rates)]


def _connections(scale: Scale) -> list[Line]:
    """Mails a second of one update, by connections: to a server on this machine, and to one that is farther away."""
    readers, counts = scale.of(1000, 60), CONNECTIONS[: scale.of(len(CONNECTIONS), 2)]
    found = []
    for name, away in (("mail server on this machine", 0.0), ("5 ms away", AWAY)):
        points = []
        for count in counts:
            with contextlib.ExitStack() as stack:
                sink = StampingSink(stack.enter_context(folder()), str(away))
                stack.callback(sink.close)
                here = stack.enter_context(world(1, sink, more="".join(_groups([readers]))))
                here.start((sys.executable, "-m", "bench.with_connections", str(count)), {"PYTHONPATH": str(ROOT)})
                _tell(here, sink, WARM, "warm")
                points.append((count, readers / _tell(here, sink, readers, "many")))
            progress(f"{name}, {count} connections: {points[-1][1]:.0f} mails/s")
        found.append(Line("connections-rate", name, points))
    return found


def _joined(found: Sequence[Line]) -> list[Line]:
    """The points of each line together, in order."""
    points: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for line in found:
        points.setdefault((line.plot, line.name), []).extend(line.points)
    return [Line(plot, name, sorted(each)) for (plot, name), each in points.items()]
