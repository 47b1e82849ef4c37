"""Whether the ledger is still that of the same installation: two installations need two databases (P7)."""

import asyncio
from concurrent.futures import Executor
from typing import Protocol

import structlog

from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.ports.leadership import LeadershipLedger
from tocsin.ports.ledger.trouble import LedgerError

AGAIN_AFTER = 5.0
"""Seconds until a ledger that did not say is asked again."""
CURE = "if that is not meant, put ledger: and TOCSIN_LEDGER right: two installations need two databases"

log = structlog.get_logger()


class KnownInstallation(Protocol):
    """What this machine remembers of the ledger that it used last. Its methods block."""

    @property
    def threads(self) -> Executor:
        """Where what blocks is to be done."""
        ...

    def known(self) -> str:
        """Its id; empty: none was."""
        ...

    def keep(self, id_: str) -> None:
        """Remember this one. Raises OSError."""
        ...


class InstallationWatch:
    """Compares the ledger's id with the one that is remembered, once each time this machine leads or stands by. A
    change is told by who leads, and then remembered, so that it is told once. A standby tells nobody: without `notices`
    it goes into the log, each time, as it may stand by for ever in a database that is not its own.
    """

    def __init__(self, ledger: LeadershipLedger, mark: KnownInstallation, notices: Notices | None = None) -> None:
        self._ledger = ledger
        self._mark = mark
        self._notices = notices

    async def run(self) -> None:
        """Until cancelled."""
        answered = await self.look()
        while not answered:
            await asyncio.sleep(AGAIN_AFTER)
            answered = await self.look()
        await asyncio.Event().wait()

    async def look(self) -> bool:
        """Look once; whether the ledger said."""
        try:
            id_ = await self._ledger.installation()
        except LedgerError as trouble:
            if self._notices is not None:  # a standby's own looks have said so
                log.warning("ledger trouble", trouble=str(trouble))
            return False
        loop = asyncio.get_running_loop()
        before = await loop.run_in_executor(self._mark.threads, self._mark.known)
        if before and before != id_:
            fault = "the ledger's database is another installation's than the one that this machine used last"
            sequel = f"it was {before}, and is {id_}; what is open in this database goes on here"
            if self._notices is None:
                log.warning("standby trouble", trouble=f"{fault}: it was {before}, and is {id_}; {CURE}")
                return True
            self._notices.tell(OperatorNotice(Trouble.LEDGER_ANOTHER, f"{fault}: {sequel}"))
        if before != id_:
            try:
                await loop.run_in_executor(self._mark.threads, self._mark.keep, id_)
            except OSError as fault_of_disk:
                log.warning("installation not remembered", trouble=str(fault_of_disk))
        return True
