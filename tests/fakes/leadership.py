"""The rows that say who leads, in memory, shared by several machines; one of them can be cut off or lose an answer."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from tocsin.planning.machines.leadership import REPLACED_AFTER
from tocsin.ports.clock import Clock
from tocsin.ports.leadership import FencedError, LeaseView, Node, NodeTakenError, Term
from tocsin.ports.ledger.trouble import LedgerError

T = TypeVar("T")


@dataclass
class SharedLeadership:
    """The database: what all machines see. `clock` is its own."""

    clock: Clock
    view: LeaseView = field(default_factory=lambda: LeaseView(Term(0, str(uuid4())), "", 0))
    rows: dict[tuple[str, str], Node] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid4()))
    away: bool = False
    """Nobody reaches it."""
    took: list[tuple[datetime, str]] = field(default_factory=list)
    """Who took the lead when, oldest first."""

    def report(self, node: Node) -> bool:
        now, place = self.clock.now(), (node.name, node.folder)
        before = self.rows.get(place)
        lives = before and before.id != node.id and not before.stopped and before.last_word
        if before and lives and now - lives < timedelta(seconds=REPLACED_AFTER):
            return False
        self.rows[place] = replace(node, last_word=now)
        return True


class MemoryLeadership:
    """One machine's way to it. `cut` keeps it from the database, `lost_answers` so many calls are done and not heard
    of, `takes` is how many seconds each call takes. `schema` is its program's.
    """

    def __init__(self, shared: SharedLeadership, schema: str = "") -> None:
        self._shared = shared
        self._schema = schema
        self.cut = False
        self.lost_answers = 0
        self.takes = 0.0

    async def look(self) -> LeaseView:
        await self._reach()
        return self._answer(self._shared.view)

    async def take(self, view: LeaseView, node: Node) -> Term | None:
        await self._reach()
        view.see_that_it_may(self._schema, node.name)
        if self._shared.view != view:
            return self._answer(None)
        term = Term(view.term.epoch + 1, str(uuid4()))
        self._shared.view = replace(view, term=term, node=node.id, count=view.count + 1)
        self._shared.took.append((self._shared.clock.now(), node.name))
        return self._answer(term)

    async def renew(self, term: Term, node: Node) -> datetime:
        await self._reach()
        view = self._shared.view
        if view.term != term or view.node != node.id:
            raise FencedError("another leads")
        self._shared.view = replace(view, count=view.count + 1)
        self._shared.report(node)
        return self._answer(self._shared.clock.now())

    async def give_back(self, term: Term) -> None:
        await self._reach()
        if self._shared.view.term == term:
            self._shared.view = replace(self._shared.view, node="")
        self._answer(None)

    async def report(self, node: Node) -> datetime:
        await self._reach()
        if not self._shared.report(node):
            raise NodeTakenError(f"another tocsin runs as {node.name} on {node.folder}")
        return self._answer(self._shared.clock.now())

    async def nodes(self) -> tuple[Node, ...]:
        await self._reach()
        return self._answer(tuple(sorted(self._shared.rows.values(), key=lambda node: (node.name, node.folder))))

    async def installation(self) -> str:
        await self._reach()
        return self._answer(self._shared.id)

    async def close(self) -> None:
        self.cut = True

    async def _reach(self) -> None:
        if self.takes:
            await asyncio.sleep(self.takes)
        if self.cut or self._shared.away:
            raise LedgerError("the database does not answer")

    def _answer(self, given: T) -> T:
        if self.lost_answers:
            self.lost_answers -= 1
            raise LedgerError("the connection was lost")
        return given
