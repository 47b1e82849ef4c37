"""One incident brought up to now: what came in, then the plan, then the words, then one transaction, then the sender.

It decides nothing about who is told; `planning.plan` does. It must not know providers or files.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.rooms import Rooms
from tocsin.app.delivery.sender import Sender
from tocsin.app.engine.isolation import Broken, guarded
from tocsin.app.engine.next_channel import choose_next_channel, note_delivery, send_elsewhere, take_back
from tocsin.app.state.incident_state import (
    NOTHING_DECIDED,
    ChannelDelivered,
    ChannelFailed,
    Decision,
    IncidentEvent,
    IncidentState,
    LinkedDue,
    RecordedFact,
    RefusalWithdrawn,
)
from tocsin.domain.delivery import Letter
from tocsin.domain.facts import Answered, Closed, Coded, Fact, PageLost, RefusalTakenBack, Seen
from tocsin.domain.history import History
from tocsin.domain.notification import Kind, Notification, Why
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.plan import Due
from tocsin.domain.policy import Policy
from tocsin.planning.current_state import unreached_since
from tocsin.planning.history.fast_replace import replace
from tocsin.planning.history.redating import not_later
from tocsin.planning.plan import plan
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import FactLedger
from tocsin.ports.ledger.trouble import LedgerError, Unreadable, UnreadableError
from tocsin.ports.renderer import Renderer
from tocsin.wording.operator.ledger_trouble import database_trouble, ledger_trouble
from tocsin.wording.operator.lost_page import lost_page
from tocsin.wording.operator.named_incident import named_incident

ROUNDS = 32
"""Plans made at one instant before the planner is called wrong: a step that reaches nobody takes no time, but a chain
is finite."""
BACKS_OFF = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds until an incident whose look broke is looked at again; the last one repeats."""
WRITES_AGAIN = timedelta(seconds=2)
"""How soon the ledger is tried again after trouble."""
PRUNED_SOON = timedelta(milliseconds=100)
"""How soon an incident is looked at that goes from the ledger at this moment."""
EVICTS_AGAIN = timedelta(minutes=10)
"""How soon a finished incident is looked at again while its letters are still on their way."""

log = structlog.get_logger()


class LeftElsewhere(Protocol):
    """What another machine sent while the ledger was away."""

    async def attach(self, letters: Sequence[Letter]) -> list[Letter]:
        """These letters with what left of them there. Never raises."""
        ...


class Reconciler:
    """Moves one incident on, from its state and the config in force."""

    def __init__(
        self,
        clock: Clock,
        ledger: FactLedger,
        renderer: Renderer,
        context: DeliveryContext,
        sender: Sender,
        rooms: Rooms,
        elsewhere: LeftElsewhere | None = None,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._renderer = renderer
        self._config = context.config
        self._incidents = context.incidents
        self._notices = context.notices
        self._reply_options = context.reply_options
        self._machine = context.machine
        self._fence = context.fence
        self._sender = sender
        self._rooms = rooms
        self._elsewhere = elsewhere

    async def reconcile(self, incident: str) -> datetime | None:
        """Bring one incident up to now. Gives the next look; never raises. One whose look breaks is logged, backed off
        and told to the operators, and the others go on.
        """
        state = self._incidents.state(incident)
        with structlog.contextvars.bound_contextvars(incident=incident):
            next_look = await guarded(self._reconcile(incident, state))
            if isinstance(next_look, Broken):
                wait = BACKS_OFF[min(state.failures, len(BACKS_OFF) - 1)]
                state.failures += 1
                sentence = f"incident {incident} cannot be brought up to date ({next_look})"
                self._tell(Trouble.INCIDENT_STUCK, f"{sentence}; it is tried again, the others go on", incident)
                return self._clock.now() + timedelta(seconds=wait)
            if state.failures:
                state.failures = 0
                self._notices.cured(Trouble.INCIDENT_STUCK, incident, f"incident {incident} is up to date again")
            return next_look

    async def _reconcile(self, incident: str, state: IncidentState) -> datetime | None:
        if self._incidents.is_being_pruned(incident):
            return self._clock.now() + PRUNED_SOON
        if self._incidents.is_archived(incident):
            state = await self._restore(incident)
        policy, now = self._config.policy, self._clock.now()
        events = tuple(state.events)
        decision, history, next_look = self._decide(incident, state, events, policy, now)
        leaving = await self._write(incident, state, decision)
        del state.events[: len(events)]
        was_resolved = state.history.resolved_at is not None
        state.note(decision.facts, history)
        if leaving is None:
            decided = state.unwritten.letters[-len(decision.letters) :] if decision.letters else ()
            pages = [letter for letter in decided if letter.notification.kind is Kind.PAGE]
            self._sender.enqueue(pages, recorded=False)
            again = self._clock.now() + WRITES_AGAIN
            next_look = min(next_look, again) if next_look else again
        else:
            self._sender.enqueue(await self._elsewhere.attach(leaving) if self._elsewhere else leaving)
        self._incidents.note_unreached(incident, unreached_since(history))
        self._report(incident, state, decision)
        if history.resolved_at is not None and history.episode and not (was_resolved and state.looked):
            self._incidents.note_resolved(incident, just_now=not was_resolved)
        state.looked = True
        if next_look is None and not state.events and not state.anew:
            return await self._evict(incident, state)
        return next_look

    async def _restore(self, incident: str) -> IncidentState:
        """An archived incident is served again; one that cannot be read begins anew (rule 63). Raises LedgerError."""
        try:
            facts = await self._ledger.facts(incident)
        except UnreadableError as fault:
            self._incidents.set_aside(fault.unreadable)
        else:
            now = self._clock.now()
            taken = await guarded(self._take_over(incident, [not_later(fact, now) for fact in facts]))
            if isinstance(taken, Broken):
                self._incidents.set_aside(Unreadable(incident, f"its facts do not fit together ({taken})", ended=True))
        return self._incidents.state(incident)

    async def _take_over(self, incident: str, facts: Sequence[Fact]) -> None:
        self._incidents.restore(incident, facts)

    async def _evict(self, incident: str, state: IncidentState) -> datetime | None:
        """Nothing can become due unless something comes in: let go of the state, once its letters are settled."""
        if self._incidents.has_unsettled(incident):
            return self._clock.now() + EVICTS_AGAIN
        if state.history.incident is not None:
            try:
                await self._ledger.finish(incident)
            except LedgerError:
                return self._clock.now() + EVICTS_AGAIN
        self._incidents.evict(incident)
        return None

    def _decide(
        self, incident: str, state: IncidentState, events: Sequence[IncidentEvent], policy: Policy, now: datetime
    ) -> tuple[Decision, History, datetime | None]:
        """Facts first, then the plan, again and again until nothing more is due at this instant (rule 1)."""
        draft = state.draft()
        decision = NOTHING_DECIDED
        for event in events:
            if _says_nothing(event, draft.history):
                continue
            if isinstance(event, RecordedFact):
                draft.note([event.fact])
                continue
            facts, page = _consequences(draft, event, policy, now)
            before = draft.history
            draft.note(facts)
            decision += Decision(facts)
            if page:
                decision += self._words((Due(page, before),), draft, policy, now)
        for _round in range(ROUNDS):
            known = draft.history.incident
            if known is None:
                return decision, draft.history, None
            history = draft.history
            if never_left := self._rooms.never_left(history):
                history = replace(history, never_left=never_left)
            away = not self._fence.holds()
            lets = away and self._fence.lets_from_memory(step=True)
            planned = plan(known, policy, history, now, from_memory=lets, steps_wait=away and not lets)
            if planned.facts or planned.due:
                words = self._words(planned.due, draft, policy, now)
                self._rooms.withdraw(planned.history)
                after = replace(planned.history, never_left=frozenset()) if never_left else planned.history
                draft.note(planned.facts, after)
                decision += Decision(planned.facts, held=planned.suppressed) + words
            else:
                decision += Decision(held=planned.suppressed)
            if planned.at_rest:
                return decision, draft.history, planned.next_look
        raise AssertionError(f"the plan of {incident} does not come to rest")

    def _words(self, dues: Sequence[Due], draft: IncidentState, policy: Policy, now: datetime) -> Decision:
        """The letters, and the reply codes that they give out."""
        incident = draft.history.incident
        assert incident is not None or not dues
        facts, letters, linked = [], [], []
        offers = self._reply_options.offers([due.notification for due in dues], policy, now)
        for due, (offer, coded) in zip(dues, offers, strict=True):
            assert incident is not None
            facts += [coded] if coded else []
            content = self._renderer.render(due.notification, incident, due.history, policy, offer, due.after)
            letters.append(Letter(due.notification, content, link=offer.link))
            if (offer.link or self._machine) and due.notification.kind is Kind.PAGE:
                linked.append(LinkedDue(due, incident, offer))
        return Decision(tuple(facts), tuple(letters), dues=tuple(linked))

    def _without_links(self, decision: Decision) -> Decision:
        """The same, with pages in words that may leave from memory: the ledger does not know of their links, nor, where
        others share it, of codes that are new; and they may know more (R54).
        """
        new_codes = {fact.code for fact in decision.facts if isinstance(fact, Coded)}
        unlinked = {
            linked.due.notification.key: self._renderer.render(
                linked.due.notification,
                linked.incident,
                linked.due.history,
                self._config.policy,
                linked.offer.unseen(self._machine, code_known=linked.offer.code not in new_codes)
                if self._machine
                else linked.offer.from_memory,
                linked.due.after,
            )
            for linked in decision.dues
        }
        letters = [
            replace(letter, content=unlinked[letter.notification.key], link=None)
            if letter.notification.key in unlinked
            else letter
            for letter in decision.letters
        ]
        return Decision(decision.facts, tuple(letters), decision.held)

    async def _write(self, incident: str, state: IncidentState, decision: Decision) -> list[Letter] | None:
        """Record what was decided, with whatever an earlier look could not record. The letters that are to leave once
        it is on disk: the sender looks at the history that they belong to. None: it is not.
        """
        whole = state.unwritten + decision
        if not whole:
            return []
        anew = whole.facts[0].at if state.anew and whole.facts else None
        try:
            new_keys = await self._ledger.record(incident, whole.facts, whole.letters, whole.held, anew)
        except LedgerError as trouble:
            state.unwritten = self._without_links(whole)
            log.warning("ledger trouble", trouble=str(trouble))
            if self._fence.lets_from_memory():  # else another machine leads, or this one is yet to try for a while
                self._tell_away(str(trouble))
            return None
        state.unwritten, state.anew = NOTHING_DECIDED, state.anew and anew is None
        self._notices.cured(Trouble.LEDGER_UNWRITABLE, "", "the ledger can be written again; what happened is in it")
        self._notices.cured(Trouble.LEDGER_AWAY, "", "the database can be written again; what happened is in it")
        return [letter for letter in whole.letters if letter.notification.key in new_keys]

    def _tell_away(self, why: str) -> None:
        if self._machine:
            self._tell(Trouble.LEDGER_AWAY, database_trouble(why))
        else:
            self._tell(Trouble.LEDGER_UNWRITABLE, ledger_trouble(why))

    def _report(self, incident: str, state: IncidentState, decision: Decision) -> None:
        """Log what was decided, and tell operators of pages that reach nobody and answers that accept nothing."""
        for fact in decision.facts:
            if isinstance(fact, Closed):
                self._reply_options.codes.close(incident, fact.at)
                for person, _ in state.history.lost:
                    self._notices.retract(Trouble.PAGE_LOST, f"{incident}:{person}")
            elif isinstance(fact, Seen):
                incident_now = fact.incident
                log.info(
                    "version",
                    status=incident_now.status.value,
                    severity=incident_now.severity,
                    shown_title=incident_now.title,
                )
            elif isinstance(fact, PageLost) and fact.delivered:
                self._tell_arrived(incident, state.history, fact.person, "has the page after all")
            elif isinstance(fact, PageLost) and fact.via is None and not fact.stopped:
                sentence = lost_page(incident, fact, state.history, self._config.policy)
                self._tell(Trouble.PAGE_LOST, sentence, f"{incident}:{fact.person}")
            elif isinstance(fact, RefusalTakenBack) and fact.again_at == fact.at:
                self._notices.retract(Trouble.PAGE_LOST, f"{incident}:{fact.reader}")  # it leaves now
            elif isinstance(fact, Answered) and any(name == fact.person for name, _ in state.history.lost):
                self._tell_arrived(incident, state.history, fact.person, "has answered")
        for suppression in decision.held:
            if suppression.kind is Kind.PAGE and suppression.why in (Why.NOBODY_ON_CALL, Why.NO_CHANNEL):
                why = suppression.detail or suppression.why
                sentence = f"{named_incident(incident, state.history)}: {why} ({suppression.rule}); incident {incident}"
                self._tell(Trouble.NOBODY_ON_CALL, sentence, incident, suppression.rule)
        for person, _at in state.history.ineffective_acks[state.ineffective_told :]:
            which = named_incident(incident, state.history)
            fault = f"{which}: {person} acknowledged, but was never paged nor assigned; it accepts nothing"
            advice = f"to hand over, use tocsin assign {incident} ROLE {person}"
            self._tell(Trouble.ANSWER_IN_VAIN, f"{fault}; {advice}", incident, person)
        state.ineffective_told = len(state.history.ineffective_acks)

    def _tell_arrived(self, incident: str, history: History, person: str, how: str) -> None:
        """Whoever was told that a page reached nobody hears of it; who was not hears neither."""
        sentence = f"{named_incident(incident, history)}: {person} {how}"
        self._notices.cured(Trouble.PAGE_LOST, f"{incident}:{person}", sentence)

    def _tell(self, trouble: Trouble, sentence: str, about: str = "", aspect: str = "") -> None:
        self._notices.tell(OperatorNotice(trouble, sentence, about=about, aspect=aspect))


def _consequences(
    draft: IncidentState,
    event: Fact | ChannelFailed | RefusalWithdrawn | ChannelDelivered,
    policy: Policy,
    now: datetime,
) -> tuple[tuple[Fact, ...], Notification | None]:
    """The facts that an event stands for, and the page by another channel that it calls for."""
    if isinstance(event, ChannelFailed):
        return choose_next_channel(draft, event, policy, now)
    if isinstance(event, RefusalWithdrawn):
        return take_back(draft, event, now), send_elsewhere(event)
    return note_delivery(draft, event, now) if isinstance(event, ChannelDelivered) else (event,), None


def _says_nothing(event: IncidentEvent, history: History) -> bool:
    """An answer to an incident that nobody has seen; a finished incident's file, met again after a restart."""
    if history.incident is None:
        return not isinstance(event, Seen)
    return isinstance(event, Seen) and history.incident.resolved and event.incident == history.incident
