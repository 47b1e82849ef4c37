"""What becomes of the files of one of several machines: what is new in its folder is handed in, with what was there
before (P9).

A file is compared with what this very machine's file held, which is remembered across restarts, and never with what
others wrote: so a clone that lags behind says nothing, and a file that was never here is not missed. What the ledger
in hand does not bear out of that is handed in again.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog

from tocsin.app.arrivals.log_limit import LimitedLog
from tocsin.app.hand_ins.borne_out import VersionLedger, as_handed_in, not_borne_out
from tocsin.app.hand_ins.hand_in import FilesGone, FileVersion, held_after
from tocsin.app.intake.changes import Changes, Overwritten
from tocsin.app.intake.one_folder import tell_of_files
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incident_state import KnownVersion
from tocsin.app.state.notices import Notices
from tocsin.domain.incident import Incident
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.policy import Policy
from tocsin.formats.incident.read import digest, first_lines, read_incident, unreadable_incident
from tocsin.ports.folder import FolderMemory, Listed, RememberedFile
from tocsin.ports.ledger.upkeep import PrunedIncident

log = structlog.get_logger()

WHO_LEADS_TELLS = frozenset({Trouble.FILE_VANISHED, Trouble.UNREAD_FILE_GONE})
"""Of what is gone here: another machine may have it."""
ENDED = "ended"
"""Stands among what a file has held where it was gone, and the pages of what was never readable had ended with it."""
NOTES_EVERY = 1.0
"""Seconds after which what was handed in and is safe is remembered as that."""


class HandsIn(Protocol):
    """Where a machine hands in what is new."""

    async def give(self, hand_in: FileVersion | FilesGone, *, urgent: bool = True) -> None:
        """Hand it in; never raises. It is done when the ledger has it. What is not urgent holds nothing up."""
        ...

    def safe(self, incidents: Iterable[str]) -> frozenset[str]:
        """Those of these incidents of which all that was handed in is written down."""
        ...

    async def digests(self, incidents: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """The digests of all versions that counted of each of these incidents, oldest first, as far as that can be
        said.
        """
        ...


class MachineFolder:
    """A port of the watch, FolderNews, of the machine of that name. `remembered` are its files as its memory has them;
    saves of older texts go to `put_back`.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - whose folder it is, and where what is new goes
        self,
        machine: str,
        remembered: Mapping[str, RememberedFile],
        memory: FolderMemory,
        threads: Executor | None,
        hands_in: HandsIn,
        notices: Notices,
        put_back: Callable[[Overwritten], None],
        config: ActiveConfig,
    ) -> None:
        self._machine = machine
        self._files = dict(remembered)
        self._memory = memory
        self._threads = threads
        self._hands_in = hands_in
        self._notices = notices
        self._put_back = put_back
        self._config = config
        self._unnoted: dict[str, RememberedFile] = {}
        self._lost: set[str] = set()
        self._log = LimitedLog()

    async def compare(self, ledger: VersionLedger) -> None:
        """Find out of which incidents the ledger lacks what was handed in: a file that still says so is handed in again
        at the next look. Raises LedgerError.
        """
        safe = {incident: self._files[incident] for incident in self._hands_in.safe(self._files)}
        self._lost = set(await not_borne_out(self._machine, safe, ledger))

    async def take(
        self,
        changes: Changes,
        files: Mapping[str, Listed],
        now: datetime,  # noqa: ARG002
    ) -> Mapping[str, AbstractSet[str]]:
        """What counts on this machine is handed in, and what the ledger has lost. Ends wait for what is open."""
        await self._hand_in_again(files)
        for overwritten in changes.overwritten:
            self._put_back(overwritten)
        for version in changes.versions:
            if not version.incident.resolved:
                await self._hand_in(version.incident.id, files.get(version.file))
        ended = [version for version in changes.versions if version.incident.resolved]
        digests = await self._hands_in.digests([version.incident.id for version in ended]) if ended else {}
        for version in ended:
            await self._hand_in_end(version.incident.id, files.get(version.file), digests.get(version.incident.id, ()))
        unread = {notice.aspect: notice for notice in changes.notices if notice.trouble is Trouble.UNREAD_FILE_GONE}
        for incident in changes.gone:
            words = (unread[incident].about, unread[incident].text) if incident in unread else ("", "")
            await self._hands_in.give(FilesGone(self._machine, (incident,), *words, never_read=True))
        for missing in changes.missing:
            about, text = missing.notice.about, missing.notice.text
            await self._hands_in.give(FilesGone(self._machine, missing.incidents, about, text))
        self._forget(changes.left, frozenset(changes.gone))
        told = tuple(notice for notice in changes.notices if notice.trouble not in WHO_LEADS_TELLS)
        tell_of_files(replace(changes, notices=told), self._notices)
        return {incident: frozenset(older) - {""} for incident, older in digests.items()}

    async def recorded(self, incident: str) -> KnownVersion | None:
        """What this machine's file of a finished incident said, and all that was ever said of it: to go back to that
        together with others is a checkout (rule 69).
        """
        known = self._files.get(incident)
        if known is None:
            return None
        version = version_of(known, self._config.policy)
        digests = await self._hands_in.digests([incident])
        return replace(version, older=version.older | {*digests.get(incident, ())} - {known.digest, ""})

    def take_pruned(self) -> Sequence[str]:
        """None: who leads compares what is handed in with what was pruned."""
        return ()

    async def pruned(self, incident: str) -> PrunedIncident | None:  # noqa: ARG002 - the seam's
        """Nothing, for the same reason."""
        return None

    async def run(self) -> None:
        """Remember what is safe, until cancelled."""
        while True:
            await asyncio.sleep(NOTES_EVERY)
            await self.note()

    async def note(self) -> None:
        """Remember what is written down by now."""
        safe = [self._unnoted[incident] for incident in self._hands_in.safe(self._unnoted)]
        if not safe:
            return
        noting = asyncio.get_running_loop().run_in_executor(self._threads, self._memory.note, safe)
        if why_not := await noting:
            self._log.warning("folder memory", trouble=why_not)
        for file in safe:
            if self._unnoted.get(file.incident) is file:
                del self._unnoted[file.incident]

    async def _hand_in_again(self, files: Mapping[str, Listed]) -> None:
        """As it was, so that it counts once; but nobody can say any more what was there before."""
        for incident in sorted(self._lost):
            file = self._files[incident]
            listed = files.get(file.name)
            if listed is not None and (listed.data or b"") == file.data:
                self._lost.discard(incident)
                log.info("handed in again", incident=incident)
                await self._hands_in.give(replace(as_handed_in(self._machine, file), trouble=listed.trouble))

    async def _hand_in_end(self, incident: str, listed: Listed | None, digests: Sequence[str]) -> None:
        """A file that says of an incident that it is over. A machine that is new has thousands of them, of which it
        need not say what was said already; and of what nobody else knows, nobody waits for the end.
        """
        new = incident not in self._files
        if listed is not None and new and digests[-1:] == (digest(listed.data or b""),):
            self._remember(incident, listed)
        else:
            await self._hand_in(incident, listed, urgent=not new or bool(digests))

    async def _hand_in(self, incident: str, listed: Listed | None, *, urgent: bool = True) -> None:
        if listed is None:
            return
        known, data = self._files.get(incident), listed.data or b""
        before, held = (known.data, known.held) if known else (None, ())
        if incident in self._lost or held[-1:] == (ENDED,):
            before = None
            self._lost.discard(incident)
        version = FileVersion(self._machine, incident, listed.name, data, before, held, listed.trouble)
        await self._hands_in.give(version, urgent=urgent)
        self._remember(incident, listed)

    def _remember(self, incident: str, listed: Listed) -> None:
        """What its file holds now."""
        known, data = self._files.get(incident), listed.data or b""
        held = held_after(known.held if known else (), content := digest(data))
        self._files[incident] = self._unnoted[incident] = RememberedFile(listed.name, incident, content, data, held)

    def _forget(self, incidents: Sequence[str], ended: AbstractSet[str]) -> None:
        """Their files are gone. What these held is remembered: one may come back. The pages of what was never readable
        have `ended` with it: the same bytes are something new then, and the ledger tells them from the first ones.
        """
        for incident in incidents:
            if (file := self._files.get(incident)) is not None:
                held = held_after(file.held, ENDED) if incident in ended else file.held
                self._files[incident] = self._unnoted[incident] = replace(file, held=held, gone=True)


async def known_files(
    remembered: Mapping[str, RememberedFile], policy: Policy, threads: Executor | None
) -> tuple[dict[str, KnownVersion], dict[str, str]]:
    """What a machine's files held last, by incident: the open ones' versions, and the digests of the others' contents.
    For an intake. All of them are read anew, in a thread: with many the loop would stand still over it.
    """
    return await asyncio.get_running_loop().run_in_executor(threads, _known_files, remembered, policy)


def _known_files(
    remembered: Mapping[str, RememberedFile], policy: Policy
) -> tuple[dict[str, KnownVersion], dict[str, str]]:
    known: dict[str, KnownVersion] = {}
    ended: dict[str, str] = {}
    for file in remembered.values():
        if file.gone:
            continue
        version = version_of(file, policy)
        if version.incident.resolved:
            ended[file.incident] = file.digest
        else:
            known[file.incident] = version
    return known, ended


def version_of(file: RememberedFile, policy: Policy) -> KnownVersion:
    """What a file said that is remembered."""
    reading = read_incident(file.data, file.name, policy, None, file.name).incident
    incident: Incident = reading or unreadable_incident(
        file.name, first_lines(file.data.decode("utf-8", "replace")), policy, file.incident
    )
    older = frozenset(file.held) - {file.digest}
    return KnownVersion(replace(incident, id=file.incident), file.digest, file.name, older)
