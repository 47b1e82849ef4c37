"""Mails a second: one page for each of many incidents, and one update to many readers."""

import asyncio
from collections.abc import Callable, Sequence

from bench.figures import Figure, Found
from bench.peers import alertmanager as am
from bench.peers import libraries, postfix
from bench.processes import cpu
from bench.rounds import Scale, in_turn
from bench.sinks import Sink, fastest, seconds_for
from bench.world import folder, world

GROUPS, SCRIPT = "Alertmanager, 1,000 groups", "aiosmtplib, EmailMessage and Jinja2, no record"
WARM = 40
"""What goes before, untimed: templates are compiled, connections are open, caches filled."""


class Rates:
    """One sink, and both sides in turn before it, each round with a process of its own that was warmed up.

    Ours is measured from before the first rename, theirs from before the POST, until the sink has all.
    """

    def __init__(self, sink: Sink, count: int) -> None:
        self._sink, self._count = sink, count
        self.cpu: dict[str, list[float]] = {"ours": [], "theirs": []}
        """Microseconds of processor time for each mail, by whose."""

    def _rate(self, began: float, before: int, count: int) -> float:
        return count / seconds_for(self._sink, before + count, began)

    def incidents(self) -> float:
        """As many incidents, each of which pages one of twenty people."""
        with world(1, self._sink) as here:
            here.start()
            self._warm(here.declare_all)
            before, used = self._sink.taken(), here.cpu()
            rate = self._rate(here.declare_all(_names("i", self._count), "page"), before, self._count)
            self.cpu["ours"].append((here.cpu() - used) / self._count * 1e6)
        return rate

    def update(self) -> float:
        """One incident, of which as many readers are told. One more mail is its page."""
        with world(self._count, self._sink) as here:
            here.start()
            self._warm(here.declare_all)
            before = self._sink.taken()
            return self._rate(here.declare_all(["many"], "sev1"), before, self._count + 1)

    def _warm(self, declare_all: Callable[[Sequence[str], str], float]) -> None:
        before = self._sink.taken()
        self._rate(declare_all(_names("w", WARM), "page"), before, WARM)

    def groups(self, *, own_body: bool = False) -> float:
        """Alertmanager, with as many groups of one alert."""
        with am.alertmanager(self._sink.port, own_body=own_body) as peer:
            before = self._sink.taken()
            self._rate(peer.post_all(_names("w", WARM)), before, WARM)
            before, used = self._sink.taken(), cpu(peer.pid)
            rate = self._rate(peer.post_all(_names("i", self._count)), before, self._count)
            self.cpu["theirs"].append((cpu(peer.pid) - used) / self._count * 1e6)
        return rate

    def groups_own_body(self) -> float:
        """The same with the body that it has by itself."""
        return self.groups(own_body=True)

    def one_alert(self) -> float:
        """Alertmanager, with one alert of which as many receivers are told."""
        with am.alertmanager(self._sink.port, readers=self._count) as peer:
            before = self._sink.taken()
            return self._rate(peer.post_all(["many"]), before, self._count)

    def script(self) -> float:
        """What a user would write: the libraries, without any record."""
        return asyncio.run(libraries.emails(self._sink.port, self._count // 2))

    def limit(self) -> float:
        """What postfix's generator brings into the same sink."""
        return postfix.mails_a_second(self._sink, self._count * 5)


def _names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number:05}" for number in range(count)]


def incidents(scale: Scale) -> Found:
    """One message for each of many different incidents, beside as many groups of Alertmanager."""
    with folder() as base:
        sink = fastest(base)
        try:
            return Found(_incidents(Rates(sink, scale.of(1000, 60)), sink.name, scale.rounds))
        finally:
            sink.close()


def _incidents(rates: Rates, sink: str, rounds: int) -> Sequence[Figure]:
    limit = _limit(rates, sink, rounds)
    if not am.is_installed():
        (ours,) = in_turn(rounds, rates.incidents)
        return [Figure("incidents", ours, missing=am.PROGRAM), *limit]
    theirs, ours, default = in_turn(rounds, rates.groups, rates.incidents, rates.groups_own_body)
    with_body = rates.cpu["theirs"][::2]
    return [
        Figure("incidents", ours, GROUPS, theirs, note=f"into {sink}; from before the first until the sink has all"),
        Figure("incidents-cpu", rates.cpu["ours"], GROUPS, with_body),
        Figure("incidents-default", ours, GROUPS, default),
        *limit,
    ]


def _limit(rates: Rates, sink: str, rounds: int) -> Sequence[Figure]:
    if not postfix.is_installed():
        return [Figure("incidents-limit", [], missing="postfix (smtp-source)")]
    return [Figure("incidents-limit", [rates.limit() for _ in range(min(rounds, 3))], note=f"into {sink}")]


def update(scale: Scale) -> Found:
    """One update to many readers, beside Alertmanager and a script of the libraries."""
    with folder() as base:
        sink = fastest(base)
        try:
            return Found(_update(Rates(sink, scale.of(1000, 60)), scale.rounds))
        finally:
            sink.close()


def _update(rates: Rates, rounds: int) -> Sequence[Figure]:
    if not am.is_installed():
        script, ours = in_turn(rounds, rates.script, rates.update)
        missing = [Figure("update", ours, missing=am.PROGRAM)]
        return [*missing, Figure("libraries", ours, SCRIPT, script)]
    theirs, ours, script, one = in_turn(rounds, rates.groups, rates.update, rates.script, rates.one_alert)
    nearest = "the peer has no update to many: 1,000 groups are its fastest way to 1,000 mails"
    return [
        Figure("update", ours, GROUPS, theirs, note=nearest),
        Figure("update-one-alert", ours, "Alertmanager, one alert, 1,000 `email_configs` of one receiver", one),
        Figure("libraries", ours, SCRIPT, script),
    ]
