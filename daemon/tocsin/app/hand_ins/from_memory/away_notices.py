"""What a machine without the ledger tells the operators by itself, once an hour: that the database is away, or that
nobody leads and the program here is too old to. The rest is told by whoever leads, once that machine can be told (P9).
"""

import asyncio
from typing import Protocol

from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice, Trouble

TELLS_EVERY = 5.0
"""Seconds between two looks; what was told in the last hour is not told again."""
TOLD = frozenset({Trouble.LEDGER_AWAY, Trouble.TOO_OLD_TO_LEAD})


class AwayNotices(Notices):
    """Notices of which only those are taken."""

    def tell(self, notice: OperatorNotice) -> None:
        """Let the operators hear of this, if it is one of them."""
        if notice.trouble in TOLD:
            super().tell(notice)

    def cured(self, trouble: Trouble, about: str, text: str, name: str = "") -> None:
        """What is over is told by whoever leads."""

    def is_open(self, trouble: Trouble) -> bool:  # noqa: ARG002 - as all notices have it
        """The ledger of such a machine is in its memory, which takes what was told."""
        return False


class LacksLedger(Protocol):
    """The lead of a machine, which knows whether the database answers."""

    def is_away(self) -> bool:
        """Whether it has been tried in vain for so long that operators should know."""
        ...

    @property
    def why_away(self) -> str:
        """In the words of the newest try."""
        ...

    @property
    def too_old(self) -> str:
        """Why this program may not lead where nobody does; empty: that is not it."""
        ...


class AwayTold:
    """Says it for as long as it is so; a machine that leads says it, too."""

    def __init__(self, notices: Notices, lead: LacksLedger) -> None:
        self._notices = notices
        self._lead = lead
        self._told = False

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(TELLS_EVERY)

    def look(self) -> None:
        """Look once. What it told is over when the database answers."""
        paged = "what is newly declared here is paged, and marked"
        if self._lead.is_away() and (too_old := self._lead.too_old):
            fault = "nobody leads until tocsin is updated here, or the newer machine that led is back"
            self._notices.tell(OperatorNotice(Trouble.TOO_OLD_TO_LEAD, f"{fault}: {too_old}; {paged}"))
        elif self._lead.is_away():
            self._told = True
            fault = f"the database has been away for half a minute ({self._lead.why_away}), and perhaps nobody leads"
            self._notices.tell(OperatorNotice(Trouble.LEDGER_AWAY, f"{fault}; {paged}"))
        elif self._told:
            self._told = False
            self._notices.cured(Trouble.LEDGER_AWAY, "", "the database answers again")
