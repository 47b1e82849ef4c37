"""The open ledger as a file on a disk: opened, locked, looked after, and left (rule 64).

Every fault of the database leaves as LedgerError. Must not know what is written or asked.
"""

import asyncio
import sqlite3
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.ledger.errors import ledger_error
from tocsin.adapters.ledger.reads.messages import attempt_keys
from tocsin.adapters.ledger.repetitions import Repetitions
from tocsin.adapters.ledger.sqlite.ballast import Ballast, can_return
from tocsin.adapters.ledger.sqlite.file_database import FileDatabase
from tocsin.adapters.ledger.sqlite.ledger_file import LedgerFile, is_open_to_readers, stay_open_to_readers
from tocsin.adapters.ledger.sqlite.lock import LedgerLockedError, Lock
from tocsin.adapters.ledger.sqlite.opening import OpenedLedger, make_engine
from tocsin.adapters.ledger.sqlite.sent_mark import LedgerLack, SentMark, first_id
from tocsin.adapters.ledger.statements import Row
from tocsin.adapters.ledger.writer import Write, Writer
from tocsin.domain.delivery import Attempt
from tocsin.domain.notification import NOBODY
from tocsin.domain.people import Channel
from tocsin.ports.ledger.file import FileChange, LedgerStart
from tocsin.ports.ledger.trouble import LedgerError

READERS = 4
"""How many questions are asked at once, in threads of their own: nobody else may keep them waiting."""

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")


class FileStore:
    """A Store, and a port FileKeeper. `set_aside` is where a damaged ledger
    was put when this one was made in its place; `concern` is a sentence for the operators about where it lies, or
    empty.
    """

    def __init__(self, opened: OpenedLedger, lock: Lock | None = None) -> None:
        self.set_aside: Path | None = opened.set_aside
        self.concern: str = opened.concern
        self.replaced: Path | None = None
        self._opened = opened
        self._file: LedgerFile | None = opened.file
        self._ballast: Ballast | None = Ballast(opened.file.path) if opened.file else None
        self._lock: Lock | None = lock
        self._mark: SentMark | None = SentMark(opened.file.path) if opened.file else None
        self._lack = LedgerLack()
        self._repetitions: Repetitions | None = None
        self._seal = opened.seal
        self._database = FileDatabase(opened.engine, patient=opened.file is None)
        self._writer = Writer(self._database)
        self._readers = DiskThreads("ledger reader", READERS)

    @property
    def written(self) -> int | None:
        """Who has the lock writes alone. Others who open the file ask, each time anew."""
        return self._writer.written if self._lock is not None else None

    async def next_written(self, within: float) -> None:
        """Wait until this process, which has the lock, has written once more."""
        if self._lock is not None:
            await self._writer.next_group(within)

    async def commit(self, write: Write[A, R], argument: A) -> R:
        """Write in the next transaction; the result, once that is on disk. Raises LedgerError: then it is not."""
        return await self._writer.commit(write, argument)

    async def commit_all(self, calls: Sequence[tuple[Write[Any, Any], Any]]) -> None:
        """The same of several calls. Raises LedgerError if one of them is not written."""
        await self._writer.commit_all(calls)

    async def generation(self) -> str:
        """Always the same: who has a file alone hears otherwise of what it lacks."""
        return ""

    def seal(self, revision: str, content: bytes) -> str:
        """The code by the key beside the file; empty without one."""
        return self._seal.of(revision, content)

    def vouches(self, code: str | None, revision: str, content: bytes) -> bool:
        """Whether a code is by that key."""
        return self._seal.holds(code, revision, content)

    def repetition(self, key: str, via: Channel, address: str, at: datetime) -> str:
        """Why this may be the second copy of something that the ledger lacks; empty: it is none."""
        return self._repetitions.cause(key, via, address, at) if self._repetitions else ""

    async def note_begun(self, attempts: Sequence[Attempt]) -> None:
        """The mark beside the ledger is to know them, too."""
        for attempt in attempts:
            if self._mark is not None and not attempt.reference.startswith(f"{NOBODY}/"):
                self._mark.note(attempt.id, attempt.reference, attempt.via.value, attempt.address, attempt.started_at)

    def note_ended(self, end: Row) -> None:
        """The mark does not care."""

    async def compare_with_mark(self, now: datetime) -> LedgerLack:
        """What the mark beside the ledger knows to have been sent, and the ledger does not: it is an older copy. What
        may repeat it is marked from now on.
        """
        if self._mark is not None:
            lines = await asyncio.to_thread(self._mark.read)
            first = first_id(lines)
            with suppress(LedgerError):
                keys = await self.read(attempt_keys(first)) if first is not None else {}
                self._lack = await asyncio.to_thread(self._mark.lack, lines, keys, now)
                self._repetitions = Repetitions(self._lack.left, now)
        return self._lack

    @property
    def start(self) -> LedgerStart:
        """How the start found it."""
        lack = self._lack
        return LedgerStart(self._opened.freed, self._opened.known, lack.count if lack.news else 0, lack.since)

    @property
    def mark_trouble(self) -> str:
        """Why the mark beside it cannot be written; empty if it can."""
        return self._mark.trouble if self._mark else ""

    @property
    def trouble(self) -> str:
        """Why it cannot be written now; empty if it can."""
        return self._writer.trouble

    async def trouble_turns(self) -> None:
        """Wait until it cannot be written any more, or can again."""
        await self._writer.turned.wait()
        self._writer.turned.clear()

    async def try_lock(self) -> None:
        """Take the lock for a moment: if nobody else has it any more, that trouble is over. Raises LedgerError."""
        await self._writer.take_lock()

    @property
    def away(self) -> str:
        """Why it is in memory, and not in its file; empty if it is there."""
        return self._file.away if self._file else ""

    async def look_after_file(self, now: datetime) -> FileChange | None:
        """See that the ledger lies in its file: one that was deleted or replaced is made anew, one in memory goes back
        once there is room. Raises LedgerError when it cannot be made anew.
        """
        file = self._file
        if file is None or await asyncio.to_thread(file.is_there):
            return None
        if file.away and not await asyncio.to_thread(can_return, file):
            return None
        asides: list[Path] = []

        def put_back() -> Engine:
            if self._lock is not None:
                self._lock.renew()
            aside = file.put_back("before" if file.away else "replaced", now.strftime("%Y%m%dT%H%M%SZ"))
            asides.extend([aside] if aside else [])
            self._file = LedgerFile.of(file.path)
            return make_engine(file.path)

        try:
            await self._writer.exchange(put_back)
        except (OSError, sqlite3.Error, LedgerLockedError) as fault:
            raise ledger_error(fault) from None
        file.close()
        self.replaced = asides[0] if asides else None
        if file.away:
            return FileChange.RETURNED
        return FileChange.REPLACED if asides else FileChange.DELETED

    async def hold_ballast(self) -> bool:
        """Whether the room that a start on a full disk needs is held; held anew where there is room."""
        return self._ballast is not None and await asyncio.to_thread(self._ballast.hold)

    async def close(self) -> None:
        """Finish what is queued and let go of the file."""
        await self._writer.close()
        if self._mark is not None:
            await asyncio.to_thread(self._mark.close)
        if self._file is not None:
            self._file.close()
        self._database.engine.dispose()
        if self._file is not None and not self._file.away:
            await asyncio.to_thread(stay_open_to_readers, self._file.path)

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Ask in a thread, beside the writer and never in its way. Raises LedgerError."""

        def ask() -> T:
            with self._database.engine.connect().execution_options(reading=True) as connection:
                answer = question(connection)
            if self._opened.unopened is not None and is_open_to_readers(self._opened.unopened):
                raise LedgerError("the daemon has just opened it; ask again")  # what was read may be torn
            return answer

        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, ask)
        except (SQLAlchemyError, OSError, ValueError, zlib.error) as fault:
            raise ledger_error(fault) from None
