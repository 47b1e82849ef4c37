"""What the machine that leads sees of the others: who led before and fell silent, who says nothing any more, and
whether one of them should lead instead, since the pages from here reach nobody (P9).

When that is, `planning/machines/leadership` says.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from tocsin.app.leadership.lease import Lease
from tocsin.app.leadership.this_node import ThisNode, compared_revision
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.planning.machines.leadership import MISSED, UNDELIVERED, gives_back
from tocsin.ports.clock import Clock
from tocsin.ports.leadership import LeadershipLedger, Node, NodeState
from tocsin.ports.ledger.ledger import NoticeLedger
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.text.cleaning import shown

LOOKS_EVERY = 5.0
"""Seconds between two looks."""

log = structlog.get_logger()


class PagesUndelivered(Protocol):
    """What becomes of pages."""

    def page_since(self) -> datetime | None:
        """Since when one has reached nobody by any channel; None while all is well."""
        ...


class OtherMachines:
    """Looks at the others while this machine leads. `gave_back` knows when it last gave the lead back for its pages."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it looks at, and whom it tells
        self,
        clock: Clock,
        rows: LeadershipLedger,
        ledger: NoticeLedger,
        lease: Lease,
        this: ThisNode,
        config: ActiveConfig,
        notices: Notices,
        undelivered: PagesUndelivered,
        boottime: Callable[[], float],
        gave_back: list[float],
    ) -> None:
        self._clock = clock
        self._rows = rows
        self._ledger = ledger
        self._lease = lease
        self._this = this
        self._config = config
        self._notices = notices
        self._undelivered = undelivered
        self._boottime = boottime
        self._gave_back = gave_back
        self._former = lease.former
        self._heard: dict[tuple[str, str], tuple[datetime, float]] = {}
        self._silent: set[tuple[str, str]] = set()
        self._parted: str | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except LedgerError as trouble:
                log.warning("ledger trouble", trouble=str(trouble))
            await asyncio.sleep(LOOKS_EVERY)

    async def look(self) -> None:
        """Look once. Raises LedgerError."""
        undelivered = self._undelivered_for()
        self._this.config = compared_revision(self._config.policy.revision, self._config.digest)
        self._this.providers_ok = undelivered is None or undelivered < UNDELIVERED
        nodes = await self._rows.nodes()
        if self._former is not None:
            former, self._former = self._former, None
            self._tell_takeover(former)
        others = [node for node in nodes if node.id != self._this.id]
        for node in others:
            await self._mind(node, alone=[one.name for one in nodes].count(node.name) == 1)
        self._compare_keys(others)
        if undelivered is not None:
            self._hand_over(others, undelivered)

    def _tell_takeover(self, former: Node) -> None:
        """Operators hear of it once; that a process here was started anew is nobody's news (P9)."""
        if (former.name, former.folder) == (self._this.name, self._this.folder):
            return
        who = former.name or "the machine that led before"
        sentence = f"{self._this.name} has taken over from {who}, which fell silent; pages go on from here"
        self._notices.tell(OperatorNotice(Trouble.TOOK_OVER, f"{sentence}; see what became of {who}", about=who))

    async def _mind(self, node: Node, *, alone: bool) -> None:
        """A machine that says nothing any more without having stopped is told once, and that it is back. It is known by
        its name and folder (R43): another one of that name is no sign of life. `alone`: no other has its name.
        """
        age, place, about = self._age(node), (node.name, node.folder), f"{node.name}:{node.folder}"
        called = node.name if alone else f"{node.name} on {node.folder}"
        if node.stopped or age < MISSED:
            if place in self._silent:
                self._silent.discard(place)
                self._notices.cured(Trouble.MACHINE_SILENT, about, f"{called} is there again", name=called)
            return
        if place in self._silent:
            return
        self._silent.add(place)
        since = node.last_word or node.since
        sentence = f"nothing was heard of {called} since {since:%d %b %H:%M} UTC, and it did not stop; see to it"
        notice = OperatorNotice(Trouble.MACHINE_SILENT, sentence, about=about, since=since, name=called)
        told_at = await self._ledger.noticed_at(notice.cause)
        if told_at is None or told_at < since:
            self._notices.tell(notice)

    def _compare_keys(self, others: Sequence[Node]) -> None:
        """That not all have the same signing keys is told once a lead, and that they have: what one has signed is no
        link to another (P8). One that fell silent has the keys that it had, until it stops or is forgotten.
        """
        names_by_key = {self._this.key: {self._this.name}}
        for node in others:
            if not node.stopped:
                names_by_key.setdefault(node.key, set()).add(node.name)
        groups = sorted(", ".join(sorted(map(shown, names))) for names in names_by_key.values())
        parted = " | ".join(groups) if len(groups) > 1 else ""
        if parted == self._parted:
            return
        self._parted = parted
        if not parted:
            self._notices.cured(
                Trouble.KEYS_DIFFER, "", "all machines that share the ledger have the same signing keys"
            )
            return
        sentence = f"{groups[0]} and {' and '.join(groups[1:])} do not have the same signing keys"
        why = "a link that one has signed does not work on another"
        self._notices.tell(OperatorNotice(Trouble.KEYS_DIFFER, f"{sentence}: {why}", aspect=parted))

    def _hand_over(self, others: list[Node], undelivered: float) -> None:
        """Give the lead back if the pages from here reach nobody, and another machine reaches a provider."""
        now = self._boottime()
        gave_back_at = self._gave_back[-1] if self._gave_back else None
        able = [node for node in others if node.providers_ok and node.state is NodeState.STANDING_BY]
        reached = [self._age(node) for node in able if not node.stopped]
        if gives_back(now - undelivered, gave_back_at, reached, now):
            self._gave_back.append(now)
            self._lease.hand_over("its pages reach nobody, and another machine reaches a provider")

    def _undelivered_for(self) -> float | None:
        """Seconds for which a page has reached nobody; None while all is well."""
        since = self._undelivered.page_since()
        return None if since is None else (self._clock.now() - since) / timedelta(seconds=1)

    def _age(self, node: Node) -> float:
        """Seconds since its last word, by this machine's own clock from when it was first seen here: the database's,
        which the word bears, may have been put forward or back since.
        """
        place, word, now = (node.name, node.folder), node.last_word or node.since, self._boottime()
        heard = self._heard.get(place)
        if heard is None or heard[0] != word:
            before = self._clock.now() - word if heard is None else timedelta(0)
            heard = self._heard[place] = word, now - max(before.total_seconds(), 0.0)
        return now - heard[1]
