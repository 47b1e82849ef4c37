"""Answers by link, or of who is signed in, judged: whether they may still answer for that episode (rules 15, 16)."""

from collections.abc import Sequence
from datetime import datetime

from tocsin.app.arrivals.in_memory.answers import AnswersInMemory
from tocsin.app.edits.answer_words import answered
from tocsin.app.edits.changes import Telling
from tocsin.app.incidents.asked_instead import others_asked
from tocsin.app.incidents.histories import recorded_history
from tocsin.app.replies.answer_options import AnswerOptions, answer_fact, options_of
from tocsin.app.replies.flips import Flips, OkState, link_flip_notice
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incident_state import RecordedFact
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival, Judgement
from tocsin.domain.facts import Answer, Answered, Fact
from tocsin.domain.history import History
from tocsin.domain.notification import ANSWERED_FOR
from tocsin.planning.history.fold import apply_fact
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import FactLedger
from tocsin.ports.ledger.trouble import UnreadableError

ACTED, UNCHANGED, REFUSED = "acted", "unchanged", "refused"
"""The answer counts; it changed nothing; it does not count."""
GONE = "You are no longer in the config, so you cannot answer for this incident."
UNKNOWN_INCIDENT = "This incident is not known here."
OVER = "This incident was resolved more than a week ago. Its links no longer lead anywhere."
EARLIER = (
    "This link is from an earlier time that this incident was open. It was reopened since: use the link of the newest "
    "page, or call."
)
NOT_ASKED = (
    "Nothing was asked of you in this incident, so there is nothing to accept or to pass. To take a role, give it to "
    "yourself."
)
TAKEN_BACK = "You took this back a moment later, so it does not count."
"""Why an answer does not count, for whoever gave it."""


def refusal(options: AnswerOptions | None, episode: int, *, known_person: bool, now: datetime) -> str:
    """Why a link of that episode leads nowhere; empty: it leads somewhere. 0: no link, but who is signed in."""
    if not known_person:
        return GONE
    if options is None:
        return UNKNOWN_INCIDENT
    if episode and (options.history.episode > episode or episode > max(1, options.history.episode)):
        return EARLIER  # nobody was asked yet in one that is to come
    resolved_at = options.history.resolved_at
    return OVER if episode and resolved_at is not None and now - resolved_at >= ANSWERED_FOR else ""


class LinkAnswers:
    """The judge of answers by link."""

    def __init__(
        self,
        clock: Clock,
        ledger: FactLedger,
        config: ActiveConfig,
        incidents: Incidents,
        notices: Notices,
        flips: Flips,
        in_memory: AnswersInMemory | None = None,
    ) -> None:
        self._clock = clock
        self._notices = notices
        self._flips = flips
        self._in_memory = in_memory
        self._ledger = ledger
        self._config = config
        self._incidents = incidents

    async def judge(self, arrival: Arrival) -> Judgement | None:
        """Act on one answer; None while it waits whether it stands. Raises LedgerError: then it is judged again."""
        word, episode, incident = arrival.body.split(" ", 2)
        now = self._clock.now()
        facts, history = await self._recorded(incident)
        if any(isinstance(fact, Answered) and fact.ref == arrival.ref for fact in facts):
            return Judgement(ACTED, self._words(history, history, arrival.who, Answer(word)))
        if self._in_memory and self._in_memory.counted(arrival.ref):
            return None  # it is written down with its incident
        options = options_of(facts, history, arrival.who, now) if history.incident else None
        is_known = arrival.who in self._config.policy.people
        if why := refusal(options, int(episode), known_person=is_known, now=now):
            return Judgement(REFUSED, why)
        assert options is not None
        state = self._state(arrival, Answer(word), options)
        if state is OkState.WAITS:
            return None
        if state is OkState.VOID:
            return Judgement(REFUSED, TAKEN_BACK)
        fact = answer_fact(options, Answer(word), now, arrival.ref)
        if fact is None and not int(episode) and not options.anything:
            return Judgement(REFUSED, NOT_ASKED)
        if fact is None:
            return Judgement(UNCHANGED, self._words(history, history, arrival.who, Answer(word)))
        await self._ledger.record(incident, [fact], [], [])
        self._incidents.add_event(incident, RecordedFact(fact))
        return Judgement(ACTED, self._words(history, apply_fact(history, fact), arrival.who, Answer(word)))

    def _words(self, before: History, after: History, who: str, answer: Answer) -> str:
        """What is true for them now, on their own clock; who has left the config reads nothing."""
        person = self._config.policy.people.get(who)
        if person is None or after.incident is None:
            return ""
        policy, now = self._config.policy, self._clock.now()
        others = answer is Answer.PASS and others_asked(after, policy, who, now)
        return answered(before, after, who, answer, Telling(policy, now, person.timezone), others_asked=others)

    def _state(self, arrival: Arrival, answer: Answer, options: AnswerOptions) -> OkState:
        """Whether an answer counts now: of who hands back again and again what they accepted, by whatever way, an `ok`
        must stand a while, else each of them wakes and stands down others. Operators hear of that.
        """
        person, incident = arrival.who, options.incident.id
        if answer is Answer.OK:
            return self._flips.state_of(arrival.ref, person, incident) if options.takes else OkState.COUNTS
        self._flips.note_pass(person, incident)
        if options.holds and options.passes and self._flips.take_back(person, incident):
            self._notices.tell(link_flip_notice(self._config.policy.people[person], incident))
        return OkState.COUNTS

    async def _recorded(self, incident: str) -> tuple[Sequence[Fact], History]:
        """What is recorded of an incident, and what has happened to it; where a row cannot be read, as this process
        knows it (rule 63). Raises LedgerError.
        """
        try:
            return await recorded_history(self._ledger, incident)
        except UnreadableError:
            return (), self._incidents.answered_history(incident)
