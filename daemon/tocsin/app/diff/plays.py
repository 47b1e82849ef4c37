"""Scenarios played with two configs, and what moved between them, at the price of what can differ.

While nobody answers neither pages nor updates ask about the other: in a fixed scenario each is played by itself, if
what it depends on differs, and pages only for as long as they can begin to differ.
"""

from collections.abc import Sequence
from datetime import timedelta

from tocsin.app.configuration.policy_parts import PolicyParts
from tocsin.app.diff.comparison import COMPARED, Change, Order, compare, compare_in_order
from tocsin.app.diff.scenarios import Scenario, longest_chain, spans_of
from tocsin.app.simulation.play import Simulation, play_within
from tocsin.domain.notification import Kind
from tocsin.domain.policy import Policy
from tocsin.domain.rotation import Hours

Spans = tuple[timedelta, timedelta]
"""How long a scenario is compared, and how long it is played."""


class Plays:
    """What moves when the old config becomes the new one, or one between them. `old` and `new` say how long each
    scenario is looked at.
    """

    def __init__(self, old: PolicyParts, new: PolicyParts) -> None:
        self._old, self._new = old, new
        self._known: dict[tuple[object, ...], dict[Order, Change]] = {}
        self._before: dict[Kind | None, tuple[Scenario, timedelta, Simulation]] = {}

    def moved(self, after: PolicyParts, scenario: Scenario) -> tuple[Change, ...]:
        """What moves in a scenario between the old config and another."""
        spans = spans_of((self._old.policy, self._new.policy), scenario)
        named = all(scenario.severity in side.policy.severities for side in (self._old, after))
        if not (scenario.fixed and named):
            return self._in_whole(after, scenario, spans)
        found = {order: change for kind in COMPARED for order, change in self._of(kind, after, scenario, spans).items()}
        return tuple(found[order] for order in sorted(found))

    def _in_whole(self, after: PolicyParts, scenario: Scenario, spans: Spans) -> tuple[Change, ...]:
        """With all that happens in it. One of a severity that only the new config has went nowhere before."""
        compared, played = spans
        fresh = scenario.fixed and scenario.severity not in self._old.policy.severities
        before = None if fresh else self._play_before(None, scenario, played)
        gone = fresh and scenario.severity not in after.policy.severities
        return compare(before, None if gone else _play(after.policy, scenario, played), compared)

    def _of(self, kind: Kind, after: PolicyParts, scenario: Scenario, spans: Spans) -> dict[Order, Change]:
        """What moves of its pages, or of its updates. Scenarios that do not differ for these are played once."""
        severity, services = scenario.severity, scenario.services
        concerned = tuple(name for name in services if not (self._old.plain(name, kind) and after.plain(name, kind)))
        key = kind, after, severity, concerned, scenario.moment, spans
        if key not in self._known:
            same = self._old.of(severity, services, kind) == after.of(severity, services, kind)
            self._known[key] = {} if same else self._compared(kind, after, scenario, spans)
        return self._known[key]

    def _compared(self, kind: Kind, after: PolicyParts, scenario: Scenario, spans: Spans) -> dict[Order, Change]:
        sides = self._old, self._new, after
        compared, played = spans_of_pages(sides, scenario, spans) if kind is Kind.PAGE else spans
        before = self._play_before(kind, scenario, played)
        return compare_in_order(before, _play(_alone(after, kind, scenario), scenario, played), compared)

    def _play_before(self, kind: Kind | None, scenario: Scenario, played: timedelta) -> Simulation:
        """The old side. The last of each kind is kept, since every trial of a scenario is compared with it."""
        known = self._before.get(kind)
        if known is None or known[0] is not scenario or known[1] != played:
            simulation = _play(_alone(self._old, kind, scenario), scenario, played)
            known = self._before[kind] = scenario, played, simulation
        return known[2]


def spans_of_pages(sides: Sequence[PolicyParts], scenario: Scenario, spans: Spans) -> Spans:
    """How long its pages need be compared and played so that they show the same as in all of `spans`.

    Once every ladder has come to its last resort, and the last channel that waited has gone, the pages of each side
    repeat themselves with its `acknowledge_within`. Two such courses that agree for as long as both intervals together
    agree for ever; and whatever differs has its counterpart one interval later at most, or never. Where pages wait for
    opening hours nothing repeats itself.
    """
    settled, interval = timedelta(0), timedelta(0)
    for side in sides:
        page = side.policy.severity(scenario.severity).page
        if page is None:
            continue
        if side.policy.hours.get(page.hours, Hours()).windows:
            return spans
        steps = page.rounds * max(1, longest_chain(side.policy, page, scenario))
        settled = max(settled, steps * page.acknowledge_within + side.longest_wait)
        interval = max(interval, page.acknowledge_within)
    compared = settled + 2 * interval
    shorter = compared, compared + interval
    return shorter if all(less <= all_of_it for less, all_of_it in zip(shorter, spans, strict=True)) else spans


def _alone(side: PolicyParts, kind: Kind | None, scenario: Scenario) -> Policy:
    return side.policy if kind is None else side.of_kind_alone(kind, scenario.severity)


def _play(policy: Policy, scenario: Scenario, played: timedelta) -> Simulation:
    return play_within(policy, scenario.data, scenario.file, scenario.moment.at, played, scenario.steps)
