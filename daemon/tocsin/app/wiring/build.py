"""The daemon, put together: which adapter stands at which port, and which parts share what. It decides nothing else."""

import os
import random
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

from tocsin.adapters.clock import SystemClock
from tocsin.adapters.files.disk_threads import FOLDERS_WITHIN, DiskThreads, in_time
from tocsin.adapters.files.fingerprint import Fingerprint
from tocsin.adapters.files.incident_writer import IncidentFiles, review_files
from tocsin.adapters.files.rights import owner_beside_root, way_to_write, why_not
from tocsin.adapters.files.watched_folder import WatchedFolder
from tocsin.adapters.heartbeat import HttpHeartbeat
from tocsin.adapters.inbox.reader import InboxReader
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.lock import LedgerLockedError
from tocsin.adapters.ledger.sqlite.opening import open_file, take_lock
from tocsin.adapters.systemd import Systemd
from tocsin.app.alerts.apply import AlertIncidents
from tocsin.app.arrivals.alert_feed import AlertFeed
from tocsin.app.arrivals.edit_feed import EditFeed
from tocsin.app.arrivals.edit_judge import EditJudge
from tocsin.app.arrivals.first_answers import FirstAnswers
from tocsin.app.arrivals.gate import Gate
from tocsin.app.arrivals.inbound import Arrivals, Judge
from tocsin.app.arrivals.inbox_feed import InboxFeed
from tocsin.app.arrivals.link_answers import LinkAnswers
from tocsin.app.arrivals.words import Words
from tocsin.app.configuration.config_judge import ConfigJudge
from tocsin.app.configuration.kept.reading import in_part
from tocsin.app.configuration.load import label_of
from tocsin.app.delivery.bundles import Bundles
from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.operator_notices import OperatorNotices
from tocsin.app.delivery.providers import Providers
from tocsin.app.delivery.receipts import Receipts
from tocsin.app.delivery.rooms import RECKONED_FROM, Rooms
from tocsin.app.delivery.sender import Sender
from tocsin.app.delivery.transports import Transports
from tocsin.app.engine.ledger_keeper import LedgerKeeper
from tocsin.app.engine.reconcile import Reconciler
from tocsin.app.engine.scheduler import Scheduler
from tocsin.app.incidents.reviews import Reviews
from tocsin.app.intake.intake import Intake
from tocsin.app.intake.one_folder import OneFolder
from tocsin.app.intake.set_aside import SetAsideIncidents
from tocsin.app.intake.watch import Watch
from tocsin.app.lifecycle.clock_watch import ClockSteps, ClockWatch, ProviderClocks
from tocsin.app.lifecycle.folders import ConfigOnDisk, prepare_folders
from tocsin.app.lifecycle.health import Alive, Health
from tocsin.app.lifecycle.log_watch import LogProgress, LogWatch
from tocsin.app.lifecycle.reload import ConfigReader, Reload, refused
from tocsin.app.lifecycle.run import Daemon, Orders, Part
from tocsin.app.lifecycle.start_advice import StartAdvice
from tocsin.app.lifecycle.startup import Started, StartError, bring_back, finished, recall
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
from tocsin.app.wiring.transports import make_transports
from tocsin.domain.arrival import ArrivalKind
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel
from tocsin.planning.history.redating import letter_not_later
from tocsin.ports.bounded_work import BoundedWork
from tocsin.ports.ledger import LedgerError


async def run(folder: Path, environ: Mapping[str, str], log: LogProgress, work: BoundedWork, *, watched: bool) -> None:
    """The daemon, from start to drain; `log` tells whether its lines arrive, `watched` that a person reads them; `work`
    is where a config is judged.
    Whenever the machine's clock is put forward or back it begins anew, with the same ledger (rule 60). Raises
    StartError.
    """
    clock, orders, steps = SystemClock(), Orders(), ClockSteps()
    config_threads, other_threads = DiskThreads("config folder"), DiskThreads("folders", 4)
    readers = config_threads, DiskThreads("template folder")
    judge = ConfigJudge(work, DiskThreads("config judge"))
    on_disk = ConfigOnDisk(folder, environ, clock, config_threads, judge)
    await on_disk.read()
    place = (await on_disk.ledger(other_threads)).file
    if place is None:
        raise StartError("ledger: no daemon works on PostgreSQL yet; write sqlite:///../var/tocsin.db")
    async with AsyncExitStack() as closing:
        store = open_store(place, clock.now(), closing)
        ledger = SqlLedger(store)
        clock_notice = await bring_back(ledger, clock.now())
        await store.compare_with_mark(clock.now())
        advice: tuple[Part, ...] = (StartAdvice(on_disk.reading, clock.now(), whole=watched),)
        while True:
            started = await on_disk.started(ledger)
            incident_folder = WatchedFolder(started.settings.incidents, clock)
            async with AsyncExitStack() as life:
                life.push_async_callback(in_time, FOLDERS_WITHIN, incident_folder.threads, incident_folder.release)
                await prepare_folders(started, incident_folder, other_threads)
                opt_outs = OptOuts(await ledger.opt_outs())
                notices, config = Notices(clock), ActiveConfig(started.policy, started.settings, opt_outs)
                reader = ConfigReader(folder, environ, clock, ledger, config, notices, started, judge, *readers)
                keeper = LedgerKeeper(clock, store, notices, place)
                manager = Systemd(environ)
                alerts = alert_feed(clock, ledger, config, notices)
                beside: tuple[Part, ...] = (LogWatch(clock, log, notices), keeper, alerts, *advice)
                daemon = await assemble(
                    clock, ledger, config, notices, manager, reader, incident_folder, on_disk.before, beside, steps
                )
                tell_troubles(notices, started, store, clock_notice)
                orders.by_signal()
                unsettled = [letter_not_later(letter, clock.now()) for letter in await ledger.unsettled()]
                await daemon.serve(daemon.incidents.resumable(unsettled), orders)
            if orders.stop.is_set():
                return
            clock_notice = await daemon.take_over()
            advice = ()
            await on_disk.read()


def open_store(path: Path, now: datetime, closing: AsyncExitStack) -> FileStore:
    """The ledger's file, for this daemon alone; `closing` lets go of it in the end. Raises StartError."""
    try:
        refuse_to_leave_roots_files(path.parent)
        lock = take_lock(path)
        if lock is not None:
            closing.callback(lock.release)
        store = FileStore(open_file(path, now.strftime("%Y%m%dT%H%M%SZ")), lock)
    except LedgerLockedError as other:
        raise StartError(other) from None
    except (LedgerError, OSError) as trouble:
        if way := way_to_write(path):
            raise StartError(f"the ledger {path} cannot be opened: {way}") from None
        why = (
            f"the ledger {path} {why_not(path, trouble, 'opened', os.W_OK)}"
            if isinstance(trouble, OSError)
            else trouble
        )
        raise StartError(why) from None
    closing.push_async_callback(store.close)
    return store


def refuse_to_leave_roots_files(folder: Path) -> None:
    """Root, who starts a daemon by hand, would write a ledger that its own user cannot open. Raises StartError."""
    if owner := owner_beside_root(folder):
        whose = f"{folder} belongs to {owner}, who could not open what root writes there"
        raise StartError(f"{whose}; start it as {owner}: systemctl start tocsin, or runuser -u {owner} -- tocsin run")


async def assemble(  # noqa: PLR0913, PLR0917 - what was made before the parts
    clock: SystemClock,
    ledger: SqlLedger,
    config: ActiveConfig,
    notices: Notices,
    manager: Systemd,
    reader: ConfigReader,
    folder: WatchedFolder,
    before: Fingerprint,
    beside: tuple[Part, ...],
    steps: ClockSteps,
) -> Daemon:
    """Every part, what is shared first. `before` is the config folder's fingerprint; `beside` runs with the rest."""
    settings, dice = config.settings, random.SystemRandom()
    codes = Codes(dice, await ledger.reserved_codes(clock.now() - RESERVED_FOR), clock.now())
    incidents, sessions = Incidents(agenda := Agenda()), OpenSessions(await ledger.sessions())
    transports = Transports(settings, lambda new: make_transports(new, clock))
    renderer = JinjaRenderer(shipped_folder(), notices.tell_template)
    before |= await reader.first_templates(renderer)
    context = DeliveryContext(config, incidents, notices, ReplyOptions(codes, config, ledger))
    providers = Providers(clock, transports, notices)
    rooms = Rooms(clock, context, sent := await ledger.sent_pages(clock.now() - RECKONED_FROM))
    providers.recall([attempt for _, attempt in sent])
    sender = Sender(clock, ledger, context, providers, dice, rooms, Bundles(context, renderer))
    receipts = Receipts(clock, ledger, context, providers, sender)
    operator_notices = OperatorNotices(clock, ledger, config, notices, sender, renderer, socket.gethostname())
    reconciler = Reconciler(clock, ledger, renderer, context, sender, rooms)
    scheduler = Scheduler(clock, agenda, reconciler.reconcile)
    known = await recall(ledger, incidents, clock.now())
    intake = Intake(known, label_of(settings.incidents), await finished(ledger, incidents))
    edits, gate = edit_feed(clock, ledger, context), Gate(clock, config, sessions, context.sign_in_codes)
    watch = Watch(clock, config, notices, folder, intake, OneFolder(ledger, config, incidents, notices, edits.put_back))
    stops = Stops(clock, ledger, context)
    sign_ins = SignIns(clock, ledger, context, sessions, sender, renderer, dice)
    arrivals = Arrivals(ledger, judges(clock, ledger, context, receipts, sender, stops, renderer, sign_ins), notices)
    inbox = InboxFeed(clock, ledger, InboxReader(settings.inbox, settings.incidents), gate, arrivals, edits, notices)
    polls = [SmsPoll(clock, ledger, config, transports, notices, name) for name in transports.by_name(Channel.SMS)]
    set_aside = SetAsideIncidents(clock, ledger, config, incidents, notices)
    clock_watch = ClockWatch(clock, ledger, incidents, notices, sender, steps)
    reviews = Reviews(clock, ledger, config, incidents, notices, review_files, DiskThreads("reviews"))
    alive: dict[str, Alive] = {"scheduler": scheduler, "senders": sender}
    health = Health(clock, manager, HttpHeartbeat(), ledger, config, alive, watch, delivering=sender)
    reload = Reload(clock, reader, config, transports, renderer, watch, incidents, notices, before)
    await transports.warm()
    core: tuple[Part, ...] = (scheduler, sender, receipts, operator_notices, watch, reload, health, set_aside)
    watches: tuple[Part, ...] = (clock_watch, ProviderClocks(transports, notices), *beside)
    parts = (*core, *watches, inbox, arrivals, edits, stops, transports, reviews, sign_ins, *polls)
    sources = (watch, inbox, FirstAnswers(polls, arrivals))
    daemon = (config, incidents, agenda, transports, sender, operator_notices, reload, clock_watch, manager)
    return Daemon(*daemon, parts, sources)


def alert_feed(clock: SystemClock, ledger: SqlLedger, config: ActiveConfig, notices: Notices) -> AlertFeed:
    """What brings alerts to their incidents."""
    incidents = AlertIncidents(IncidentFiles(config.settings.incidents), DiskThreads("alerts"))
    return AlertFeed(clock, ledger, config, notices, incidents)


def edit_feed(clock: SystemClock, ledger: SqlLedger, context: DeliveryContext) -> EditFeed:
    """What brings what people do in the browser into incident files."""
    files, threads = IncidentFiles(context.config.settings.incidents), DiskThreads("edits")
    return EditFeed(clock, ledger, EditJudge(clock, ledger, context, files, threads), context.notices)


def judges(  # noqa: PLR0913, PLR0917 - what was made before the judges
    clock: SystemClock,
    ledger: SqlLedger,
    context: DeliveryContext,
    receipts: Receipts,
    sender: Sender,
    stops: Stops,
    renderer: JinjaRenderer,
    sign_ins: SignIns,
) -> Mapping[ArrivalKind, Judge]:
    """Who acts on what comes in."""
    flips, unsubscriptions = Flips(clock), Unsubscriptions(clock, ledger, context.config, context.notices)
    return {
        ArrivalKind.RECEIPT: receipts.judge,
        ArrivalKind.SMS: SmsReplies(clock, ledger, context, sender, stops, renderer, flips).judge,
        ArrivalKind.ANSWER: LinkAnswers(clock, ledger, context.config, context.incidents, context.notices, flips).judge,
        ArrivalKind.UNSUBSCRIBE: unsubscriptions.unsubscribe,
        ArrivalKind.RESUBSCRIBE: unsubscriptions.resubscribe,
        ArrivalKind.SIGN_IN: sign_ins.ask,
        ArrivalKind.CODE: sign_ins.enter,
        ArrivalKind.SIGN_OUT: sign_ins.leave,
        ArrivalKind.WORD: Words(clock, context.notices).judge,
    }


def tell_troubles(notices: Notices, started: Started, store: FileStore, clock_notice: OperatorNotice | None) -> None:
    """What operators hear of the start: of a wrong clock, a refused config, what of the one before does not count, and
    a ledger that was set aside.
    """
    if clock_notice:
        notices.tell(clock_notice)
    for notice in refused(started.refused):
        notices.tell(notice)
    if started.left_out:
        notices.tell(OperatorNotice(Trouble.CONFIG_IN_PART, in_part(started.left_out)))
    elif not started.refused:
        for trouble in (Trouble.CONFIG_REFUSED, Trouble.CONFIG_IN_PART):
            notices.cured(trouble, "", "the config on disk is in force")
    if store.set_aside:
        sentence = f"the ledger was damaged and set aside as {store.set_aside}; a fresh one goes on and knows nothing"
        notices.tell(OperatorNotice(Trouble.LEDGER_DAMAGED, sentence))
