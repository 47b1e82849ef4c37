"""What people do to an incident, by command or in the browser: declare, acknowledge, update, assign, resolve.

Decides who may do what and how it reaches the incident file (rules 15, 32, 33). Whom that pages is not decided here:
the daemon reads the file like any other edit.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar, TypeVarTuple

from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.app.edits.changes import noted
from tocsin.app.incidents.histories import recorded_history
from tocsin.app.incidents.incident_meant import meant_perhaps
from tocsin.domain.arrival import CommandAnswerEntry
from tocsin.domain.facts import Answer, Fact, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Acknowledgment, Edit, Incident, Status
from tocsin.domain.policy import Policy
from tocsin.formats.incident.edit import edit_incident, write_incident
from tocsin.formats.incident.new_id import candidate_ids
from tocsin.formats.incident.read import IncidentReading, digest, read_incident
from tocsin.planning.audience import groups_concerned
from tocsin.planning.history.answers import apply_ok
from tocsin.planning.history.fold import fold_facts
from tocsin.ports.ledger.kept_file import KeptFile
from tocsin.ports.ledger.recorded import RecordedIncidents
from tocsin.ports.ledger.trouble import UnreadableError
from tocsin.text.cleaning import shown
from tocsin.text.decoding import FILE_LIMIT
from tocsin.text.names import quotable
from tocsin.text.scalars import YEARS
from tocsin.wording.message.closing_words import public_word

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Prepare = Callable[[Incident], Edit]
"""The edit to make of what the file says at the moment it is written; one without keys: none. It may be asked again,
and in another thread, and may raise EditRefusedError.
"""
JudgeAnswer = Callable[[Sequence[Fact], History, str, Policy, datetime], tuple[bool, str]]
"""Whether an `ok` of a person, now, changes anything in an incident with these facts and this history; and a sentence
for that person.
"""
LeaveAnswer = Callable[[CommandAnswerEntry], Awaitable[str]]
"""Leaves an answer for the daemon and waits for its judgement; why it does not count, or not yet, or empty: it does."""

ROOM_TO_END = 32 * 1024
"""What of the size of a file is left by updates and notes, so that whatever was written it can be changed and ended."""
TOLD_ONLY = frozenset({"updates", "timeline"})


class EditRefusedError(Exception):
    """It was not done; the text says why, and what to do instead."""


class _NothingToWriteError(Exception):
    """Nothing is to be changed, so the file stays as it is."""


@dataclass(frozen=True, slots=True)
class WrittenEdit:
    """An edit as it was made, the version it was made of, the digest of the file after it, and a `sentence` that says
    what became of the file where that is not plain, `aside` what stood there is kept as. No keys: nothing was written.
    """

    edit: Edit
    before: Incident
    digest: str = ""
    sentence: str = ""
    aside: str = ""


@dataclass(frozen=True, slots=True)
class _Target:
    """An incident: its file's name and what that says now, and what the ledger knows of it: its history, and the bytes
    of the file's `last_good` version. `went_back`: it is resolved, and its file holds an older content that is not, for
    which nobody may have been asked (rule 69).
    """

    id: str
    name: str | None
    reading: IncidentReading | None
    history: History
    last_good: bytes | None = None
    went_back: bool = False
    facts: Sequence[Fact] = ()

    @property
    def good(self) -> Incident | None:
        """The last good version: the ledger's, else what can be read of the file."""
        known = self.history.incident
        if known and not known.unreadable:
            return known
        return self.reading.incident if self.reading else None


class IncidentCommands:
    """The folder, the policy in force and, where there is one, the ledger; `now` is when the command was given. With
    `threads` the folder, which may hang, is touched in these alone. `leave` is how an answer reaches the daemon that no
    file can hold.
    """

    def __init__(
        self,
        files: IncidentFiles,
        policy: Policy,
        ledger: RecordedIncidents | None,
        now: datetime,
        threads: Executor | None = None,
        leave: LeaveAnswer | None = None,
    ) -> None:
        self.policy = policy
        self._leave = leave
        self._files = files
        self._ledger = ledger
        self._now = now
        self._threads = threads

    async def declare(self, incident: Incident) -> str:
        """Write a new incident file; the id it got. The id of `incident` does not matter."""
        id_, _ = await self._declare(incident, lambda _: False)
        return id_

    async def declare_once(self, incident: Incident) -> tuple[str, str]:
        """The same with the digest of the file, and not a second time for the same words, person and second."""
        declared_at = self._now.replace(microsecond=0)

        def is_this(known: Incident) -> bool:
            same = replace(known, title=incident.title, declared_by=incident.declared_by, declared_at=declared_at)
            return bool(incident.declared_by) and known == same

        return await self._declare(incident, is_this)

    async def _declare(self, incident: Incident, is_this: Callable[[Incident], bool]) -> tuple[str, str]:
        taken = set(await self._ledger.incidents()) if self._ledger else set()
        for id_ in candidate_ids(incident.title, self._now):
            version = replace(incident, id=id_, declared_at=self._now.replace(microsecond=0))
            data = write_incident(version)
            name = await self._in_threads(self._files.find, id_)
            if name and is_this(version):
                known = await self._in_threads(self._files.read, name)
                reading = read_incident(known or b"", name, self.policy, None, shown(name))
                if reading.incident and is_this(reading.incident):
                    return id_, digest(known or b"")
            if id_ not in taken and not name and await self._in_threads(self._files.create, f"{id_}.yaml", data):
                return id_, digest(data)
        raise AssertionError("ids never run out")

    async def _in_threads(self, ask: Callable[[*Ts], T], *args: *Ts) -> T:
        if self._threads is None:
            return ask(*args)
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask, *args)

    async def acknowledge(self, incident: str, person: str, judge: JudgeAnswer | None = None) -> str:
        """Accept what the person is asked for; a sentence that says what is true then. What changes nothing, by
        `judge`, is not written.
        """
        target = await self._find(incident)
        known = target.history.incident
        if target.good is None:
            return await self._acknowledge_unreadable(target, person)
        at, counts, sentence = self._now, True, f"acknowledged by {person}"
        if known and not known.unreadable:
            history = self._as_it_stands(target)
            at = self._answered_at(target, history, person)
            if judge:
                counts, sentence = judge(target.facts, history, person, self.policy, self._now)
        if counts:
            acknowledgment = Edit(acknowledgment=Acknowledgment(person, _written(at)))
            await self._in_threads(self._write, target, lambda _: acknowledgment)
        return f"{target.id}: {sentence}"

    async def edit(self, incident: str, edit: Edit, by: str = "") -> str:
        """Make an edit; a sentence that says what became of the file where that is not plain. Of what somebody named
        does by it, updates apart, a note in the timeline says so.
        """

        def prepare(current: Incident) -> Edit:
            return noted(current, edit, by, self._now.replace(microsecond=0), self.policy) if by else edit

        written = await self.change(incident, prepare)
        return ". ".join(filter(None, (written.sentence, self.outsiders_wait(written))))

    @property
    def is_watched(self) -> bool:
        """Whether a healthy daemon acts on what was written last."""
        return self._files.unwatched() is None

    async def standing(self, incident: str) -> tuple[Incident | None, History]:
        """What an incident's file says now, as far as it can be read, and what is known of it with that taken in; an
        empty history where the daemon has not seen it yet. Raises EditRefusedError where there is none.
        """
        target = await self._find(incident)
        read = target.reading.incident if target.reading else None
        return read or target.good, self._as_it_stands(target) if target.history.incident else History()

    def outsiders_wait(self, written: WrittenEdit) -> str:
        """That a public text reaches nobody yet, since title or severity were never read (rule 56)."""
        incident, entry = written.before, written.edit.entry
        if entry is None or not entry.public or not incident.never_read:
            return ""
        concerned = groups_concerned(incident, self.policy, self.policy.severity(incident.severity))
        groups = [concern.group.title for concern in concerned if concern.group.external]
        unread = " and ".join(incident.never_read)
        return f"{', '.join(groups)} hear nothing until the {unread} of the file can be read" if groups else ""

    async def change(self, incident: str, prepare: Prepare) -> WrittenEdit:
        """Make the edit that is prepared of what the file says when it is written. Raises EditRefusedError, FileError.

        One that reopens takes the words of the end out, as they did not hold, and who found all healthy: the same may
        be said of the next end. And the estimate, unless it brings one: nobody has given it for what goes on now.
        """
        target = await self._find(incident)

        def prepared(current: Incident) -> Edit:
            edit = prepare(current)
            if edit.status in (None, Status.RESOLVED) or not current.resolved:
                return edit
            edit = replace(edit, resolution="") if current.resolution or current.public_resolution else edit
            edit = replace(edit, verified_by="") if current.verified_by else edit
            return replace(edit, no_eta=True) if current.eta and not edit.eta else edit

        return await self._in_threads(self._write, target, prepared)

    async def outsiders_without_a_word(self, incident: str) -> tuple[str, ...]:
        """The titles of external groups that have heard of an open incident, while nothing is written that they are to
        hear of this end (a word from before a reopening is about another); nobody where the ledger cannot say.
        """
        target = await self._find(incident)
        history = target.history
        versions = [history.incident, target.reading.incident if target.reading else None]
        if history.resolved_at or any(version and public_word(version, history) for version in versions):
            return ()
        if not any(reader.external and reader.told_by for reader in history.reached.values()):
            return ()
        return tuple(self.policy.group_title(name) for name, group in history.groups.items() if group.external)

    async def closing_has_left(self, incident: str) -> bool:
        """Whether the end was told already, so that words about it come too late; not once it was reopened."""
        target = await self._find(incident)
        reopened = target.reading and target.reading.incident and not target.reading.incident.resolved
        return target.history.closed and not reopened

    def _as_it_stands(self, target: _Target) -> History:
        """What is known of it, what its file says now taken in."""
        read = target.reading.incident if target.reading else None
        if read is None or target.went_back or read == target.history.incident:
            return target.history
        return fold_facts([Seen(self._now, read)], target.history)

    def _answered_at(self, target: _Target, history: History, person: str) -> datetime:
        """When the answer counts: now, but not before the page that it answers, whatever the clocks say."""
        if target.went_back:
            raise EditRefusedError(
                f"{target.id} is resolved and its file went back to an older content, which is held where many did "
                f'at once; nothing was written (to reopen it: tocsin update {target.id} "TEXT")'
            )
        if history.resolved_at is not None and person not in dict(history.verify_people):
            raise EditRefusedError(f"{target.id} is resolved; there is nothing to acknowledge")
        paged_at = [at for role in history.roles.values() for name, at in role.first_pages if name == person]
        at = max([self._now, *paged_at])
        if apply_ok(history, person, at, at).ineffective_acks != history.ineffective_acks:
            sentence = f"{person} was never paged for {target.id} nor assigned a role in it; nothing was written"
            raise EditRefusedError(f"{sentence} (to take a role: tocsin assign {target.id} ROLE {person})")
        return at

    async def _acknowledge_unreadable(self, target: _Target, person: str) -> str:
        """Rule 32: the daemon records the answer, and the file is left alone. Before it has seen the file nobody is
        asked for anything, and an answer would answer nothing.
        """
        history = target.history
        if history.incident is None or self._leave is None:
            raise EditRefusedError(
                f"{self._why(target)}, and the daemon has not seen it yet, so nobody is asked: nothing was noted; "
                "correct the file"
            )
        if apply_ok(history, person, self._now, self._now).ineffective_acks != history.ineffective_acks:
            raise EditRefusedError(f"{person} was never paged for {target.id}; nothing was noted")
        entry = CommandAnswerEntry(secrets.token_hex(10), target.id, history.episode, person, Answer.OK)
        if why_not := await self._leave(entry):
            raise EditRefusedError(f"{target.id}: {why_not}")
        return f"{target.id}: acknowledged by {person}; {self._why(target)}: correct it, then it is declared"

    def _write(self, target: _Target, prepare: Prepare) -> WrittenEdit:
        """Edit the file, comments kept; write it anew where it is gone or cannot be edited (rule 33)."""
        result: WrittenEdit | None = None

        def change(data: bytes) -> bytes | None:
            nonlocal result
            current = self._read(data, target.name or "", target.history).incident or target.good
            if current is None:
                return None
            result = WrittenEdit(edit := prepare(current), current)
            if not edit.keys:
                raise _NothingToWriteError
            after = edit_incident(data, edit)
            if after is not None:
                result = WrittenEdit(edit, current, digest(small_enough(after, edit)))
            return after

        try:
            if target.name and target.reading and self._files.change(target.name, change):
                assert result is not None, "it was changed"
                return result
            return self._write_anew(target, prepare)
        except _NothingToWriteError:
            assert result is not None, "there was something to look at"
            return result

    def _write_anew(self, target: _Target, prepare: Prepare) -> WrittenEdit:
        """Write the last good version with the edit; what stands there is kept beside it."""
        if target.good is None:
            cure = f"{'correct it' if target.name else 'put it back'} first"
            raise EditRefusedError(f"{self._why(target)}; {cure} (tocsin ack {target.id} --as PERSON stops its pages)")
        edit = prepare(target.good)
        if not edit.keys:
            return WrittenEdit(edit, target.good)
        anew = edit_incident(target.last_good, edit) if target.last_good else None
        data, name = small_enough(anew or write_incident(target.good, edit), edit), target.name or f"{target.id}.yaml"
        aside = self._files.put(name, data, self._now)
        sentence = f"{shown(name)} was written anew from the last good version"
        if aside:
            sentence += f"; what was there could not be edited and is kept as {shown(aside)}"
        return WrittenEdit(edit, target.good, digest(data), sentence, shown(aside))

    async def _find(self, incident: str) -> _Target:
        """The incident, in the folder, in the ledger or in both."""
        facts, history, last_file = await self._recorded(incident)
        target = await self._in_threads(self._in_folder, incident, facts, history, last_file)
        if target.name is None and history.incident is None:
            raise EditRefusedError(f'there is no incident "{quotable(incident)}"{await self._hint(incident)}')
        return target

    def _in_folder(self, incident: str, facts: Sequence[Fact], history: History, last_file: KeptFile | None) -> _Target:
        name = self._name(incident, facts, last_file.name if last_file else "")
        data = self._files.read(name) if name else None
        reading = self._read(data, name, history) if name and data is not None else None
        reopens = bool(history.resolved_at and reading and reading.incident and not reading.incident.resolved)
        went_back = reopens and digest(data or b"") in {fact.digest for fact in facts if isinstance(fact, Seen)}
        return _Target(incident, name, reading, history, last_file.data if last_file else None, went_back, facts)

    def _read(self, data: bytes, name: str, history: History) -> IncidentReading:
        known = history.incident
        return read_incident(data, name, self.policy, known if known and not known.unreadable else None, shown(name))

    async def _recorded(self, incident: str) -> tuple[Sequence[Fact], History, KeptFile | None]:
        """What the ledger has of it; nothing where it cannot be read: then the file alone counts (rule 63)."""
        if self._ledger is None:
            return (), History(), None
        try:
            return *await recorded_history(self._ledger, incident), await self._ledger.file(incident)
        except UnreadableError:
            return (), History(), None

    def _name(self, incident: str, facts: Sequence[Fact], last: str) -> str | None:
        """The incident's file: where it was seen last, else the one with its id, else another that holds what was seen
        last of it (rule 33).
        """
        names = self._files.names()
        by_name = last if last in names else self._files.find(incident)
        newest = next((fact.digest for fact in reversed(facts) if isinstance(fact, Seen)), "")
        if by_name or not newest:
            return by_name
        return next((name for name in names if digest(self._files.read(name) or b"") == newest), None)

    async def _hint(self, incident: str) -> str:
        """An incident that may be meant."""
        recorded = await self._ledger.incidents() if self._ledger else ()
        return meant_perhaps(incident, {*recorded, *await self._in_threads(self._files.ids)})

    def _why(self, target: _Target) -> str:
        """Why a file cannot be read, with its place."""
        problems = target.reading.problems if target.reading else ()
        fault = "cannot be read" if target.name else "is gone"
        return f"the file {fault} ({problems[0]})" if problems else f"the file {fault}"


def _written(at: datetime) -> datetime | None:
    """The time to write of an answer; none by a clock whose year no file may bear: it counts when it is seen."""
    return _whole_second_after(at) if at.year in YEARS else None


def _whole_second_after(at: datetime) -> datetime:
    """The next whole second, so that a time fit for people is never before the page it answers."""
    return at.replace(microsecond=0) + timedelta(seconds=1 if at.microsecond else 0)


def small_enough(data: bytes, edit: Edit) -> bytes:
    """What is to be written, unless it could not be read again. Raises EditRefusedError."""
    limit = FILE_LIMIT - ROOM_TO_END if edit.keys <= TOLD_ONLY else FILE_LIMIT
    if len(data) > limit:
        words = f"the incident's file would be over {limit // 1024} KiB, and could soon not be read any more"
        raise EditRefusedError(f"{words}; nothing was changed. Resolve it and declare a new one for what goes on")
    return data
