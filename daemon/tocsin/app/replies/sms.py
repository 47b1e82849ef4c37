"""Replies: what people answer by SMS, judged and answered (product.md section 6).

It decides which incident an answer is about, records what it means (an `Answered`, a `Noted`) together with our answer
in one transaction, and when we stay quiet. What an answer does to the roles is `planning.answers`' business; the words
are `reply_words`'.
"""

from datetime import datetime, timedelta

from tocsin.app.delivery.sender import Sender
from tocsin.app.replies import sms_words as words
from tocsin.app.replies.sms_grammar import Reply, Verb, read
from tocsin.app.reply_options.codes import Codes, ReplyCode
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incidents import Incidents
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Content, Letter
from tocsin.domain.facts import Answer, Answered, Fact, Noted
from tocsin.domain.history import History
from tocsin.domain.notification import ANSWERED_FOR, NOBODY, Kind, Notification, Reason
from tocsin.domain.people import Channel, Person
from tocsin.planning.current_state import current_state
from tocsin.planning.history.fold import apply_fact, fold_facts
from tocsin.ports.clock import Clock
from tocsin.ports.ledger import Ledger

ANSWERS_IN_VAIN = 5
"""Answers in a row that led to no action, before we stay quiet until a valid one."""
LOOKS_BACK = 50
"""Messages of a number that are looked at for that."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""How much earlier than the page it answers a message without a code may seem to have come. One from before that (the
daemon was down, the provider slow) means something else.
"""

ACTED, ANSWERED, QUIET, CARRIER, UNKNOWN = "acted", "answered", "quiet", "carrier", "unknown"
"""What a message led to: something was done; only an answer; nothing, we had answered enough; nothing, the carrier
answers; nothing, nobody of the config sent it."""


class Replies:
    """The judge of SMS that came in. Our own number is never answered."""

    def __init__(
        self,
        clock: Clock,
        ledger: Ledger,
        config: ActiveConfig,
        incidents: Incidents,
        codes: Codes,
        sender: Sender,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._config = config
        self._incidents = incidents
        self._codes = codes
        self._sender = sender

    async def judge(self, arrival: Arrival) -> str:
        """Act on one message, and answer it; what it led to. Raises LedgerError: then it is judged again."""
        policy, now = self._config.policy, self._clock.now()
        person = next((each for each in policy.people.values() if each.phone == arrival.who), None)
        if person is None or arrival.who == self._config.settings.sms.sender:
            return UNKNOWN
        reply = read(arrival.body)
        if reply.verb is Verb.CARRIER:
            return CARRIER
        incident, reply = self._about(reply, person, arrival.at)
        known = await self._ledger.facts(incident) if incident else ()
        if any(isinstance(each, (Answered, Noted)) and each.ref == arrival.ref for each in known):
            return ACTED
        facts, said = self._judged(reply, person, fold_facts(known), arrival.ref, now)
        if not facts and not (reply.verb is Verb.STATUS and said):
            if await self._quiet(arrival.who):
                return QUIET
            await self._answer(arrival, person, said or self._which(reply, person), incident, (), now)
            return ANSWERED
        await self._answer(arrival, person, said, incident, facts, now)
        return ACTED

    def _about(self, reply: Reply, person: Person, said_at: datetime) -> tuple[str, Reply]:
        """The incident that is meant, "" when that is not clear; and the reply, its code given back to a note's text
        when it is no code of theirs.
        """
        if reply.verb is Verb.UNCLEAR:
            return "", reply
        if reply.code:
            found = self._codes.incident(person.phone, person.id, reply.code)
            if found or reply.verb is not Verb.NOTE or reply.text == reply.whole:
                return found or "", reply
            reply = Reply(Verb.NOTE, "", reply.whole, reply.whole)
        meant = [each.incident for each in self._open(person) if each.since <= said_at + CLOCKS_DIFFER]
        return (meant[0] if len(meant) == 1 else ""), reply

    def _open(self, person: Person) -> list[ReplyCode]:
        """Their codes of incidents that may want an answer, newest first."""
        codes, now = self._codes.of_person(person.phone, person.id), self._clock.now()
        return [code for code in codes if _wants(self._incidents.history(code.incident), person, now)]

    def _judged(
        self, reply: Reply, person: Person, history: History, ref: str, now: datetime
    ) -> tuple[tuple[Fact, ...], str]:
        """The facts that follow, and what is true with them."""
        incident, policy = history.incident, self._config.policy
        if incident is None:
            return (), ""
        match reply.verb:
            case Verb.NOTE:
                return (Noted(now, person.id, reply.text, ref),), words.noted(history)
            case Verb.STATUS:
                how = current_state(incident, policy, history, now)
                return (), words.status(history, how, policy, person, now)
            case Verb.OK | Verb.PASS:
                answer = Answer.OK if reply.verb is Verb.OK else Answer.PASS
                fact = Answered(now, person.id, answer, ref)
                after = apply_fact(history, fact)
                said = words.accepted if answer is Answer.OK else words.passed
                changes = after not in (history, _vain(history, after))
                return ((fact,) if changes else ()), said(history, after, policy, person, now)
        return (), ""

    def _which(self, reply: Reply, person: Person) -> str:
        """The answer to a message that cannot be acted on."""
        open_ = [(each.code, self._title(each.incident)) for each in self._open(person)]
        if reply.code:
            return words.no_such_code(reply.code, open_)
        return words.which(reply.verb, open_) if reply.verb is not Verb.UNCLEAR else words.unclear(open_)

    def _title(self, incident: str) -> str:
        known = self._incidents.history(incident).incident
        return known.title if known else incident

    async def _quiet(self, number: str) -> bool:
        """Whether we have answered often enough without anything coming of it."""
        vain = 0
        for result in await self._ledger.newest_results(ArrivalKind.SMS, number, LOOKS_BACK):
            if result in (ACTED, QUIET):
                return result == QUIET
            vain += result == ANSWERED
        return vain >= ANSWERS_IN_VAIN

    async def _answer(
        self, arrival: Arrival, person: Person, said: str, incident: str, facts: tuple[Fact, ...], now: datetime
    ) -> None:
        """Record what follows together with our answer, and send that. Facts are met by `ledger_feed` and the plan.
        The key names only the message: judged again, it is answered once, whatever it seems to mean then.
        """
        key = f"{NOBODY}/0/{Kind.ANSWER.value}/{arrival.ref}"
        revision, incident = self._config.policy.revision, incident or NOBODY
        notification = Notification(
            key, incident, 0, Kind.ANSWER, Reason.REPLY, now, person.id, Channel.SMS, revision=revision
        )
        letter = Letter(notification, Content(said))
        if await self._ledger.record(incident, facts, [letter], ()):
            self._sender.enqueue([letter])


def _wants(history: History, person: Person, now: datetime) -> bool:
    """Whether somebody's answer may be about this incident: it is open, or they were asked whether all is well."""
    if history.incident is None:
        return False
    if history.resolved_at is None:
        return True
    asked = person.id in dict(history.verify_people) and now - history.resolved_at < ANSWERED_FOR
    return asked and not history.verified


def _vain(before: History, after: History) -> History:
    """What an answer that accepted nothing leaves: only a note that it was in vain."""
    return after if after.ineffective_acks != before.ineffective_acks else before
