"""The leader's judgement of what a machine's file says: whether it is new, and what of it counts (P9).

Of an incident that nobody has heard of all counts. Else what differs from the version that the file had before is done
to the newest version; what the ledger knew already, and a file that lags behind, change nothing. It must not know how a
file reached it, and judges the leader's own by the same rules.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar

import structlog

from tocsin.app.edits.carried_over import carried_over
from tocsin.app.edits.lineage import RecordedVersion, came_from, lags_behind
from tocsin.app.hand_ins.hand_in import FilesGone, FileVersion
from tocsin.app.intake.newest_files import NewestFiles
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.facts import Fact, Gone, Seen
from tocsin.domain.incident import Incident
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.formats.incident.edit import rewrite_incident, write_incident
from tocsin.formats.incident.read import first_lines, read_incident, unreadable_incident
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.kept_file import KeptFile
from tocsin.ports.ledger.ledger import IncidentLedger
from tocsin.ports.ledger.trouble import LedgerError, UnreadableError
from tocsin.text.decoding import FILE_LIMIT

DECLARED, EDITED, KNOWN, STALE, UNREADABLE, GONE, TOLD, NOTHING = (
    "declared", "edited", "known", "stale", "unreadable", "gone", "told", "nothing",
)  # fmt: skip
"""What a hand-in led to."""
TOLD_AGAIN = timedelta(days=1)
"""When it is told again that an incident's file is gone: every machine's clone may lose it, one after the other."""
ANSWERS_WITHIN = 3.0
"""Seconds that a judgement waits for an answer of the ledger. One that hangs keeps those who ask it for far longer."""
NO_ANSWER = "the ledger does not answer"

T = TypeVar("T")
P = ParamSpec("P")

log = structlog.get_logger()


class FileVersions:
    """Judges versions of files, one after the other, and has what counts become facts. `ledger_away`: it did not answer
    when it was asked last; until it does, nobody waits for it.
    """

    def __init__(
        self,
        clock: Clock,
        ledger: IncidentLedger,
        config: ActiveConfig,
        incidents: Incidents,
        notices: Notices,
        kept: NewestFiles,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._config = config
        self._incidents = incidents
        self._notices = notices
        self._kept = kept
        self.ledger_away = False
        self._judging = asyncio.Lock()
        self._told_gone: dict[str, datetime] = {}
        self._unread_on: defaultdict[str, set[str]] = defaultdict(set)

    async def last_said(self, incidents: Collection[str]) -> Mapping[str, str]:
        """The digests of the newest versions of those that are in the ledger alone: a machine may hand in thousands of
        them. Raises LedgerError.
        """
        names = [incident for incident in incidents if self._incidents.rests(incident)]
        digests = await self.ask(self._ledger.version_digests, names, newest=True) if names else {}
        return {incident: newest for incident, (*_, newest) in digests.items()}

    async def judge(self, version: FileVersion, *, away: bool = False, last_said: str = "") -> str:
        """What became of it. Raises LedgerError, unless the ledger is taken for `away`: then what this process knows of
        the incident must do. `last_said`, if that was asked before: the newest digest of an incident that rests.
        """
        async with self._judging:
            is_known = version.digest == last_said and self._incidents.rests(version.incident)
            result = KNOWN if is_known else await self._judge(version, away=away)
        log.info("file judged", incident=version.incident, machine=version.machine, result=result)
        return result

    async def judge_gone(self, gone: FilesGone) -> str:
        """Files of these incidents are gone on one machine. Operators hear of each open incident once, until a version
        of it is seen again. Raises LedgerError.
        """
        async with self._judging:
            if gone.never_read:
                return await self._end_unread(gone)
            now = self._clock.now()
            self._told_gone = {incident: at for incident, at in self._told_gone.items() if now - at < TOLD_AGAIN}
            news = [incident for incident in gone.incidents if incident not in self._told_gone]
            news = [incident for incident in news if await self._is_open(incident)]
            self._told_gone |= dict.fromkeys(news, now)
        if not news:
            return NOTHING
        text = f"on {gone.machine}: {gone.text}"
        self._notices.tell(OperatorNotice(Trouble.FILE_VANISHED, text, about=gone.about))
        return TOLD

    def owes(self, incident: str) -> bool:
        """Whether something that was judged of an incident is not in the ledger for sure."""
        return bool(self._incidents.unrecorded(incident))

    async def recorded(self, incident: str, *, away: bool = False) -> Sequence[RecordedVersion]:
        """Every version that counted of an incident, oldest first, those that are not written down yet too; none of a
        file that was never readable, once that is gone (rule 32). Raises LedgerError.
        """
        if away and self._incidents.is_archived(incident):
            raise LedgerError(f"what happened in {incident} is in the ledger alone")
        if away or not self._incidents.is_known(incident):
            return self._incidents.versions(incident)
        pending, recorded = self._incidents.unrecorded(incident), tuple[Fact, ...]()
        with suppress(UnreadableError):  # it is set aside, and begins anew (rule 63)
            recorded = await self.ask(self._ledger.facts, incident)
        versions: list[RecordedVersion] = []
        for fact in [*recorded, *(fact for fact in pending if fact not in recorded)]:
            match fact:
                case Gone():
                    versions.clear()
                case Seen():
                    versions.append((fact.digest, fact.incident))
        return versions

    async def ask(self, question: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """An answer of the ledger, in time. Raises LedgerError, at once while the ledger is away."""
        if self.ledger_away:
            raise LedgerError(NO_ANSWER)
        return await self._answer(question, *args, **kwargs)

    async def look_for_ledger(self) -> None:
        """Find out whether a ledger that was away answers again; nobody else asks it meanwhile."""
        if self.ledger_away:
            with suppress(LedgerError):
                await self._answer(self._ledger.pruned, "")
                self.ledger_away = False

    async def _answer(self, question: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                return await question(*args, **kwargs)
        except UnreadableError:
            raise
        except LedgerError:
            self.ledger_away = True
            raise
        except TimeoutError:
            self.ledger_away = True
            raise LedgerError(NO_ANSWER) from None

    async def _is_open(self, incident: str) -> bool:
        newest = await self._newest(incident)
        return newest is not None and not newest.resolved

    async def _newest(self, incident: str) -> Incident | None:
        versions = await self.recorded(incident)
        return versions[-1][1] if versions else None

    async def _judge(self, version: FileVersion, *, away: bool) -> str:
        versions = await self.recorded(version.incident, away=away)
        if not versions:
            return STALE if not away and await self._is_of_pruned(version) else self._declare(version)
        (newest_digest, newest), digests = versions[-1], [digest for digest, _ in versions]
        if newest.unreadable:
            self._unread_on[version.incident].add(version.machine)
        if version.digest == newest_digest:
            return await self._read_again(version, newest)
        if version.digest in digests and lags_behind(version.digest, version.held, digests):
            return STALE
        now = self._read(version.data, version, None if newest.unreadable else newest)
        if now is None:
            return UNREADABLE
        if newest.unreadable:
            return self._count(version, now, version.data)
        before = None if version.before is None else self._read(version.before, version, newest)
        return await self._merge(version, before, now, versions)

    async def _is_of_pruned(self, version: FileVersion) -> bool:
        """Whether it is one of a pruned incident (P7). Raises LedgerError."""
        pruned = await self.ask(self._ledger.pruned, version.incident)
        return pruned is not None and version.digest in pruned.digests

    def _declare(self, version: FileVersion) -> str:
        """Nobody has heard of it."""
        incident = self._read(version.data, version, None)
        if incident is not None:
            self._count(version, incident, version.data)
            return DECLARED
        self._unread_on[version.incident].add(version.machine)
        lines = version.trouble if not version.data else first_lines(version.data.decode("utf-8", "replace"))
        self._count(version, unreadable_incident(version.file, lines, self._config.policy, version.incident), b"")
        return DECLARED

    async def _read_again(self, version: FileVersion, newest: Incident) -> str:
        """The content that counts already. Under another config it may say something else, and the file may have
        another name.
        """
        kept = await self._kept_file(version.incident)
        if kept is None or kept.digest != version.digest or newest.unreadable:
            return KNOWN
        if kept.name != version.file and not version.before:
            self._kept.add(version.incident, version.file, version.digest, kept.data)
        now = self._read(kept.data, version, newest)
        if version.before != version.data or now is None or now == newest:
            return KNOWN
        return self._count(version, now, kept.data)

    async def _merge(
        self, version: FileVersion, before: Incident | None, now: Incident, versions: Sequence[RecordedVersion]
    ) -> str:
        """What differs from the version that it was made of, on top of the newest."""
        newest = versions[-1][1]
        merged = carried_over(came_from(before, now, version.held, versions), now, newest)
        if merged == newest and newest.resolved:
            return NOTHING
        data = version.data if merged == now else await self._text_of(merged, version)
        return self._count(version, merged, data)

    async def _text_of(self, merged: Incident, version: FileVersion) -> bytes:
        """A text that reads as this version: the newest one's with its comments and what we do not know of, else that
        of the file that was saved, else one that is written anew. Empty: none does, and none may stand for it.
        """
        kept = await self._kept_file(version.incident)
        texts = [kept.data, version.data] if kept else [version.data]
        return await asyncio.to_thread(self._rewritten, texts, merged, version)

    def _rewritten(self, texts: Sequence[bytes], merged: Incident, version: FileVersion) -> bytes:
        """Of the first of these texts that can be, in a thread: a long one takes a second and more."""
        for data in texts:
            before = self._read(data, version, None)
            rewritten = rewrite_incident(data, before, merged) if before else None
            if rewritten and self._says(rewritten, merged, version):
                return rewritten
        anew = write_incident(merged)
        return anew if self._says(anew, merged, version) else b""

    def _says(self, data: bytes, merged: Incident, version: FileVersion) -> bool:
        return len(data) <= FILE_LIMIT and self._read(data, version, None) == merged

    async def _kept_file(self, incident: str) -> KeptFile | None:
        """The file of the newest version, as far as can be said."""
        with suppress(LedgerError):
            return self._kept.waiting(incident) or await self.ask(self._ledger.file, incident)
        return None

    def _count(self, version: FileVersion, incident: Incident, data: bytes) -> str:
        """This version counts from now. Its bytes come first, to share the transaction of what follows."""
        if data:
            self._kept.add(incident.id, version.file, version.digest, data)
        rank = self._config.policy.incident_rank(incident)
        self._incidents.add_event(incident.id, Seen(self._clock.now(), incident, version.digest), rank)
        self._told_gone.pop(incident.id, None)
        if not incident.unreadable:
            self._unread_on.pop(incident.id, None)
        return EDITED

    async def _end_unread(self, gone: FilesGone) -> str:
        """The files of what was never readable are gone: its pages end, unless the same file lies on another machine,
        as far as this leader has heard.
        """
        ended = NOTHING
        for incident in gone.incidents:
            newest = await self._newest(incident)
            self._unread_on[incident].discard(gone.machine)
            if self._unread_on[incident]:
                continue
            del self._unread_on[incident]
            if newest is not None and newest.unreadable:
                self._incidents.add_event(incident, Gone(self._clock.now()))
                ended = GONE
                if gone.about:
                    text = f"on {gone.machine}: {gone.text}"
                    self._notices.tell(OperatorNotice(Trouble.UNREAD_FILE_GONE, text, gone.about, aspect=incident))
        return ended

    def _read(self, data: bytes, version: FileVersion, previous: Incident | None) -> Incident | None:
        """What a content says; None: nothing that can be read."""
        if not data:
            return None
        incident = read_incident(data, version.file, self._config.policy, previous, version.file).incident
        return replace(incident, id=version.incident) if incident else None
