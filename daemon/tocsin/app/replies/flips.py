"""Somebody who accepts and takes it back, again and again: each time others are paged, and stood down.

After a few times an `ok` of theirs counts once it has stood for a while: a `pass` behind it takes it back before
anybody hears of it. Nothing is lost by that: the last word stands, and while it waits the incident asks on.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from tocsin.app.state.answer_room import ANSWERS_MOST
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Person
from tocsin.ports.clock import Clock

TAKEN_BACK_MOST, WITHIN = 3, timedelta(hours=1)
"""How often within so long somebody may hand back an incident that they had accepted."""
STANDS_FOR = timedelta(minutes=1)
"""How long an `ok` must stand after that."""


class OkState(Enum):
    """What becomes of an `ok`: it counts now, it waits whether it stands, or something newer took its place."""

    COUNTS = "counts"
    WAITS = "waits"
    VOID = "void"


@dataclass(slots=True)
class _Waiting:
    """The last `ok` of somebody, from when it stands, and those before it."""

    ref: str
    since: datetime
    void: set[str] = field(default_factory=set)


class Flips:
    """Who hands back what, and the last `ok` of each that waits. After a restart none has to wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken_back: dict[tuple[str, str], deque[datetime]] = {}
        self._waiting: dict[tuple[str, str], _Waiting] = {}

    def take_back(self, person: str, incident: str) -> bool:
        """Somebody passes on what they had accepted; whether from now on their `ok` has to stand."""
        known = self._taken_back.setdefault((person, incident), deque(maxlen=TAKEN_BACK_MOST))
        known.append(self._clock.now())
        return self._flips((person, incident))

    def note_pass(self, person: str, incident: str) -> None:
        """An `ok` that waits is void."""
        waiting = self._waiting.get((person, incident))
        if waiting and waiting.ref:
            waiting.void.add(waiting.ref)
            waiting.ref = ""

    def state_of(self, ref: str, person: str, incident: str) -> OkState:
        """What becomes of an `ok` under this reference. It is asked of the same again while it waits; they are asked in
        the order in which they came.
        """
        key, now = (person, incident), self._clock.now()
        waiting = self._waiting.get(key)
        if waiting and ref in waiting.void:
            waiting.void.remove(ref)
            return OkState.VOID
        stands = waiting is not None and ref == waiting.ref and now - waiting.since >= STANDS_FOR
        if stands or not self._flips(key):
            self._waiting.pop(key, None)
            return OkState.COUNTS
        if waiting is None:
            self._waiting[key] = _Waiting(ref, now)
        elif ref != waiting.ref:
            waiting.since = waiting.since if waiting.ref else now  # one more `ok` does not begin anew
            waiting.void |= {waiting.ref} - {""}
            waiting.ref = ref
        return OkState.WAITS

    def must_stand(self, person: str, incident: str) -> bool:
        """Whether an `ok` of theirs would have to stand for a while."""
        return self._flips((person, incident))

    def _flips(self, key: tuple[str, str]) -> bool:
        """Whether they have handed it back too often lately."""
        taken_back = self._taken_back.get(key, deque())
        return len(taken_back) == TAKEN_BACK_MOST and self._clock.now() - taken_back[0] < WITHIN


def link_flip_notice(person: Person, incident: str) -> OperatorNotice:
    """What operators hear of somebody who does so by their link, or signed in."""
    text = (
        f"call {person.name}; if it is not they who answer, somebody has their link of {incident}, or is signed in as "
        f"them (tocsin sign-out {person.id}); {incident} was accepted and handed back {TAKEN_BACK_MOST} times within "
        f"an hour; an ok of theirs counts once it has stood for {STANDS_FOR.seconds} s"
    )
    return OperatorNotice(Trouble.ANSWER_FLOOD, text, about=person.id, name=person.name)


def flood_notice(person: Person, *, needs_code: bool) -> OperatorNotice:
    """What operators hear once: who writes too much, what follows, and what to do about a forged sender."""
    fault = f"{ANSWERS_MOST} answers went to {person.phone} within an hour; what comes from there counts, unanswered"
    return _flood(person, fault, needs_code=needs_code)


def flip_notice(person: Person, incident: str, *, needs_code: bool) -> OperatorNotice:
    """The same of somebody who accepts and hands back, again and again."""
    fault = f"{person.phone} accepted {incident} and handed it back {TAKEN_BACK_MOST} times within an hour"
    follows = f"an ok from there counts once it has stood for {STANDS_FOR.seconds} s"
    return _flood(person, f"{fault}; {follows}", needs_code=needs_code)


def _flood(person: Person, fault: str, *, needs_code: bool) -> OperatorNotice:
    then = "" if needs_code else ", and set replies: {code: required}, so that only answers with a page's code count"
    forged = f"if it is not they who write, their number is forged: have the provider block it{then}"
    place = f" ({person.place})" if person.place else ""
    return OperatorNotice(
        Trouble.ANSWER_FLOOD, f"call {person.name}; {forged}; {fault}{place}", about=person.id, name=person.name
    )


KEPT_FOR, KEPT_MOST = timedelta(hours=12), 3
"""How long an `ok` from which nothing follows is kept: longer than databases are away. How many of one person within
WITHIN.
"""


class KeptOks:
    """Each `ok` from which nothing follows yet, where there are several machines: the page that it answers may have
    left from memory on another one, and be written down later (R54). One that could be about several incidents when it
    was first judged was unclear: then it counts for such a page alone, and never for one of these.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[str, datetime]] = {}
        self._unclear: set[str] = set()

    def knows(self, ref: str) -> bool:
        """Whether it is kept already."""
        return ref in self._kept

    def was_unclear(self, ref: str) -> bool:
        """Whether it is kept, and was unclear."""
        return ref in self._unclear

    def keep(self, ref: str, person: str, *, unclear: bool) -> bool:
        """Whether it is kept from now on, or still: so long from when it was first judged, however old it was."""
        now = self._clock.now()
        self._kept = {known: kept for known, kept in self._kept.items() if now - kept[1] < KEPT_FOR + WITHIN}
        self._unclear &= self._kept.keys()
        theirs = sum(kept[0] == person and now - kept[1] < WITHIN for kept in self._kept.values())
        if ref not in self._kept and theirs < KEPT_MOST:
            self._kept[ref] = person, now
            self._unclear |= {ref} if unclear else set()
        return ref in self._kept and now - self._kept[ref][1] < KEPT_FOR
