"""Edits and declarations from the browser, judged: who may do what, whether it still may be done, what is true then.

A signed link alone may note, write an internal update, and say that it is not healthy; everything else needs a session
(P8). The web side holds to that as well, but it is not believed. What is judged twice, after a kill, is done once.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from tocsin.adapters.files.incident_writer import FileError, IncidentFiles
from tocsin.app.arrivals.gate import SIGNED_IN
from tocsin.app.arrivals.link_answers import ACTED, GONE, REFUSED, UNCHANGED, refusal
from tocsin.app.arrivals.prepared_edit import EditDoneError, PreparedEdit, PreparedReopening, fit
from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.edits import words
from tocsin.app.edits.changes import Telling
from tocsin.app.edits.conflicts import version_of
from tocsin.app.incidents.commands import EditRefusedError, IncidentCommands
from tocsin.app.incidents.histories import recorded_history
from tocsin.app.intake.changes import Overwritten
from tocsin.app.intake.own_writes.catching_up import catch_up
from tocsin.app.intake.own_writes.older_saves import OlderSaves
from tocsin.app.replies.answer_options import options_of
from tocsin.app.state.act_room import MOST, WITHIN, ActRoom
from tocsin.domain.arrival import Arrival, ArrivalKind, DeclareEntry, EditEntry, Judgement
from tocsin.domain.facts import Fact
from tocsin.domain.history import History
from tocsin.domain.incident import Edit, Incident, Status
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.policy import Policy
from tocsin.formats.inbox.entries import read_entry
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import ArrivalLedger, IncidentLedger
from tocsin.ports.ledger.trouble import UnreadableError
from tocsin.text.cleaning import clean, one_line
from tocsin.text.names import service_named, severity_named

SEEN_WITHIN, REOPENED_WITHIN = timedelta(seconds=2), timedelta(seconds=4)
"""How long a judgement waits until the daemon has seen the file as it was written; what reopens must stand still."""

log = structlog.get_logger()


class ActLedger(IncidentLedger, ArrivalLedger, Protocol):
    """What came in, and what is known of incidents."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file was written: of which incident, with which digest, until when its being seen is waited for, and what is
    then said of it, by the facts from that version on.
    """

    incident: str
    digest: str
    until: datetime
    say: Callable[[Sequence[Fact]], str]


class EditJudge:
    """Judges what people do in the browser. The incident folder, which may hang, is touched in the `threads` alone."""

    def __init__(
        self, clock: Clock, ledger: ActLedger, context: DeliveryContext, files: IncidentFiles, threads: Executor
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._config = context.config
        self._incidents = context.incidents
        self._notices = context.notices
        self._files = files
        self._threads = threads
        self._room = ActRoom(clock, ledger)
        self._older_saves = OlderSaves(files, threads, context.notices)

    async def refusal(self, act: Arrival) -> Judgement | None:
        """Why nothing at all is done that this person wants, so that a flood takes no time; None: it is looked at.
        Raises LedgerError.
        """
        if act.who not in self._config.policy.people:
            return Judgement(REFUSED, GONE)
        if not await self._room.is_full(act.kind, act.who):
            return None
        most, minutes = MOST[act.kind], WITHIN[act.kind] // timedelta(minutes=1)
        name = self._config.policy.person_name(act.who)
        text = f"{_DID[act.kind]} in the name of {name} more than {most} times within {minutes} minutes"
        self._notices.tell(OperatorNotice(Trouble.EDITS_MANY, text, about=act.who, name=name))
        return Judgement(REFUSED, words.too_many(most, minutes))

    async def judge(self, arrival: Arrival) -> Judgement | Written:
        """What comes of an act. Raises LedgerError: then it is judged again."""
        await self._room.take(arrival)
        try:
            if arrival.kind is ArrivalKind.DECLARE:
                return await self._declare(arrival)
            return await self._edit(arrival)
        except EditRefusedError as refused:
            sentence = str(refused)
            return Judgement(REFUSED, sentence[:1].upper() + sentence[1:])
        except FileError as fault:
            log.warning("edit not written", why=str(fault))
            self._notices.tell(OperatorNotice(Trouble.EDITS_UNWRITTEN, f"what somebody did in the browser: {fault}"))
            return Judgement(REFUSED, words.UNWRITTEN)

    async def put_back(self, overwritten: Overwritten) -> None:
        """Put back what a save of an older text lacks."""
        await self._older_saves.mend(overwritten)

    async def _edit(self, arrival: Arrival) -> Judgement | Written:
        proof, _, body = arrival.body.partition(" ")
        entry = read_entry(body.encode())
        if not isinstance(entry, EditEntry):
            return Judgement(REFUSED, words.BROKEN)
        now, policy = self._clock.now(), self._config.policy
        facts, history = await self._recorded(entry.incident)
        if why := self._not_allowed(entry, facts, history, now, is_signed_in=proof == SIGNED_IN):
            return Judgement(REFUSED, why)
        telling = Telling(policy, now, policy.people[entry.person].timezone)
        at = arrival.at.replace(microsecond=0)
        prepared: PreparedEdit | PreparedReopening
        if entry.not_healthy:
            note = clean(entry.edit.note.text) if entry.edit.note else ""
            prepared = PreparedReopening(note, entry.person, at, telling)
        else:
            edit = fit(entry.edit, entry.person, at, policy)
            base = version_of(facts, entry.version)
            prepared = PreparedEdit(edit, entry.person, at, entry.version, base, facts, telling)
        return await self._write(entry, prepared, policy, now)

    async def _write(
        self, entry: EditEntry, prepared: PreparedEdit | PreparedReopening, policy: Policy, now: datetime
    ) -> Judgement | Written:
        commands = IncidentCommands(self._files, policy, self._ledger, now, self._threads)
        telling = prepared.telling
        if self._config.settings.database is None:  # another machine's folder may be ahead of this one's
            await catch_up(entry.incident, self._files, self._ledger, self._threads)
        try:
            written = await commands.change(entry.incident, prepared)
        except EditDoneError:
            return Judgement(ACTED, words.acted_before(prepared.edit, telling))
        if not written.digest:
            return Judgement(UNCHANGED, words.OPEN_ALREADY if entry.not_healthy else words.NOTHING)
        log.info("edited", incident=entry.incident, by=entry.person, keys=sorted(written.edit.keys))
        if written.aside:
            text = f"{written.sentence}, as {policy.person_name(entry.person)} changed the incident in the browser then"
            self._notices.tell(OperatorNotice(Trouble.FILE_UNREADABLE, text, about=written.aside))
        within = REOPENED_WITHIN if _reopens(written.before, written.edit) else SEEN_WITHIN

        def say(since: Sequence[Fact]) -> str:
            acted = words.acted(written.before, written.edit, telling, since)
            return f"{acted} {words.anew(written.sentence)}" if written.aside else acted

        return Written(entry.incident, written.digest, now + within, say)

    def _not_allowed(
        self, entry: EditEntry, facts: Sequence[Fact], history: History, now: datetime, *, is_signed_in: bool
    ) -> str:
        """Why this person may not do that; empty: they may."""
        options = options_of(facts, history, entry.person, now) if history.incident else None
        if why := refusal(options, 0 if is_signed_in else entry.episode, known_person=True, now=now):
            return why
        assert options is not None, "an unknown incident is refused"
        if options.incident.unreadable:
            return words.UNREADABLE
        if is_signed_in:
            return ""
        if entry.not_healthy:
            return "" if options.verify else words.NOT_ASKED
        return "" if _may_by_link(entry.edit) else words.SIGN_IN

    async def _declare(self, arrival: Arrival) -> Judgement | Written:
        entry = read_entry(arrival.body.encode())
        if not isinstance(entry, DeclareEntry):
            return Judgement(REFUSED, words.BROKEN)
        now, policy = self._clock.now(), self._config.policy
        try:
            severity = severity_named(entry.severity, policy)
            services = tuple(dict.fromkeys(service_named(service, policy) for service in entry.services))
        except ValueError as fault:
            return Judgement(REFUSED, words.not_in_config(fault))
        incident = Incident(
            id="",
            title=one_line(clean(entry.title)),
            severity=severity,
            services=services,
            summary=clean(entry.summary),
            impact=clean(entry.impact),
            public_title=one_line(clean(entry.public_title)),
            declared_by=entry.person,
            drill=entry.drill,
        )
        if not incident.title:
            return Judgement(REFUSED, words.NO_TITLE)
        commands = IncidentCommands(self._files, policy, self._ledger, arrival.at, self._threads)
        id_, written = await commands.declare_once(incident)
        log.info("declared", incident=id_, by=entry.person, severity=severity)
        telling = Telling(policy, now, policy.people[entry.person].timezone)

        def say(since: Sequence[Fact]) -> str:
            return words.declared(id_, incident.title, severity, telling, since)

        return Written(id_, written, now + SEEN_WITHIN, say)

    async def _recorded(self, incident: str) -> tuple[Sequence[Fact], History]:
        """What is recorded of an incident; where a row cannot be read, as this process knows it (rule 63)."""
        try:
            return await recorded_history(self._ledger, incident)
        except UnreadableError:
            return (), self._incidents.answered_history(incident)


_DID = {ArrivalKind.EDIT: "incidents were changed", ArrivalKind.DECLARE: "incidents were declared"}


def _may_by_link(edit: Edit) -> bool:
    """Whether a signed link alone may do all of this."""
    return edit.keys <= {"timeline", "updates"} and not (edit.entry and edit.entry.public.strip())


def _reopens(before: Incident, edit: Edit) -> bool:
    return before.resolved and edit.status not in {None, Status.RESOLVED}
