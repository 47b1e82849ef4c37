"""The open ledger on a server: the seam's other side. One process leads and decides; all may write evidence."""

import asyncio
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.ledger.journal.handing_in import as_handed_in, hand_in, held, incident_of, left_unknown
from tocsin.adapters.ledger.journal.journal import Journal, certainty_of
from tocsin.adapters.ledger.postgresql.faults import server_error
from tocsin.adapters.ledger.postgresql.fence import hold_term
from tocsin.adapters.ledger.postgresql.lease import TAKE_LOCK_MS
from tocsin.adapters.ledger.postgresql.opening import (
    LOOKS_WITHIN,
    READERS,
    OpenedServer,
    bring_up_to_date,
    make_engine,
    schema_of,
)
from tocsin.adapters.ledger.postgresql.own_connection import OwnConnection
from tocsin.adapters.ledger.postgresql.server_database import ServerDatabase
from tocsin.adapters.ledger.repetitions import REPEATED_WITHIN, Repetitions
from tocsin.adapters.ledger.schema import SCHEMA
from tocsin.adapters.ledger.schema.decoding import read_instant
from tocsin.adapters.ledger.statements import Row
from tocsin.adapters.ledger.writer import Write, Writer
from tocsin.adapters.ledger.writes import end_attempt
from tocsin.domain.delivery import Attempt
from tocsin.domain.people import Channel
from tocsin.planning.machines.leadership import MIGRATES_WITHIN
from tocsin.ports.leadership import FencedError, Term

READ_MS = 20_000
"""Milliseconds that the server works at a question."""

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Regained:
    """So many messages, sent since then, were not in the ledger, and are now."""

    count: int = 0
    since: datetime | None = None


class ServerStore:
    """A Store. It opens as one that stands by: it reads, and writes evidence. `lost` is set when another term was found
    in the ledger, or what the ledger holds is not what this process knows: it begins anew, by standing by.
    `journal` is what this machine remembers beside the ledger; None: nothing.
    """

    def __init__(self, opened: OpenedServer, journal: Journal | None = None) -> None:
        self.journal = journal
        self._repetitions: Repetitions | None = None
        self.lost = asyncio.Event()
        self._losses = 0
        self._opened = opened
        self._loop = asyncio.get_running_loop()
        self._database = ServerDatabase(opened.writing, self._doubt)
        self._writer = Writer(self._database)
        self._readers = DiskThreads("ledger reader", READERS)

    def _doubt(self) -> None:
        """In the writer's thread."""
        self._losses += 1
        self._loop.call_soon_threadsafe(self.lost.set)

    async def lead(self, term: Term) -> None:
        """Decide from now on, under this term; an older schema is brought up to date first. Raises LedgerError, and
        FencedError when another term is in the ledger already.
        """
        own = OwnConnection(make_engine(self._opened.address, None, connections=0))
        try:
            if await own.call(LOOKS_WITHIN, lambda connection: _under(connection, term, schema_of)) < SCHEMA:
                await own.call(MIGRATES_WITHIN, lambda connection: _under(connection, term, bring_up_to_date))
        finally:
            await own.close()
        self._database.lead(term)
        self.lost.clear()
        if self.journal is not None:
            self.journal.note_term(term)

    def follow(self) -> None:
        """Decide nothing any more."""
        self._database.term = None

    @property
    def place(self) -> str:
        """Where it lies, in words without secrets."""
        return self._opened.address.place

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

    @property
    def written(self) -> None:
        """Each machine writes what came in there."""
        return

    async def next_written(self, within: float) -> None:
        """Not at all: other machines write too."""

    async def commit(self, write: Write[A, R], argument: A) -> R:
        """Write in the next transaction; the result, once that is on disk. Raises LedgerError: then it is not, and
        FencedError when this process does not lead.
        """
        with self._minding_term():
            return await self._writer.commit(write, argument)

    async def commit_all(self, calls: Sequence[tuple[Write[Any, Any], Any]]) -> None:
        """The same of several calls; evidence among them is written though the others are refused."""
        with self._minding_term():
            await self._writer.commit_all(calls)

    @contextmanager
    def _minding_term(self) -> Iterator[None]:
        """Whoever finds another term in the ledger than its own leads no more."""
        term = self._database.term
        try:
            yield
        except FencedError:
            if term is not None and self._database.term == term:
                self.lost.set()
            raise

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Ask in a thread, as of one instant. Raises LedgerError."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, self._ask, question)
        except (SQLAlchemyError, OSError, ValueError, zlib.error) as fault:
            raise server_error(fault) from None

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

    async def generation(self) -> str:
        """Whatever a leader wrote was lost, another term follows; what this process wrote is told by its own row.
        Raises LedgerError.
        """
        return f"{await self.read(self._database.generation)} {self._losses}"

    async def look(self, now: datetime) -> None:
        """See whether what is written still comes to a ledger that this process knows, and which incidents there are.
        Raises LedgerError: FencedError where it is not.
        """
        if self.journal is not None:
            self.journal.tidy(now)
        await self.view()
        await self._writer.take_lock()

    async def view(self) -> None:
        """Have the journal know which incidents there are. Raises LedgerError."""
        if (journal := self.journal) is not None:
            journal.note_incidents((await self.read(held((), every_incident=not journal.knows_incidents()))).incidents)

    async def hand_in(self, now: datetime) -> Regained:
        """What the journal knows of the last hour and the ledger does not is written there, whoever leads; for how
        tries ended, too. A journal of another installation's ledger is forgotten. Raises LedgerError.
        """
        if (journal := self.journal) is None:
            return Regained()
        journal.tidy(now)
        attempts = journal.attempts(now)
        there = await self.read(held(attempts, every_incident=not journal.knows_incidents()))
        if journal.known() not in {"", there.installation}:
            journal.forget()
            return Regained()
        journal.note_incidents(there.incidents)
        missing = [
            row for row in attempts if row["id"] not in there.ended and incident_of(row["key"]) not in there.pruned
        ]
        if missing:
            await self.commit(hand_in, [as_handed_in(row, now) for row in missing])
        for row in attempts:
            if row["outcome"] is not None and there.ended.get(row["id"]) is False:
                await self.commit(end_attempt, _end_of(row))
        since = min((row["started_at"] for row in missing), default="")
        return Regained(len({row["key"] for row in missing}), read_instant(since) if since else None)

    async def recall_repetitions(self, now: datetime) -> None:
        """What left and is not known to have been decided may be decided anew: its copies are marked from now on.
        Raises LedgerError.
        """
        self._repetitions = Repetitions(await self.read(left_unknown(now - REPEATED_WITHIN)), now)

    def repetition(self, key: str, via: Channel, address: str, at: datetime) -> str:
        """Why this may be the second copy of something that the ledger lacks; empty: it is none."""
        return self._repetitions.cause(key, via, address, at) if self._repetitions else ""

    async def note_begun(self, attempts: Sequence[Attempt]) -> None:
        """The journal is to know them before they leave."""
        if self.journal is not None:
            await self.journal.note_begun(attempts)

    def note_ended(self, end: Row) -> None:
        """It is to know that as well, also where the ledger cannot be written."""
        if self.journal is not None:
            self.journal.note_ended(end)

    def seal(self, revision: str, content: bytes) -> str:  # noqa: ARG002 - the seam's
        """None: a role that only reads cannot write a config (P9)."""
        return ""

    def vouches(self, code: str | None, revision: str, content: bytes) -> bool:  # noqa: ARG002 - the seam's
        """Always: whoever may write into the database is the daemon (P9)."""
        return True

    async def close(self) -> None:
        """Finish what is queued and let go of the server."""
        await self._writer.close()
        if self.journal is not None:
            await self.journal.close()
        await asyncio.to_thread(self._opened.dispose)


def _under(connection: Connection, term: Term, work: Callable[[Connection], str | None]) -> str:
    """What comes of work in a transaction that holds the term. Raises FencedError."""
    connection.execute(select(func.set_config("lock_timeout", str(TAKE_LOCK_MS), True)))
    hold_term(connection, term)
    return work(connection) or ""


def _end_of(row: Row) -> Row:
    """As the ledger is told of it."""
    how = {"outcome": row["outcome"], "ended_at": row["ended_at"]}
    return {"this": row["id"], "certainty": certainty_of(row["outcome"]), **how}
