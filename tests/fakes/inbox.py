"""An inbox that is judged as soon as something is left in it, by the daemon's own gate and judges."""

import asyncio
import random
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.app.alerts.apply import AlertIncidents
from tocsin.app.arrivals.alert_feed import AlertFeed
from tocsin.app.arrivals.gate import EntryRefused, Gate
from tocsin.app.arrivals.inbound import Arrivals, Judge
from tocsin.app.arrivals.link_answers import LinkAnswers
from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.sender import Sender
from tocsin.app.replies.flips import Flips
from tocsin.app.replies.unsubscribing import Unsubscriptions
from tocsin.app.reply_options.codes import Codes
from tocsin.app.reply_options.options import ReplyOptions
from tocsin.app.sign_in.judge import SignIns
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.app.state.open_sessions import OpenSessions
from tocsin.app.state.opt_outs import OptOuts
from tocsin.app.state.sign_in_codes import SignInCodes
from tocsin.domain.arrival import Arrival, ArrivalKind, EntryKind, InboxEntry
from tocsin.domain.delivery import Letter
from tocsin.domain.policy import Policy
from tocsin.formats.inbox.entries import write_entry
from tocsin.formats.inbox.names import EntryName, entry_name
from tocsin.formats.settings.settings import Settings
from tocsin.ports.inbox import InboxError, InboxFile, InboxListing
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.daemon_parts import shipped_words
from tests.fakes.ledger import MemoryLedger
from tests.fakes.loop import StillHangsError


class KeptInbox:
    """`ports.Inbox` that only keeps. `trouble` is why nothing can be left."""

    def __init__(self) -> None:
        self.left: list[InboxEntry] = []
        self.taken: set[str] = set()
        self.trouble: InboxError | None = None

    async def leave(self, entry: InboxEntry) -> None:
        """Keep it."""
        if self.trouble:
            raise self.trouble
        self.left.append(entry)

    async def waits(self, kind: EntryKind, ref: str) -> bool:
        """Whether nobody has taken it."""
        return ref not in self.taken and any((entry.kind, entry.ref) == (kind, ref) for entry in self.left)


class RecordedSends:
    """Keeps the letters, instead of a sender."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def enqueue(self, letters: Sequence[Letter], *, recorded: bool = True) -> None:
        """Keep them."""
        assert recorded
        self.letters += letters


class JudgedInbox(KeptInbox):
    """What is left is judged at once, unless the daemon is `away`."""

    def __init__(self, clock: Any, ledger: MemoryLedger, policy: Callable[[], Policy], settings: Settings) -> None:
        super().__init__()
        self.away = False
        self.refused: list[EntryRefused] = []
        self.notices, self.sessions, self.sent = Notices(clock), OpenSessions(), RecordedSends()
        self._config = ActiveConfig(policy(), settings)
        options = ReplyOptions(Codes(random.Random(0)), self._config, ledger)
        context = DeliveryContext(self._config, Incidents(Agenda()), self.notices, options)
        self.codes = context.sign_in_codes
        renderer, sender = shipped_words(), cast("Sender", self.sent)
        self.sign_ins = SignIns(clock, ledger, context, self.sessions, sender, renderer, random.Random(0))
        self._clock, self._ledger, self._policy, self._settings = clock, ledger, policy, settings
        self.flips = Flips(clock)

    async def leave(self, entry: InboxEntry) -> None:
        """Keep it, and have it judged."""
        await super().leave(entry)
        if not self.away:
            await self.judge(entry)

    @property
    def code(self) -> str:
        """The code in the newest message that was sent."""
        newest = self.sent.letters[-1]
        return re.findall("[0-9]{6}", self.codes.put_in(newest.notification.key, newest.content).text)[0]

    async def judge(self, entry: InboxEntry) -> None:
        """What the daemon does with it."""
        self.taken.add(entry.ref)
        config = ActiveConfig(self._policy(), self._settings, OptOuts(await self._ledger.opt_outs()))
        self._config.replace(self._policy(), self._settings)
        name = entry_name(EntryName(self._clock.now(), entry.kind, entry.ref))
        admitted = Gate(self._clock, config, self.sessions, self.codes).admit(
            InboxFile(name, write_entry(entry), of_web_side=True)
        )
        if isinstance(admitted, EntryRefused):
            self.refused.append(admitted)
        elif admitted is not None:
            await self._ledger.record_arrival(admitted)
            wishes = Unsubscriptions(self._clock, self._ledger, config, self.notices)
            judges: Mapping[ArrivalKind, Judge] = {
                ArrivalKind.ANSWER: LinkAnswers(
                    self._clock, self._ledger, config, Incidents(Agenda()), self.notices, self.flips
                ).judge,
                ArrivalKind.UNSUBSCRIBE: wishes.unsubscribe,
                ArrivalKind.SIGN_IN: self.sign_ins.ask,
                ArrivalKind.CODE: self.sign_ins.enter,
                ArrivalKind.SIGN_OUT: self.sign_ins.leave,
            }
            await Arrivals(self._ledger, judges, self.notices).look()
            incidents = AlertIncidents(IncidentFiles(self._settings.incidents))
            await AlertFeed(self._clock, self._ledger, config, self.notices, incidents).look()


class JudgedAlerts(KeptInbox):
    """Alerts that are left are judged at once, and written into a folder, unless the daemon is `away`."""

    def __init__(self, clock: Any, ledger: MemoryLedger, config: ActiveConfig, files: IncidentFiles) -> None:
        super().__init__()
        self.away = False
        self.notices = Notices(clock)
        self.feed = AlertFeed(clock, ledger, config, self.notices, AlertIncidents(files))
        self._clock, self._ledger, self._gate = clock, ledger, Gate(clock, config, OpenSessions(), SignInCodes())
        self._waiting: list[InboxFile] = []

    async def leave(self, entry: InboxEntry) -> None:
        """Keep it, and have it judged."""
        await super().leave(entry)
        name = entry_name(EntryName(self._clock.now(), entry.kind, entry.ref))
        self._waiting.append(InboxFile(name, write_entry(entry), of_web_side=True))
        with suppress(LedgerError):
            await self.look()

    async def look(self) -> None:
        """What the daemon does, if it runs. Raises LedgerError."""
        while self._waiting and not self.away:
            admitted = self._gate.admit(self._waiting[0])
            assert isinstance(admitted, Arrival), admitted
            await self._ledger.record_arrival(admitted)
            del self._waiting[0]
        if not self.away:
            await self.feed.look()


class FakeInboxFolder:
    """`ports.InboxFolder` without a disk. `away` is why it cannot be listed, `hangs` is set while nobody gets an answer;
    `stuck` are names that cannot be removed.
    """

    threads = None

    def __init__(self, looks_every: float = 0.1) -> None:
        self.looks_every = looks_every
        self.files: dict[str, InboxFile] = {}
        self.away, self.more = "", False
        self.hangs: asyncio.Event | None = None
        self.stuck: set[str] = set()
        self.listings = 0
        self._changed = True

    def put(
        self,
        entry: InboxEntry,
        at: datetime,
        *,
        of_web_side: bool = True,
        ours: bool = True,
        of_responder: bool = False,
    ) -> str:
        """Somebody leaves an entry, if not said otherwise one user as in a checkout; the name of its file."""
        name = entry_name(EntryName(at, entry.kind, entry.ref))
        owner = "" if of_web_side else "sam"
        self.put_file(
            InboxFile(name, write_entry(entry), owner, of_web_side, of_web_side and ours, of_responder, lies_since=at)
        )
        return name

    def put_file(self, file: InboxFile) -> None:
        """Something lies there."""
        self.files[file.name] = file
        self._changed = True

    def changed(self, *, anew: bool = False, waits: bool = False) -> InboxListing | str | None:
        """What lies there, if something was put there."""
        if self.hangs:
            raise StillHangsError(self.hangs)
        if self.away:
            return self.away
        if not (anew or self._changed):
            return None
        self._changed = False
        self.listings += 1
        return InboxListing(tuple(self.files), self.more)

    def read(self, name: str) -> InboxFile | None:
        """One of the files."""
        return self.files.get(name)

    def remove(self, name: str) -> str:
        """Remove it."""
        if name in self.stuck:
            return "operation not permitted"
        self.files.pop(name, None)
        return ""
