"""Sets of situations in words: exact, and as short as exactness allows. Must not know what happened in them.

A severity alone stands for every service and none, at all moments.
"""

from collections.abc import Iterable, Sequence

from tocsin.app.diff.difference import Difference
from tocsin.app.diff.scenarios import MOMENTS, NO_SERVICE, Scenario

NAMES_MOST = 6
"""The most names in one list; the others are counted."""

_AT = {"noon": "at noon", "night": "at night", "weekend": "on a weekend"}


def listed(names: Sequence[str]) -> str:
    """`a, b and c`, of many the first ones and how many more."""
    if len(names) > NAMES_MOST:
        return f"{', '.join(names[:NAMES_MOST])} and {len(names) - NAMES_MOST} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def where(names: Sequence[str], difference: Difference) -> str:
    """Where the situations of these names are, all of one severity: `at night, without a service`."""
    wanted = set(names)
    services = list(dict.fromkeys(scenario.service for scenario in difference.scenarios if scenario.fixed))
    named = [scenario for scenario in difference.scenarios if scenario.fixed and scenario.name in wanted]
    return "; or ".join(_parts(named, services))


def which(names: Sequence[str], among: Sequence[str], difference: Difference) -> str:
    """Which of some situations these are: all at certain moments (`at night`), else how many (`in 3 situations`)."""
    moment = {scenario.name: scenario.moment.name for scenario in difference.scenarios if scenario.fixed}
    here, own = set(names), {moment.get(name, "") for name in names}
    if {name for name in among if moment.get(name, "") in own} == here and own <= _AT.keys():
        return listed([_AT[name] for name in _AT if name in own])
    return "in 1 situation" if len(here) == 1 else f"in {len(here)} situations"


def _parts(situations: Sequence[Scenario], services: Sequence[str]) -> Iterable[str]:
    """The situations of one severity as moments × services."""
    by_moment: dict[str, list[str]] = {}
    for scenario in situations:
        by_moment.setdefault(scenario.moment.name, []).append(scenario.service)
    by_services: dict[tuple[str, ...], list[str]] = {}
    for moment, affected in by_moment.items():
        by_services.setdefault(tuple(affected), []).append(moment)
    for some, at in by_services.items():
        when = listed([_AT[moment] for moment in at]) if len(at) < len(MOMENTS) else ""
        yield ", ".join(filter(None, (when, _affected(some, services))))


def _affected(affected: Sequence[str], services: Sequence[str]) -> str:
    """Services in words: nothing when it is all of them and none."""
    if len(affected) == len(services):
        return ""
    without = NO_SERVICE in affected
    named = [service for service in affected if service != NO_SERVICE]
    missing = [service for service in services if service not in affected]
    if without and len(missing) <= max(1, len(named)):
        return f"except with {listed(missing)}"
    if not without and len(missing) == 1:
        return "with any service"
    return " or ".join(filter(None, ("without a service" if without else "", f"with {listed(named)}" if named else "")))
