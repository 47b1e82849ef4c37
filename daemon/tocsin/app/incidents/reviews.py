"""Drafts of post-incident reviews, written when an incident is resolved or somebody asks (rule 27).

Decides when a draft is written and under which name: a page that a human has edited is never touched.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import timedelta
from pathlib import Path

from tocsin.adapters.files.incident_writer import FileError, IncidentFiles
from tocsin.app.incidents.histories import tell_of
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.delivery import Record
from tocsin.domain.facts import Fact, Seen
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.policy import Policy
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import FactLedger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.wording.report.review import draft, unedited
from tocsin.wording.report.timeline import steps_of

AGAIN_WITHIN = timedelta(seconds=30)
"""A draft is written a second time once the closing messages have left, at the latest after this long: so it tells what
became of them.
"""
LOOKS_EVERY = 0.25
"""Seconds between two looks whether they have left."""
DRAFTS_MOST = 100
"""How many drafts of one incident are kept, each but the newest edited by humans."""


class NoDraftError(Exception):
    """There is no draft; the text says why."""


class NeverSeenError(NoDraftError):
    """The ledger knows no such incident."""


async def write(
    incident: str, ledger: FactLedger, policy: Policy, files: IncidentFiles, threads: Executor | None = None
) -> str:
    """Write the draft now, in one of the `threads`; the name of its file. Raises NoDraftError, LedgerError,
    FileError.
    """
    facts = await ledger.facts(incident)
    if not any(isinstance(fact, Seen) for fact in facts):
        raise NeverSeenError(f"the ledger knows no incident {incident}")
    records = await ledger.records(incident)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(threads, _put, incident, facts, records, policy, files)


def _put(incident: str, facts: Sequence[Fact], records: Sequence[Record], policy: Policy, files: IncidentFiles) -> str:
    """The draft goes under the first name that is free, or that holds an earlier draft as we wrote it."""
    page = draft(tell_of(incident, facts, steps_of), records, policy)
    for name in _names(incident):
        if files.create(name, page) or files.change(name, lambda old: page if unedited(old, incident) else None):
            return name
    raise NoDraftError(f"there are {DRAFTS_MOST} reviews of {incident} already; remove some")


HANGS_AFTER = 30.0
"""Seconds after which a folder of reviews that does not answer is told."""


def _names(incident: str) -> list[str]:
    return [f"{incident}.md", *(f"{incident}-{number}.md" for number in range(2, DRAFTS_MOST + 1))]


class Reviews:
    """Writes the draft of every incident that is resolved. `open_folder` gives the files of a folder of reviews,
    `threads` is where that folder is used: it may hang.
    """

    def __init__(
        self,
        clock: Clock,
        ledger: FactLedger,
        config: ActiveConfig,
        incidents: Incidents,
        notices: Notices,
        open_folder: Callable[[Path], IncidentFiles],
        threads: Executor | None = None,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._config = config
        self._incidents = incidents
        self._notices = notices
        self._open_folder = open_folder
        self._threads = threads
        self._writing = asyncio.Lock()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                tasks.create_task(self._fill(*await self._incidents.next_resolved()))

    async def _fill(self, incident: str, just_now: bool) -> None:
        """One resolved incident. If it was resolved before this process began, its draft is only written if it is
        missing. What goes wrong is told to the operators.
        """
        try:
            if just_now or await self._missing(incident):
                # asked before: the closing messages may leave while the draft is written
                waiting = self._incidents.has_unsettled(incident)
                await self._write(incident)
                if waiting or self._incidents.has_unsettled(incident):
                    await self._closed(incident)
                    await self._write(incident)
        except (LedgerError, FileError, NoDraftError) as trouble:
            sentence = f"the review draft of {incident} could not be written ({trouble})"
            self._notices.tell(
                OperatorNotice(
                    Trouble.REVIEW_UNWRITTEN,
                    f"{sentence}; once that is cured, use tocsin review {incident}",
                    about=incident,
                )
            )

    def _folder(self) -> IncidentFiles:
        return self._open_folder(self._config.settings.reviews)

    async def _write(self, incident: str) -> None:
        async with self._writing:
            loop = asyncio.get_running_loop()
            telling = loop.call_later(HANGS_AFTER, self._tell_hanging, incident)
            try:
                await write(incident, self._ledger, self._config.policy, self._folder(), self._threads)
            finally:
                telling.cancel()
            if loop.time() >= telling.when():
                self._notices.retract(Trouble.REVIEW_UNWRITTEN, incident)

    def _tell_hanging(self, incident: str) -> None:
        fault = f"{self._config.settings.reviews}: the folder does not answer; see whether its disk or server is alive"
        sentence = f"the review draft of {incident} is not written yet ({fault}); it is written once it answers"
        self._notices.tell(OperatorNotice(Trouble.REVIEW_UNWRITTEN, sentence, about=incident))

    async def _closed(self, incident: str) -> None:
        until = self._clock.now() + AGAIN_WITHIN
        while self._incidents.has_unsettled(incident) and self._clock.now() < until:  # noqa: ASYNC110 - senders tell nobody when done
            await asyncio.sleep(LOOKS_EVERY)

    async def _missing(self, incident: str) -> bool:
        """Whether an earlier process left no draft, and nobody has said that the review is done."""
        loop = asyncio.get_running_loop()
        if await loop.run_in_executor(self._threads, self._folder().read, _names(incident)[0]) is not None:
            return False
        newest = next((fact for fact in reversed(await self._ledger.facts(incident)) if isinstance(fact, Seen)), None)
        return newest is not None and not newest.incident.review
