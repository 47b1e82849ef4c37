"""What people did in the browser is judged, each person's in the order it came, and what follows is written into the
incident folder, where it is seen like any other file. A folder that hangs holds up edits alone; a flood in somebody's
name holds up nobody.

A judgement is given once the daemon has seen the file as written, so that the page which waits for it shows what is
true then.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import structlog

from tocsin.app.arrivals.edit_judge import ActLedger, EditJudge, Written
from tocsin.app.arrivals.link_answers import ACTED, REFUSED
from tocsin.app.edits import words
from tocsin.app.engine.isolation import Broken, guarded
from tocsin.app.intake.changes import Overwritten
from tocsin.app.replies.polling import poll
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival, ArrivalKind, Judgement
from tocsin.domain.facts import Fact, Seen
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.trouble import LedgerError, Unreadable, UnreadableError

LOOKS_EVERY = 0.1
"""Seconds between two looks while something waits to be seen."""
CONCLUDED_EACH = 10
"""After how many it is looked whether what was written before has been seen."""
RESTS_FOR = 1.0
"""Seconds between two looks at least while nothing is known to wait, or the ledger is in trouble."""
ASKS_AFTER = 15.0
"""Seconds without news after which it looks anyway."""

log = structlog.get_logger()


class EditFeed:
    """Brings edits and declarations to whoever judges them."""

    def __init__(self, clock: Clock, ledger: ActLedger, judge: EditJudge, notices: Notices) -> None:
        self._clock = clock
        self._ledger = ledger
        self._judge = judge
        self._notices = notices
        self._written: dict[int, tuple[Arrival, Written]] = {}
        self._overwritten: list[Overwritten] = []
        self._unseen: dict[int, str] = {}
        self._poked = asyncio.Event()

    def poke(self) -> None:
        """Something came in."""
        self._poked.set()

    def put_back(self, overwritten: Overwritten) -> None:
        """A file was saved by an editor that knew an older text."""
        self._overwritten.append(overwritten)
        self._poked.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._looks())
            tasks.create_task(poll(self._hear, lambda: RESTS_FOR, news=partial(self._ledger.news, ASKS_AFTER)))

    async def _hear(self) -> None:
        """Others may have left something in the ledger, who poke nobody here."""
        self.poke()

    async def _looks(self) -> None:
        while True:
            self._poked.clear()
            try:
                seconds = LOOKS_EVERY if await self.look() else None
            except LedgerError as trouble:
                log.warning("ledger trouble", trouble=str(trouble))
                seconds = RESTS_FOR
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._poked.wait()

    async def look(self) -> bool:
        """Judge what waits; whether something has to be looked at again. Raises LedgerError: what was not judged then
        is judged at the next look.
        """
        while self._overwritten:
            await self._put_back(self._overwritten.pop(0))
        await self._conclude()
        number = 0
        while acts := await self._wanted():
            number += 1
            await self._judge_one(*acts[0])  # what comes in meanwhile may be more urgent than the rest of these
            if number % CONCLUDED_EACH == 0:
                await self._conclude()
        await self._conclude()
        return bool(self._written or self._unseen)

    async def _put_back(self, overwritten: Overwritten) -> None:
        result = await guarded(self._judge.put_back(overwritten), LedgerError)
        if isinstance(result, Broken):
            self._tell_broken(str(result))

    async def _wanted(self) -> list[tuple[int, Arrival]]:
        """What waits to be judged, the most urgent first. What is refused whatever it says, and what cannot be read, is
        so at once, all of it together.
        """
        while True:
            wanted, refused = list[tuple[int, Arrival]](), dict[int, tuple[str, Judgement]]()
            for row, act in await self._ledger.unjudged_acts():
                if isinstance(act, Unreadable):
                    self._tell_broken(act.why)
                    refused[row] = "unreadable", Judgement(REFUSED, words.BROKEN)
                elif row in self._written:
                    continue
                elif row not in self._unseen and (why := await self._judge.refusal(act)):
                    refused[row] = act.kind.value, why
                else:
                    wanted.append((row, act))
            await asyncio.gather(*(self._record(row, *why) for row, why in refused.items()))
            if wanted or not refused:
                return wanted

    async def _judge_one(self, row: int, act: Arrival) -> None:
        judged = await guarded(self._judge.judge(act), LedgerError)
        if isinstance(judged, Broken):
            self._tell_broken(str(judged))
            judged = Judgement(REFUSED, words.BROKEN)
        if isinstance(judged, Written):
            self._written[row] = act, judged
        else:
            if judged.result == ACTED and row in self._unseen:
                judged = Judgement(ACTED, self._unseen[row])
            await self._record(row, act.kind.value, judged)

    async def _conclude(self) -> None:
        """Judge what was written, once it was seen or was waited for long enough. What was written into a file before
        a version that was seen is in that. An edit that was not seen is looked at once more: a save may have come
        between, and then it is made again.
        """
        facts: dict[str, Sequence[Fact]] = {written.incident: () for _, written in self._written.values()}
        for incident in facts:
            facts[incident] = await self._facts(incident)
        seen: dict[str, Sequence[Fact]] = {}
        for row, (arrival, written) in reversed(list(self._written.items())):
            since = _since(facts[written.incident], written.digest) or seen.get(written.incident, ())
            seen[written.incident] = since
            if since or self._clock.now() >= written.until:
                sentence = written.say(since) if since else f"{written.say(())} {words.KEPT}"
                if not since and arrival.kind is ArrivalKind.EDIT and row not in self._unseen:
                    self._unseen[row] = sentence
                else:
                    await self._record(row, arrival.kind.value, Judgement(ACTED, sentence))
                del self._written[row]

    async def _facts(self, incident: str) -> Sequence[Fact]:
        """What is recorded of an incident; nothing where it cannot be read (rule 63)."""
        try:
            return await self._ledger.facts(incident)
        except UnreadableError:
            return ()

    async def _record(self, row: int, kind: str, judgement: Judgement) -> None:
        log.info("arrival", kind=kind, result=judgement.result)
        self._unseen.pop(row, None)
        await self._ledger.record_result(row, judgement.result, judgement.words)

    def _tell_broken(self, why: str) -> None:
        """What cannot be judged holds up nobody (rule 63)."""
        text = f"what somebody did in the browser could not be judged ({why}); the rest is"
        self._notices.tell(OperatorNotice(Trouble.ARRIVAL_UNJUDGED, text, about="edit"))


def _since(facts: Sequence[Fact], digest: str) -> Sequence[Fact]:
    """The facts from the version with this digest on; none while it was not seen."""
    places = [place for place, fact in enumerate(facts) if isinstance(fact, Seen) and fact.digest == digest]
    return facts[places[-1] :] if places else ()
