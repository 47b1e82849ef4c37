"""Asked: one person before one incident: what they are asked for, what is true now, and what an answer would change
(timeline.md rules 15, 16, 19, 27).

It decides with the planning's own rules, so that it never says what the daemon would not do; an answer that changes
nothing is not recorded. It must not know how an answer comes in, nor what is said about it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.domain.facts import Answer, Answered, Fact
from tocsin.domain.history import History, RoleHistory
from tocsin.domain.incident import Incident
from tocsin.domain.policy import RESPONDER
from tocsin.planning.history.answers import apply_ok, apply_pass
from tocsin.planning.history.fold import fold_facts
from tocsin.ports.ledger import FactLedger

AGAIN_AFTER = timedelta(minutes=1)
"""A holder's `ok` restarts the count of rule 19; one so soon after the last is a button pressed twice."""


class Place(StrEnum):
    """Where a person stands towards a role."""

    OPEN = "open"
    HELD = "held"
    TAKEN = "taken"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Seat:
    """A role that the person is asked for or holds. `holder` is who holds it and `since` when they accepted it;
    an OPEN one with a holder waits to be handed over. Role "" is a file that cannot be read (rule 32).
    """

    role: str
    place: Place
    holder: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What one person is asked for. `takes`, `passes` and `confirms` are the answers that would change something;
    `still_there` asks a holder to confirm; `verify` is whether they were asked if all is healthy, `healthy` whether
    somebody has said so.
    """

    incident: Incident
    history: History
    person: str
    seats: tuple[Seat, ...]
    takes: bool
    passes: bool
    confirms: bool
    still_there: bool
    verify: bool
    healthy: bool

    @property
    def holds(self) -> bool:
        """Whether they hold a role."""
        return any(seat.place is Place.HELD and seat.role != RESPONDER for seat in self.seats)

    @property
    def urges(self) -> bool:
        """Whether somebody waits for their answer."""
        return self.still_there or any(seat.place is Place.OPEN for seat in self.seats)

    @property
    def anything(self) -> bool:
        """Whether they were ever asked for anything in this episode."""
        return bool(self.seats) or self.verify


async def asked(ledger: FactLedger, incident: str, person: str, now: datetime) -> Asked | None:
    """How things stand for one person; None for an incident that the ledger does not know. Raises LedgerError."""
    facts = await ledger.facts(incident)
    history = fold_facts(facts)
    known = history.incident
    if known is None:
        return None
    at = _at(history, person, now)
    after_ok, after_pass = apply_ok(history, person, at, at), apply_pass(history, person, at)
    matters = after_ok.ineffective_acks == history.ineffective_acks and _held(after_ok) != _held(history)
    resolved = history.resolved_at is not None
    return Asked(
        incident=known,
        history=history,
        person=person,
        seats=(*_seats(known, history, person), *_responds(history, facts, person)),
        takes=matters and not resolved,
        passes=_declined(after_pass) != _declined(history),
        confirms=matters and resolved,
        still_there=any(role.holder == person and role.still_asked_at for role in history.roles.values()),
        verify=resolved and person in dict(history.verify_people),
        healthy=history.verified or bool(known.verified_by),
    )


async def record(ledger: FactLedger, found: Asked, answer: Answer, now: datetime) -> bool:
    """Record an answer if it changes something. The daemon finds it within a second. Raises LedgerError."""
    if not _worth(found, answer, now):
        return False
    at = _at(found.history, found.person, now)
    await ledger.record(found.incident.id, [Answered(at, found.person, answer)], [], [])
    return True


def _worth(found: Asked, answer: Answer, now: datetime) -> bool:
    if answer is Answer.PASS:
        return found.passes
    if found.takes or found.confirms:
        return True
    held = [role for role in found.history.roles.values() if role.holder == found.person]
    last = max((at for role in held for at in (role.accepted_at, role.answered_at) if at), default=now)
    return found.history.resolved_at is None and now - last >= AGAIN_AFTER


def _at(history: History, person: str, now: datetime) -> datetime:
    """When an answer counts: now, but not before the page that it answers, whatever the clocks say."""
    asked_for = [at for role in history.roles.values() for name, at in role.first_pages if name == person]
    others = (*history.responders, *history.verify_people)
    return max([now, *asked_for, *(at for name, at in others if name == person)])


def _held(history: History) -> tuple[object, ...]:
    """What an `ok` may change."""
    roles = {name: (role.holder, role.still_asked_at) for name, role in history.roles.items()}
    return roles, history.responders_answered, history.unreadable_ended, history.verified


def _declined(history: History) -> tuple[object, ...]:
    """What a `pass` may change."""
    return {name: (role.holder, role.passed) for name, role in history.roles.items()}, history.responders_passed


def _seats(incident: Incident, history: History, person: str) -> Iterator[Seat]:
    """The roles that concern the person."""
    for role in history.roles.values():
        seat = _seat(incident, history, role, person)
        if seat:
            yield seat


def _responds(history: History, facts: Sequence[Fact], person: str) -> Iterator[Seat]:
    """Whether the person responds. Of an `ok` and a `pass` the later one is what they mean."""
    if person not in dict(history.responders):
        return
    said = (fact.answer for fact in reversed(facts) if isinstance(fact, Answered) and fact.person == person)
    passed, answered = person in history.responders_passed, person in history.responders_answered
    if passed and (not answered or next(said, None) is Answer.PASS):
        yield Seat(RESPONDER, Place.PASSED)
    else:
        yield Seat(RESPONDER, Place.HELD if answered else Place.OPEN)


def _seat(incident: Incident, history: History, role: RoleHistory, person: str) -> Seat | None:
    if role.holder == person:
        return Seat(role.role, Place.HELD, person, role.accepted_at)
    if not role.was_paged(person) and incident.assigned(role.role) != person:
        return None
    if incident.unreadable:
        return Seat("", Place.TAKEN if history.unreadable_ended else Place.OPEN)
    if not role.needed:
        return None
    handed = role.handover is not None and role.handover.person == person
    if person in role.passed and not handed:
        return Seat(role.role, Place.PASSED, role.holder, role.accepted_at)
    place = Place.OPEN if role.holder is None or handed else Place.TAKEN
    return Seat(role.role, place, role.holder, role.accepted_at)
