"""Reconcile: one incident, once. What came in, then the plan, then the words, then one transaction, then the post.

It decides nothing about who is told; `planning.plan` does. It must not know providers or files. One incident's look
that breaks is logged, backed off and told to the operators, and the others go on (house rule 9).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from tocsin.app.delivery.context import ChannelFailed
from tocsin.app.delivery.sender import Sender
from tocsin.app.engine.incident_state import Decision, IncidentEvent, IncidentState, Recorded
from tocsin.app.engine.isolation import Broken, guarded
from tocsin.app.engine.next_channel import next_channel
from tocsin.app.reply_options.options import ReplyOptions
from tocsin.domain.delivery import Letter
from tocsin.domain.facts import Closed, Fact, PageLost, Seen
from tocsin.domain.history import History
from tocsin.domain.notification import Kind, Why
from tocsin.domain.operator_notice import Notify, OperatorNotice
from tocsin.domain.plan import Due
from tocsin.domain.policy import Policy
from tocsin.planning.plan import plan
from tocsin.ports.clock import Clock
from tocsin.ports.ledger import FactLedger, LedgerError
from tocsin.ports.renderer import Renderer

ROUNDS = 32
"""Plans made at one instant before the planner is called wrong: a step that reaches nobody takes no time, but a chain
is finite."""
BACKS_OFF = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds until an incident whose look broke is looked at again; the last one repeats."""
WRITES_AGAIN = timedelta(seconds=2)
"""How soon the ledger is tried again after trouble."""

SHELVES_AGAIN = timedelta(minutes=10)
"""How soon a finished incident is looked at again while its letters are still on their way."""

log = structlog.get_logger()


class Reconciler:
    """Every incident's case, and the one look that moves it on."""

    def __init__(
        self,
        clock: Clock,
        ledger: FactLedger,
        renderer: Renderer,
        policy: Callable[[], Policy],
        tell: Notify,
        invitations: ReplyOptions,
    ) -> None:
        self._clock = clock
        self._invitations = invitations
        self._ledger = ledger
        self._renderer = renderer
        self._policy = policy
        self._tell = tell
        self._cases: dict[str, IncidentState] = {}
        self._shelf: set[str] = set()
        self.post: Sender
        self.resolved: Callable[[str, bool], None] = lambda _incident, _just_now: None
        """Called with a resolved incident, and whether that was just now: time for its review draft."""
        self.wrote_at: datetime | None = None
        self.ledger_trouble = ""

    @property
    def cases(self) -> Mapping[str, IncidentState]:
        """Every incident known, by id."""
        return self._cases

    def history(self, incident: str) -> History:
        """What has happened to an incident; an empty history for one never heard of."""
        case = self._cases.get(incident)
        return case.history if case else History()

    def remember(self, incident: str, facts: Sequence[Fact]) -> None:
        """Take over what the ledger knows, at start-up."""
        case = self._cases.setdefault(incident, IncidentState())
        case.note(facts)
        case.vain = len(case.history.ineffective_acks)

    def shelve(self, incidents: Iterable[str]) -> None:
        """These need nothing, as far as the ledger knows: their facts stay there until news come."""
        self._shelf.update(set(incidents) - self._cases.keys())

    def learn(self, incident: str, news: IncidentEvent) -> None:
        """Note something that came in. It counts at the next look; the caller pokes."""
        self._cases.setdefault(incident, IncidentState()).inbox.append(news)

    async def look(self, incident: str) -> datetime | None:
        """Bring one incident up to now. Gives the next look; never raises."""
        case = self._cases.setdefault(incident, IncidentState())
        with structlog.contextvars.bound_contextvars(incident=incident):
            next_look = await guarded(self._look(incident, case))
            if isinstance(next_look, Broken):
                wait = BACKS_OFF[min(case.failures, len(BACKS_OFF) - 1)]
                case.failures += 1
                sentence = f"incident {incident} cannot be brought up to date ({next_look})"
                self._tell(OperatorNotice(f"look:{incident}", f"{sentence}; it is tried again, the others go on"))
                return self._clock.now() + timedelta(seconds=wait)
            case.failures = 0
            return next_look

    async def _look(self, incident: str, case: IncidentState) -> datetime | None:
        if incident in self._shelf:
            case.note(await self._ledger.facts(incident))
            self._shelf.discard(incident)
        policy, now = self._policy(), self._clock.now()
        news = tuple(case.inbox)
        decided, history, next_look = self._decide(incident, case, news, policy, now)
        written = await self._write(incident, case, decided)
        del case.inbox[: len(news)]
        was_resolved = case.history.resolved_at is not None
        case.note(decided.facts, history)
        if not written:
            pages = [letter for letter in decided.letters if letter.notification.kind is Kind.PAGE]
            self.post.take(pages, recorded=False)
            again = self._clock.now() + WRITES_AGAIN
            next_look = min(next_look, again) if next_look else again
        self._speak_of(incident, case, decided)
        if history.resolved_at is not None and history.episode and not (was_resolved and case.looked):
            self.resolved(incident, not was_resolved)
        case.looked = True
        if next_look is None and not case.inbox:
            return await self._shelve(incident)
        return next_look

    async def _shelve(self, incident: str) -> datetime | None:
        """Nothing can become due without news: let go of the case, once its letters are settled. The ledger has it."""
        if self.post.holds(incident):
            return self._clock.now() + SHELVES_AGAIN
        if self._cases[incident].history.incident is not None:
            try:
                await self._ledger.finish(incident)
            except LedgerError:
                return self._clock.now() + SHELVES_AGAIN
            self._shelf.add(incident)
        if not self._cases[incident].inbox:
            del self._cases[incident]
        return None

    def _decide(
        self, incident: str, case: IncidentState, news: Sequence[IncidentEvent], policy: Policy, now: datetime
    ) -> tuple[Decision, History, datetime | None]:
        """Facts first, then the plan, again and again until nothing more is due at this instant (rule 1)."""
        draft = _copy(case)
        decided = Decision()
        for each in news:
            if _says_nothing(each, draft.history):
                continue
            if isinstance(each, Recorded):
                draft.note([each.fact])
                continue
            facts, page = next_channel(draft, each, policy, now) if isinstance(each, ChannelFailed) else ((each,), None)
            before = draft.history
            draft.note(facts)
            decided += Decision(facts) + self._words((Due(page, before),) if page else (), draft, policy, now)
        for _round in range(ROUNDS):
            known = draft.history.incident
            if known is None:
                return decided, draft.history, None
            planned = plan(known, policy, draft.history, now)
            if not (planned.facts or planned.due):
                return decided + Decision(held=planned.suppressed), draft.history, planned.next_look
            words = self._words(planned.due, draft, policy, now)
            draft.note(planned.facts, planned.history)
            decided += Decision(planned.facts, held=planned.suppressed) + words
        raise AssertionError(f"the plan of {incident} does not come to rest")

    def _words(self, dues: Sequence[Due], draft: IncidentState, policy: Policy, now: datetime) -> Decision:
        """The letters, and the reply codes that they give out."""
        incident = draft.history.incident
        assert incident is not None or not dues
        facts, letters = [], []
        for due in dues:
            assert incident is not None
            invitation, coded = self._invitations.invite(due.notification, policy, now)
            facts += [coded] if coded else []
            content = self._renderer.render(due.notification, incident, due.history, policy, invitation)
            letters.append(Letter(due.notification, content))
        return Decision(tuple(facts), tuple(letters))

    async def _write(self, incident: str, case: IncidentState, decided: Decision) -> bool:
        """Record what was decided, with whatever an earlier look could not record. True when it is on disk."""
        whole = case.unwritten + decided
        if not whole:
            return True
        try:
            new = await self._ledger.record(incident, whole.facts, whole.letters, whole.held)
        except LedgerError as trouble:
            case.unwritten = whole
            self.ledger_trouble = str(trouble)
            log.warning("ledger trouble", trouble=str(trouble))
            self._tell(OperatorNotice("ledger", f"the ledger cannot be written ({trouble}); pages go out from memory"))
            return False
        case.unwritten = Decision()
        self.ledger_trouble = ""
        self.wrote_at = self._clock.now()
        self.post.take([letter for letter in whole.letters if letter.notification.key in new])
        return True

    def _speak_of(self, incident: str, case: IncidentState, decided: Decision) -> None:
        """Log what was decided, and tell operators of pages that reach nobody and answers in vain."""
        for fact in decided.facts:
            if isinstance(fact, Closed):
                self._invitations.codes.close(incident, fact.at)
            elif isinstance(fact, Seen):
                log.info("version", status=fact.incident.status.value, severity=fact.incident.severity)
            elif isinstance(fact, PageLost):
                said = f"incident {incident}: the page to {fact.person} reached nobody: every channel refused it"
                self._tell(OperatorNotice(f"lost:{incident}:{fact.person}", said))
        for held in decided.held:
            if held.kind is Kind.PAGE and held.why in (Why.NOBODY_ON_CALL, Why.NO_CHANNEL):
                said = f"incident {incident}: a page reached nobody: {held.detail or held.why} ({held.rule})"
                self._tell(OperatorNotice(f"nobody:{incident}:{held.rule}", said))
        for person, _at in case.history.ineffective_acks[case.vain :]:
            said = f"incident {incident}: {person} acknowledged, but was never paged nor assigned; it accepts nothing"
            advice = f"to hand over, use tocsin assign {incident} ROLE {person}"
            self._tell(OperatorNotice(f"vain:{incident}:{person}", f"{said}; {advice}"))
        case.vain = len(case.history.ineffective_acks)


def _says_nothing(news: IncidentEvent, history: History) -> bool:
    """An answer to an incident that nobody has seen; a finished incident's file, met again after a restart."""
    if history.incident is None:
        return not isinstance(news, Seen)
    return isinstance(news, Seen) and history.incident.resolved and news.incident == history.incident


def _copy(case: IncidentState) -> IncidentState:
    """A copy to decide on: the case itself changes only when the decisions are safe."""
    return replace(case, inbox=[], pages=dict(case.pages), reaches=dict(case.reaches))
