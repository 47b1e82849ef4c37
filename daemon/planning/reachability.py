"""Reachability: when a chain reaches nobody at all over the next 90 days, exactly (issue: "config as code").

A level that reaches nobody takes no time (timeline.md rule 6), so at any instant a chain reaches somebody if any of its
names does; if none does, the last resort is paged at once. Pages wait for a severity's `hours` (rule 11), so only open
time matters. Computed from the instants at which something can change, never by sampling. Must not know where anything
is written, nor incidents.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from daemon.domain.policy import ALWAYS, RESPONDER, Level, Policy, Who
from daemon.domain.reachability import Asker, Cause, Gap, Leak, Skipped, Unreached
from daemon.domain.rotation import Hours, Rotation
from daemon.planning.hours import open_over
from daemon.planning.on_call import CALENDAR_AHEAD, in_turn, next_on_call
from daemon.planning.stretches import changes, stretches
from daemon.planning.wall_clock import instant

AHEAD = timedelta(days=90)

Gaps = tuple[Gap, ...]
_Chain = tuple[Asker, tuple[Level, ...], str]
"""Who asks, the levels, and the hours in which pages may go."""


class Reachability:
    """What a policy reaches over [start, end), and what not; each question is answered once."""

    def __init__(self, policy: Policy, start: datetime, end: datetime) -> None:
        self.policy, self.start, self.end = policy, start, end
        self._known: dict[tuple[str, str], Gaps] = {}
        self._chains = tuple(_chains(policy))

    def unreached(self) -> tuple[Unreached, ...]:
        """Every gap of a chain or of responders in which somebody could be paged: one entry for each cause."""
        by_names: dict[frozenset[str], list[_Chain]] = {}
        for chain in self._chains:
            by_names.setdefault(frozenset(str(who) for who in _whos(chain)), []).append(chain)
        found: dict[tuple[tuple[Leak, ...], Gaps], Unreached] = {}
        for chains in by_names.values():
            whos = _whos(chains[0])
            gaps = self.gaps(whos)
            suffering = [chain for chain in chains if both(gaps, self._open([chain]))] if gaps else []
            if suffering:
                gaps = both(gaps, self._open(suffering))
                leaks = tuple(self._leaks(whos, gaps[-1].start))
                askers = tuple(asker for asker, _, _ in suffering)
                known = found.get((leaks, gaps), Unreached(whos, leaks, gaps, ()))
                found[leaks, gaps] = replace(known, askers=(*known.askers, *askers))
        return tuple(found.values())

    def skipped(self) -> tuple[Skipped, ...]:
        """The holes in the week that the windows of shifts leave to nobody, where a level relies on the rotation and
        has nobody else then.
        """
        found = []
        relying: dict[str, list[tuple[_Chain, Level]]] = {}
        for chain in self._chains:
            for level in chain[1]:
                for name in {who.name for who in level.whos if who.part in {"on_call", "next"}}:
                    relying.setdefault(name, []).append((chain, level))
        for rotation in (self.policy.rotations[name] for name in relying):
            hole = self._hole(rotation)
            gaps: Gaps = ()
            askers = []
            for chain, level in relying[rotation.id] if hole else ():
                left = both(self.gaps(level.whos, hole), self._open([chain]))
                if left:
                    gaps = either(gaps, left)
                    askers.append(chain[0])
            if gaps:
                leak = self._leak(rotation, gaps[0].start)
                found.append(Skipped(leak, gaps, tuple(dict.fromkeys(askers))))
        return tuple(found)

    def gaps(self, whos: Iterable[Who], within: Gaps | None = None) -> Gaps:
        """When none of these names reaches anybody, in all of the span or in these stretches of it."""
        left = (Gap(self.start, self.end),) if within is None else within
        for who in sorted(whos, key=lambda who: _COST[who.part]):
            left = both(left, self._next(who.name, left) if who.part == "next" else self._of(who))
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
            found = stretches(self._simplified(rotation), self.start, self.end)
            return ((each.start, each.end) for each in found if self._reachable(each.person))
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
        nobody = self._without_turn(rotation)
        left = list(both(within, nobody))
        for gap in both(within, self._rest((each.start, each.end) for each in nobody)):
            for begins, ends in pairwise([gap.start, *changes(rotation, gap.start, gap.end), gap.end]):
                person = next_on_call(rotation, begins)
                if person is None or not self._reachable(person):
                    left.append(Gap(begins, ends))
        return either(tuple(left), ())

    def _without_turn(self, rotation: Rotation) -> Gaps:
        """When it is nobody's turn, overrides apart."""
        known = self._known.get((rotation.id, "turn"))
        if known is None:
            turns = stretches(replace(self._simplified(rotation), overrides=()), self.start, self.end)
            known = self._known[rotation.id, "turn"] = self._rest((each.start, each.end) for each in turns)
        return known

    def _reachable(self, person: str) -> bool:
        """Whether somebody has a channel: a page goes by any that they have if by none that its severity asks for."""
        known = self.policy.people.get(person)
        return known is not None and bool(known.channels)

    def _simplified(self, rotation: Rotation) -> Rotation:
        """The rotation with one member in each shift if everybody in it can be reached: then turns don't matter, and
        counting them is what costs.
        """
        named = {*(person for shift in rotation.shifts for person in shift.members)}
        if not all(self._reachable(person) for person in (*named, *(each.person for each in rotation.overrides))):
            return rotation
        return replace(rotation, shifts=tuple(replace(each, members=each.members[:1]) for each in rotation.shifts))

    def _hole(self, rotation: Rotation) -> Gaps:
        """When the windows of the shifts leave nobody, once all have begun."""
        if not all(shift.during for shift in rotation.shifts) or rotation.calendar:
            return ()
        begun = max(self.start, *(instant(shift.starts, shift.timezone) for shift in rotation.shifts))
        if begun >= self.end:
            return ()
        opened = (open_over(Hours(each.timezone, each.during), begun, self.end) for each in rotation.shifts)
        return self._rest([(self.start, begun), *sorted(each for shift in opened for each in shift)])

    def _open(self, chains: Iterable[_Chain]) -> Gaps:
        """When pages of any of these may go."""
        found: Gaps = ()
        for name in dict.fromkeys(hours for _, _, hours in chains):
            if name == ALWAYS:
                return (Gap(self.start, self.end),)
            opened = open_over(self.policy.hours[name], self.start, self.end)
            found = either(found, tuple(Gap(*each) for each in opened))
        return found

    def _leaks(self, whos: Sequence[Who], at: datetime) -> Iterator[Leak]:
        """The rotations among these names, which reach nobody at that instant."""
        for name in dict.fromkeys(who.name for who in whos if who.part != "person"):
            yield self._leak(self.policy.rotations[name], at)

    def _leak(self, rotation: Rotation, at: datetime) -> Leak:
        """What of a rotation leaves the gap that begins then: of several windows the one that closed last."""
        if rotation.calendar:
            return Leak(rotation.id, Cause.CALENDAR)
        if in_turn(rotation, at) is not None:
            return Leak(rotation.id, Cause.MEMBERS)
        closed = []
        for number, shift in enumerate(rotation.shifts):
            since = max(instant(shift.starts, shift.timezone), at - WEEK)
            if since <= at:
                opened = open_over(Hours(shift.timezone, shift.during), since, at)
                closed.append((opened[-1][1] if opened else since, -number))
        if closed:
            return Leak(rotation.id, Cause.DURING, -max(closed)[1])
        begun = [instant(shift.starts, shift.timezone) for shift in rotation.shifts]
        return Leak(rotation.id, Cause.STARTS, begun.index(min(begun)))


WEEK = timedelta(days=7)
_COST = {"person": 0, "everyone": 1, "on_call": 2, "next": 3}
"""The parts of a name, the cheapest to answer first."""


def both(one: Gaps, other: Gaps) -> Gaps:
    """What two rows of stretches, each in order and without overlap, share."""
    found, at, with_at = [], 0, 0
    while at < len(one) and with_at < len(other):
        begins = max(one[at].start, other[with_at].start)
        ends = min(one[at].end, other[with_at].end)
        if begins < ends:
            found.append(Gap(begins, ends))
        if one[at].end < other[with_at].end:
            at += 1
        else:
            with_at += 1
    return tuple(found)


def either(one: Gaps, other: Gaps) -> Gaps:
    """What is in any of two rows of stretches; those that touch are one."""
    found: list[Gap] = []
    for gap in sorted((*one, *other), key=lambda gap: gap.start):
        if found and gap.start <= found[-1].end:
            found[-1] = Gap(found[-1].start, max(found[-1].end, gap.end))
        else:
            found.append(gap)
    return tuple(found)


def _whos(chain: _Chain) -> tuple[Who, ...]:
    return tuple(who for level in chain[1] for who in level.whos)


def _chains(policy: Policy) -> Iterator[_Chain]:
    """Every chain by which a page may go, and the responders of every service, for each severity that pages."""
    for severity in policy.severities.values():
        page = severity.page
        if page is None:
            continue
        for role in page.roles:
            yield Asker(severity.name, role), policy.roles[role].chain, page.hours
            for service in policy.services.values():
                chain = service.chain(role)
                if chain is not None:
                    yield Asker(severity.name, role, service.id), chain, page.hours
        for service in policy.services.values():
            if service.responders:
                yield Asker(severity.name, RESPONDER, service.id), (Level(service.responders),), page.hours
