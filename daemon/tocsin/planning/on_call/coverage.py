"""When a chain reaches nobody at all over the next 90 days, exactly.

A level that reaches nobody takes no time (rule 6), so at any instant a chain reaches somebody if any of its
names does; if none does, the last resort is paged at once. Pages wait for a severity's `hours` (rule 11), so only open
time matters. Computed from the instants at which something can change, never by sampling. Must not know where anything
is written, nor incidents.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from tocsin.domain.policy import ALWAYS, RESPONDER, Level, Policy, Who
from tocsin.domain.rotation import Hours, Rotation
from tocsin.planning.on_call.gaps import Gap, GapCause, GapSource, PagedChain, SkippedLevels, UnreachedChain
from tocsin.planning.on_call.hours import open_between
from tocsin.planning.on_call.resolve import CALENDAR_AHEAD, in_turn, next_on_call
from tocsin.planning.on_call.shifts import change_instants, on_call_spans
from tocsin.planning.on_call.wall_clock import instant

AHEAD = timedelta(days=90)

Gaps = tuple[Gap, ...]
_Chain = tuple[PagedChain, tuple[Level, ...], str]
"""Which chain it is, its levels, and the hours in which pages may go."""


class ChainCoverage:
    """What a policy reaches over [start, end), and what not; each question is answered once."""

    def __init__(self, policy: Policy, start: datetime, end: datetime) -> None:
        self.policy, self.start, self.end = policy, start, end
        self._known: dict[tuple[str, str], Gaps] = {}
        self._chains = tuple(_chains(policy))

    def unreached(self) -> tuple[UnreachedChain, ...]:
        """Every gap of a chain or of responders in which somebody could be paged: one entry for each cause."""
        alike: dict[frozenset[str], list[_Chain]] = {}
        for chain in self._chains:
            alike.setdefault(frozenset(str(who) for who in _whos(chain)), []).append(chain)
        unreached: dict[tuple[tuple[GapSource, ...], Gaps], UnreachedChain] = {}
        for chains in alike.values():
            whos = _whos(chains[0])
            gaps = self.gaps(whos)
            paging_hours = {hours for _, _, hours in chains if gaps}
            open_in_gap = frozenset(
                hours for hours in paging_hours if intersection(gaps, self._open(frozenset([hours])))
            )
            if open_in_gap:
                gaps = intersection(gaps, self._open(open_in_gap))
                sources = tuple(self._sources(whos, gaps[-1].start))
                concerned = tuple(chain for chain, _, hours in chains if hours in open_in_gap)
                entry = unreached.get((sources, gaps), UnreachedChain(whos, sources, gaps, ()))
                unreached[sources, gaps] = replace(entry, chains=(*entry.chains, *concerned))
        return tuple(unreached.values())

    def skipped(self) -> tuple[SkippedLevels, ...]:
        """The holes in the week that the windows of shifts leave to nobody, where a level relies on the rotation and
        has nobody else then.
        """
        relying: dict[str, dict[tuple[frozenset[str], str], tuple[Level, list[PagedChain]]]] = {}
        for chain, levels, hours in self._chains:
            for level in levels:
                alike = frozenset(str(who) for who in level.whos), hours
                for name in {who.name for who in level.whos if who.part in {"on_call", "next"}}:
                    relying.setdefault(name, {}).setdefault(alike, (level, []))[1].append(chain)
        skipped = []
        for rotation in (self.policy.rotations[name] for name in relying):
            hole = self._hole(rotation)
            gaps: Gaps = ()
            concerned: list[PagedChain] = []
            for (_, hours), (level, chains) in relying[rotation.id].items() if hole else ():
                open_gaps = intersection(self.gaps(level.whos, hole), self._open(frozenset([hours])))
                if open_gaps:
                    gaps = union(gaps, open_gaps)
                    concerned += chains
            if gaps:
                source = self._source(rotation, gaps[0].start)
                skipped.append(SkippedLevels(source, gaps, tuple(dict.fromkeys(concerned))))
        return tuple(skipped)

    def gaps(self, whos: Iterable[Who], within: Gaps | None = None) -> Gaps:
        """When none of these names reaches anybody, in all of the span or in these stretches of it."""
        left = (Gap(self.start, self.end),) if within is None else within
        for who in sorted(whos, key=lambda who: _COST[who.part]):
            left = intersection(left, self._next(who.name, left) if who.part == "next" else self._of(who))
            if not left:
                break
        return left

    def _of(self, who: Who) -> Gaps:
        """When a name, other than `.next`, reaches nobody."""
        known = self._known.get((who.name, who.part))
        if known is None:
            covered = self._covered(who)
            known = self._known[who.name, who.part] = self._rest(covered)
        return known

    def _covered(self, who: Who) -> Iterator[tuple[datetime, datetime]]:
        """When a name reaches somebody, by start."""
        if who.part == "person":
            return iter([(self.start, self.end)] if self._reachable(who.name) else [])
        rotation = self.policy.rotations[who.name]
        if who.part == "on_call":
            return iter(self._on_call(rotation))
        if rotation.calendar:
            events = (event for event in rotation.events if self._reachable(event.person))
            return ((event.start - CALENDAR_AHEAD + timedelta.resolution, event.end) for event in events)
        somebody = any(self._reachable(person) for shift in rotation.shifts for person in shift.members)
        return iter([(self.start, self.end)] if somebody else [])

    def _rest(self, covered: Iterable[tuple[datetime, datetime]]) -> Gaps:
        """What stretches by start leave of the span."""
        left, at = [], self.start
        for begins, ends in covered:
            if at < min(begins, self.end):
                left.append(Gap(at, min(begins, self.end)))
            at = max(at, ends)
        return (*left, *([Gap(at, self.end)] if at < self.end else []))

    def _next(self, name: str, within: Gaps) -> Gaps:
        """When the next of a rotation is nobody, in these stretches only: whenever it is nobody's turn, and when there
        is nobody else.
        """
        rotation = self.policy.rotations[name]
        nobody = self._rest(self._turns(rotation))
        left = list(intersection(within, nobody))
        for gap in intersection(within, self._rest((gap.start, gap.end) for gap in nobody)):
            for begins, ends in pairwise([gap.start, *change_instants(rotation, gap.start, gap.end), gap.end]):
                person = next_on_call(rotation, begins)
                if person is None or not self._reachable(person):
                    left.append(Gap(begins, ends))
        return union(tuple(left), ())

    def _on_call(self, rotation: Rotation) -> list[tuple[datetime, datetime]]:
        """When somebody is on call who can be reached. If everybody can, it does not matter whose turn it is, and
        counting turns is what costs.
        """
        named = {person for shift in rotation.shifts for person in shift.members}
        named |= {override.person for override in rotation.overrides} | {event.person for event in rotation.events}
        if all(self._reachable(person) for person in named):
            whole = ((override.start, override.end) for override in rotation.overrides if override.instead_of is None)
            return sorted((*self._turns(rotation), *whole))
        spans = on_call_spans(rotation, self.start, self.end)
        return [(span.start, span.end) for span in spans if self._reachable(span.person)]

    def _turns(self, rotation: Rotation) -> list[tuple[datetime, datetime]]:
        """When it is anybody's turn, overrides apart, by start."""
        turns = [(event.start, event.end) for event in rotation.events]
        for shift in rotation.shifts:
            since = max(self.start, instant(shift.starts, shift.timezone))
            if since < self.end:
                turns += open_between(Hours(shift.timezone, shift.during), since, self.end)
        return sorted(turns)

    def _reachable(self, person: str) -> bool:
        """Whether somebody has a channel: a page goes by any that they have if by none that its severity asks for."""
        listed = self.policy.people.get(person)
        return listed is not None and bool(listed.channels)

    def _hole(self, rotation: Rotation) -> Gaps:
        """When the windows of the shifts leave nobody, once all have begun; those that never do until the end (a wrong
        year) leave what the others do, or all of it.
        """
        begins = [(instant(shift.starts, shift.timezone), shift.during) for shift in rotation.shifts]
        begun = [(since, during) for since, during in begins if since < self.end]
        if not all(during for _, during in begun) or rotation.calendar:
            return ()
        since = max([self.start, *(since for since, _ in begun)])
        return self._rest([(self.start, since), *self._turns(rotation)])

    def _open(self, hours: frozenset[str]) -> Gaps:
        """When pages may go by any of these hours."""
        open_time: Gaps = (Gap(self.start, self.end),) if ALWAYS in hours else ()
        for name in hours - {ALWAYS}:
            opened = open_between(self.policy.hours[name], self.start, self.end)
            open_time = union(open_time, tuple(Gap(*span) for span in opened))
        return open_time

    def _sources(self, whos: Sequence[Who], at: datetime) -> Iterator[GapSource]:
        """The rotations among these names, which reach nobody at that instant."""
        for name in dict.fromkeys(who.name for who in whos if who.part != "person"):
            yield self._source(self.policy.rotations[name], at)

    def _source(self, rotation: Rotation, at: datetime) -> GapSource:
        """What of a rotation leaves the gap that begins then: of several windows the one that closed last."""
        if rotation.calendar:
            return GapSource(rotation.id, GapCause.CALENDAR)
        if in_turn(rotation, at) is not None:
            return GapSource(rotation.id, GapCause.MEMBERS)
        closed = []
        for number, shift in enumerate(rotation.shifts):
            since = max(instant(shift.starts, shift.timezone), at - WEEK)
            if since <= at:
                opened = open_between(Hours(shift.timezone, shift.during), since, at)
                closed.append((opened[-1][1] if opened else since, -number))
        if closed:
            return GapSource(rotation.id, GapCause.DURING, -max(closed)[1])
        begun = [instant(shift.starts, shift.timezone) for shift in rotation.shifts]
        return GapSource(rotation.id, GapCause.STARTS, begun.index(min(begun)))


WEEK = timedelta(days=7)
_COST = {"person": 0, "everyone": 1, "on_call": 2, "next": 3}
"""The parts of a name, the cheapest to answer first."""


def intersection(one: Gaps, other: Gaps) -> Gaps:
    """What two rows of stretches, each in order and without overlap, share."""
    if not one or not other:
        return ()
    if len(other) == 1 and other[0].start <= one[0].start and one[-1].end <= other[0].end:
        return one
    shared, at, with_at = [], 0, 0
    while at < len(one) and with_at < len(other):
        begins = max(one[at].start, other[with_at].start)
        ends = min(one[at].end, other[with_at].end)
        if begins < ends:
            shared.append(Gap(begins, ends))
        if one[at].end < other[with_at].end:
            at += 1
        else:
            with_at += 1
    return tuple(shared)


def union(one: Gaps, other: Gaps) -> Gaps:
    """What is in any of two rows of stretches; those that touch are one."""
    joined: list[Gap] = []
    for gap in sorted((*one, *other), key=lambda gap: gap.start):
        if joined and gap.start <= joined[-1].end:
            joined[-1] = Gap(joined[-1].start, max(joined[-1].end, gap.end))
        else:
            joined.append(gap)
    return tuple(joined)


def _whos(chain: _Chain) -> tuple[Who, ...]:
    return tuple(who for level in chain[1] for who in level.whos)


def _chains(policy: Policy) -> Iterator[_Chain]:
    """Every chain by which a page may go, and the responders of every service, for each severity that pages."""
    for severity in policy.severities.values():
        page = severity.page
        if page is None:
            continue
        for role in page.roles:
            yield PagedChain(severity.name, role), policy.roles[role].chain, page.hours
            for service in policy.services.values():
                chain = service.chain(role)
                if chain is not None:
                    yield PagedChain(severity.name, role, service.id), chain, page.hours
        for service in policy.services.values():
            if service.responders:
                yield PagedChain(severity.name, RESPONDER, service.id), (Level(service.responders),), page.hours
