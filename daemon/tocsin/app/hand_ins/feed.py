"""What other machines handed in is judged by the leader, each second, in the order it came.

It counts as judged once what it led to is written down: until then whoever leads next judges it again, which is
harmless, while its own machine has handed it in and never will again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import structlog

from tocsin.app.engine.isolation import Broken, guarded
from tocsin.app.hand_ins.file_versions import TOLD, FileVersions
from tocsin.app.hand_ins.hand_in import FilesGone, FileVersion, HandIn, SentFromMemory, hand_in_of
from tocsin.app.replies.polling import poll
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival
from tocsin.domain.operator_notice import OperatorNotice, Trouble, subject_of
from tocsin.ports.ledger.ledger import ArrivalLedger
from tocsin.ports.ledger.trouble import LedgerError, Unreadable

LOOKS_EVERY = 1.0
"""Seconds between two looks."""
BROKEN = "broken"
"""The result of what cannot be judged."""

log = structlog.get_logger()


class JudgesSent(Protocol):
    """Who judges what other machines sent from memory."""

    async def judge(self, sent: SentFromMemory, handed_in_at: datetime) -> str:
        """What became of it. Raises LedgerError."""
        ...

    def keeps(self, sent: SentFromMemory) -> bool:
        """Whether it is still to be written down with its page."""
        ...

    async def note_heard(self) -> None:
        """Whoever got what is kept hears the end as well. Raises LedgerError."""
        ...


async def waiting(ledger: ArrivalLedger) -> AsyncIterator[tuple[int, Arrival | Unreadable]]:
    """All that was handed in and is not judged, oldest first, each with its row. Raises LedgerError."""
    rows: set[int] = set()
    while hand_ins := await ledger.unjudged_hand_ins(rows):
        for row, arrival in hand_ins:
            rows.add(row)
            yield row, arrival


@dataclass(frozen=True, slots=True)
class Judged:
    """What a hand-in led to: a word, and what is to be written before it counts as judged: news of these incidents,
    what operators hear of this subject, what was sent.
    """

    result: str
    incidents: tuple[str, ...] = ()
    subject: str = ""
    sent: SentFromMemory | None = None


class HandInFeed:
    """Brings what was handed in to its judgement. `recalled` are the rows that were there before this life read what
    may be repeated. What a machine's journal knew and the database had lost comes too late with any other: the next
    life, which `begin_anew` makes, reads it.
    """

    def __init__(
        self,
        ledger: ArrivalLedger,
        versions: FileVersions,
        elsewhere: JudgesSent,
        notices: Notices,
        recalled: Set[int],
        begin_anew: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._recalled = recalled
        self._begin_anew = begin_anew
        self._versions = versions
        self._elsewhere = elsewhere
        self._notices = notices
        self._judged: dict[int, Judged] = {}
        self._read_once = asyncio.Event()

    async def first_read(self) -> None:
        """Wait until what lay there at the start is judged."""
        await self._read_once.wait()

    async def run(self) -> None:
        """Until cancelled."""
        await poll(self.look, lambda: LOOKS_EVERY, at_once=True)

    async def look(self) -> None:
        """Judge all that waits. Raises LedgerError: what was not judged then is judged at the next look."""
        await self._record()
        while rows := await self._ledger.unjudged_hand_ins(self._judged):
            hand_ins = [(row, arrival, await guarded(_read(arrival))) for row, arrival in rows]
            names = {hand_in.incident for _, _, hand_in in hand_ins if isinstance(hand_in, FileVersion)}
            said = await self._versions.last_said(names)
            for row, arrival, hand_in in hand_ins:
                judged = await guarded(self._judge(row, arrival, hand_in, said), LedgerError)
                self._judged[row] = self._broken(str(judged)) if isinstance(judged, Broken) else judged
            await self._record()
        await self._elsewhere.note_heard()
        self._read_once.set()

    async def _record(self) -> None:
        """What is written down needs nothing more. Raises LedgerError."""
        written = [(row, judged.result) for row, judged in self._judged.items() if self._is_written(judged)]
        recording = (self._ledger.record_result(*result) for result in written)
        troubles = await asyncio.gather(*recording, return_exceptions=True)
        for (row, _), trouble in zip(written, troubles, strict=True):
            if trouble is None:
                del self._judged[row]
        for trouble in filter(None, troubles):
            raise trouble

    def _is_written(self, judged: Judged) -> bool:
        return not (
            any(map(self._versions.owes, judged.incidents))
            or (judged.subject and self._notices.owes(judged.subject))
            or (judged.sent and self._elsewhere.keeps(judged.sent))
        )

    async def _judge(
        self, row: int, arrival: Arrival | Unreadable, hand_in: HandIn | str | Broken, said: Mapping[str, str]
    ) -> Judged:
        """What it led to. Raises LedgerError."""
        if isinstance(arrival, Unreadable) or isinstance(hand_in, str | Broken):
            return self._broken(str(hand_in))
        if isinstance(hand_in, FileVersion):
            result = await self._versions.judge(hand_in, last_said=said.get(hand_in.incident, ""))
            return Judged(result, (hand_in.incident,))
        if isinstance(hand_in, FilesGone):
            trouble = Trouble.UNREAD_FILE_GONE if hand_in.never_read else Trouble.FILE_VANISHED
            subject = subject_of(trouble, hand_in.about)
            return Judged(await self._versions.judge_gone(hand_in), hand_in.incidents, subject)
        if isinstance(hand_in, SentFromMemory):
            return Judged(await self._elsewhere.judge(hand_in, arrival.at), sent=hand_in)
        if hand_in.notice.trouble is Trouble.LEDGER_OLDER and row not in self._recalled:
            log.warning("not leading any more", why=f"the ledger lacked what {hand_in.machine} had sent")
            self._begin_anew()
        return Judged(TOLD, subject=self._tell(hand_in.machine, hand_in.notice, over=hand_in.over))

    def _tell(self, machine: str, notice: OperatorNotice, *, over: bool) -> str:
        """What operators are to hear of another machine names it; what is about nothing in particular is about it. Of
        which subject that is.
        """
        text, about = f"on {machine}: {notice.text}", notice.about or machine
        if not over:
            self._notices.tell(replace(notice, text=text, about=about))
        elif notice.trouble.recovered:
            self._notices.cured(notice.trouble, about, text, notice.name)
        return subject_of(notice.trouble, about)

    def _broken(self, why: str) -> Judged:
        """What cannot be judged holds up nobody (rule 63), and is told."""
        text = f"what another machine handed in could not be judged ({why}); the rest is: look at its folder"
        notice = OperatorNotice(Trouble.ARRIVAL_UNJUDGED, text, about="hand-in")
        self._notices.tell(notice)
        return Judged(BROKEN, subject=notice.subject)


async def _read(arrival: Arrival | Unreadable) -> HandIn | str:
    """What was handed in, or why that cannot be read."""
    if isinstance(arrival, Unreadable):
        return arrival.why
    try:
        return hand_in_of(arrival)
    except ValueError as fault:
        return str(fault)
