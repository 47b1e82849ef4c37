"""Advice on coverage: the gaps in which a chain reaches nobody, as warnings with their place.

Decides where a gap is told (the line that leaves it) and what to write instead. Must not know how gaps are found
(`planning/on_call/coverage`). They are warnings: who is not reached by a chain is covered by the last resort.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from tocsin.domain.policy import RESPONDER, Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.fragments import DeclaredEntry, Fragments
from tocsin.planning.on_call.gaps import Gap, GapCause, GapSource, PagedChain, SkippedLevels, UnreachedChain
from tocsin.text.times import day, day_and_time
from tocsin.text.yaml import KeyPath

LISTED_MAX = 3
"""The most askers that are named; the others are counted."""
MUCH_LONGER = 1.5

_WHY = {
    GapCause.STARTS: ("{0} begins later", "let it start earlier, or add a level until then"),
    GapCause.DURING: ("{0} has no shift then", "add a shift for that time, or a level that is always there"),
    GapCause.CALENDAR: ("the calendar of {0} has nobody then", "add events, or a level that is always there"),
    GapCause.MEMBERS: ("nobody is next in {0}", "add a member, or a level that is always there"),
}


class CoverageAdvice:
    """The words about the gaps of one config, as seen over [start, end)."""

    def __init__(self, declared: Fragments, policy: Policy, start: datetime, end: datetime) -> None:
        self._declared, self._policy = declared, policy
        self._start, self._end = start, end

    def problems(self, unreached: Iterable[UnreachedChain], skipped: Iterable[SkippedLevels]) -> list[Problem]:
        """One warning for each cause; a rotation whose gaps reach through a chain is not told of again."""
        warnings = [self._unreached(chain) for chain in unreached]
        rotations = {source.rotation for chain in unreached for source in chain.sources}
        return warnings + [self._skipped(levels) for levels in skipped if levels.source.rotation not in rotations]

    def _unreached(self, chain: UnreachedChain) -> Problem:
        responders = all(asker.role == RESPONDER for asker in chain.chains)
        if len(chain.sources) == 1:
            why, instead = _WHY[chain.sources[0].cause]
            why = why.format(chain.sources[0].rotation)
        else:
            names = _and([f"{source.rotation} ({self._line(source)})" for source in chain.sources])
            why = f"{names} have nobody then" if names else "whoever is named has neither email nor phone"
            instead = "add a level that is always there"
        if responders:
            code, then, instead = "responders-gap", "no responder is paged", instead.replace("a level", "a responder")
        else:
            code, then = "chain-gap", "only the last resort is paged"
        when, askers = self._when(chain.gaps, chain.sources), _askers(chain.chains)
        words = f"{askers}: nobody is reached {when}; {why}, so {then}; {instead}"
        entry, inside = self._place(chain)
        return entry.problem(inside, code, words, level=ProblemLevel.WARNING)

    def _skipped(self, levels: SkippedLevels) -> Problem:
        entry, inside = self._of(levels.source)
        when, askers = self._when(levels.gaps, (levels.source,)), _askers(levels.chains)
        words = f"{levels.source.rotation} has no shift {when}; a level is passed over then for {askers}"
        words += "; let it start earlier" if levels.source.cause is GapCause.STARTS else "; add a shift for that time"
        return entry.problem(inside, "during-hole", words, level=ProblemLevel.WARNING)

    def _line(self, source: GapSource) -> str:
        """Where a source is, as file:line."""
        entry, inside = self._of(source)
        return entry.at(*inside)

    def _place(self, chain: UnreachedChain) -> tuple[DeclaredEntry[Any], KeyPath]:
        """The line that leaves the gap: of the only rotation, else of the chain."""
        if len(chain.sources) == 1:
            return self._of(chain.sources[0])
        asker = chain.chains[0]
        if not asker.service:
            return self._declared.roles[asker.role], ("chain",)
        entry = self._declared.services[asker.service]
        return entry, ("responders",) if asker.role == RESPONDER else ("roles", asker.role)

    def _of(self, source: GapSource) -> tuple[DeclaredEntry[Any], KeyPath]:
        entry = self._declared.rotations[source.rotation]
        if source.cause is GapCause.CALENDAR:
            return entry, ("calendar",)
        return entry, ("shifts", source.shift, source.cause.value)

    def _when(self, gaps: Sequence[Gap], sources: Sequence[GapSource]) -> str:
        """The gaps in the rotation's own zone: the first, the longest if that is much longer, and how many more."""
        zone = "UTC"
        if sources and sources[0].cause is not GapCause.CALENDAR:
            zone = self._policy.rotations[sources[0].rotation].shifts[sources[0].shift].timezone
        first, longest = gaps[0], max(gaps, key=_length)
        if _length(first) == self._end - self._start:
            return f"in all of the next {(self._end - self._start).days} days"
        shown = [first, *([longest] if _length(longest) > MUCH_LONGER * _length(first) else [])]
        if first.end == self._end:
            return f"from {day_and_time(first.start, zone)} {zone} on"
        words = f"{', '.join(self._gap(gap, zone) for gap in shown)} {zone}"
        more = len(gaps) - len(shown)
        if more:
            words += f", and {more} more time{'s' * (more > 1)} until {day(gaps[-1].end, zone)}"
        return words

    def _gap(self, gap: Gap, zone: str) -> str:
        """One gap, `Sat 28 Nov 08:00 – Mon 30 Nov 08:00`; the day of its end only if it is another."""
        ends = day_and_time(gap.end, zone)
        if gap.start == self._start:
            return f"from now until {ends}"
        return f"{day_and_time(gap.start, zone)} – {ends.removeprefix(day(gap.start, zone) + ' ')}"


def _length(gap: Gap) -> timedelta:
    return gap.end - gap.start


def _askers(askers: Iterable[PagedChain]) -> str:
    """Who asks, `technical_lead of checkout in sev1, sev2`; a role's own chain before those of services."""
    names = dict.fromkeys(_name(asker) for asker in sorted(askers, key=lambda asker: bool(asker.service)))
    severities = dict.fromkeys(asker.severity for asker in askers)
    listed = list(names)
    if len(listed) > LISTED_MAX:
        listed = [*listed[: LISTED_MAX - 1], f"{len(listed) - LISTED_MAX + 1} more"]
    return f"{_and(listed)} in {', '.join(severities)}"


def _name(asker: PagedChain) -> str:
    if asker.role == RESPONDER:
        return f"the responders of {asker.service}"
    return f"{asker.role} of {asker.service}" if asker.service else asker.role


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
