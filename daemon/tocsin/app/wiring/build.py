"""The daemon, put together: which adapter stands at which port, and which parts share what. It decides nothing else."""

import asyncio
import importlib
import random
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType

from tocsin.adapters.clock import SystemClock
from tocsin.adapters.files.disk_threads import FOLDERS_WITHIN, DiskThreads, in_time
from tocsin.adapters.files.fingerprint import Fingerprint
from tocsin.adapters.files.incident_folder.watched_folder import WatchedFolder
from tocsin.adapters.files.incident_writer import IncidentFiles, review_files
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sandbox import Codes as Compiled
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.upkeep import SqlUpkeep
from tocsin.adapters.memory import give_back
from tocsin.adapters.server_clock import ServerClock
from tocsin.adapters.systemd import Systemd
from tocsin.app.arrivals.edit_feed import EditFeed
from tocsin.app.arrivals.edit_judge import EditJudge
from tocsin.app.arrivals.first_answers import FirstAnswers
from tocsin.app.arrivals.gate import Gate
from tocsin.app.arrivals.in_memory.alerts import AlertsInMemory
from tocsin.app.arrivals.in_memory.answers import AnswersInMemory
from tocsin.app.arrivals.inbound import Arrivals, Judge
from tocsin.app.arrivals.inbox_feed import InboxFeed
from tocsin.app.arrivals.link_answers import LinkAnswers
from tocsin.app.arrivals.words import Words
from tocsin.app.configuration.config_judge import ConfigJudge
from tocsin.app.configuration.kept.reading import in_part
from tocsin.app.delivery.bundles import Bundles
from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.operator_notices import OperatorNotices
from tocsin.app.delivery.providers import Providers
from tocsin.app.delivery.receipts import Receipts
from tocsin.app.delivery.rooms import RECKONED_FROM, Rooms
from tocsin.app.delivery.sender import Sender
from tocsin.app.delivery.transports import Transports
from tocsin.app.engine.after_work import AfterWork
from tocsin.app.engine.pruner import Calm, Pruner
from tocsin.app.engine.reconcile import Reconciler
from tocsin.app.engine.rehearsal import Rehearsal
from tocsin.app.engine.scheduler import Scheduler
from tocsin.app.hand_ins.from_memory.sent_elsewhere import SentElsewhere
from tocsin.app.incidents.reviews import Reviews
from tocsin.app.intake.set_aside import SetAsideIncidents
from tocsin.app.leadership.beginning import HANGS_AFTER, BeginningGivenUpError, beginning
from tocsin.app.leadership.standing_by import StandbyPart
from tocsin.app.leadership.this_node import ThisNode, compared_revision
from tocsin.app.leadership.warm import WarmConfig, WarmProviders, WarmTemplates
from tocsin.app.lifecycle.clock_watch import ClockSteps, ClockWatch, ProviderClocks
from tocsin.app.lifecycle.folders import ConfigOnDisk, prepare_folders
from tocsin.app.lifecycle.health import Alive, Health
from tocsin.app.lifecycle.log_watch import LogProgress, LogWatch
from tocsin.app.lifecycle.reload import ConfigReader, Reload, refused
from tocsin.app.lifecycle.run import Daemon, Orders, Part
from tocsin.app.lifecycle.start_advice import StartAdvice
from tocsin.app.lifecycle.startup import Started, StartError, let_go_of_life, made_to_stay
from tocsin.app.replies.flips import Flips
from tocsin.app.replies.sms import SmsReplies
from tocsin.app.replies.sms_poll import SmsPoll
from tocsin.app.replies.stops import Stops
from tocsin.app.replies.unsubscribing import Unsubscriptions
from tocsin.app.reply_options.codes import RESERVED_FOR, Codes
from tocsin.app.reply_options.options import ReplyOptions
from tocsin.app.sign_in.judge import SignIns
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.app.state.open_sessions import OpenSessions
from tocsin.app.state.opt_outs import OptOuts
from tocsin.app.wiring.alerts import alert_parts
from tocsin.app.wiring.folders import StandbyFolders, watched_parts
from tocsin.app.wiring.heartbeat import LateHeartbeat
from tocsin.app.wiring.ledgers import LedgerHere, LedgerInFile
from tocsin.app.wiring.transports import make_transports
from tocsin.domain.arrival import ArrivalKind
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel
from tocsin.formats.settings.settings import Settings
from tocsin.planning.history.redating import letter_not_later
from tocsin.planning.machines.leadership import MIGRATES_WITHIN, STARTS_WITHIN
from tocsin.ports.bounded_work import BoundedWork
from tocsin.ports.clock import Clock, MovableClock
from tocsin.ports.fence import Lead
from tocsin.ports.ledger.trouble import LedgerError


async def run(folder: Path, environ: Mapping[str, str], log: LogProgress, work: BoundedWork, *, watched: bool) -> None:
    """The daemon, from start to drain; `log` tells whether its lines arrive, `watched` that a person reads them; `work`
    is where a config is judged. It waits until it leads, lives as long as it does, and waits again. Raises StartError.
    """
    clock: SystemClock | ServerClock = SystemClock()
    orders = Orders()
    config_threads, other_threads = DiskThreads("config folder"), DiskThreads("folders", 4)
    judge, compiled = ConfigJudge(work, DiskThreads("config judge")), Compiled()
    on_disk = ConfigOnDisk(folder, environ, clock, config_threads, judge)
    await on_disk.read()
    place, manager = await on_disk.ledger(other_threads), Systemd(environ)
    async with AsyncExitStack() as closing:
        ledger: LedgerHere
        if place.file is not None:
            ledger = LedgerInFile.open(place.file, clock, closing)
        else:
            orders.by_signal()
            clock = ServerClock()
            on_disk = on_disk.by(clock)
            parts = partial(standby_parts, on_disk, clock, judge, compiled)
            server = server_ledger().LedgerOnServer
            ledger = await server.open(place, clock, on_disk, manager, parts, orders.stop, closing)
        readers = config_threads, DiskThreads("template folder")
        life = Life(
            clock, orders, environ, log, judge, compiled, on_disk, ledger, manager, readers, other_threads, watched
        )
        try:
            while (lead := await ledger.leadership.until_leading(orders.stop)) is not None:
                here = await ledger.under(lead)
                async with kept(lead), here.leading():
                    with suppress(BeginningGivenUpError):
                        await replace(life, ledger=here).live(lead)
                    if not orders.stop.is_set():
                        let_go_of_life()
        except LedgerError as trouble:  # what a human must put right, as a name that another process has
            raise StartError(trouble) from None


def server_ledger() -> ModuleType:
    """What knows PostgreSQL, whose driver not everybody has. Raises StartError."""
    try:
        return importlib.import_module("tocsin.app.wiring.server")
    except ModuleNotFoundError as missing:
        cure = "pip install 'tocsin[postgres]', or ledger: sqlite:///../var/tocsin.db"
        raise StartError(f"a ledger on PostgreSQL needs {missing.name}, which is not installed: {cure}") from None


@asynccontextmanager
async def kept(lead: Lead) -> AsyncIterator[None]:
    """The lead is renewed meanwhile, and given back in the end. What breaks that ends the daemon."""
    keeping = asyncio.create_task(lead.run(), name="lead")
    keeping.add_done_callback(lambda task: None if task.cancelled() else lead.lost.set())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})
        await lead.give_back()
    if not keeping.cancelled():
        keeping.result()


def standby_parts(
    on_disk: ConfigOnDisk, clock: Clock, judge: ConfigJudge, compiled: Compiled, this: ThisNode, ledger: SqlLedger
) -> tuple[StandbyPart, ...]:
    """What this machine does while it stands by. The templates that it compiles become those of `compiled`."""

    def transports() -> Transports | None:
        settings = on_disk.reading.own
        return Transports(settings, lambda new: make_transports(new, clock)) if settings else None

    folders = StandbyFolders(this.name, clock, ledger, on_disk)
    renderer = JinjaRenderer(shipped_folder(), lambda _fault: None, compiled)
    templates = WarmTemplates(on_disk, renderer, judge, DiskThreads("template folder"))
    return WarmConfig(on_disk, this), WarmProviders(transports, this), templates, folders


@dataclass(frozen=True, slots=True)
class Life:
    """What outlives a life of the daemon, and how it lives."""

    clock: MovableClock
    orders: Orders
    environ: Mapping[str, str]
    log: LogProgress
    judge: ConfigJudge
    compiled: Compiled
    on_disk: ConfigOnDisk
    ledger: LedgerHere
    manager: Systemd
    readers: tuple[DiskThreads, DiskThreads]
    other_threads: DiskThreads
    watched: bool

    async def live(self, lead: Lead) -> None:
        """Live while this process leads, or until it is told to stop. Whenever the machine's clock is put forward or
        back the daemon begins anew, with the same ledger (rule 60). Raises StartError.
        """
        clock, steps = self.clock, ClockSteps()
        async with self._beginning(lead, MIGRATES_WITHIN):
            await self.ledger.lead(lead)
        async with self._beginning(lead):
            clock_notice = await self.ledger.recall()
        advice: tuple[Part, ...] = (StartAdvice(self.on_disk.reading, clock.now(), whole=self.watched),)
        while True:
            daemon = await self._once(lead, steps, clock_notice, advice)
            if self.orders.stop.is_set() or lead.lost.is_set():
                return
            clock_notice = await daemon.take_over(lead)
            del daemon
            let_go_of_life()
            advice = ()
            await self.on_disk.read()

    def _beginning(self, lead: Lead, within: float = STARTS_WITHIN) -> AbstractAsyncContextManager[None]:
        """One step of a start: the lead is kept meanwhile, for so many seconds at most."""
        lead.begin_anew(within)
        return beginning(self.manager, self.orders.stop, lead.lost, within=within + HANGS_AFTER)

    async def _once(
        self, lead: Lead, steps: ClockSteps, clock_notice: OperatorNotice | None, advice: tuple[Part, ...]
    ) -> Daemon:
        """The daemon from its start until it ends, or is to begin anew."""
        clock, ledger = self.clock, self.ledger.ledger
        async with AsyncExitStack() as life:
            async with self._beginning(lead):
                with made_to_stay():
                    daemon = await self._made(life, lead, steps, clock_notice, advice)
                unsettled = [letter_not_later(letter, clock.now()) for letter in await ledger.unsettled()]
            self.orders.by_signal()
            await daemon.serve(daemon.incidents.resumable(unsettled), self.orders, lead)
            await self.ledger.leave(daemon.sender.open.values())
        return daemon

    async def _made(
        self,
        life: AsyncExitStack,
        lead: Lead,
        steps: ClockSteps,
        clock_notice: OperatorNotice | None,
        advice: tuple[Part, ...],
    ) -> Daemon:
        """The daemon as it is to serve; `life` lets go of its folder in the end."""
        clock, ledger, environ, on_disk = self.clock, self.ledger.ledger, self.environ, self.on_disk
        started, made = await on_disk.started(ledger), self.ledger.surroundings
        incident_folder = made.folder(started.settings.incidents, clock)
        life.push_async_callback(in_time, FOLDERS_WITHIN, incident_folder.threads, incident_folder.release)
        await prepare_folders(started, incident_folder, self.other_threads, shared=bool(self.ledger.machine))
        opt_outs, notices = OptOuts(await ledger.opt_outs()), made.notices(clock)
        config = ActiveConfig(started.policy, started.settings, opt_outs, started.digest)
        files = started, self.judge, *self.readers
        reader = ConfigReader(on_disk.folder, environ, clock, ledger, config, notices, *files)
        beside: tuple[Part, ...] = (LogWatch(clock, self.log, notices), AfterWork(give_back), *advice)
        parts = reader, incident_folder, on_disk.before, beside, steps
        renderer = made.renderer(shipped_folder(), notices.tell_template, self.compiled)
        daemon = await assemble(clock, ledger, config, notices, renderer, self.manager, *parts, lead, self.ledger)
        tell_troubles(notices, started, clock_notice)
        self.ledger.tell(notices)
        here = (part for part in daemon.parts if not isinstance(part, made.without))
        return replace(daemon, parts=(*here, *self.ledger.parts(notices, lead, config, daemon.sender)))


async def assemble(  # noqa: PLR0913, PLR0917 - what was made before the parts
    clock: MovableClock,
    ledger: SqlLedger,
    config: ActiveConfig,
    notices: Notices,
    renderer: JinjaRenderer,
    manager: Systemd,
    reader: ConfigReader,
    folder: WatchedFolder,
    before: Fingerprint,
    beside: tuple[Part, ...],
    steps: ClockSteps,
    lead: Lead,
    here: LedgerHere,
) -> Daemon:
    """Every part, what is shared first. `before` is the config folder's fingerprint; `beside` runs with the rest."""
    settings, dice, machine, unseen = config.settings, random.SystemRandom(), here.machine, here.surroundings.unseen
    codes = Codes(dice, await ledger.reserved_codes(clock.now() - RESERVED_FOR), clock.now())
    incidents, sessions = Incidents(agenda := Agenda()), OpenSessions(await ledger.sessions())
    transports = Transports(settings, lambda new: make_transports(new, clock, lead))
    before |= await reader.first_templates(renderer)
    options, providers = ReplyOptions(codes, config, ledger), Providers(clock, transports, notices)
    context = DeliveryContext(config, incidents, notices, options, fence=lead, machine=machine, unseen=unseen)
    rooms = Rooms(clock, context, sent := await ledger.sent_pages(clock.now() - RECKONED_FROM))
    providers.recall([attempt for _, attempt in sent])
    sender = Sender(clock, ledger, context, providers, dice, rooms, Bundles(context, renderer))
    receipts, elsewhere = _news_of_pages(clock, ledger, context, providers, sender, rooms)
    operator_notices = OperatorNotices(clock, ledger, config, notices, sender, renderer, machine or host(settings))
    reconciler = Reconciler(clock, ledger, renderer, context, sender, rooms, elsewhere)
    scheduler, box = Scheduler(clock, agenda, reconciler.reconcile), here.surroundings.inbox_of(settings)
    edits, gate = edit_feed(clock, ledger, context), Gate(clock, config, sessions, context.sign_in_codes)
    known = clock, ledger, config, incidents, notices
    folders = await watched_parts(machine, *known, folder, edits.put_back, elsewhere, here.recalled, lead.lost.set)
    stops, sign_ins = Stops(clock, ledger, context), SignIns(clock, ledger, context, sessions, sender, renderer, dice)
    pruner = Pruner(clock, SqlUpkeep(ledger.store), config, Calm(incidents, agenda, sender.undelivered))
    in_memory, alerts = AnswersInMemory(clock, context, Flips(clock), sender.open), alert_parts(*known)
    arrivals = judged(clock, ledger, context, receipts, sender, stops, renderer, sign_ins, pruner, in_memory, alerts[1])
    inbox, aside = InboxFeed(clock, ledger, box, gate, arrivals, edits, notices), SetAsideIncidents(*known, machine)
    polls = sms_polls(clock, ledger, config, transports, notices, in_memory)
    clock_watch = ClockWatch(clock, ledger, incidents, notices, sender, steps)
    reviews = Reviews(clock, ledger, config, incidents, notices, review_files, DiskThreads("reviews"))
    alive: dict[str, Alive] = {"scheduler": scheduler, "senders": sender}
    health = Health(clock, manager, LateHeartbeat(), ledger, config, alive, folders.watch, delivering=sender, lead=lead)
    reload = Reload(clock, reader, config, transports, renderer, folders.watch, incidents, notices, before)
    await transports.warm()
    core: tuple[Part, ...] = (scheduler, sender, receipts, operator_notices, *folders.parts, reload, health, aside)
    comes = (*beside, *alerts, inbox, arrivals, edits, stops, transports, reviews, sign_ins, pruner, *polls)
    rest = clock_watch, ProviderClocks(clock, transports, notices), Rehearsal(agenda, config, renderer, folders.sources)
    daemon = (config, incidents, agenda, transports, sender, operator_notices, reload, clock_watch, manager)
    return Daemon(*daemon, (*core, *rest, *comes), (*folders.sources, inbox, FirstAnswers(polls, arrivals)))


def host(settings: Settings) -> str:
    """What this machine is called where it is alone with its ledger."""
    return settings.node or socket.gethostname()


def edit_feed(clock: MovableClock, ledger: SqlLedger, context: DeliveryContext) -> EditFeed:
    """What brings what people do in the browser into incident files."""
    files, threads = IncidentFiles(context.config.settings.incidents), DiskThreads("edits")
    return EditFeed(clock, ledger, EditJudge(clock, ledger, context, files, threads), context.notices)


def sms_polls(
    clock: MovableClock,
    ledger: SqlLedger,
    config: ActiveConfig,
    transports: Transports,
    notices: Notices,
    in_memory: AnswersInMemory,
) -> list[SmsPoll]:
    """What asks each provider of SMS for answers."""
    names = transports.by_name(Channel.SMS)
    return [SmsPoll(clock, ledger, config, transports, notices, name, in_memory) for name in names]


def judged(  # noqa: PLR0913, PLR0917 - what was made before the judges
    clock: MovableClock,
    ledger: SqlLedger,
    context: DeliveryContext,
    receipts: Receipts,
    sender: Sender,
    stops: Stops,
    renderer: JinjaRenderer,
    sign_ins: SignIns,
    pruner: Pruner,
    in_memory: AnswersInMemory,
    alerts: AlertsInMemory,
) -> Arrivals:
    """What comes in, with who acts on it."""
    flips, unsubscriptions = in_memory.flips, Unsubscriptions(clock, ledger, context.config, context.notices)
    by_link = LinkAnswers(clock, ledger, context.config, context.incidents, context.notices, flips, in_memory)
    judges: Mapping[ArrivalKind, Judge] = {
        ArrivalKind.RECEIPT: receipts.judge,
        ArrivalKind.SMS: SmsReplies(clock, ledger, context, sender, stops, renderer, in_memory).judge,
        ArrivalKind.ANSWER: by_link.judge,
        ArrivalKind.UNSUBSCRIBE: unsubscriptions.unsubscribe,
        ArrivalKind.RESUBSCRIBE: unsubscriptions.resubscribe,
        ArrivalKind.SIGN_IN: sign_ins.ask,
        ArrivalKind.CODE: sign_ins.enter,
        ArrivalKind.SIGN_OUT: sign_ins.leave,
        ArrivalKind.WORD: Words(clock, context.notices).judge,
        ArrivalKind.PRUNE: pruner.judge,
    }
    return Arrivals(ledger, judges, context.notices, (in_memory, alerts))


def tell_troubles(notices: Notices, started: Started, clock_notice: OperatorNotice | None) -> None:
    """What operators hear of the start: of a wrong clock, a refused config, what of the one before does not count."""
    if clock_notice:
        notices.tell(clock_notice)
    for notice in refused(started.refused):
        notices.tell(notice)
    if started.behind:
        sentence = "this machine's config folder has one that the ledger knows as an older one; the ledger's newest"
        named = compared_revision(started.policy.revision, started.digest)
        notices.tell(OperatorNotice(Trouble.CONFIG_BEHIND, f"{sentence}, {named}, goes on"))
    if started.left_out:
        notices.tell(OperatorNotice(Trouble.CONFIG_IN_PART, in_part(started.left_out)))
    elif not (started.refused or started.behind or started.unread):
        for trouble in (Trouble.CONFIG_REFUSED, Trouble.CONFIG_IN_PART, Trouble.CONFIG_BEHIND):
            notices.cured(trouble, "", "the config on disk is in force")


def _news_of_pages(
    clock: MovableClock, ledger: SqlLedger, context: DeliveryContext, providers: Providers, sender: Sender, rooms: Rooms
) -> tuple[Receipts, SentElsewhere]:
    """What becomes known of pages once they left: from providers, and from other machines."""
    elsewhere = SentElsewhere(clock, ledger, sender, rooms, context.incidents)
    return Receipts(clock, ledger, context, providers, sender), elsewhere
