"""What the writer needs of a server: the bounds of each transaction, the term it holds, and what became of a commit
without an answer.

Every writer has a row of its own, in which each transaction writes its number. So a commit whose answer was lost is
looked up there: the row waits for the transaction that may still be under way, and says which was the last that counts,
also after a replica has taken the server's place. A replica that lagged behind has an older number there than the last
that was answered: then the database has gone back in time, and what was decided since is decided anew.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from tocsin.adapters.clock import boottime
from tocsin.adapters.ledger import writes
from tocsin.adapters.ledger.journal.handing_in import hand_in
from tocsin.adapters.ledger.postgresql.faults import is_collision, is_lost, is_of_one_call, server_error
from tocsin.adapters.ledger.postgresql.fence import IDLE_MS, begin_transaction, bound, read_generation, read_group
from tocsin.adapters.ledger.writer import Write
from tocsin.ports.leadership import FencedError, Term
from tocsin.ports.ledger.trouble import LedgerError

EVIDENCE = frozenset({writes.end_attempt, writes.record_receipt, writes.record_arrival, hand_in})
"""What is written down whoever leads, once and forward only (rule 52)."""
PATIENCE = 3.0
"""Seconds in which a group that a server did not take is tried again: as long as one takes to start anew."""
LOOKED_UP_WITHIN = 5.0
"""Seconds in which what became of a commit is found out."""
PAUSE = 0.1
LOOK_UP_LOCK_MS = IDLE_MS + 1000
"""Milliseconds that a look-up waits for a transaction that was cut off: the server ends it before."""


class ServerDatabase:
    """A Database of the writer. `term` is what it holds while this process leads; a group that was begun under another
    one is written by nobody, however often it is tried: it was decided by what held then. `doubt` is called, in the
    writer's thread, when the ledger holds what whoever wrote it was told it does not, or lacks what it was told it
    holds.
    """

    def __init__(self, engine: Engine, doubt: Callable[[], None]) -> None:
        self.engine = engine
        self.term: Term | None = None
        self._begun_under: Term | None = None
        self._doubt = doubt
        self._name = str(uuid4())
        self._decides = False
        self._unknown: int | None = None
        self._written = 0

    def lead(self, term: Term) -> None:
        """Decide from now on, under this term, by what the ledger holds now."""
        self.term, self._written, self._unknown = term, 0, None

    def begin_group(self) -> None:
        """It is to be written under the term that holds now."""
        self._begun_under = self.term

    def prepare(self, connection: Connection, *, troubled: bool) -> None:
        """Nothing: all bounds are those of a transaction, since poolers drop a session's."""

    def before_group(self, connection: Connection, group: int, *, evidence: bool) -> None:
        """Bound what it may wait for; hold the term; write down its number. Raises FencedError."""
        if self._unknown is not None:
            self._look_back(connection, self._unknown)
        self._decides = not evidence
        if not evidence and (self._begun_under is None or self._begun_under != self.term):
            raise FencedError("this machine does not lead")
        if begin_transaction(connection, self._name, group, None if evidence else self._begun_under) < self._written:
            self._lose()
            if not evidence:
                raise FencedError("the database has gone back in time")

    def generation(self, connection: Connection) -> str:
        """The term that the ledger has, and whether it lacks something that this process wrote. In any thread: that it
        lacks something may be said too often, and not too late.
        """
        written = self._written
        epoch, term, group = read_generation(connection, self._name)
        return f"{epoch} {term} {group < written}"

    def note_written(self, group: int) -> None:
        """A group is in the ledger: if a later one finds less there, the database has gone back."""
        self._written = group

    def _lose(self) -> None:
        """What this process knows is not what the ledger holds: it decides nothing more."""
        self.term, self._written = None, 0
        self._doubt()

    def _look_back(self, connection: Connection, unknown: int) -> None:
        """What became of a commit of which nobody could tell: if it got through, what this process knows is not what
        the ledger holds, and it decides nothing more.
        """
        bound(connection)
        if read_group(connection, self._name) == unknown:
            self._lose()
        self._unknown = None

    def is_evidence(self, write: Write[Any, Any]) -> bool:
        """Whether that is written down whoever leads."""
        return write in EVIDENCE

    def error(self, fault: BaseException) -> LedgerError:
        """What its callers hear of a fault."""
        return server_error(fault)

    def is_of_one_call(self, fault: BaseException) -> bool:
        """Whether a fault is about what was written."""
        return is_of_one_call(fault)

    def may_repeat(self, fault: BaseException, tries: int, waited: float, *, troubled: bool) -> bool:
        """Whether a group that was not taken is worth trying again, a little later; once it is however long that took:
        the connection may have been dead, and the server not.
        """
        if troubled or (waited >= PATIENCE and tries > 1) or not (is_collision(fault) or is_lost(fault)):
            return False
        time.sleep(PAUSE)
        return True

    def is_passing(self, fault: BaseException) -> bool:
        """Whether the connection is as good as before."""
        return not is_lost(fault)

    def was_committed(self, group: int) -> bool:
        """Whether a group is in the ledger although nothing was heard of its commit. Raises LedgerError."""
        until = boottime() + LOOKED_UP_WITHIN
        while True:
            try:
                with self.engine.begin() as connection:
                    bound(connection, LOOK_UP_LOCK_MS)
                    return read_group(connection, self._name) == group
            except (SQLAlchemyError, OSError) as fault:
                with suppress(SQLAlchemyError):
                    self.engine.dispose()
                if boottime() >= until:
                    self._unknown = group if self._decides and self._begun_under == self.term else None
                    raise server_error(fault) from None
            time.sleep(PAUSE)
