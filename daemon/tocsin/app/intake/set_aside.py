"""An incident of which a row in the ledger cannot be read is set aside, told, and begins anew (rule 63).

Its file declares it, as if it were new; with several machines that may lie on another one, which has handed it in long
ago: then what the ledger keeps of it does. It decides what follows where no file does: the last resort is paged (as in
rule 32), unless what can still be read says that the incident was over. It must not know what a row holds.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.facts import Seen
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.formats.incident.read import read_incident, unreadable_incident
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.kept_file import FileLedger
from tocsin.ports.ledger.ledger import FactLedger
from tocsin.ports.ledger.trouble import LedgerError, Unreadable

FILE_WITHIN = timedelta(seconds=15)
"""How long its file may take to declare it: 10 s of them are those of a file that is no YAML."""
WRITES_AGAIN = timedelta(seconds=30)
"""How soon the ledger is tried again after trouble."""


class SetAsideLedger(FactLedger, FileLedger, Protocol):
    """What happened, and the newest version of each incident's file."""


class SetAsideIncidents:
    """Follows each incident that is set aside until it is declared anew, or over. `machine`: what this one is called
    where it is one of several, each of which has files of its own.
    """

    def __init__(
        self,
        clock: Clock,
        ledger: SetAsideLedger,
        config: ActiveConfig,
        incidents: Incidents,
        notices: Notices,
        machine: str = "",
    ) -> None:
        self._machine = machine
        self._clock = clock
        self._ledger = ledger
        self._config = config
        self._incidents = incidents
        self._notices = notices

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                unreadable = await self._incidents.next_set_aside()
                self._tell(unreadable)
                tasks.create_task(self._follow(unreadable))

    def _tell(self, unreadable: Unreadable) -> None:
        incident = unreadable.incident
        begins = f"incident {incident} is set aside and declared anew from its file"
        if unreadable.ended:
            follows = "it was over as far as can be read, so without an open file nothing more is sent"
        else:
            follows = "without a file that can be read the last resort is paged"
        forgotten = "whom it had told and what was answered is forgotten"
        text = f"{unreadable.why}; {begins}; {follows}; {forgotten}"
        self._notices.tell(OperatorNotice(Trouble.INCIDENT_SET_ASIDE, text, about=incident))

    async def _follow(self, unreadable: Unreadable) -> None:
        await asyncio.sleep(FILE_WITHIN.total_seconds())
        incident, state = unreadable.incident, self._incidents.state(unreadable.incident)
        if state.history.incident is not None or state.events:
            return
        if unreadable.ended:
            await self._finish(incident)
            return
        kept = await self._kept_version(incident) if self._machine else None
        if state.history.incident is not None or state.events:
            return
        if kept is not None:
            self._incidents.add_event(incident, kept, self._config.policy.incident_rank(kept.incident))
            return
        lines = "The ledger's record of this incident cannot be read, and no file declares it. Look what it was."
        version = unreadable_incident(f"{incident}.yaml", lines, self._config.policy, incident)
        self._incidents.add_event(incident, Seen(self._clock.now(), version))

    async def _kept_version(self, incident: str) -> Seen | None:
        """What the file said last, wherever it lies, as far as the ledger has kept it."""
        with suppress(LedgerError):
            if kept := await self._ledger.file(incident):
                version = read_incident(kept.data, kept.name, self._config.policy, None, kept.name).incident
                return Seen(self._clock.now(), replace(version, id=incident), kept.digest) if version else None
        return None

    async def _finish(self, incident: str) -> None:
        """It was over, and no start need look at it again."""
        while True:
            try:
                await self._ledger.record(incident, (), (), (), self._clock.now())
                await self._ledger.finish(incident)
            except LedgerError:
                await asyncio.sleep(WRITES_AGAIN.total_seconds())
                continue
            self._incidents.state(incident).anew = False
            return
