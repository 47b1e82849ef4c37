"""Audience: which groups an incident concerns, and who reads each, once (rules 21, 28)."""

from collections.abc import Iterable
from dataclasses import dataclass

from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.people import Channel, StakeholderGroup
from tocsin.domain.policy import Cadence, Policy, Severity
from tocsin.planning.reach import channels_of

NO_CADENCE = Cadence()

Readers = tuple[tuple[str, Channel], ...]
"""Readers, each with a channel."""


@dataclass(frozen=True, slots=True)
class Concern:
    """A group that an incident concerns, the cadence on which it hears, and the rule that says so."""

    group: StakeholderGroup
    cadence: Cadence
    rule: str


def groups_concerned(incident: Incident, policy: Policy, severity: Severity) -> tuple[Concern, ...]:
    """The severity's streams in their order, then the services' groups on the first stream's cadence. A drill leaves
    external groups out.
    """
    found: dict[str, Concern] = {}
    for stream in severity.updates:
        for name in stream.to:
            found.setdefault(name, Concern(policy.stakeholders[name], stream.cadence, stream.place))
    first = severity.updates[0].cadence if severity.updates else NO_CADENCE
    for service in (policy.services.get(name) for name in incident.services):
        for name in service.stakeholders if service else ():
            assert service is not None
            found.setdefault(name, Concern(policy.stakeholders[name], first, service.place))
    return tuple(each for each in found.values() if not (incident.drill and each.group.external))


class Audience:
    """Who reads what each of these groups is told; worked out when somebody is to be told, not at every look."""

    def __init__(
        self,
        groups: Iterable[StakeholderGroup],
        policy: Policy,
        history: History,
        leaving: Iterable[StakeholderGroup] = (),
    ) -> None:
        self._asked = (groups, policy, history, leaving)
        self._known: dict[str, Readers] | None = None

    def of(self, group: str) -> Readers:
        """The (reader, channel) pairs of one group."""
        if self._known is None:
            self._known = readers_of(*self._asked)
        return self._known[group]


def readers_of(
    groups: Iterable[StakeholderGroup], policy: Policy, history: History, leaving: Iterable[StakeholderGroup] = ()
) -> dict[str, Readers]:
    """For each group the (reader, channel) pairs it writes to. A reader belongs to the first internal group that
    names them, else to the first external one; equal addresses are one reader. Groups that are `leaving` have only
    those whom no other group has.
    """
    found: dict[str, Readers] = {}
    taken: set[str] = set()
    for some in (groups, leaving):
        for group in sorted(some, key=lambda each: each.external):
            found[group.id] = tuple(_of_group(group, policy, history, taken))
    return found


def _of_group(
    group: StakeholderGroup, policy: Policy, history: History, taken: set[str]
) -> Iterable[tuple[str, Channel]]:
    for name in group.people:
        person = policy.people.get(name)
        if person is None or _take(taken, name, person.email, person.phone):
            continue
        for via in channels_of(person, group.via, history):
            yield name, via
    for address in group.emails:
        if not _take(taken, address) and (address, Channel.EMAIL) not in history.refused:
            yield address, Channel.EMAIL


def _take(taken: set[str], *names: str) -> bool:
    """Whether one of these names or addresses was taken before; from now on all of them are."""
    keys = {name.casefold() for name in names if name}
    known = not keys.isdisjoint(taken)
    taken |= keys
    return known
