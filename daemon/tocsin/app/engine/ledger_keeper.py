"""The ledger's file is looked after while the daemon runs, and operators hear what becomes of it (rule 64).

It decides when to look and what is told. It must not know how a ledger is made anew.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta
from pathlib import Path

from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.file import FileChange, FileKeeper
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.wording.operator.ledger_trouble import is_lock, ledger_trouble

LOOKS_EVERY = 5.0
"""Seconds between two looks."""
LOCK_TRIED_EVERY = 1.0
"""Seconds between two tries to write while another program holds the ledger: it may let go at any time."""
BALLAST_EVERY = timedelta(minutes=1)
"""How often it is seen whether there is room for the ballast."""


class LedgerKeeper:
    """Looks after one ledger, whose file is `path`."""

    def __init__(self, clock: Clock, ledger: FileKeeper, notices: Notices, path: Path) -> None:
        self._clock = clock
        self._ledger = ledger
        self._notices = notices
        self._path = path
        self._full = ledger.start.freed
        self._ballast_seen_at: datetime | None = None

    async def run(self) -> None:
        """Until cancelled."""
        self._tell_start()
        while True:
            await self.look()
            wait = LOCK_TRIED_EVERY if is_lock(self._ledger.trouble) else LOOKS_EVERY
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._ledger.trouble_turns()

    async def look(self) -> None:
        """Look once."""
        now = self._clock.now()
        self._tell_trouble()
        if is_lock(self._ledger.trouble):
            with contextlib.suppress(LedgerError):
                await self._ledger.try_lock()
        try:
            change = await self._ledger.look_after_file(now)
        except LedgerError as fault:
            if not self._ledger.away:  # the file of one in memory is not gone; why it cannot be used was told
                sentence = f"the ledger's file {self._path} is gone and cannot be made anew ({fault}); incidents go on"
                advice = "a restart would forget them: do not restart tocsin before it is back"
                self._tell(Trouble.LEDGER_REPLACED, f"{sentence}, but {advice}")
        else:
            self._tell_change(change)
        if self._ballast_seen_at is None or now - self._ballast_seen_at >= BALLAST_EVERY:
            self._ballast_seen_at = now
            if await self._ledger.hold_ballast() and self._full:
                self._full = False
                self._notices.cured(Trouble.LEDGER_DISK_FULL, "", "there is room again on the ledger's disk")

    def _tell_start(self) -> None:
        if self._full:
            sentence = f"the disk of the ledger {self._path} is full: the ballast beside it was given up for the start"
            self._tell(Trouble.LEDGER_DISK_FULL, f"{sentence}; make room, or soon nothing can be written down")
        start = self._ledger.start
        if start.lacks and start.since:
            lacking = f"{start.lacks} messages sent since {start.since:%d %b %H:%M} UTC are not in {self._path}"
            cure = "what may be a second copy now is marked as that; people may be asked again what they answered"
            self._tell(Trouble.LEDGER_OLDER, f"{lacking}: it is an older copy, or another ledger; {cure}")
        if why := self._ledger.away:
            holds = "it knows all that the file held" if start.known else "it knows nothing of what the file held"
            sentence = f"the ledger {self._path} cannot be used ({why}); tocsin goes on with one in memory, and {holds}"
            lost = "what happens now is lost if it is restarted before the disk is well again"
            self._tell(Trouble.LEDGER_IN_MEMORY, f"{sentence}; {lost}")

    def _tell_change(self, change: FileChange | None) -> None:
        match change:
            case FileChange.DELETED:
                cure = "it was made anew, and nothing is lost; find out who deletes there"
                sentence = f"the ledger {self._path} was deleted while tocsin ran; {cure}"
                self._tell(Trouble.LEDGER_REPLACED, sentence)
            case FileChange.REPLACED:
                sentence = f"another file was put in place of the ledger {self._path} while tocsin ran; that one is now"
                advice = "to go back to a backup, stop tocsin first"
                self._tell(Trouble.LEDGER_REPLACED, f"{sentence} {self._ledger.replaced}, nothing is lost; {advice}")
            case FileChange.RETURNED:
                aside = f"; what stood there is now {self._ledger.replaced}" if self._ledger.replaced else ""
                sentence = f"the ledger is in its file {self._path} again, with all that happened{aside}"
                self._notices.cured(Trouble.LEDGER_IN_MEMORY, "", sentence)

    def _tell_trouble(self) -> None:
        if why := self._ledger.trouble:
            self._tell(Trouble.LEDGER_UNWRITABLE, ledger_trouble(why))
        else:
            self._notices.cured(
                Trouble.LEDGER_UNWRITABLE, "", "the ledger can be written again; what happened is in it"
            )

        if (why := self._ledger.mark_trouble) and not self._ledger.trouble and not self._ledger.away:
            sentence = f"{self._path}.sent, which remembers what was sent lately, cannot be written ({why})"
            self._tell(Trouble.SENT_MARK_UNWRITABLE, f"{sentence}; incidents go on as ever")
        elif not why:
            self._notices.cured(Trouble.SENT_MARK_UNWRITABLE, "", f"{self._path}.sent can be written again")

    def _tell(self, trouble: Trouble, sentence: str) -> None:
        self._notices.tell(OperatorNotice(trouble, sentence))
