"""The way from the inbox folder into the ledger (P8): what is let in is recorded as an arrival, once, and then judged;
only then its file is removed.

It decides how often the folder is looked at, how much is taken at once, answers first, and what operators hear of it.
A folder that hangs holds up nothing but itself.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from tocsin.app.arrivals.gate import EntryRefused, Gate
from tocsin.app.arrivals.log_limit import LimitedLog
from tocsin.app.engine.isolation import Broken, guarded
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import ACTS, BY_FILE, Arrival, EntryKind
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.formats.inbox.entries import WAITING_MOST
from tocsin.formats.inbox.names import read_entry_name
from tocsin.ports.clock import Clock
from tocsin.ports.inbox import InboxFile, InboxFolder
from tocsin.ports.ledger.ledger import ArrivalLedger
from tocsin.ports.ledger.trouble import LedgerError

RESTS_FOR = 1.0
"""Seconds until the next look while the folder or the ledger is in trouble, or flooded."""
JUDGED_MOST = 200
"""Entries that are taken a second."""
WEBHOOKS_MOST = 20
"""How many of them may be webhooks: anybody can call one."""
WEBHOOKS_FLOOD, WEBHOOKS_FEW = 200, 20
"""From how many webhooks on that wait it is a flood, and how few end it: a genuine one waits ten seconds then."""
HANGS_AFTER = timedelta(seconds=30)
"""How long the folder may take to answer until operators hear of it."""
ASKS_AGAIN = 15.0
"""Seconds after which a folder that does not answer is asked anew. One that rests answers within five."""
ASKED_MOST = 2
HEARD = (EntryKind.WEBHOOK, EntryKind.ALERT)
"""What is judged without the ledger besides answers by link and by command."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _InboxLook:
    """What a look at the folder gave. `names` are those that wait, in the order of their turns (`more`: there are too
    many to list), `files` those whose turn it is, `rest` the names that wait on; `kept` is why what was done with could
    not be removed, `listed` all that lay there, if it was listed.
    """

    names: Sequence[str]
    more: bool
    files: Sequence[InboxFile]
    rest: Sequence[str]
    kept: Mapping[str, str]
    listed: Sequence[str] | None


class Judges(Protocol):
    """Who judges what was recorded."""

    async def look(self) -> None:
        """Judge it. Raises LedgerError."""
        ...

    async def hear(self, arrivals: Sequence[Arrival]) -> None:
        """The ledger does not take these now."""
        ...


class Poked(Protocol):
    """Who is told that something came in which is judged apart."""

    def poke(self) -> None:
        """Something came in."""
        ...


class InboxFeed:
    """Brings what lies in the inbox to those who judge it."""

    def __init__(
        self,
        clock: Clock,
        ledger: ArrivalLedger,
        folder: InboxFolder,
        gate: Gate,
        arrivals: Judges,
        edits: Poked,
        notices: Notices,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._folder = folder
        self._gate = gate
        self._arrivals = arrivals
        self._edits = edits
        self._notices = notices
        self._log = LimitedLog()
        self._done: frozenset[str] = frozenset()
        self._unremovable: frozenset[str] = frozenset()
        self._names: Sequence[str] = ()
        self._more = False
        self._anew = False
        self._webhooks_flooded = False
        self._read_once = asyncio.Event()

    @property
    def passed_over(self) -> frozenset[str]:
        """The names of what lies there for good."""
        return self._unremovable

    async def first_read(self) -> None:
        """Wait until the answers that lay there at the start are judged, or it is known that they cannot be read."""
        await self._read_once.wait()

    async def run(self) -> None:
        """Until cancelled."""
        seconds = RESTS_FOR
        while True:
            try:
                seconds = await self.look(seconds)
            except LedgerError as trouble:
                log.warning("ledger trouble", trouble=str(trouble))
                seconds = RESTS_FOR
            await asyncio.sleep(seconds)

    async def look(self, seconds: float) -> float:
        """Look once, and take as much as `seconds` since the last look allow; after how many seconds to look again.
        Raises LedgerError: then all that was not recorded lies there still, and is looked at again.
        """
        look = await self._reading(seconds)
        self._done = frozenset()  # they are removed; what is called so now was put there since
        if isinstance(look, str):
            self._notices.tell(OperatorNotice(Trouble.INBOX_UNUSABLE, look))
            self._read_once.set()
            return RESTS_FOR
        self._notices.cured(Trouble.INBOX_UNUSABLE, "", "what is left in the inbox is read again; nothing was lost")
        if look is None:
            self._read_once.set()
            return self._folder.looks_every
        self._names, self._more = look.names, look.more
        if look.listed is not None:  # whoever renames what cannot be removed does not fill our memory
            self._unremovable &= frozenset(look.listed)
        self._tell_kept(look.kept)
        self._watch_flood(look)
        if look.files:
            await self._gate.refresh()
        for place, file in enumerate(look.files):
            try:
                taken = await guarded(self._take(file), LedgerError)
            except LedgerError:
                await self._hear(look.files[place:])
                raise
            if isinstance(taken, Broken):
                self._refuse(EntryRefused("an entry", f"it could not be looked at ({taken})"))
        await self._arrivals.look()
        self._done, self._names = frozenset(file.name for file in look.files), look.rest
        if not look.rest or not _is_answer(look.rest[0]):
            self._read_once.set()
        return RESTS_FOR if look.rest and len(look.names) > WAITING_MOST else self._folder.looks_every

    async def _take(self, file: InboxFile) -> None:
        """Record what is let in of one file. Raises LedgerError."""
        admitted = self._gate.admit(file)
        if isinstance(admitted, EntryRefused):
            self._refuse(admitted)
        elif admitted is not None:
            await self._ledger.record_arrival(admitted)
            if admitted.kind in BY_FILE:
                self._edits.poke()

    async def _hear(self, files: Sequence[InboxFile]) -> None:
        """Answers and alerts among what the ledger does not take now."""
        plain = [self._gate.admit(file) for file in files if _is_answer(file.name) or _is_of(HEARD, file.name)]
        await self._arrivals.hear([arrival for arrival in plain if isinstance(arrival, Arrival)])

    def _refuse(self, refused: EntryRefused) -> None:
        """Tell of it: what strangers can bring about only the log."""
        if refused.by_stranger:
            self._log.warning("webhook refused", why=refused.why)
            return
        self._log.warning("entry refused", what=refused.what, why=refused.why)
        text = f"{refused.what} in the inbox was refused: {refused.why}"
        self._notices.tell(OperatorNotice(Trouble.INBOX_REFUSED, text, about=refused.what))

    def _watch_flood(self, look: _InboxLook) -> None:
        webhooks = sum(map(_is_webhook, look.names))
        self._webhooks_flooded = webhooks > (WEBHOOKS_FEW if self._webhooks_flooded else WEBHOOKS_FLOOD)
        if look.more or len(look.names) > WAITING_MOST:
            lies = "more than can be listed lies" if look.more else f"{len(look.names)} entries wait"
            text = f"{lies} in the inbox; {JUDGED_MOST} a second are judged, answers first"
            self._notices.tell(OperatorNotice(Trouble.INBOX_FLOODED, text))
        elif self._webhooks_flooded:
            text = f"{webhooks} webhooks wait in the inbox, and {WEBHOOKS_MOST} a second are checked"
            self._notices.tell(OperatorNotice(Trouble.INBOX_FLOODED, text))
        else:
            self._notices.cured(Trouble.INBOX_FLOODED, "", "what is left in the inbox is judged at once again")

    def _tell_kept(self, kept: Mapping[str, str]) -> None:
        """What cannot be removed is passed over from now on."""
        if not kept:
            return
        self._unremovable |= kept.keys()
        why = next(iter(kept.values()))
        self._log.warning("entry not removed", number=len(kept), why=why)
        text = f"{len(kept)} of what was read in the inbox cannot be removed ({why}), and is passed over"
        cure = "give the folder its owner and mode (systemd-tmpfiles --create), and remove what is no entry by hand"
        about = "what cannot be removed"
        self._notices.tell(OperatorNotice(Trouble.INBOX_REFUSED, f"{text}; {cure}", about=about))

    async def _reading(self, seconds: float) -> _InboxLook | str | None:
        """What a look gives. While the folder does not answer it is asked anew in another thread, and told."""
        loop, since = asyncio.get_running_loop(), self._clock.now()
        asked: set[asyncio.Future[_InboxLook | str | None]] = set()
        while True:
            if len(asked) < ASKED_MOST:
                asked.add(loop.run_in_executor(self._folder.threads, self._read, seconds))
            answered, asked = await asyncio.wait(asked, timeout=ASKS_AGAIN, return_when=asyncio.FIRST_COMPLETED)
            if answered:
                self._anew = len(answered | asked) > 1  # the others' answers go unheard
                return answered.pop().result()
            if self._clock.now() - since >= HANGS_AFTER:
                text = f"the inbox has not answered since {since:%H:%M:%S} UTC: see whether its disk is alive"
                self._notices.tell(OperatorNotice(Trouble.INBOX_UNUSABLE, text, since=since))

    def _read(self, seconds: float) -> _InboxLook | str | None:
        """In a thread, changing nothing here: remove what is done with, list if something may be new, and read those
        files whose turn it is. None: there are none.
        """
        kept = {name: why for name in self._done if (why := self._folder.remove(name))}
        listing = self._folder.changed(anew=self._anew, waits=not (self._names or kept))
        if isinstance(listing, str):
            return listing
        names, more = self._names, self._more
        if listing is not None:
            passed_over = self._unremovable | kept.keys()
            names, more = sorted((name for name in listing.names if name not in passed_over), key=_turn), listing.more
        if not (names or kept or (listing is not None and more)):
            return None
        turn = _whose_turn(names, seconds)
        files = [file for name in turn if (file := self._folder.read(name)) is not None]
        rest = [name for name in names if name not in turn]
        return _InboxLook(names, more, files, rest, kept, listing.names if listing is not None else None)


def _turn(name: str) -> tuple[int, str]:
    """Answers first, then what else people do, then what was left first (names begin with the time), then what is no
    entry.
    """
    entry = read_entry_name(name)
    if entry is None:
        return 3, name
    if entry.kind in {EntryKind.ANSWER, EntryKind.COMMAND_ANSWER}:
        return 0, name
    return (1 if entry.kind in ACTS else 2), name


def _is_answer(name: str) -> bool:
    return _turn(name)[0] == 0


def _is_webhook(name: str) -> bool:
    return _is_of((EntryKind.WEBHOOK,), name)


def _is_of(kinds: Iterable[EntryKind], name: str) -> bool:
    return any(f"-{kind.value}-" in name for kind in kinds)


def _whose_turn(names: Sequence[str], seconds: float) -> dict[str, None]:
    """The names of which so many seconds allow to take the files, in their order."""
    most, webhooks = max(1, round(JUDGED_MOST * seconds)), max(1, round(WEBHOOKS_MOST * seconds))
    turn: dict[str, None] = {}
    for name in names:
        if len(turn) >= most:
            break
        if _is_webhook(name):
            if not webhooks:
                continue
            webhooks -= 1
        turn[name] = None
    return turn
