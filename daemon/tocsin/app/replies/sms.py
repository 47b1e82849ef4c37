"""What people answer by SMS, judged and answered: which incident it is about, what it means, and when we stay quiet.

What it means (an `Answered`, a `Noted`) is recorded together with our answer in one transaction. What an answer does to
the roles is `planning.history.answers`' business, the words are `sms_words`'.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.sender import Sender
from tocsin.app.incidents.histories import recorded_history
from tocsin.app.replies import sms_words
from tocsin.app.replies.answer_all import AllMeant, CountedInMemory, changes, meant_by_all
from tocsin.app.replies.codeless import Codeless, codeless, wants_answer
from tocsin.app.replies.flips import KEPT_FOR, KeptOks, OkState, flip_notice, flood_notice
from tocsin.app.replies.from_memory.page_meant import page_meant
from tocsin.app.replies.sms_grammar import SmsCommand, Verb, read
from tocsin.app.replies.sms_words import AnswerIn, signed, with_after
from tocsin.app.replies.stops import Stops
from tocsin.app.reply_options.codes import ReplyCode
from tocsin.app.state.answer_room import AnswerRoom
from tocsin.app.state.incident_state import RecordedFact
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Letter
from tocsin.domain.facts import Answer, Answered, Fact, Noted
from tocsin.domain.history import History
from tocsin.domain.notification import NOBODY, Kind, Notification, Reason
from tocsin.domain.people import Channel, Person
from tocsin.planning.current_state import current_state
from tocsin.planning.history.asked_for import asked_for
from tocsin.planning.history.fold import apply_fact
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import Ledger
from tocsin.ports.ledger.trouble import UnreadableError
from tocsin.ports.renderer import OwnRenderer
from tocsin.wording.answer.answer_wording import LAST, STANDS
from tocsin.wording.language.language import Language

ANSWERS_IN_VAIN = 5
"""Answers in a row that led to no action, before we stay quiet until a valid one."""
LOOKS_BACK = 50
"""Messages of a number that are looked at for that."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""How much earlier than the page it answers a message without a code may seem to have come. One from before that (the
daemon was down, the provider slow) means something else."""

COUNTED, IGNORED = "counted", "ignored"
"""What a message led to that came in a flood: something was done, and not answered; nothing."""
ACTED, ANSWERED, QUIET, CARRIER, UNKNOWN = "acted", "answered", "quiet", "carrier", "unknown"
"""What a message led to: something was done; only an answer; nothing, we had answered enough; nothing, the carrier
answers; nothing, nobody of the config sent it."""
STOPPED, STARTED = "stopped", "started"
"""The number takes nothing more, or takes SMS again (rule 51)."""


class SmsReplies:
    """The judge of SMS that came in. Our own number is never answered."""

    def __init__(
        self,
        clock: Clock,
        ledger: Ledger,
        context: DeliveryContext,
        sender: Sender,
        stops: Stops,
        renderer: OwnRenderer[Language],
        in_memory: CountedInMemory,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._config = context.config
        self._incidents = context.incidents
        self._notices = context.notices
        self._codes = context.reply_options.codes
        self._sender = sender
        self._stops = stops
        self._renderer = renderer
        self._flips = in_memory.flips
        self._in_memory = in_memory
        self._machine, self._unseen, self._began = context.machine, context.unseen, clock.now()
        self._kept = KeptOks(clock)
        self._room = AnswerRoom(clock, ledger, (ACTED, ANSWERED))

    async def judge(self, arrival: Arrival) -> str | None:
        """Act on one message, and answer it; what it led to, None while it waits whether it stands. Raises LedgerError:
        then it is judged again.
        """
        policy, now = self._config.policy, self._clock.now()
        person = next((person for person in policy.people.values() if person.phone == arrival.who), None)
        if person is None or arrival.who in self._config.settings.sms.own_numbers:
            return UNKNOWN
        command = read(arrival.body)
        if command.verb is Verb.STOP:
            await self._stops.stop(person, arrival.ref)
            return STOPPED
        if (command.verb is Verb.START or command.starts) and self._stops.is_stopped(person.phone):
            await self._stops.start(person)
            return STARTED
        if command.verb in (Verb.CARRIER, Verb.START):
            return CARRIER
        if (counted := self._in_memory.counted(arrival.ref)) is not None:
            return await self._confirm(arrival, person, command, counted, now)
        is_kept = self._kept.knows(arrival.ref)
        coded = [] if is_kept else self._open(person)
        known = {code.incident for code in coded}
        others = await codeless(self._incidents, self._ledger, person.id, known, arrival.at, now, begun=is_kept)
        if command.everything:
            return await self._answer_all(arrival, person, command, others, now)
        fitting = [code.incident for code in coded if code.since <= self._until(arrival)]
        fitting += [other.incident for other in others if other.answerable or command.verb is Verb.STATUS]
        unclear = len(fitting) > 1 or self._kept.was_unclear(arrival.ref)
        if (from_memory := self._may_answer_memory(command)) and unclear:
            fitting = await self._left_from_memory(arrival, person, fitting)
        incident, command = self._about(command, person, fitting)
        if not incident:
            self._give_codes(person, others, now)
        recorded, history = await self._known(incident)
        if any(isinstance(fact, (Answered, Noted)) and fact.ref == arrival.ref for fact in recorded):
            return ACTED
        if command.verb is Verb.OK and (state := self._ok_state(arrival, person, incident)) is not OkState.COUNTS:
            return IGNORED if state is OkState.VOID else None
        waits = from_memory and not (is_kept and len(fitting) > 1)
        if waits and not self._meaning(command, person, history, arrival.ref, now)[0]:
            return await self._keep(arrival, person, command, incident, history, unclear=unclear)
        return await self._act(arrival, person, command, incident, history, now)

    async def _confirm(
        self, arrival: Arrival, person: Person, command: SmsCommand, counted: AllMeant, now: datetime
    ) -> str | None:
        """What counted in memory is answered once it is written down with its incidents; None until then."""
        for one in counted.meant:
            recorded, after = await self._known(one.id)
            if not any(isinstance(fact, Answered) and fact.ref == arrival.ref for fact in recorded):
                return None
        if not await self._has_room(person):
            return COUNTED
        said = partial(sms_words.confirmed, command, counted, after, self._config.policy, person, now)
        await self._answer(arrival, person, said, "" if command.everything else counted.meant[0].id, (), now)
        return ACTED

    def _may_answer_memory(self, command: SmsCommand) -> bool:
        """Whether it may be to a page that left from memory, and named no code."""
        return bool(self._machine or self._unseen) and command.is_bare_ok and not self._config.reply_routes.needs_code

    async def _left_from_memory(self, arrival: Arrival, person: Person, fitting: list[str]) -> list[str]:
        """The one whose page came last, if that left from memory; else all, none of a kept one. Raises LedgerError."""
        pages = await self._ledger.sent_pages(arrival.at - KEPT_FOR, person.id)
        meant = page_meant(pages, self._codes, person.phone, arrival.at, unseen=self._unseen)
        return [meant] if meant in fitting else [] if self._kept.was_unclear(arrival.ref) else fitting

    def _until(self, arrival: Arrival) -> datetime:
        """Until when what a message without a code answers has its code. A former leader may have kept what came before
        this one began: then nothing is allowed for clocks, or it would count for a page that came after it.
        """
        return arrival.at + (timedelta(0) if self._machine and arrival.at < self._began else CLOCKS_DIFFER)

    async def _act(
        self, arrival: Arrival, person: Person, command: SmsCommand, incident: str, history: History, now: datetime
    ) -> str:
        """Act on a message about an incident, "" where none is clear, and answer it; what it led to."""
        must_stand = command.verb is Verb.PASS and bool(incident) and self._note_pass(person, incident, history)
        facts, answer = self._meaning(command, person, history, arrival.ref, now)
        answer = with_after(answer, STANDS) if must_stand and answer else answer
        if not facts and not (command.verb is Verb.STATUS and answer):
            is_plain = not incident and self._asks_plainly(command, person)
            if not is_plain and await self._is_quiet(arrival.who):
                return QUIET
            return await self._answer_in_vain(arrival, person, answer or self._which(command, person), incident, now)
        if answer and await self._has_room(person):
            await self._answer(arrival, person, answer, incident, facts, now)
            return ACTED
        if facts:
            await self._ledger.record(incident, facts, (), ())
            self._note((incident, fact) for fact in facts if isinstance(fact, Answered))
        return COUNTED if facts else IGNORED

    async def _keep(
        self, arrival: Arrival, person: Person, command: SmsCommand, incident: str, history: History, *, unclear: bool
    ) -> str | None:
        """An `ok` from which nothing follows is answered, and kept for what other machines may have sent (R54)."""
        result, apart, now = ANSWERED, replace(arrival, ref=f"{arrival.ref}/kept"), self._clock.now()
        if not self._kept.knows(arrival.ref):
            result = await self._act(apart, person, command, incident, history, now)
        return None if self._kept.keep(arrival.ref, person.id, unclear=unclear) else result

    def _ok_state(self, arrival: Arrival, person: Person, incident: str) -> OkState:
        """Whether an `ok` counts now."""
        return self._flips.state_of(arrival.ref, person.id, incident) if incident else OkState.COUNTS

    def _note_pass(self, person: Person, incident: str, history: History) -> bool:
        """Whether they handed it back too often, and must let an `ok` stand from now on; operators hear of it once."""
        self._flips.note_pass(person.id, incident)
        holds = any(role.holder == person.id for role in history.roles.values())
        if not holds or not self._flips.take_back(person.id, incident):
            return False
        self._notices.tell(flip_notice(person, incident, needs_code=self._config.reply_routes.needs_code))
        return True

    async def _answer_all(
        self, arrival: Arrival, person: Person, command: SmsCommand, others: Sequence[Codeless], now: datetime
    ) -> str:
        """One answer to everything that is asked of them, in one transaction (rule 47); what it led to."""
        if command.code or self._config.reply_routes.needs_code:
            self._give_codes(person, others, now)
        if refusal := self._all_refused(command, person):
            if not self._asks_plainly(command, person) and await self._is_quiet(arrival.who):
                return QUIET
            return await self._answer_in_vain(arrival, person, refusal, "", now)
        policy, answer = self._config.policy, Answer.OK if command.verb is Verb.OK else Answer.PASS
        handed_over = await self._ledger.pages_handed_over(person.id, arrival.at, begun=False)
        fact = Answered(now, person.id, answer, arrival.ref, asked_only=True)
        all_meant = await meant_by_all(self._incidents, handed_over, policy, fact)
        words = sms_words.accepted_all if answer is Answer.OK else sms_words.passed_all
        if not all_meant.meant and await self._is_quiet(arrival.who):
            return QUIET
        if not await self._has_room(person):
            for one in all_meant.meant:  # judged again after a kill, the rest still asks
                await self._ledger.record(one.id, [fact], (), ())
                self._note([(one.id, fact)])
            return COUNTED if all_meant.meant else IGNORED
        histories = [self._incidents.history(code.incident) for code in self._open(person)]
        said = partial(words, all_meant, policy, person, histories, self._code_of_worst(person, all_meant))
        letter = await self._letter(arrival, person, said, NOBODY, now)
        if await self._ledger.record_answers([(one.id, fact) for one in all_meant.meant], letter):
            self._note((one.id, fact) for one in all_meant.meant)
            self._send(letter, person)
            return ACTED if all_meant.meant else ANSWERED
        return ACTED

    def _all_refused(self, command: SmsCommand, person: Person) -> AnswerIn | None:
        """The answer to an `ok all` that names a code which is none of theirs, or none where one is required."""
        asking, others = self._worst_first(person)
        listed = [(code.code, self._title(code.incident)) for code in (*asking, *others)]
        if command.code:
            is_theirs = any(code == command.code for code, _ in listed)
            return None if is_theirs else partial(sms_words.no_such_code, command.code, listed)
        return partial(sms_words.all_with_code, command.verb, listed) if self._config.reply_routes.needs_code else None

    def _code_of_worst(self, person: Person, all_meant: AllMeant) -> str:
        codes = {code.incident: code.code for code in self._codes.of_person(person.phone, person.id)}
        return codes.get(all_meant.meant[0].id, "") if all_meant.meant else ""

    async def _known(self, incident: str) -> tuple[Sequence[Fact], History]:
        """What is recorded of an incident, and what has happened to it; where a row cannot be read, as this process
        knows it (rule 63). Raises LedgerError.
        """
        try:
            return await recorded_history(self._ledger, incident) if incident else ((), History())
        except UnreadableError:
            return (), self._incidents.history(incident)

    def _about(self, command: SmsCommand, person: Person, fitting: Sequence[str]) -> tuple[str, SmsCommand]:
        """The incident that is meant, "" when that is not clear; and the command, its code given back to a note's text
        when it is no code of theirs. `fitting` are those that a message without a code may be about.
        """
        if command.verb is Verb.UNCLEAR:
            return "", command
        if command.code:
            incident = self._codes.incident(person.phone, person.id, command.code)
            if incident or command.verb is not Verb.NOTE or command.text == command.whole:
                return incident or "", command
            command = SmsCommand(Verb.NOTE, "", command.whole, command.whole)
        if self._config.reply_routes.needs_code and command.verb is not Verb.STATUS:
            return "", command
        return (fitting[0] if len(fitting) == 1 else ""), command

    def _open(self, person: Person) -> list[ReplyCode]:
        """Their codes of incidents that may want an answer, newest first."""
        codes, now = self._codes.of_person(person.phone, person.id), self._clock.now()
        return [code for code in codes if wants_answer(self._incidents.history(code.incident), person.id, now)]

    def _give_codes(self, person: Person, others: Iterable[Codeless], now: datetime) -> None:
        """So that what is asked of them, or theirs, can be listed and answered; the look that follows records them."""
        for other in others:
            _, coded = self._codes.give(other.incident, person.id, person.phone, now, over=other.over)
            if coded:
                self._incidents.add_event(other.incident, coded)

    def _meaning(
        self, command: SmsCommand, person: Person, history: History, ref: str, now: datetime
    ) -> tuple[tuple[Fact, ...], AnswerIn | None]:
        """The facts that follow, and what is true with them; None where no incident is meant."""
        incident, policy = history.incident, self._config.policy
        if incident is None:
            return (), None
        match command.verb:
            case Verb.NOTE:
                return (Noted(now, person.id, command.text, ref),), partial(sms_words.noted, history, policy)
            case Verb.STATUS:
                state = current_state(incident, policy, history, now)
                return (), partial(sms_words.status, history, state, policy, person, now)
            case Verb.OK | Verb.PASS:
                answer = Answer.OK if command.verb is Verb.OK else Answer.PASS
                fact = Answered(now, person.id, answer, ref)
                after = apply_fact(history, fact)
                words = sms_words.accepted if answer is Answer.OK else sms_words.passed
                return ((fact,) if changes(history, after) else ()), partial(words, history, after, policy, person, now)
        return (), None

    def _which(self, command: SmsCommand, person: Person) -> AnswerIn:
        """The answer to a message that cannot be acted on."""
        asking, others = self._worst_first(person)
        listed = [(code.code, self._title(code.incident)) for code in (*asking, *others)]
        if command.code:
            return partial(sms_words.no_such_code, command.code, listed)
        if command.verb is Verb.UNCLEAR:
            return partial(sms_words.unclear, listed, needs_code=self._config.reply_routes.needs_code)
        if command.verb is Verb.OK and listed:
            if not asking:
                return partial(sms_words.only_others, listed)
            listed = listed[: len(asking)]
        paged = [code for code in asking if self._incidents.history(code.incident).resolved_at is None]
        needs_code = self._config.reply_routes.needs_code and command.verb is not Verb.STATUS
        return partial(sms_words.which, command.verb, listed, everything=len(paged) > 1, needs_code=needs_code)

    def _worst_first(self, person: Person) -> tuple[list[ReplyCode], list[ReplyCode]]:
        """Their codes of incidents that wait for their answer, and of others that are open, each the worst first."""
        policy = self._config.policy
        asking: list[ReplyCode] = []
        others: list[ReplyCode] = []
        for code in reversed(self._open(person)):
            history = self._incidents.history(code.incident)
            asks = history.resolved_at is not None or asked_for(history, person.id)
            (asking if asks else others).append(code)

        def badness(code: ReplyCode) -> tuple[bool, int]:
            incident = self._incidents.history(code.incident).incident
            return (incident is None or incident.drill, policy.incident_rank(incident) if incident else 0)

        return sorted(asking, key=badness), sorted(others, key=badness)

    def _title(self, incident: str) -> str:
        current = self._incidents.history(incident).incident
        return current.title if current else incident

    def _asks_plainly(self, command: SmsCommand, person: Person) -> bool:
        """Whether a message that led to no action is answered however many did: a `status`; and while something is open
        whatever else we know, for whoever wrote it takes it to count. A code of nobody's is none of these.
        """
        is_plain = not command.code and command.verb is not Verb.UNCLEAR
        return is_plain and (command.verb is Verb.STATUS or bool(self._open(person)))

    async def _is_quiet(self, number: str) -> bool:
        """Whether we have answered often enough without anything coming of it."""
        in_vain = 0
        for result in await self._ledger.newest_results(ArrivalKind.SMS, number, LOOKS_BACK):
            if result in (ACTED, COUNTED, QUIET):
                return result == QUIET
            in_vain += result == ANSWERED
            if in_vain >= ANSWERS_IN_VAIN:
                return True
        return False

    async def _has_room(self, person: Person) -> bool:
        """Whether their number may get an answer; where not, operators hear once that it is flooded."""
        if await self._room.left(person.phone):
            return True
        self._notices.tell(flood_notice(person, needs_code=self._config.reply_routes.needs_code))
        return False

    async def _answer_in_vain(
        self, arrival: Arrival, person: Person, answer: AnswerIn, incident: str, now: datetime
    ) -> str:
        """Answer what nothing follows from, where there is room; what it led to."""
        if not await self._has_room(person):
            return IGNORED
        await self._answer(arrival, person, answer, incident, (), now)
        return ANSWERED

    async def _answer(
        self, arrival: Arrival, person: Person, answer: AnswerIn, incident: str, facts: tuple[Fact, ...], now: datetime
    ) -> None:
        """Record what follows together with our answer, act on it, and send that."""
        letter = await self._letter(arrival, person, answer, incident or NOBODY, now)
        if await self._ledger.record(letter.notification.incident, facts, [letter], ()):
            self._note((incident, fact) for fact in facts if isinstance(fact, Answered))
            self._send(letter, person)

    def _note(self, answers: Iterable[tuple[str, Answered]]) -> None:
        """These are recorded: they count at the look that follows."""
        for incident, answer in answers:
            self._incidents.add_event(incident, RecordedFact(answer))

    def _send(self, letter: Letter, person: Person) -> None:
        self._room.take(person.phone)
        self._sender.enqueue([letter])

    async def _letter(self, arrival: Arrival, person: Person, answer: AnswerIn, incident: str, now: datetime) -> Letter:
        """Our answer. The key names only the message: judged again, it is answered once, whatever it seems to mean."""
        if await self._room.left(person.phone) == 1:
            answer = with_after(answer, LAST)
        key = f"{NOBODY}/0/{Kind.ANSWER.value}/{arrival.ref}"
        revision, from_us = self._config.policy.revision, signed(answer, self._config.policy.organisation)
        notification = Notification(
            key, incident, 0, Kind.ANSWER, Reason.REPLY, now, person.id, Channel.SMS, revision=revision
        )
        return Letter(notification, self._renderer.render_own(from_us, Channel.SMS, person.language))
