"""Every incident that the daemon serves: its history and what came in for it. The finished ones are known by name only:
their facts rest in the ledger until something comes in for them.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incident_state import ChannelDelivered, IncidentEvent, IncidentState, RecordedFact
from tocsin.domain.delivery import Letter
from tocsin.domain.facts import Fact, Gone, Seen
from tocsin.domain.history import NEVER_SEEN, History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import ASKING, Notification
from tocsin.domain.policy import Policy
from tocsin.planning.history.fold import fold_facts
from tocsin.planning.needed_roles import first_page_is_due
from tocsin.ports.ledger.trouble import Unreadable


class Incidents:
    """States by incident id. Whatever comes in for an incident goes through `add_event` and is looked at at once."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._states: dict[str, IncidentState] = {}
        self._archived: set[str] = set()
        self._unsettled: Counter[str] = Counter()
        self._unreached: dict[str, datetime] = {}
        self._resolved: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
        self._set_aside: asyncio.Queue[Unreadable] = asyncio.Queue()
        self._being_pruned = ""
        self._pruned: list[str] = []

    def history(self, incident: str) -> History:
        """What has happened to an incident; an empty history for one never heard of."""
        state = self._states.get(incident)
        return state.history if state else NEVER_SEEN

    def answered_history(self, incident: str) -> History:
        """The history of an incident with what was answered since its last look."""
        state = self._states.get(incident)
        if state is None or state.history.incident is None:
            return NEVER_SEEN
        heard = (event.fact for event in state.events if isinstance(event, RecordedFact))
        return fold_facts(heard, state.history)

    def ids(self) -> tuple[str, ...]:
        """The incidents that are served: the open ones, and those that are resolved and not finished."""
        return tuple(self._states)

    def open_ids(self) -> tuple[str, ...]:
        """The incidents that were seen and are not resolved."""
        return tuple(
            id_
            for id_, state in self._states.items()
            if state.history.incident is not None and state.history.resolved_at is None
        )

    def add_event(self, incident: str, event: IncidentEvent, rank: int | None = None) -> None:
        """Something came in for an incident: it counts at the look that follows now. `rank` is how bad the incident is
        by it, 0 the worst; None: as before.
        """
        self.state(incident).events.append(event)
        self._agenda.poke(incident, rank)

    def note_delivery(self, page: Notification) -> None:
        """A page was delivered. That is news where an earlier one had reached that person not at all (rule 66)."""
        if any(person == page.to for person, _ in self.history(page.incident).lost):
            self.add_event(page.incident, ChannelDelivered(page))

    def poke_all(self) -> None:
        """Look at every incident: at the start, and when the config has changed."""
        for incident in self._states:
            self._agenda.poke(incident)

    def poke_unpaged(self, policy: Policy) -> None:
        """Look at those that have not paged yet for a role that they need: at a start nothing holds a first page."""
        for incident, state in self._states.items():
            if first_page_is_due(state.history, policy):
                self._agenda.poke(incident)

    def load(self, incident: str, facts: Sequence[Fact]) -> None:
        """Take over what the ledger knows of an incident, all of it or, if it does not fit together, nothing."""
        state = IncidentState()
        state.note(facts)
        state.ineffective_told = len(state.history.ineffective_acks)
        self._states[incident] = state

    def set_aside(self, unreadable: Unreadable) -> None:
        """What the ledger has of an incident cannot be read: it begins anew with what comes in for it (rule 63)."""
        state = self._states[unreadable.incident] = IncidentState(events=self.state(unreadable.incident).events)
        state.anew = True
        self._archived.discard(unreadable.incident)
        self._set_aside.put_nowait(unreadable)

    async def next_set_aside(self) -> Unreadable:
        """Wait for the next incident that is set aside."""
        return await self._set_aside.get()

    def resumable(self, letters: Iterable[Letter]) -> tuple[Letter, ...]:
        """The letters of an earlier process that go on: of an incident set aside none that wants an answer, for that
        is asked anew.
        """
        anew = {incident for incident, state in self._states.items() if state.anew}
        return tuple(
            letter
            for letter in letters
            if letter.notification.incident not in anew or letter.notification.kind not in ASKING
        )

    def archive(self, incidents: Iterable[str]) -> None:
        """These need nothing, as far as the ledger knows: their facts stay there until something comes in."""
        self._archived.update(set(incidents) - self._states.keys())

    def open_count(self) -> int:
        """How many are not resolved."""
        return sum(state.history.resolved_at is None for state in self._states.values())

    def has_news(self, incident: str) -> bool:
        """Whether something came in for an incident that no look has judged, or what was decided is not on disk. One
        whose looks break is waited for by nobody.
        """
        state = self._states.get(incident)
        return state is not None and not state.failures and bool(state.events or state.unwritten)

    def has_unwritten(self) -> bool:
        """Whether something was decided that the ledger could not take yet."""
        return any(state.unwritten for state in self._states.values())

    def state(self, incident: str) -> IncidentState:
        """The state of an incident, a fresh one if it is new."""
        state = self._states.get(incident)
        if state is None:
            state = self._states[incident] = IncidentState()
        return state

    def is_set_aside(self, incident: str) -> bool:
        """Whether what the ledger has of it cannot be read, and nothing has come in for it since (rule 63)."""
        state = self._states.get(incident)
        return state is not None and state.anew

    def is_known(self, incident: str) -> bool:
        """Whether anything was ever heard of it, as far as this process knows."""
        return incident in self._archived or incident in self._states

    def unrecorded(self, incident: str) -> tuple[Fact, ...]:
        """The versions of an incident, and that its file is gone, of what is not in the ledger for sure."""
        state = self._states.get(incident)
        if state is None:
            return ()
        return tuple(fact for fact in (*state.unwritten.facts, *state.events) if isinstance(fact, Seen | Gone))

    def versions(self, incident: str) -> list[tuple[str, Incident]]:
        """The versions of an incident as far as this process knows them, oldest first: the digest of the content that
        brought each, and of those that count already what is true now, for no older one is kept.
        """
        state = self._states.get(incident, IncidentState())
        newest, news = state.history.incident, [event for event in state.events if isinstance(event, Seen)]
        known = [(digest, newest) for digest in state.digests] if newest else []
        return [*known, *((seen.digest, seen.incident) for seen in news)]

    def is_archived(self, incident: str) -> bool:
        """Whether its facts must be read from the ledger before it is looked at."""
        return incident in self._archived

    def rests(self, incident: str) -> bool:
        """Whether it is in the ledger alone, and nothing has come in for it."""
        return incident not in self._states and self.is_archived(incident)

    def begin_pruning(self, incident: str) -> bool:
        """Whether an incident may go from the ledger now. From here on it is not looked at, until that has ended."""
        if self.rests(incident):
            self._being_pruned = incident
        return self._being_pruned == incident

    def end_pruning(self, *, gone: bool) -> None:
        """That incident may be looked at again; whether it has gone."""
        if gone:
            self._pruned.append(self._being_pruned)
        self._being_pruned = ""

    def is_being_pruned(self, incident: str) -> bool:
        """Whether it is going from the ledger right now."""
        return incident == self._being_pruned

    def take_pruned(self) -> Sequence[str]:
        """The incidents that have gone since this was asked last: their files are to be compared anew."""
        pruned, self._pruned = self._pruned, []
        return pruned

    def restore(self, incident: str, facts: Sequence[Fact]) -> None:
        """An archived incident is served again; what came in for it meanwhile is still to be judged. Facts that do not
        fit together change nothing.
        """
        whole, state = IncidentState(), self.state(incident)
        whole.note(facts)
        state.history, state.digests = whole.history, whole.digests
        state.pages, state.reaches = whole.pages, whole.reaches
        self._archived.discard(incident)

    def evict(self, incident: str) -> None:
        """Let go of a state that needs nothing; the ledger has its facts, if it has any. One for which something came
        in meanwhile stays as it is.
        """
        state = self._states[incident]
        if state.events:
            return
        if state.history.incident is not None:
            self._archived.add(incident)
        self._unreached.pop(incident, None)
        del self._states[incident]

    def add_unsettled(self, incident: str) -> None:
        """One more letter of this incident is on its way."""
        self._unsettled[incident] += 1

    def remove_unsettled(self, incident: str) -> None:
        """A letter of this incident is settled, and the ledger knows it."""
        self._unsettled[incident] -= 1
        if not self._unsettled[incident]:
            del self._unsettled[incident]
        if not self._unsettled:
            self._unsettled.clear()  # after a storm its table would stay as large

    def has_unsettled(self, incident: str) -> bool:
        """Whether letters of this incident are on their way."""
        return incident in self._unsettled

    def note_unreached(self, incident: str, since: datetime | None) -> None:
        """Since when this incident's pages have had nobody left to reach; None: somebody is asked, or nobody needed."""
        if since is None:
            self._unreached.pop(incident, None)
        else:
            self._unreached[incident] = since

    def unreached_since(self) -> datetime | None:
        """Since when some incident's pages have had nobody left to reach."""
        return min(self._unreached.values(), default=None)

    def note_resolved(self, incident: str, *, just_now: bool) -> None:
        """An incident is resolved, now or before this process began: its review draft is due."""
        self._resolved.put_nowait((incident, just_now))

    async def next_resolved(self) -> tuple[str, bool]:
        """Wait for the next incident whose review draft is due, and whether it was resolved just now."""
        return await self._resolved.get()
