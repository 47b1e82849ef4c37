"""What other machines handed in is judged by the leader, each second, in the order it came."""

import asyncio
from dataclasses import replace
from typing import Protocol

import structlog

from tocsin.app.engine.isolation import Broken, guarded
from tocsin.app.hand_ins.file_versions import TOLD, FileVersions
from tocsin.app.hand_ins.hand_in import FilesGone, FileVersion, SentFromMemory, hand_in_of
from tocsin.app.replies.polling import poll
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.ports.ledger.ledger import ArrivalLedger, LedgerError, Unreadable

LOOKS_EVERY = 1.0
"""Seconds between two looks."""
BROKEN = "broken"
"""The result of what cannot be judged."""

log = structlog.get_logger()


class JudgesSent(Protocol):
    """Who judges what other machines sent from memory."""

    async def judge(self, sent: SentFromMemory) -> str:
        """What became of it. Raises LedgerError."""
        ...


class HandInFeed:
    """Brings what was handed in to its judgement."""

    def __init__(self, ledger: ArrivalLedger, versions: FileVersions, elsewhere: JudgesSent, notices: Notices) -> None:
        self._ledger = ledger
        self._versions = versions
        self._elsewhere = elsewhere
        self._notices = notices
        self._read_once = asyncio.Event()

    async def first_read(self) -> None:
        """Wait until what lay there at the start is judged."""
        await self._read_once.wait()

    async def run(self) -> None:
        """Until cancelled."""
        await poll(self.look, lambda: LOOKS_EVERY, at_once=True)

    async def look(self) -> None:
        """Judge all that waits. Raises LedgerError: what was not judged then is judged at the next look."""
        while hand_ins := await self._ledger.unjudged_hand_ins():
            for row, arrival in hand_ins:
                result = await guarded(self._judge(arrival), LedgerError)
                if isinstance(result, Broken):
                    self._tell_broken(str(result))
                await self._ledger.record_result(row, BROKEN if isinstance(result, Broken) else result)
        self._read_once.set()

    async def _judge(self, arrival: Arrival | Unreadable) -> str:
        """What it led to. Raises LedgerError."""
        if isinstance(arrival, Unreadable):
            self._tell_broken(arrival.why)
            return BROKEN
        try:
            hand_in = hand_in_of(arrival)
        except ValueError as fault:
            self._tell_broken(str(fault))
            return BROKEN
        if isinstance(hand_in, FileVersion):
            return await self._versions.judge(hand_in)
        if isinstance(hand_in, FilesGone):
            return await self._versions.judge_gone(hand_in)
        if isinstance(hand_in, SentFromMemory):
            return await self._elsewhere.judge(hand_in)
        self._tell(hand_in.machine, hand_in.notice, over=hand_in.over)
        return TOLD

    def _tell(self, machine: str, notice: OperatorNotice, *, over: bool) -> None:
        """What operators are to hear of another machine names it; what is about nothing in particular is about it."""
        text, about = f"on {machine}: {notice.text}", notice.about or machine
        if not over:
            self._notices.tell(replace(notice, text=text, about=about))
        elif notice.trouble.recovered:
            self._notices.cured(notice.trouble, about, text, notice.name)

    def _tell_broken(self, why: str) -> None:
        """What cannot be judged holds up nobody (rule 63)."""
        text = f"what another machine handed in could not be judged ({why}); the rest is: look at its folder"
        self._notices.tell(OperatorNotice(Trouble.ARRIVAL_UNJUDGED, text, about="hand-in"))
