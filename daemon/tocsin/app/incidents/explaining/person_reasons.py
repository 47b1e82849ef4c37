"""Why somebody is asked, and why not: for each role, the responders, the last resort and each group what holds of one
person at an instant.

Decides by the plan's own values; must not know what became of messages. A row is a subject and a sentence.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tocsin.app.incidents.explaining.page_causes import Stamp, chain_for, meaning
from tocsin.domain.facts import StepFired
from tocsin.domain.history import History, RoleHistory
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import Level, Policy, Service, Severity, Who
from tocsin.planning.audience import groups_concerned, readers_of
from tocsin.planning.draft import OPEN_ALWAYS
from tocsin.planning.on_call.hours import opening_from
from tocsin.planning.on_call.resolve import can_mean, resolve
from tocsin.planning.on_call.turns import next_turn

Row = tuple[str, str]
"""What is spoken of, and what holds."""
ELSEWHERE_MOST = 3
"""Up to how many chains are named that are not asked."""


@dataclass(frozen=True, slots=True)
class _NamingLevel:
    """A level of a chain that can mean them: by which name, whether it `means` them then, and that in words."""

    number: int
    who: Who
    at: datetime
    means: bool
    text: str


@dataclass(frozen=True, slots=True)
class PersonReasons:
    """One person and one incident at an instant. `needed` are the roles that are asked for, `fired` the steps of their
    ladders, `messages` what comes to them if nobody does anything; `stamp` and `turn_stamp` write instants.
    """

    person: str
    policy: Policy
    history: History
    at: datetime
    needed: Sequence[RoleHistory]
    fired: Sequence[StepFired]
    messages: Sequence[Notification]
    stamp: Stamp
    turn_stamp: Stamp

    @property
    def incident(self) -> Incident:
        """The incident as it stands."""
        assert self.history.incident is not None
        return self.history.incident

    @property
    def severity(self) -> Severity:
        """The severity that counts."""
        return self.policy.severity(self.incident.severity)

    @property
    def known(self) -> Person | None:
        """The person, while they are in the config."""
        return self.policy.people.get(self.person)

    def rows(self) -> Iterator[Row]:
        """Everything that holds of them."""
        if self.known:
            yield from self._channels()
            yield from self._paging()
        elif not self.policy.group_of(self.person):
            yield "Config", "they are not in it (any more), and get nothing more"
            return
        yield from self._groups()

    def _channels(self) -> Iterator[Row]:
        """Which addresses pages cannot use, and which they have not."""
        assert self.known is not None
        for via in Channel:
            address, word = self.known.address(via), via.traits.address_word
            wanted = self.severity.page is None or via in self.severity.page.via
            if via in self.known.stopped:
                yield via.traits.word, f"nothing goes to their {word}: it answered STOP"
            elif address and self.history.refuses(self.person, via, address):
                yield via.traits.word, f"nothing more goes to their {word} in this incident: it was refused for good"
            elif not address and wanted:
                yield via.traits.word, f"they have no {word} ({self.known.place})"

    def _paging(self) -> Iterator[Row]:
        page = self.severity.page
        if self.incident.unreadable:
            yield "Pages", "the file of the incident cannot be read, so that the last resort alone is paged"
            yield from self._last_resort()
            return
        if page is None:
            yield "Pages", f"{self.severity.name} pages nobody ({self.severity.place})"
        elif (opens := opening_from(self.policy.hours.get(page.hours, OPEN_ALWAYS), self.at)) > self.at:
            yield "Hours", f"{self.severity.name} pages in {page.hours} alone, from {self.stamp(opens)} ({page.place})"
        for role in self.needed:
            yield self.policy.role_title(role.role), self._role(role)
        yield from self._responders()
        yield from self._last_resort()
        elsewhere = list(self._elsewhere())
        if elsewhere:
            more = f"; and {len(elsewhere) - ELSEWHERE_MOST} more" if len(elsewhere) > ELSEWHERE_MOST else ""
            yield "Elsewhere", "; ".join(elsewhere[:ELSEWHERE_MOST]) + more

    def _role(self, role: RoleHistory) -> str:
        """How they stand to a role that is needed."""
        holder, accepted = role.holder, f"accepted it {self.stamp(role.accepted_at)}" if role.accepted_at else ""
        if holder == self.person:
            return f"they {accepted}"
        if self.person in role.declining:
            return "they have passed, and it goes on without them"
        by = f"{self.policy.person_name(holder)} {accepted}" if holder else ""
        paged = next((at for name, at in role.first_pages if name == self.person), None)
        if paged:
            return f"they were paged {self.stamp(paged)}{f', then {by}' if by else ', and nobody has accepted it'}"
        if self.person in role.left_out:
            return "they did not confirm that they were still there, and are left out"
        naming = list(self._naming(role))
        if not naming:
            return self._in_no_chain(role)
        meant = next((level for level in naming if level.means), None)
        first = "" if meant is naming[0] else naming[0].text
        theirs = "" if meant else self._their_turn(naming[0].who, naming[0].at)
        level = (meant or naming[0]).number
        parts = [first, theirs, meant.text if meant else "", *self._not_reached(role, level, by)]
        return "; ".join(filter(None, parts))

    def _naming(self, role: RoleHistory) -> Iterator[_NamingLevel]:
        """The levels that can mean them, and whom each means."""
        chain, chain_of = chain_for(role, self.policy)
        offset = 1 if role.first is not None else 0
        whose = f"{self.policy.services[chain_of].title}'s chain" if chain_of else "the chain"
        for number, level in enumerate(chain, offset):
            who = next((who for who in level.whos if can_mean(who, self.policy, [self.person])), None)
            if who is None:
                continue
            steps = (step.at for step in reversed(self.fired) if (step.role, step.level) == (role.role, number))
            at = next(steps, self.at)
            means = next((who for who in level.whos if self.person in resolve(who, self.policy, at)), None)
            names = f"level {number} of {whose} {self._names(means or who, level.place, at)}"
            yield _NamingLevel(number, means or who, at, means is not None, names)

    def _names(self, who: Who, place: str, at: datetime) -> str:
        """Whom a name means."""
        if who.part == "person":
            return f"names them ({place})"
        return f"is {who} ({place}): {meaning(who, at, self.policy, self.turn_stamp)}"

    def _their_turn(self, who: Who, at: datetime) -> str:
        """When it is their turn, where it is somebody else's now."""
        theirs = next_turn(self.policy.rotations[who.name], self.person, at)
        if theirs is None:
            return "they have no turn within 90 days"
        return f"their next turn is from {self.turn_stamp(theirs[0])} until {self.turn_stamp(theirs[1])}"

    def _not_reached(self, role: RoleHistory, number: int, by: str) -> Iterator[str]:
        """Why a level that can mean them has not paged them, and when it will."""
        reached = any(step.role == role.role and (step.level or 0) >= number for step in self.fired)
        if by:
            yield by if reached else f"{by}, before that level was asked"
        elif self.history.resolved_at:
            when = f"the incident was resolved {self.stamp(self.history.resolved_at)}"
            yield when if reached else f"{when}, before that level was asked"
        elif coming := next(
            (page for page in self.messages if page.kind is Kind.PAGE and role.role in page.roles), None
        ):
            again = " (the last resort)" if coming.reason is Reason.LAST_RESORT else ""
            when = f"{self.stamp(coming.at)}{again} if nobody answers before" if coming.at > self.at else "at once"
            yield f"they are paged {when}"

    def _in_no_chain(self, role: RoleHistory) -> str:
        """That they are not in the chain that counts, and in which they would be."""
        chain, chain_of = chain_for(role, self.policy)
        place = chain[0].place if chain else ""
        title, known = self.policy.role_title(role.role), self.policy.roles.get(role.role)
        if not chain_of:
            return f"they are not in its chain ({place})" if place else "it has no chain"
        own = known is not None and any(self._can_mean(level) for level in known.chain)
        besides = f"; they are only in {title}'s own ({known.place})" if own and known else ""
        return f"they are not in {self.policy.services[chain_of].title}'s chain for it ({place}){besides}"

    def _can_mean(self, level: Level) -> bool:
        return any(can_mean(who, self.policy, [self.person]) for who in level.whos)

    def _responders(self) -> Iterator[Row]:
        asked = next((at for name, at in self.history.responders if name == self.person), None)
        if asked:
            answered = "answered" if self.person in self.history.responders_answered else ""
            answered = "passed" if self.person in self.history.responders_passed else answered
            yield "Responders", f"they were paged {self.stamp(asked)}, and have {answered or 'not answered'}"
            return
        for service in self._affected():
            for who in service.responders:
                if can_mean(who, self.policy, [self.person]):
                    means = self.person in resolve(who, self.policy, self.at)
                    turn = "" if means else f"; {self._their_turn(who, self.at)}"
                    names = self._names(who, who.place or service.place, self.at)
                    yield "Responders", f"a responder of {service.title} {names}{turn}"
                    return

    def _affected(self) -> list[Service]:
        return [self.policy.services[name] for name in self.incident.services if name in self.policy.services]

    def _last_resort(self) -> Iterator[Row]:
        if self.person not in self.policy.last_resort:
            return
        place, fired = self.policy.place_of_last_resort(), [step for step in self.fired if step.level is None]
        paged = next((step.at for step in fired if self.person in step.people), None)
        coming = next((page.at for page in self.messages if page.reason is Reason.LAST_RESORT), None)
        if paged:
            yield "Last resort", f"they are in it ({place}), and were paged {self.stamp(paged)}"
        elif coming:
            yield "Last resort", f"they are in it ({place}): paged {self.stamp(coming)} if nobody answers before"
        else:
            yield "Last resort", f"they are in it ({place}), and it was not needed"

    def _elsewhere(self) -> Iterator[str]:
        """Chains that name them and that this incident does not ask."""
        needed, page = {role.role for role in self.needed}, self.severity.page
        for role in self.policy.roles.values():
            if role.id not in needed and any(map(self._can_mean, role.chain)):
                place = page.place if page else self.severity.place
                yield f"they are in the chain of {role.title}, for which {self.severity.name} does not ask ({place})"
        affected = {service.id for service in self._affected()}
        for service in self.policy.services.values():
            chains = [role for role, chain in service.roles if any(map(self._can_mean, chain))]
            responds = any(can_mean(who, self.policy, [self.person]) for who in service.responders)
            if service.id not in affected and (chains or responds):
                what = ["as responders"] if responds else []
                what += [f"in its chain for {self.policy.role_title(role)}" for role in chains]
                yield f"{service.title} has them {' and '.join(what)}, but is not affected ({service.place})"

    def _groups(self) -> Iterator[Row]:
        """What they hear of as a stakeholder."""
        address = self.known.email if self.known else self.person
        mine = [
            group
            for group in self.policy.stakeholders.values()
            if self.person in group.people or any(address.casefold() == email.casefold() for email in group.emails)
        ]
        if not mine:
            yield "Updates", "they are in no stakeholder group"
        concerns = {
            concern.group.id: concern for concern in groups_concerned(self.incident, self.policy, self.severity)
        }
        readers = readers_of([concern.group for concern in concerns.values()], self.policy, self.history)
        reads = {group for group, pairs in readers.items() if any(who in (self.person, address) for who, _ in pairs)}
        for group in mine:
            yield group.title, self._group(group.id, concerns, reads)

    def _group(self, group: str, concerns: Iterable[str], reads: set[str]) -> str:
        known = self.policy.stakeholders[group]
        if any(self.person.casefold() == email.casefold() for email in known.unsubscribed):
            return "they have unsubscribed"
        if self.incident.unreadable:
            return "not told: the file of the incident cannot be read"
        if group not in concerns:
            if self.incident.drill and known.external:
                return "a drill tells nobody outside"
            return (
                f"{self.severity.name} does not tell this group, nor does an affected service ({self.severity.place})"
            )
        if group not in reads:
            others = [self.policy.group_title(other) for other in reads]
            return f"they hear as {' and '.join(others)}" if others else "no channel of theirs is left for it"
        told = self.history.groups.get(group)
        coming = next((message.at for message in self.messages if message.group == group), None)
        then = f"; next {self.stamp(coming)} if nothing changes before" if coming else ""
        return f"told of it, last {self.stamp(told.last_at)}{then}" if told else f"not told yet{then}"
