"""The scenarios in which `tocsin diff` compares two configs: fixed, so that the same two always give the same answer.

Every severity × every service and none × a working day's noon, a night and a weekend, each left unanswered; besides
them open incidents and those of policy tests, which come from outside. Decides moments and how long a scenario is
followed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from tocsin.domain.policy import Cadence, PagePolicy, Policy
from tocsin.domain.rotation import Hours
from tocsin.formats.policy_test.script import ScriptStep
from tocsin.planning.cadence.spans import next_due
from tocsin.planning.on_call.hours import open_time_after

SHORTEST = timedelta(hours=1)
"""Every scenario is followed at least so long."""
LONGEST = timedelta(days=8)
"""And at most so long: every day of a week comes once."""
STEPS_MOST = 400
"""A scenario is not followed over more steps or updates than these, however quick the ladder."""
MOMENTS = (
    ("noon", time(12), range(5)),
    ("night", time(3), range(1, 5)),
    ("weekend", time(14), (5,)),
)
"""Each moment with its time of day and the weekdays on which it may fall (0 is Monday): a night is one between two
working days."""
NO_SERVICE = "no service"


@dataclass(frozen=True, slots=True)
class ScenarioMoment:
    """When a scenario begins."""

    name: str
    at: datetime


class ScenarioOrigin(StrEnum):
    """Where a scenario comes from: one of the fixed ones, an open incident, or a policy test."""

    FIXED = "fixed"
    OPEN = "open"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Scenario:
    """An incident as first seen at a moment, and what happens to it then. In a fixed one nobody answers. It is followed
    for `least` at least.
    """

    name: str
    severity: str
    services: tuple[str, ...]
    moment: ScenarioMoment
    file: str
    data: bytes
    origin: ScenarioOrigin = ScenarioOrigin.FIXED
    steps: tuple[ScriptStep, ...] = ()
    least: timedelta = timedelta(0)

    @property
    def fixed(self) -> bool:
        """Whether it is one of the fixed scenarios."""
        return self.origin is ScenarioOrigin.FIXED

    @property
    def service(self) -> str:
        """The service of a fixed scenario, in words."""
        return self.services[0] if self.services else NO_SERVICE


def moments(base: datetime, zone: str) -> tuple[ScenarioMoment, ...]:
    """The next noon of a working day, night and weekend after an instant, on the clock of a zone."""
    here = base.astimezone(ZoneInfo(zone))
    upcoming = []
    for name, clock, days in MOMENTS:
        coming = (datetime.combine(here.date() + timedelta(days=ahead), clock, here.tzinfo) for ahead in range(9))
        at = next(moment for moment in coming if moment > here and moment.weekday() in days)
        upcoming.append(ScenarioMoment(name, at.astimezone(base.tzinfo)))
    return tuple(upcoming)


def zone_of(policy: Policy) -> str:
    """Where working days are: the zone of the first window of hours, else of the first shift, else UTC."""
    windows = (hours.timezone for hours in policy.hours.values())
    shifts = (shift.timezone for rotation in policy.rotations.values() for shift in rotation.shifts)
    return next(windows, None) or next(shifts, None) or "UTC"


def fixed(policies: Sequence[Policy], when: Sequence[ScenarioMoment]) -> Iterator[Scenario]:
    """Every severity × every service and none × every moment, of these configs together."""
    severities = dict.fromkeys(name for policy in policies for name in policy.severities)
    services = dict.fromkeys(name for policy in policies for name in policy.services)
    for severity in severities:
        for service in ((), *((name,) for name in services)):
            for moment in when:
                about = {"title": "Something fails", "severity": severity, "services": list(service)}
                data = json.dumps(about).encode()
                name = f"{severity}, {service[0] if service else NO_SERVICE}, {moment.name}"
                yield Scenario(name, severity, service, moment, "situation.yaml", data)


def spans_of(policies: Sequence[Policy], scenario: Scenario) -> tuple[timedelta, timedelta]:
    """How long a scenario is looked at: until the last resort was paged and every cadence has shown its pace, in all
    of these configs; and how long it is played, which is a step more, so that what is late is not taken for lost.
    """
    at, ends, steps = scenario.moment.at, [(SHORTEST, SHORTEST)], [LONGEST]
    for policy in policies:
        severity = policy.severity(scenario.severity)
        if severity.page:
            ends.append(_ladder(policy, severity.page, scenario, at))
            steps.append(severity.page.acknowledge_within)
        for stream in severity.updates:
            ends.append(_stream(stream.cadence, at))
            steps += [span.every for span in stream.cadence.spans]
    span = max(scenario.least, min(STEPS_MOST * min(steps), LONGEST, max(end for end, _ in ends)))
    return span, span + min(LONGEST, max(beyond - end for end, beyond in ends))


def _ladder(policy: Policy, page: PagePolicy, scenario: Scenario, at: datetime) -> tuple[timedelta, timedelta]:
    """When the last resort is paged for the first time, and for the second."""
    hours = policy.hours.get(page.hours, Hours())
    step = at
    for _ in range(min(STEPS_MOST, page.rounds * longest_chain(policy, page, scenario))):
        step = open_time_after(hours, step, page.acknowledge_within)
        if step - at > LONGEST:
            break
    return step - at, open_time_after(hours, step, page.acknowledge_within) - at


def longest_chain(policy: Policy, page: PagePolicy, scenario: Scenario) -> int:
    """How many levels the longest chain has that a scenario may climb."""
    services = [policy.services[name] for name in scenario.services if name in policy.services]
    chains = [policy.roles[name].chain for name in page.roles]
    chains += [chain for service in services for _, chain in service.roles]
    return max((len(chain) for chain in chains), default=0)


def _stream(cadence: Cadence, at: datetime) -> tuple[timedelta, timedelta]:
    """When the second update of a stream's last pace is due, and when the third."""
    if cadence.cron:
        first = next_due(cadence, at, at)
        second = next_due(cadence, first, at) if first else None
        third = next_due(cadence, second, at) if second else None
        assert second is not None
        assert third is not None
        return second - at, third - at
    slowing = sum((span.lasts for span in cadence.spans if span.lasts), timedelta(0))
    pace = cadence.spans[-1].every if cadence.spans else timedelta(0)
    return slowing + 2 * pace, slowing + 3 * pace
