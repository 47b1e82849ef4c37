"""Which groups an incident concerns, and who reads each, once (rules 21, 28)."""

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
    concerns: dict[str, Concern] = {}
    for stream in severity.updates:
        for name in stream.to:
            concerns.setdefault(name, Concern(policy.stakeholders[name], stream.cadence, stream.place))
    cadence = severity.updates[0].cadence if severity.updates else NO_CADENCE
    for service in (policy.services[name] for name in incident.services if name in policy.services):
        for name in service.stakeholders:
            concerns.setdefault(name, Concern(policy.stakeholders[name], cadence, service.place))
    return tuple(concern for concern in concerns.values() if not (incident.drill and concern.group.external))


class Audience:
    """Who reads what each of these groups hears; worked out when somebody is to hear something, not at every look."""

    def __init__(
        self,
        groups: Iterable[StakeholderGroup],
        policy: Policy,
        history: History,
        leaving: Iterable[StakeholderGroup] = (),
    ) -> None:
        self._arguments = (groups, policy, history, leaving)
        self._readers: dict[str, Readers] | None = None

    def of(self, group: str) -> Readers:
        """The (reader, channel) pairs of one group."""
        if self._readers is None:
            self._readers = readers_of(*self._arguments)
        return self._readers[group]


def readers_of(
    groups: Iterable[StakeholderGroup], policy: Policy, history: History, leaving: Iterable[StakeholderGroup] = ()
) -> dict[str, Readers]:
    """For each group the (reader, channel) pairs it writes to. A reader belongs to the first internal group that
    names them, else to the first external one; equal addresses are one reader. Groups that are `leaving` have only
    those whom no other group has.
    """
    readers: dict[str, Readers] = {}
    seen: set[str] = set()
    for some in (groups, leaving):
        for group in sorted(some, key=lambda group: group.external):
            readers[group.id] = tuple(_readers_of_group(group, policy, history, seen))
    return readers


def _readers_of_group(
    group: StakeholderGroup, policy: Policy, history: History, seen: set[str]
) -> Iterable[tuple[str, Channel]]:
    """Those of the group who were not seen in an earlier one; adds them to `seen`."""
    for name in group.people:
        person = policy.people.get(name)
        if person is None or _seen_before(seen, name, person.email, person.phone):
            continue
        for via in channels_of(person, group.via, history):
            yield name, via
    for address in group.emails:
        if not _seen_before(seen, address) and not history.refuses(address, Channel.EMAIL, address):
            yield address, Channel.EMAIL


def _seen_before(seen: set[str], *names: str) -> bool:
    """Whether one of these names or addresses was seen before; from now on all of them are."""
    keys = {name.casefold() for name in names if name}
    known = not keys.isdisjoint(seen)
    seen |= keys
    return known
