"""Pages that wait for room at their address, and leave together when it comes (rules 45 to 47).

It keeps what was sent to each address and what waits there; `planning.delivery.room` decides. What a page that waits
becomes afterwards is the sender's. One look for all addresses, however many pages wait.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.lanes import rank
from tocsin.app.delivery.parcels.delivery import Delivery
from tocsin.app.delivery.parcels.still_wanted import StillWanted
from tocsin.domain.delivery import Attempt
from tocsin.domain.history import History
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.people import Channel, Limit
from tocsin.planning.delivery.room import Admission, PageSent, Room, room_of
from tocsin.planning.delivery.still_wanted import current_address, why_unwanted
from tocsin.ports.clock import Clock

LOOKS_EVERY = timedelta(seconds=5)
"""How often it is looked whether what waits has become worse than all that was sent, while anything waits."""
RECKONED_FROM = timedelta(hours=1)
"""How far back tries are looked at after a start."""
EPISODES_KEPT = 500
"""Episodes that a room may know before it forgets those that are over."""
LEFT_KEPT = 20_000
"""The same for who was paged for which episode, of all rooms together."""


@dataclass(frozen=True, slots=True)
class PagedAddress:
    """Where pages go that share a room: one person's address; drills have a room of their own."""

    via: Channel
    person: str
    address: str
    drill: bool


class Rooms:
    """Every address that was paged. `sent` is what the ledger knows of (`sent_pages`), from `RECKONED_FROM` ago on."""

    def __init__(
        self, clock: Clock, context: DeliveryContext, sent: Iterable[tuple[Notification, Attempt]] = ()
    ) -> None:
        self._clock = clock
        self._context = context
        self._wanted = StillWanted(clock, context.incidents, context.notices, context.sign_in_codes, self.never_left)
        self._recorded = first_tries(sent := tuple(sent))
        self._left = {(attempt.via, page.to, page.incident, page.episode) for page, attempt in sent}
        self._left_most = LEFT_KEPT
        self._rooms: dict[PagedAddress, Room] = {}
        self._waiting: dict[PagedAddress, list[Delivery]] = {}
        self._changed = asyncio.Event()
        self._looks_at = clock.now()
        self._kept_most: dict[PagedAddress, int] = {}

    def admits(self, delivery: Delivery, *, resumed: bool = False) -> bool:
        """Whether it may leave now and alone; otherwise it waits here, until `next_leaving` gives it back. `resumed`: a
        process before has decided it; what waited then leaves as one though room has come meanwhile.
        """
        page = delivery.notification
        address = current_address(page, self._context.config.policy) if page.kind is Kind.PAGE else ""
        if not address:
            return True
        place, now = PagedAddress(page.via, page.to, address.casefold(), self._is_drill(page)), self._clock.now()
        for other in tuple(self._waiting):
            if other != place and replace(other, address=place.address) == place:
                self._moved(other, now)
        room, limit, waiting = self._room(place), self._limit(page.via), self._waiting.get(place, ())
        sent = self._page_sent(page, now)
        waited = resumed and room.has_waited(replace(sent, at=page.at), limit)
        admission = room.admission(sent, limit, others_wait=waited or any(map(self._is_wanted, waiting)))
        if admission is Admission.WAITS:
            self._waiting.setdefault(place, []).append(delivery)
            self._changed.set()
            return False
        room.note_alone(sent, admission)
        self._note_left([page])
        self._forget_ended(place, room)
        return True

    def never_left(self, history: History, only: str = "") -> frozenset[tuple[str, Channel]]:
        """To whom, and by which channel, pages of this episode were decided of which none has left: they wait, or were
        held back. Whoever has answered, or was told otherwise, has heard of it all the same. `only`: of that reader.
        """
        if history.incident is None:
            return frozenset()
        incident, answered = history.incident.id, history.answered
        return frozenset(
            (reader, via)
            for reader in ((only,) if only else history.reached)
            if (known := history.reached.get(reader))
            for via in known.channels
            if via not in known.told_by
            and reader not in answered
            and self._left.isdisjoint((via, reader, incident, episode) for episode in history.episodes)
        )

    def note_left(self, via: Channel, person: str, incident: str, episode: int) -> None:
        """A page of that episode has left, by whomever."""
        self._left.add((via, person, incident, episode))

    def withdraw(self, history: History) -> None:
        """What this history wants no more does not leave, though it is being written down only now."""
        people = {person for person, _ in history.never_left}
        if not people:
            return
        for place, waiting in self._waiting.items():
            for delivery in waiting if place.person in people else ():
                page = delivery.notification
                concerned = history.incident is not None and page.incident == history.incident.id
                delivery.withdrawn |= concerned and why_unwanted(page, history) is not None

    async def next_leaving(self) -> list[Delivery]:
        """Wait for the next pages that leave together, or for one that need not wait any more; the worst comes first.
        Those not wanted any more are among them.
        """
        while True:
            now = self._clock.now()
            for place in tuple(self._waiting):
                if leaving := self._with_room(place, now):
                    return leaving
            if now >= self._looks_at:
                for place in tuple(self._waiting):
                    if leaving := self._moved(place, now) or self._worse(place, now):
                        return leaving
                self._looks_at = now + LOOKS_EVERY
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._wait(now)):
                    await self._changed.wait()

    def _wait(self, now: datetime) -> float | None:
        """Seconds until the next look; None while nothing waits."""
        rooms = (self._room(place).next_at(self._limit(place.via), now) for place in self._waiting)
        at = min((*rooms, self._looks_at)) if self._waiting else None
        return max(0.0, (at - now).total_seconds()) if at else None

    def _with_room(self, place: PagedAddress, now: datetime) -> list[Delivery]:
        """What leaves this place now, if there is room. What nobody wants takes none."""
        limit, room = self._limit(place.via), self._room(place)
        if room.next_at(limit, now) > now:
            return []
        waiting = self._of_kind(place)
        wanted = [delivery.notification for delivery in waiting if self._is_wanted(delivery)]
        pages = [self._page_sent(page, now) for page in wanted]
        self._note_left(wanted)
        if len(pages) == 1:
            room.note_alone(pages[0], room.admission_with_room(pages[0]))
        elif pages:
            room.note_together(pages)
        return self._given_room(waiting, now)

    def _of_kind(self, place: PagedAddress) -> list[Delivery]:
        """What waits there. What became a drill meanwhile, or is none any more, waits with its like from now on."""
        waiting: list[Delivery] = []
        others: list[Delivery] = []
        for delivery in self._waiting.pop(place):
            (waiting if self._is_drill(delivery.notification) is place.drill else others).append(delivery)
        if others:
            self._waiting.setdefault(replace(place, drill=not place.drill), []).extend(others)
        return waiting

    def _moved(self, place: PagedAddress, now: datetime) -> list[Delivery]:
        """What waits for an address that its person has no longer: it waits for the new one, or leaves this channel if
        there is none, so that it goes by the next (rules 8, 51).
        """
        policy = self._context.config.policy
        page = self._waiting[place][0].notification
        address = current_address(page, policy).casefold()
        if address == place.address:
            return []
        waiting = self._waiting.pop(place)
        if not address:
            return self._given_room(waiting, now)
        self._waiting.setdefault(replace(place, address=address), []).extend(waiting)
        self._changed.set()
        for moved in (delivery.notification for delivery in waiting):
            if coded := self._context.reply_options.code_moved(moved, place.address, policy, now):
                self._context.incidents.add_event(moved.incident, coded)
        return []

    def _worse(self, place: PagedAddress, now: datetime) -> list[Delivery]:
        """A page that became worse than all that was sent while it waited: its incident's severity was raised."""
        waiting = self._waiting.get(place)
        if not waiting:
            return []
        worst = min(waiting, key=lambda delivery: rank(delivery.notification, self._context))
        sent, room = self._page_sent(worst.notification, now), self._room(place)
        if not (self._is_wanted(worst) and room.is_worse(sent)):
            return []
        waiting.remove(worst)
        if not waiting:
            del self._waiting[place]
        room.note_alone(sent, Admission.WORSE)
        self._note_left([worst.notification])
        return self._given_room([worst], now)

    def _given_room(self, waiting: list[Delivery], now: datetime) -> list[Delivery]:
        """The same, the worst first; their spans begin now."""
        for delivery in waiting:
            delivery.room_at = now
        return sorted(waiting, key=lambda delivery: rank(delivery.notification, self._context))

    def _room(self, place: PagedAddress) -> Room:
        """The room of a place, reckoned from recorded tries when it is first asked for."""
        if place not in self._rooms:
            tries = self._recorded.pop((place.via, place.person, place.address), [])
            sides: tuple[list[tuple[Notification, Attempt]], ...] = ([], [])
            for page, attempt in tries:
                sides[self._is_drill(page) is place.drill].append((page, attempt))
            if sides[False]:
                self._recorded[place.via, place.person, place.address] = sides[False]
            sent = (self._page_sent(page, attempt.started_at, attempt.bundle) for page, attempt in sides[True])
            self._rooms[place] = room_of(sent, self._limit(place.via))
        return self._rooms[place]

    def _page_sent(self, page: Notification, at: datetime, bundle: str = "") -> PageSent:
        """A page as room is reckoned with it. An incident that is over and forgotten counts as the mildest."""
        policy, incident = self._context.config.policy, self._context.incidents.history(page.incident).incident
        rank = policy.incident_rank(incident) if incident else policy.mildest_rank
        by_alerts = incident is not None and incident.declared_by_alerts
        return PageSent(at, page.incident, page.episode, rank, bundle, by_alerts)

    def _forget_ended(self, place: PagedAddress, room: Room) -> None:
        """A room need not know of episodes that are over."""
        if len(room.episodes) <= self._kept_most.get(place, EPISODES_KEPT):
            return
        history = self._context.incidents.history
        room.forget([known for known in room.episodes if history(known[0]).episode != known[1]])
        self._kept_most[place] = max(EPISODES_KEPT, 2 * len(room.episodes))

    def _note_left(self, pages: Iterable[Notification]) -> None:
        """These leave now, as far as room goes. Episodes that are over are forgotten now and then."""
        self._left.update((page.via, page.to, page.incident, page.episode) for page in pages)
        if len(self._left) > self._left_most:
            history = self._context.incidents.history
            self._left = {entry for entry in self._left if entry[3] in (0, history(entry[2]).episode)}
            self._left_most = max(LEFT_KEPT, 2 * len(self._left))

    def _is_drill(self, page: Notification) -> bool:
        incident = self._context.incidents.history(page.incident).incident
        return incident is not None and bool(incident.drill)

    def _is_wanted(self, delivery: Delivery) -> bool:
        return not delivery.withdrawn and self._wanted.is_wanted(delivery.notification)

    def _limit(self, via: Channel) -> Limit:
        return self._context.config.settings.limits.of(via)


def first_tries(
    sent: Iterable[tuple[Notification, Attempt]],
) -> dict[tuple[Channel, str, str], list[tuple[Notification, Attempt]]]:
    """The first try of each page, oldest first, by where it went: a later try is the same message."""
    by_place: dict[tuple[Channel, str, str], list[tuple[Notification, Attempt]]] = {}
    known: set[str] = set()
    for page, attempt in sent:
        if page.key not in known:
            known.add(page.key)
            place = attempt.via, page.to, attempt.address.casefold()
            by_place.setdefault(place, []).append((page, attempt))
    return by_place
