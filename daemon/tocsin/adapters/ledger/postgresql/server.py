"""The open ledger on a server: the seam's other side. One process leads and decides; all may write evidence."""

import asyncio
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.ledger.errors import ledger_error
from tocsin.adapters.ledger.postgresql.fence import hold_term
from tocsin.adapters.ledger.postgresql.opening import READERS, OpenedServer, bring_up_to_date
from tocsin.adapters.ledger.postgresql.server_database import ServerDatabase
from tocsin.adapters.ledger.writer import Write, Writer
from tocsin.domain.delivery import Attempt
from tocsin.domain.people import Channel
from tocsin.ports.leadership import FencedError, Term

READ_MS = 20_000
"""Milliseconds that the server works at a question."""

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")


class ServerStore:
    """A Store. It opens as one that stands by: it reads, and writes evidence. `lost` is set when another term was found
    in the ledger, or what the ledger holds is not what this process knows: it begins anew, by standing by.
    """

    def __init__(self, opened: OpenedServer) -> None:
        self.lost = asyncio.Event()
        self._opened = opened
        self._loop = asyncio.get_running_loop()
        self._database = ServerDatabase(opened.writing, self._doubt)
        self._writer = Writer(self._database)
        self._readers = DiskThreads("ledger reader", READERS)

    def _doubt(self) -> None:
        """In the writer's thread."""
        self._loop.call_soon_threadsafe(self.lost.set)

    async def lead(self, term: Term) -> None:
        """Decide from now on, under this term; an older schema is brought up to date first. Raises LedgerError, and
        FencedError when another term is in the ledger already.
        """
        await asyncio.to_thread(bring_up_to_date, self._opened.address, lambda connection: hold_term(connection, term))
        self._database.term = term
        self.lost.clear()

    def follow(self) -> None:
        """Decide nothing any more."""
        self._database.term = None

    @property
    def away(self) -> str:
        """Never: what is written lies on the server, or is not written."""
        return ""

    @property
    def trouble(self) -> str:
        """Why it cannot be written now; empty if it can."""
        return self._writer.trouble

    async def trouble_turns(self) -> None:
        """Wait until it cannot be written any more, or can again."""
        await self._writer.turned.wait()
        self._writer.turned.clear()

    async def commit(self, write: Write[A, R], argument: A) -> R:
        """Write in the next transaction; the result, once that is on disk. Raises LedgerError: then it is not, and
        FencedError when this process does not lead.
        """
        try:
            return await self._writer.commit(write, argument)
        except FencedError:
            if self._database.term is not None:
                self.lost.set()
            raise

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Ask in a thread, as of one instant. Raises LedgerError."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, self._ask, question)
        except (SQLAlchemyError, OSError, ValueError, zlib.error) as fault:
            raise ledger_error(fault) from None

    def _ask(self, question: Callable[[Connection], T]) -> T:
        try:
            return self._answer(question)
        except DBAPIError as fault:
            if not fault.connection_invalidated:
                raise
            self._opened.reading.dispose()  # the server began anew meanwhile: none of its connections is any good
            return self._answer(question)

    def _answer(self, question: Callable[[Connection], T]) -> T:
        how = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._opened.reading.connect().execution_options(**how) as connection:
            connection.execute(select(func.set_config("statement_timeout", str(READ_MS), True)))
            return question(connection)

    def repetition(self, key: str, via: Channel, address: str, at: datetime) -> str:  # noqa: ARG002 - the seam's
        """Nothing is known beside the ledger."""
        return ""

    def note_begun(self, attempt: Attempt) -> None:
        """Nothing is kept beside the ledger."""

    def seal(self, revision: str, content: bytes) -> str:  # noqa: ARG002 - the seam's
        """None: a role that only reads cannot write a config (P9)."""
        return ""

    def vouches(self, code: str | None, revision: str, content: bytes) -> bool:  # noqa: ARG002 - the seam's
        """Always: whoever may write into the database is the daemon (P9)."""
        return True

    async def close(self) -> None:
        """Finish what is queued and let go of the server."""
        await self._writer.close()
        await asyncio.to_thread(self._opened.dispose)
