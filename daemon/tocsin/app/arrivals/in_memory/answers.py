"""Answers that the ledger cannot take now, judged by what this process knows (rule 54, R54): each becomes a fact of its
incident at once, is written down with it, and is confirmed then. What is not plain from memory waits for the ledger.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.app.replies.answer_all import AllMeant, MeantIncident, changes, meant_by_all
from tocsin.app.replies.answer_options import answer_fact, options_of
from tocsin.app.replies.codeless import wants_answer
from tocsin.app.replies.flips import Flips
from tocsin.app.replies.from_memory.page_meant import page_meant
from tocsin.app.replies.sms_grammar import SmsCommand, Verb, read
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Accepted, Attempt, Uncertain
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.history import History
from tocsin.domain.notification import Kind
from tocsin.domain.people import Person
from tocsin.planning.history.asked_for import AskedFor, asked_for, is_lost
from tocsin.planning.history.fold import apply_fact
from tocsin.ports.clock import Clock

ANSWERS = {Verb.OK: Answer.OK, Verb.PASS: Answer.PASS}


class AnswersInMemory:
    """The judge of answers while the ledger cannot take them. `parcels` is all that is on its way."""

    def __init__(self, clock: Clock, context: DeliveryContext, flips: Flips, parcels: Mapping[str, Parcel]) -> None:
        self._clock = clock
        self._config = context.config
        self._incidents = context.incidents
        self._codes = context.reply_options.codes
        self._machine = context.machine
        self.flips = flips
        self._parcels = parcels
        self._heard: set[str] = set()
        self._counted: dict[str, AllMeant] = {}

    def counted(self, ref: str) -> AllMeant | None:
        """What an answer counted for here; None: for nothing."""
        return self._counted.get(ref)

    async def hear(self, arrivals: Iterable[Arrival]) -> None:
        """The ledger does not take these now, oldest first. Each is judged once."""
        for arrival in arrivals:
            if arrival.ref not in self._heard:
                self._heard.add(arrival.ref)
                if arrival.kind is ArrivalKind.SMS:
                    await self._judge_sms(arrival)
                elif arrival.kind is ArrivalKind.ANSWER:
                    self._judge_link(arrival)

    async def _judge_sms(self, arrival: Arrival) -> None:
        people, settings, command = self._config.policy.people.values(), self._config.settings, read(arrival.body)
        person = next((person for person in people if person.phone == arrival.who), None)
        if person is None or arrival.who in settings.sms.own_numbers or command.verb not in ANSWERS:
            return
        now, answer = self._clock.now(), ANSWERS[command.verb]
        if command.everything:
            fact = Answered(now, person.id, answer, arrival.ref, asked_only=True)
            if self._proves(command, person):
                handed_over = self._handed_over(person.id, arrival.at)
                self._count(fact, await meant_by_all(self._incidents, handed_over, self._config.policy, fact))
        elif incident := self._about(command, person, arrival.at):
            fact, history = Answered(now, person.id, answer, arrival.ref), self._incidents.answered_history(incident)
            if _is_open(history) and changes(history, apply_fact(history, fact)):
                self._count_one(fact, incident, history)

    def _judge_link(self, arrival: Arrival) -> None:
        word, episode, incident = arrival.body.split(" ", 2)
        history, now = self._incidents.answered_history(incident), self._clock.now()
        is_of_now = int(episode) in {0, history.episode}
        if arrival.who in self._config.policy.people and is_of_now and _is_open(history):
            options = options_of((), history, arrival.who, now)
            if fact := answer_fact(options, Answer(word), now, arrival.ref):
                self._count_one(fact, incident, history)

    def _count_one(self, fact: Answered, incident: str, history: History) -> None:
        if fact.answer is Answer.OK and self.flips.must_stand(fact.person, incident):
            return
        if fact.answer is Answer.PASS:
            self.flips.note_pass(fact.person, incident)
            if any(role.holder == fact.person for role in history.roles.values()):
                self.flips.take_back(fact.person, incident)
        self._count(fact, AllMeant((MeantIncident(incident, history, AskedFor()),), 0, 0))

    def _count(self, fact: Answered, meant: AllMeant) -> None:
        """It counts at the look that follows, which writes it down once the ledger takes it."""
        if meant.meant:
            self._counted[fact.ref] = meant
        for one in meant.meant:
            self._incidents.add_event(one.id, fact)

    def _proves(self, command: SmsCommand, person: Person) -> bool:
        """Whether an `ok all` names a code of theirs, or need not."""
        if command.code:
            return self._codes.incident(person.phone, person.id, command.code) is not None
        return not self._config.reply_routes.needs_code

    def _about(self, command: SmsCommand, person: Person, at: datetime) -> str:
        """The incident that is meant; empty where that is not plain."""
        if command.code:
            return self._codes.incident(person.phone, person.id, command.code) or ""
        if self._config.reply_routes.needs_code:
            return ""
        concern = self._concern(person)
        handed_over = {incident for incident, _ in self._handed_over(person.id, at)}
        if len(concern) > 1 and command.is_bare_ok and self._machine:
            tries = [
                (member.notification, attempt)
                for parcel in self._parcels.values()
                for member in parcel.members
                for attempt in member.attempts
            ]
            concern = [incident for incident in concern if incident == page_meant(tries, self._codes, person.phone, at)]
        return concern[0] if len(concern) == 1 and concern[0] in handed_over else ""

    def _concern(self, person: Person) -> list[str]:
        """What an answer of theirs without a code could be about."""
        coded = {code.incident for code in self._codes.of_person(person.phone, person.id)}
        now, concern = self._clock.now(), []
        for incident in self._incidents.ids():
            history = self._incidents.answered_history(incident)
            holds = any(role.holder == person.id and role.needed for role in history.roles.values())
            is_theirs = incident in coded or holds or history.resolved_at is not None or asked_for(history, person.id)
            if is_theirs and wants_answer(history, person.id, now):
                concern.append(incident)
        return concern

    def _handed_over(self, person: str, until: datetime) -> frozenset[tuple[str, int]]:
        """The open incidents, each with its episode, of which a provider took a page to them not after `until`. Of what
        is not on its way any more it did, unless it is lost.
        """
        taken, waiting = set[tuple[str, int]](), set[tuple[str, int]]()
        for member in [member for parcel in self._parcels.values() for member in parcel.members]:
            page = member.notification
            if (page.kind, page.to) == (Kind.PAGE, person):
                is_taken = any(_is_taken(attempt, until) for attempt in member.attempts)
                (taken if is_taken else waiting).add((page.incident, page.episode))
        for incident in self._incidents.open_ids():
            history = self._incidents.history(incident)
            newest, place = history.newest_pages.get(person), (incident, history.episode)
            if newest and newest.at <= until and place not in waiting and not is_lost(history, person):
                taken.add(place)
        return frozenset(taken)


def _is_open(history: History) -> bool:
    return history.incident is not None and history.resolved_at is None


def _is_taken(attempt: Attempt, until: datetime) -> bool:
    ended_at = attempt.ended_at or attempt.started_at
    return isinstance(attempt.outcome, (Accepted, Uncertain)) and ended_at <= until
