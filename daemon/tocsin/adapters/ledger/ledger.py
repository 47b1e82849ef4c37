"""The ledger port on SQL: hands rows to the writer, asks questions in threads.

Every fault of the database leaves as LedgerError.
"""

import asyncio
import json
import os
import sqlite3
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.ledger import reads, redating, writes
from tocsin.adapters.ledger.codec import replace_surrogates, write_fact, write_outcome
from tocsin.adapters.ledger.errors import ledger_error
from tocsin.adapters.ledger.lock import LedgerLockedError, Lock
from tocsin.adapters.ledger.opening import OpenedLedger, make_engine
from tocsin.adapters.ledger.place.ballast import Ballast, can_return
from tocsin.adapters.ledger.place.ledger_file import LedgerFile
from tocsin.adapters.ledger.place.sent_mark import REPEATED_WITHIN, LedgerLack, SentMark, alike
from tocsin.adapters.ledger.rows import content_row, digest_of, notification_row, suppression_row
from tocsin.adapters.ledger.tables import write_instant
from tocsin.adapters.ledger.tallies import Tallies
from tocsin.adapters.ledger.writer import Writer
from tocsin.domain.arrival import Arrival, ArrivalKind, ReservedCode
from tocsin.domain.delivery import Attempt, Content, Letter, Outcome, Receipt, Record
from tocsin.domain.facts import Answered, Fact
from tocsin.domain.notification import NOBODY, Notification, Suppression
from tocsin.domain.people import Channel
from tocsin.ports.ledger import FileChange, LedgerError, LedgerStart, Report, Unreadable
from tocsin.ports.tally import Tally

OLDER_COPY = "the ledger is an older copy"
"""Why a message may have left already that the ledger knows nothing of."""

T = TypeVar("T")


READERS = 4
"""How many questions are asked at once, in threads of their own: nobody else may keep them waiting."""


class SqlLedger:
    """A port Ledger. `set_aside` is where a damaged one was put when this one was made in its place; `concern` is a
    sentence for the operators about where it lies, or empty.
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
        self._compared_at: datetime | None = None
        self._writer = Writer(opened.engine, patient=opened.file is None)
        self._readers = DiskThreads("ledger reader", READERS)
        self._tallies = Tallies()

    async def record(
        self,
        incident: str,
        facts: Sequence[Fact],
        letters: Sequence[Letter],
        held: Sequence[Suppression],
        anew: datetime | None = None,
    ) -> frozenset[str]:
        """Write facts and notifications together; the keys that were new. A key already there stays as it is. `anew`:
        what was recorded before that instant cannot be read, and is put aside.
        """
        digests: dict[Content, str] = {}
        for letter in letters:
            if letter.content not in digests:
                digests[letter.content] = digest_of(letter.content)
        entry = writes.RecordEntry(
            incident,
            [_fact_row(incident, fact) for fact in facts],
            {digest: content_row(digest, content) for content, digest in digests.items()},
            [
                *(notification_row(letter.notification, digests[letter.content]) for letter in letters),
                *(suppression_row(suppression) for suppression in held),
            ],
            anew=anew,
        )
        return await self._writer.commit(writes.record, entry)

    async def finish(self, incident: str) -> None:
        """Nothing can become due for this incident again without a new fact: a start need not load it."""
        await self._writer.commit(writes.record, writes.RecordEntry(incident, finished=True))

    async def facts(self, incident: str) -> tuple[Fact, ...]:
        """All facts of one incident, in the order recorded. Raises UnreadableError."""
        return await self._read(reads.facts(incident))

    async def records(self, incident: str) -> tuple[Record, ...]:
        """Everything decided for an incident that can be read, to be sent or held back, in the order decided."""
        return await self._read(reads.records(incident))

    async def unfinished(self) -> dict[str, tuple[Fact, ...] | Unreadable]:
        """The facts of every incident that may still need something, by its id."""
        return await self._read(reads.unfinished)

    async def unreadable_letters(self) -> tuple[Unreadable, ...]:
        """The incidents with a letter that is not settled and cannot be read, or an attempt of one; each once."""
        return await self._read(reads.unreadable_letters)

    async def settle_unreadable(self, incident: str, at: datetime) -> None:
        """Such letters of an incident are given up: they are settled as unwanted."""
        row = {"incident": incident, "settled_at": write_instant(at)}
        await self._writer.commit(writes.settle_unreadable, row)

    async def incidents(self) -> tuple[str, ...]:
        """The ids of all incidents ever seen."""
        return await self._read(reads.incidents)

    async def last_closed(self, most: int) -> tuple[tuple[str, datetime], ...]:
        """The incidents that were closed last, the newest first, each once with the instant."""
        return await self._read(reads.last_closed(most))

    async def keep_file(self, incident: str, file: str, digest: str, data: bytes) -> None:
        """Keep the bytes of the newest good version of an incident's file."""
        row = {"id": incident, "file": os.fsencode(file), "digest": digest, "data": zlib.compress(data)}
        await self._writer.commit(writes.keep_file, row)

    async def files(self) -> dict[str, tuple[str, str]]:
        """For every incident the name of its file and the digest of its newest good version."""
        return await self._read(reads.files)

    async def file(self, incident: str) -> tuple[str, bytes] | None:
        """The name and the bytes of the newest good version of an incident's file."""
        return await self._read(reads.file(incident))

    async def begin_attempt(
        self, key: str, via: Channel, address: str, at: datetime, possible_duplicate: str = ""
    ) -> Attempt:
        """Record an attempt before its first byte leaves."""
        row = {
            "key": key,
            "via": via.value,
            "address": address,
            "started_at": write_instant(at),
            "possible_duplicate": possible_duplicate,
        }
        row["possible_duplicate"] = possible_duplicate = possible_duplicate or self._repetition(key, via, address, at)
        id_, number = await self._writer.commit(writes.begin_attempt, row)
        if self._mark is not None and not key.startswith(f"{NOBODY}/"):
            self._mark.note(id_, key, via.value, address, at)
        return Attempt(id_, key, number, via, address, at, possible_duplicate=possible_duplicate)

    async def end_attempt(self, attempt: Attempt, outcome: Outcome, at: datetime) -> None:
        """Record how an attempt ended."""
        row = {"this": attempt.id, "outcome": write_outcome(outcome), "ended_at": write_instant(at)}
        await self._writer.commit(writes.end_attempt, row)

    async def record_receipt(self, attempt: Attempt, receipt: Receipt, at: datetime) -> None:
        """What the provider said became of an attempt; never moves backwards."""
        row = {"this": attempt.id, "receipt": receipt.value, "receipt_at": write_instant(at)}
        await self._writer.commit(writes.record_receipt, row)

    async def settle(self, key: str, state: str, at: datetime) -> None:
        """Nothing more will be tried for this notification. The first state stands."""
        await self._writer.commit(writes.settle, {"this": key, "state": state, "settled_at": write_instant(at)})

    async def find_attempt(self, attempt: int) -> tuple[Attempt, Notification] | None:
        """An attempt by its id, and the notification it was for."""
        return await self._read(reads.find_attempt(attempt))

    async def unsettled(self) -> tuple[Letter, ...]:
        """Every letter that is not settled and can be read, with its attempts, oldest first."""
        return await self._read(reads.unsettled)

    async def refusals(self) -> tuple[Attempt, ...]:
        """The newest attempt at each address that was taken or refused for good, where it was refused."""
        return await self._read(reads.refusals)

    async def record_arrival(self, arrival: Arrival) -> bool:
        """Keep something that came in. False when its kind and `ref` are known."""
        row = {
            "kind": arrival.kind.value,
            "ref": arrival.ref,
            "who": arrival.who,
            "body": replace_surrogates(arrival.body),
            "at": write_instant(arrival.at),
        }
        return await self._writer.commit(writes.record_arrival, row)

    async def unjudged_arrivals(self) -> tuple[tuple[int, Arrival | Unreadable], ...]:
        """What came in and is not judged yet, oldest first, each with its row."""
        return await self._read(reads.unjudged_arrivals)

    async def record_result(self, row: int, result: str) -> None:
        """An arrival is judged. The first result stands."""
        await self._writer.commit(writes.record_result, {"this": row, "result": result})

    async def newest_results(self, kind: ArrivalKind, who: str, most: int) -> tuple[str, ...]:
        """What the newest judged arrivals of somebody led to, newest first."""
        return await self._read(reads.newest_results(kind, who, most))

    async def last_arrival_at(self, kind: ArrivalKind) -> datetime | None:
        """When the newest of a kind came in."""
        return await self._read(reads.last_arrival_at(kind))

    async def reserved_codes(self, since: datetime) -> tuple[ReservedCode, ...]:
        """The reply codes of incidents that are open or were closed after `since`, in the order given."""
        return await self._read(reads.reserved_codes(since))

    async def record_config(self, revision: str, files: Mapping[str, bytes], at: datetime) -> None:
        """A good config came into force."""
        texts = {name: data.decode("latin-1") for name, data in files.items()}
        row = {"revision": revision, "since": write_instant(at), "files": zlib.compress(json.dumps(texts).encode())}
        await self._writer.commit(writes.record_config, row)

    async def last_good_config(self) -> tuple[str, datetime, dict[str, bytes]] | None:
        """The config that came into force last and can be read: its revision, since when, and its files."""
        return await self._read(reads.last_good_config)

    async def claim_notice(self, cause: str, at: datetime, quiet: timedelta) -> bool:
        """Whether operators may hear of this cause now: they were not told of it within `quiet`. Counts as telling."""
        return await self._writer.commit(writes.claim_notice, writes.NoticeClaim(cause, at, quiet))

    async def noticed_at(self, cause: str) -> datetime | None:
        """When this cause was last told; None: never."""
        return await self._read(reads.noticed_at(cause))

    async def report(self, cause: str, text: str, at: datetime) -> None:
        """Leave a report for the operators. Only the newest stay."""
        await self._writer.commit(writes.report, {"at": write_instant(at), "cause": cause, "text": text})

    async def last_answer(self) -> int:
        """The row of the newest answer recorded; 0: there is none."""
        return await self._read(reads.last_answer)

    async def answers_since(self, last: int) -> tuple[tuple[int, str, Answered | Unreadable], ...]:
        """Answers recorded by any process after a row: (row, incident, answer), in order."""
        return await self._read(reads.answers_since(last))

    async def reports_since(self, last: int) -> tuple[Report, ...]:
        """Reports for the operators after a row that can be read, in order."""
        return await self._read(reads.reports_since(last))

    async def correct_answer(self, row: int, answer: Answered) -> None:
        """The answer in this row counts so."""
        await self._writer.commit(redating.correct_answer, (row, answer))

    async def move_clock(self, by: timedelta, now: datetime, last_answer: int) -> None:
        """The clock was put forward by so much and says `now`: what still matters is moved with it."""
        await self._writer.commit(redating.move, redating.ClockMove(by, now, last_answer))

    async def bring_back(self, now: datetime) -> timedelta:
        """Nothing that still matters is later than now; how far ahead the latest was."""
        return await self._writer.commit(redating.bring_back, now)

    async def tally(self, settled_before: datetime) -> Tally:
        """What the ledger holds, in numbers. Rows begun before that instant count as they were found first."""
        return await self._read(lambda connection: self._tallies.count(connection, settled_before))

    def _repetition(self, key: str, via: Channel, address: str, at: datetime) -> str:
        """Why this may be the second copy of something that the ledger lacks (rule 64); empty: it is none."""
        sort = alike(key, via.value, address)
        if not self._lack.left[sort] or self._compared_at is None or at - self._compared_at >= REPEATED_WITHIN:
            return ""
        self._lack.left[sort] -= 1
        return OLDER_COPY

    async def compare_with_mark(self, now: datetime) -> LedgerLack:
        """What the mark beside the ledger knows to have been sent, and the ledger does not: it is an older copy. What
        may repeat it is marked from now on.
        """
        if self._mark is not None:
            first = await asyncio.to_thread(self._mark.first_id)
            with suppress(LedgerError):
                keys = await self._read(reads.attempt_keys(first)) if first is not None else {}
                self._lack, self._compared_at = await asyncio.to_thread(self._mark.lack, keys, now), now
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
        self._writer.engine.dispose()

    async def _read(self, question: Callable[[Connection], T]) -> T:
        """Ask in a thread, beside the writer and never in its way. Raises LedgerError."""

        def ask() -> T:
            with self._writer.engine.connect().execution_options(reading=True) as connection:
                return question(connection)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, ask)
        except (SQLAlchemyError, OSError, ValueError, zlib.error) as fault:
            raise ledger_error(fault) from None


def _fact_row(incident: str, fact: Fact) -> dict[str, Any]:
    return {"incident": incident, "at": write_instant(fact.at), "kind": type(fact).__name__, "body": write_fact(fact)}
