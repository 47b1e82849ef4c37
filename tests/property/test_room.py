"""The room of an address against a brute-force reading of rules 45 to 47, for any limits and any storm."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tocsin.domain.people import Limit
from tocsin.planning.delivery.room import Admission, PageSent, Room, room_of

from tests.builders.instants import T0

SECOND = timedelta(seconds=1)
LATELY = 600
"""Ten minutes in seconds."""


@dataclass
class Reading:
    """The rules read word by word, with nothing remembered but what was sent: (second, pages, took room, exempt)."""

    burst: int
    every: int
    sent: list[tuple[int, list[PageSent], bool, bool]] = field(default_factory=list)

    def room(self, now: int) -> int:
        """Rule 45: room for `burst`, one more each `every`, up to `burst`; counted second by second."""
        room, since = self.burst, 0
        takes = [second for second, _, took, _ in self.sent if took]
        for second in range(takes[0] if takes else now, now + 1):
            if room == self.burst:
                since = second
            elif second > since and (second - since) % self.every == 0:
                room += 1
                since = second if room == self.burst else since
            room -= sum(1 for take in takes if take == second)
        return room

    def admission(self, page: PageSent, now: int, *, others_wait: bool) -> Admission:
        """Rule 45, then rule 46; while anything waits later pages join it, rule 46 apart."""
        own = [pages for _, pages, _, _ in self.sent if any(_same(page, other) for other in pages)]
        if not others_wait and own and len(own[0]) == 1:
            return Admission.FREE
        if not others_wait and self.room(now) > 0:
            return Admission.TAKES
        lately = [(pages, exempt) for second, pages, _, exempt in self.sent if now - second < LATELY]
        worse = all(page.rank < other.rank for pages, _ in lately for other in pages)
        of_persons = [pages for pages, exempt in lately if exempt and not pages[0].by_alerts]
        exempt = of_persons if not page.by_alerts else [pages for pages, exempt in lately if exempt]
        return Admission.WORSE if worse and len(exempt) < 2 else Admission.WAITS


def _same(page: PageSent, other: PageSent) -> bool:
    return (page.incident, page.episode) == (other.incident, other.episode)


def paged(incident: str, episode: int, severity: int, by_alerts: bool) -> PageSent:
    """A page of an incident, which a person or alerts declared."""
    return PageSent(T0, incident, episode, 2 * severity + by_alerts, by_alerts=by_alerts)


pages = st.builds(paged, st.sampled_from("abcdefgh"), st.integers(1, 2), st.integers(0, 3), st.booleans())
pages_by_alerts = st.builds(paged, st.sampled_from("abcdefgh"), st.integers(1, 2), st.integers(0, 3), st.just(True))
storms = st.lists(st.tuples(st.integers(0, 40), pages), min_size=1, max_size=20)


def instant(second: int) -> datetime:
    """So many seconds in."""
    return T0 + second * SECOND


class Address:
    """One address in a storm: what waits leaves as soon as there is room, as one message."""

    def __init__(self, burst: int, every: int) -> None:
        self.limit = Limit(burst, every * SECOND)
        self.room, self.reading = Room(), Reading(burst, every)
        self.waiting: list[PageSent] = []
        self.recorded: list[PageSent] = []
        self.messages: list[datetime] = []

    def page(self, page: PageSent, now: int) -> Admission:
        """A page is to be sent."""
        page = replace(page, at=instant(now))
        admission = self.room.admission(page, self.limit, others_wait=bool(self.waiting))
        assert admission is self.reading.admission(page, now, others_wait=bool(self.waiting))
        if admission is Admission.WAITS:
            self.waiting.append(page)
            return admission
        self.room.note_alone(page, admission)
        self._sent([page], now, admission)
        return admission

    def look(self, now: int) -> None:
        """Time has passed."""
        has_room = self.room.next_at(self.limit, instant(now)) <= instant(now)
        assert has_room is (self.reading.room(now) > 0)
        if not (self.waiting and has_room):
            return
        leaving = [replace(page, at=instant(now)) for page in self.waiting]
        self.waiting, admission = [], Admission.TAKES
        if len(leaving) == 1:
            admission = self.room.admission_with_room(leaving[0])
            assert admission is self.reading.admission(leaving[0], now, others_wait=False)
            self.room.note_alone(leaving[0], admission)
        else:
            leaving = [replace(page, bundle=f"b{now}") for page in leaving]
            self.room.note_together(leaving)
        self._sent(leaving, now, admission)

    def _sent(self, sent: Iterable[PageSent], now: int, admission: Admission) -> None:
        message = list(sent)
        self.recorded += message
        self.messages.append(instant(now))
        self.reading.sent.append((now, message, admission is Admission.TAKES, admission is Admission.WORSE))


def lived(storm: list[tuple[int, PageSent]], burst: int, every: int) -> tuple[Address, int]:
    """An address after a storm, and how long that took: waits between pages are in seconds."""
    address, now = Address(burst, every), 0
    for wait, page in storm:
        for _ in range(wait):
            now += 1
            address.look(now)
        address.page(page, now)
    return address, now


@given(storms, st.integers(1, 3), st.integers(1, 60))
def test_room_is_what_the_rules_say(storm: list[tuple[int, PageSent]], burst: int, every: int) -> None:
    """Rules 45, 46 and 47: every page of every storm goes, or waits, as a word-by-word reading has it."""
    address, _ = lived(storm, burst, every)
    alone = {page for page in address.recorded if not page.bundle}
    assert len(address.recorded) + len(address.waiting) == len(storm)
    assert alone, "the first page goes at once"


@given(storms, st.integers(1, 3), st.integers(20, 90), st.integers(0, 3))
def test_room_is_reckoned_from_what_was_sent(
    storm: list[tuple[int, PageSent]], burst: int, every: int, severity: int
) -> None:
    """Rule 45 after a start: from recorded tries the next page of an incident never heard of meets the same room."""
    address, now = lived(storm, burst, every)
    again = room_of(address.recorded, address.limit)
    new = PageSent(instant(now), "new", 1, severity)
    assert again.next_at(address.limit, new.at) == address.room.next_at(address.limit, new.at)
    assert again.is_worse(new) is address.room.is_worse(new)


@given(storms)
def test_nobody_is_flooded(storm: list[tuple[int, PageSent]]) -> None:
    """Rules 45 and 46: of incidents that are never paged for twice at most 3 + 5 + 2 messages leave in 10 minutes, and
    where both persons and alerts declared them, two more.
    """
    once = [(wait, replace(page, incident=f"i{number}")) for number, (wait, page) in enumerate(storm)]
    address, _ = lived(once, 3, 120)
    most = 10 if len({page.by_alerts for _, page in storm}) == 1 else 12
    for at in address.messages:
        assert sum(at <= other < at + timedelta(seconds=LATELY) for other in address.messages) <= most


@given(st.lists(st.tuples(st.integers(0, 40), pages_by_alerts), max_size=20))
def test_alerts_hold_up_no_person(storm: list[tuple[int, PageSent]]) -> None:
    """Rule 46: however many alerts of whatever severity came in whatever order, the page of the worst severity that a
    person declared goes at once, after a start too.
    """
    address, now = lived(storm, 3, 120)
    person = PageSent(instant(now), "person", 1, 0)
    assert room_of(address.recorded, address.limit).is_worse(person)
    assert address.page(person, now) in (Admission.TAKES, Admission.WORSE)


limits = st.builds(Limit, st.integers(1, 5), st.integers(1, 90).map(lambda seconds: seconds * SECOND))


@given(st.lists(st.tuples(st.integers(0, 60), limits), min_size=1, max_size=30), limits, limits)
def test_new_limits_hold_for_what_was_sent_before(reloads: list[tuple[int, Limit]], limit: Limit, other: Limit) -> None:
    """Rule 45: whatever the limits were, who gets more room waits no longer than by the old ones, and nobody longer than
    the new `every` from the last message on, nor less than it from the message `burst` before.
    """
    room, taken, now = Room(), [], 0
    for number, (wait, earlier) in enumerate(reloads):
        now += wait
        if room.next_at(earlier, instant(now)) <= instant(now):
            room.note_alone(PageSent(instant(now), f"i{number}", 1, 3), Admission.TAKES)
            taken.append(instant(now))
    at = room.next_at(limit, instant(now))
    assert at <= max(instant(now), taken[-1] + limit.every)
    if len(taken) >= limit.burst:
        assert at >= taken[-limit.burst] + limit.every
    more = Limit(max(limit.burst, other.burst), min(limit.every, other.every))
    assert room.next_at(more, instant(now)) <= at
