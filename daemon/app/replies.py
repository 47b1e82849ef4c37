"""Replies: what people answer by SMS, judged and answered (product.md section 6).

It decides which incident an answer is about, records what it means (an `Answered`, a `Noted`) together with our answer
in one transaction, and when we stay quiet. What an answer does to the roles is `planning.answers`' business; the words
are `reply_words`'.
"""

from datetime import datetime

from daemon.app import reply_words as words
from daemon.app.engine import Engine
from daemon.app.operators import NOBODY
from daemon.documents.reply import Reply, Verb, read
from daemon.domain.arrival import Arrival, Arrives
from daemon.domain.delivery import Content
from daemon.domain.facts import Answer, Answered, Fact, Noted
from daemon.domain.history import History
from daemon.domain.notification import Kind, Notification, Reason
from daemon.domain.people import Channel, Person
from daemon.planning.remember import recall, remember
from daemon.planning.standing import standing
from daemon.ports import Letter

ANSWERS_IN_VAIN = 5
"""Answers in a row that led to no action, before we stay quiet until a valid one."""
LOOKS_BACK = 50
"""Messages of a number that are looked at for that."""

ACTED, ANSWERED, QUIET, CARRIER, UNKNOWN = "acted", "answered", "quiet", "carrier", "unknown"
"""What a message led to: something was done; only an answer; nothing, we had answered enough; nothing, the carrier
answers; nothing, nobody of the config sent it."""


class Replies:
    """The judge of SMS that came in."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._codes = engine.invitations.codes

    async def judge(self, arrival: Arrival) -> str:
        """Act on one message, and answer it; what it led to. Raises LedgerTrouble: then it is judged again."""
        policy = self._engine.policy()
        person = next((each for each in policy.people.values() if each.phone == arrival.who), None)
        if person is None:
            return UNKNOWN
        reply, now = read(arrival.body), self._engine.clock.now()
        if reply.verb is Verb.CARRIER:
            return CARRIER
        incident, reply = self._about(reply, person)
        history = await self._history(incident) if incident else History()
        facts, said = self._judged(reply, person, history, arrival.ref, now)
        if not said:
            said = self._which(reply, person, incident)
        if (not facts and reply.verb is not Verb.STATUS) or not incident:
            if await self._quiet(arrival.who):
                return QUIET
            await self._answer(arrival, person, said, NOBODY, (), now)
            return ANSWERED
        await self._answer(arrival, person, said, incident, facts, now)
        return ACTED

    def _about(self, reply: Reply, person: Person) -> tuple[str, Reply]:
        """The incident that is meant, "" when that is not clear; and the reply, its code given back to a note's text
        when it is no code of theirs.
        """
        if reply.code:
            found = self._codes.incident(person.phone, person.id, reply.code)
            if found:
                return found, reply
            if reply.verb is not Verb.NOTE or reply.text == reply.whole:
                return "", reply
            reply = Reply(Verb.NOTE, "", reply.whole, reply.whole)
        if reply.verb is Verb.UNCLEAR:
            return "", reply
        open_ = self._codes.open(person.phone, person.id)
        return (open_[0][1] if len(open_) == 1 else ""), reply

    async def _history(self, incident: str) -> History:
        """What happened to an incident, also to one that was put away."""
        known = self._engine.reconcile.history(incident)
        return known if known.incident else recall(await self._engine.ledger.facts(incident))

    def _judged(
        self, reply: Reply, person: Person, history: History, ref: str, now: datetime
    ) -> tuple[tuple[Fact, ...], str]:
        """The facts that follow, and what is true with them."""
        incident, policy = history.incident, self._engine.policy()
        if incident is None:
            return (), ""
        match reply.verb:
            case Verb.NOTE:
                return (Noted(now, person.id, reply.text, ref),), words.noted(history)
            case Verb.STATUS:
                how = standing(incident, policy, history, now)
                return (), words.status(history, how, policy, person, now)
            case Verb.OK | Verb.PASS:
                answer = Answer.OK if reply.verb is Verb.OK else Answer.PASS
                fact = Answered(now, person.id, answer)
                after = remember(history, fact)
                said = words.accepted if answer is Answer.OK else words.passed
                changes = after not in (history, _vain(history, after))
                return ((fact,) if changes else ()), said(history, after, policy, person, now)
        return (), ""

    def _which(self, reply: Reply, person: Person, incident: str) -> str:
        """The answer to a message that cannot be acted on."""
        open_ = [
            (code, self._title(each)) for code, each in self._codes.open(person.phone, person.id) if each != incident
        ]
        if reply.code and not incident:
            return words.no_such_code(reply.code, open_)
        return words.which(open_) if reply.verb is not Verb.UNCLEAR else words.unclear(open_)

    def _title(self, incident: str) -> str:
        known = self._engine.reconcile.history(incident).incident
        return known.title if known else incident

    async def _quiet(self, number: str) -> bool:
        """Whether we have answered often enough without anything coming of it."""
        vain = 0
        for result in await self._engine.ledger.results(Arrives.SMS, number, LOOKS_BACK):
            if result == ACTED:
                break
            vain += result == ANSWERED
        return vain >= ANSWERS_IN_VAIN

    async def _answer(
        self, arrival: Arrival, person: Person, said: str, incident: str, facts: tuple[Fact, ...], now: datetime
    ) -> None:
        """Record what follows together with our answer, and send that. Facts are met by `app/answers` and the plan."""
        key = f"{incident}/0/{Kind.ANSWER.value}/{arrival.ref}"
        notification = Notification(
            key,
            incident,
            0,
            Kind.ANSWER,
            Reason.REPLY,
            now,
            person.id,
            Channel.SMS,
            rule=person.place,
            revision=self._engine.policy().revision,
        )
        letter = Letter(notification, Content(said))
        if await self._engine.ledger.record(incident, facts, [letter], ()):
            self._engine.deliver.take([letter])


def _vain(before: History, after: History) -> History:
    """What an answer that accepted nothing leaves: only a note that it was in vain."""
    return after if after.vain != before.vain else before
