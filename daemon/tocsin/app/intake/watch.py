"""The folder of incident files, looked through whenever it may have changed, and what that brings.

What is said to have changed is looked at first, and by itself: what is for sure from that counts at once, all else once
the whole folder has been looked through, which follows then (house rule 4: a poke means nothing).

It decides when to look, and when a folder that does not answer is told; what counts is the intake's judgement, and what
follows from it the plan's. It must not know what a version says.

A folder may hang for ever (rule 62): nothing waits for it but this part, in threads of the folder's own.
"""

import asyncio
import contextlib
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Protocol

from tocsin.adapters.files.disk_threads import in_time
from tocsin.app.intake.changes import Changes
from tocsin.app.intake.file_notices import folder_back, hangs, unmarked
from tocsin.app.intake.intake import Intake
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.incident_state import KnownVersion
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.policy import Policy
from tocsin.formats.incident.file_name import same_stem
from tocsin.ports.clock import Clock
from tocsin.ports.folder import Folder, Listed, MarkTrouble
from tocsin.ports.ledger.upkeep import PrunedIncident

RESCAN_EVERY = 10.0
"""Seconds from one look through the folder to the next even if nothing pokes: not every file system tells. However long
a look takes, the folder rests for half of them.
"""
HANGS_AFTER = timedelta(seconds=30)
"""How long a reading of the folder may take until the operators hear that it hangs; they must within a minute."""
FOUND_MOST = 50
"""How many files are looked at by themselves at once: what they bring goes on before the next ones are read."""
FOUND_WITHIN = 1.0
"""Seconds that such a look may take; then the whole folder is looked through, however long that takes."""
ASKS_AGAIN, ASKED_MOST = 60.0, 3
"""Seconds after which a folder that does not answer is asked anew, and in how many threads at the most."""
HANGS_EVERY = 5.0
"""Seconds between two looks whether it does."""
MARKS_EVERY = 5.0
"""Seconds between two marks that the folder is watched, at the least; it is read at least each 10 s."""
WELL_FOR = 15.0
"""Seconds for which a good health check holds: the folder is marked only after one, and they come every 5 s."""


class FolderNews(Protocol):
    """What becomes of what a folder brings."""

    async def take(
        self, changes: Changes, files: Mapping[str, Listed], now: datetime
    ) -> Mapping[str, AbstractSet[str]]:
        """Something is new; `files` are those that were looked at and are there, by name: not always all. The digests
        of what was said elsewhere of incidents that are resolved now.
        """
        ...

    async def recorded(self, incident: str) -> KnownVersion | None:
        """What is known of a finished incident whose file has changed; None: nothing, and its file counts anyway."""
        ...

    def take_pruned(self) -> Sequence[str]:
        """The incidents that were pruned since this was asked last."""
        ...

    async def pruned(self, incident: str) -> PrunedIncident | None:
        """What is left of an incident that was pruned; None: it was not, or nobody can tell, and its file counts."""
        ...

    async def run(self) -> None:
        """What is to be done beside, until cancelled."""
        ...


class Watch:
    """Looks through the folder, in a thread, and passes on what is new to `news`. `alive_at` is when it last did;
    `shares`: machines with the same ledger may watch the folder too (P3).
    """

    def __init__(
        self,
        clock: Clock,
        config: ActiveConfig,
        notices: Notices,
        folder: Folder,
        intake: Intake,
        news: FolderNews,
        *,
        shares: bool = False,
    ) -> None:
        self._news = news
        self._shares = shares
        self._folder = folder
        self._intake = intake
        self._clock = clock
        self._config = config
        self._notices = notices
        self._poked = asyncio.Event()
        self._hints: set[str] = set()
        self._anywhere = False
        self._files: tuple[Sequence[Listed] | str, Mapping[str, Listed]] = "", {}
        self._next_look: datetime | None = None
        self._reading_since: datetime | None = None
        self._hangs_since: datetime | None = None
        self._mark_trouble: MarkTrouble | None = None
        self.alive_at = clock.now()
        self._well_at: float | None = None
        self._marked_at = -math.inf
        self._began = asyncio.Event()

    def attest(self) -> None:
        """The whole daemon is healthy now: whoever reads its folder may show that it watches (P3)."""
        self._well_at = asyncio.get_running_loop().time()

    def poke(self) -> None:
        """Something may have changed: the folder, or the config by which it is read."""
        self._anywhere = True
        self._poked.set()

    async def first_read(self) -> None:
        """Wait until the folder has been read once."""
        await self._began.wait()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(), name="folder pokes")
            tasks.create_task(self._looks(), name="folder scans")
            tasks.create_task(self._news.run(), name="folder news")
            tasks.create_task(self._minds(), name="folder hangs")

    async def scan(self) -> None:
        """Look through the folder once, however long that takes."""
        self._anywhere = False
        self._hints.clear()
        self._reading_since = self._clock.now()
        listing, trouble = await self._reading()
        for incident in self._news.take_pruned():
            await self._note_pruned(incident)
        self._reading_since = None
        self.alive_at = now = self._clock.now()
        loop, policy = asyncio.get_running_loop(), self._config.policy
        changes = await loop.run_in_executor(self._folder.threads, self._observe, listing, now, policy)
        if not isinstance(listing, str):
            self._listed(trouble)
        await self._pass_on(changes, self._files[1], now)
        for incident in changes.unknown:
            known = await self._news.recorded(incident)
            if known is not None or not await self._note_pruned(incident):
                self._intake.note_version(incident, known)
        self._next_look = now if changes.unknown else changes.next_look
        if not isinstance(listing, str):
            self._began.set()

    async def look_at_hints(self) -> bool:
        """Look at some of the files that are said to have changed; whether that was all that need be looked at now."""
        names = set(islice(self._hints, FOUND_MOST))
        self._hints -= names
        names = names.union(*map(same_stem, names))
        found = await in_time(FOUND_WITHIN, self._folder.threads, self._folder.look_at, names)
        if found is None:
            return False
        loop, now, policy = asyncio.get_running_loop(), self._clock.now(), self._config.policy
        observe = partial(self._intake.observe_found, names, found, now, policy)
        changes = await loop.run_in_executor(self._folder.threads, observe)
        await self._pass_on(changes, found, now)
        return changes.next_look is None

    def _observe(self, listing: Sequence[Listed] | str, now: datetime, policy: Policy) -> Changes:
        """In a thread of the folder's: with very many files it takes a while."""
        if listing is not self._files[0]:
            self._files = listing, {} if isinstance(listing, str) else {file.name: file for file in listing}
        return self._intake.observe(listing, now, policy)

    async def _pass_on(self, changes: Changes, files: Mapping[str, Listed], now: datetime) -> None:
        for incident, digests in (await self._news.take(changes, files, now)).items():
            self._intake.note_older(incident, digests)

    async def _note_pruned(self, incident: str) -> bool:
        """Whether an incident was pruned: then its file is compared with the versions that it had."""
        pruned = await self._news.pruned(incident)
        if pruned is not None:
            self._intake.note_pruned(incident, pruned.digests)
        return pruned is not None

    def _listed(self, mark: MarkTrouble | None) -> None:
        """The folder could be read. `mark` is why it cannot be marked as watched, which is told once."""
        self._hangs_since = None
        self._notices.cured(Trouble.FOLDER_UNREADABLE, "", folder_back(self._intake.label))
        if mark and mark.shared and self._shares:
            mark = None
        if mark and mark != self._mark_trouble:
            self._notices.tell(unmarked(mark))
        self._mark_trouble = mark

    async def _minds(self) -> None:
        """Tell the operators of a reading that does not come to an end."""
        while True:
            await asyncio.sleep(HANGS_EVERY)
            since = self._reading_since
            if since and not self._hangs_since and self._clock.now() - since >= HANGS_AFTER:
                self._hangs_since = since
                self._notices.tell(hangs(self._intake.label, since))

    async def _reading(self) -> tuple[Sequence[Listed] | str, MarkTrouble | None]:
        """What stands in the folder, and why it cannot be marked as watched. While nobody answers it is asked anew in
        another thread: what was asked of a dead server may hang for ever although another stands in its place.
        """
        asked: set[asyncio.Future[tuple[Sequence[Listed] | str, MarkTrouble | None]]] = set()
        loop = asyncio.get_running_loop()
        while True:
            if len(asked) < ASKED_MOST:
                asked.add(loop.run_in_executor(self._folder.threads, self._read, loop))
            answered, asked = await asyncio.wait(asked, timeout=ASKS_AGAIN, return_when=asyncio.FIRST_COMPLETED)
            if answered:
                return answered.pop().result()

    def _read(self, loop: asyncio.AbstractEventLoop) -> tuple[Sequence[Listed] | str, MarkTrouble | None]:
        """Ask the folder, and mark it as watched now and then, by the loop's time: a standby's clock is set back where
        the database's is behind it (R60). In its thread.
        """
        listing, now = self._folder.scan(), loop.time()
        if self._well_at is None:
            self._well_at = now
        if isinstance(listing, str) or now - self._well_at > WELL_FOR or now - self._marked_at < MARKS_EVERY:
            return listing, self._mark_trouble
        trouble = self._folder.renew()
        self._marked_at = now
        return listing, trouble

    async def _listen(self) -> None:
        async for names in self._folder.pokes():
            self._hints |= names
            self._anywhere = self._anywhere or not names
            self._poked.set()

    async def _looks(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self.scan()
            ended = loop.time()
            wait = RESCAN_EVERY - min(ended - began, RESCAN_EVERY / 2)
            if self._next_look is not None:
                wait = min(wait, max(0.0, (self._next_look - self._clock.now()).total_seconds()))
            until = ended + wait
            while await self._hinted(until) and await self.look_at_hints():
                pass

    async def _hinted(self, until: float) -> bool:
        """Wait for a hint, if the whole folder is not to be looked through before; not longer than `until`, in seconds
        of the loop's time.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                while not (self._hints or self._anywhere):
                    self._poked.clear()
                    await self._poked.wait()
        return not self._anywhere and bool(self._hints) and asyncio.get_running_loop().time() < until
