"""The daemon: which adapter stands at which port, and how the parts are put together.

It must not know what the parts do with each other.
"""

import asyncio
import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

from tocsin.adapters.clock import SystemClock
from tocsin.adapters.files.fingerprint import fingerprint
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.adapters.files.watched_folder import WatchedFolder
from tocsin.adapters.heartbeat import Heartbeat
from tocsin.adapters.jinja import JinjaRenderer, shipped_folder
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.lock import LedgerLockedError, Lock
from tocsin.adapters.ledger.opening import open_file
from tocsin.adapters.systemd import Systemd
from tocsin.adapters.twilio.transport import Twilio
from tocsin.app.configuration.load import label_of, load
from tocsin.app.engine.engine import Engine
from tocsin.app.incidents.reviews import Reviews
from tocsin.app.intake.intake import Intake
from tocsin.app.intake.watch import Watch
from tocsin.app.lifecycle.active_config import ActiveConfig, refused
from tocsin.app.lifecycle.health import Health
from tocsin.app.lifecycle.run import Daemon, Orders
from tocsin.app.lifecycle.startup import StartError, load_at_start, make_folders
from tocsin.app.replies.inbound import Arrivals
from tocsin.app.replies.ledger_feed import LedgerFeed
from tocsin.app.replies.sms import Replies
from tocsin.app.replies.sms_poll import Asked, Poll
from tocsin.app.reply_options.codes import RESERVED_FOR, Codes
from tocsin.app.reply_options.options import ReplyOptions
from tocsin.app.wiring.transports import Retired, carried_by, warm, ways
from tocsin.domain.arrival import Arrives
from tocsin.domain.operator_notice import OperatorNotice
from tocsin.domain.people import Channel
from tocsin.domain.problem import Problem
from tocsin.formats.settings.settings import RepliesBy, Settings, reply_routes
from tocsin.ports.clock import Clock
from tocsin.ports.ledger import ArrivalLedger, Ledger, LedgerError


async def run(folder: Path, environ: Mapping[str, str]) -> None:
    """The daemon, from start to drain. Raises StartError."""
    clock = SystemClock()
    now = clock.now()
    seen = fingerprint((folder,))
    found = load(folder, now, environ)
    if found.policy is None and not found.ledger.is_file():
        raise StartError(*found.errors)
    async with AsyncExitStack() as last:
        ledger = open_ledger(found.ledger, now, last)
        started = await load_at_start(found, ledger, folder, environ, now)
        make_folders(started.settings)
        current = ActiveConfig(folder, environ, clock, ledger, started, seen)
        daemon = await assemble(current, started.refused, ledger, environ, clock)
        orders = Orders()
        orders.by_signal()
        await daemon.serve(await ledger.unsettled(), orders)


def open_ledger(path: Path, now: datetime, last: AsyncExitStack) -> SqlLedger:
    """The ledger, for this daemon alone; `last` lets go of it in the end. Raises StartError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        last.callback(Lock(path).release)
        ledger = SqlLedger(open_file(path, now.strftime("%Y%m%dT%H%M%SZ")))
    except (LedgerLockedError, LedgerError) as trouble:
        raise StartError(trouble) from None
    except OSError as trouble:
        raise StartError(f"the ledger {path} cannot be opened: {trouble.strerror}") from None
    last.push_async_callback(ledger.close)
    return ledger


async def assemble(
    current: ActiveConfig, problems: Iterable[Problem], ledger: SqlLedger, environ: Mapping[str, str], clock: Clock
) -> Daemon:
    """Every part, with what the ledger knows. `problems` are why the config on disk was refused."""
    settings = current.settings()
    renderer = JinjaRenderer(shipped_folder(), lambda broken: engine.tell(_of_template(broken)))
    engine = await _engine(current, ledger, renderer, clock)
    arrivals = _arrivals(engine, ledger, current)
    answered = await ledger.answers_since(0)
    answers = LedgerFeed(ledger, engine.learn, engine.tell, clock.now, answered[-1][0] if answered else 0)
    intake = Intake(await engine.recall(), label_of(settings.incidents))
    watch = Watch(WatchedFolder(settings.incidents, clock), intake, engine)
    manager = Systemd(environ)
    marks = {
        "scan": lambda: watch.scanned_at,
        "scheduler": lambda: engine.scheduler.woke_at,
        "senders": lambda: engine.deliver.moved_at,
    }
    health = Health(clock, manager, Heartbeat(), current.settings, marks, ledger)
    retired = Retired()
    drafts = lambda: IncidentFiles(current.settings().reviews)  # noqa: E731
    reviews = Reviews(clock, ledger, current.policy, drafts, engine.deliver.holds, engine.tell)
    engine.reconcile.resolved = reviews.order
    await warm(engine.deliver.ways)

    def changed(before: Settings) -> None:
        """Fit everything to a new config."""
        settings = current.settings()
        if carried_by(before) != carried_by(settings):
            retired.put(engine.deliver.ways.values())
            engine.deliver.ways = ways(settings, clock)
        for broken in renderer.load(settings.templates):
            engine.tell(_of_template(broken))
        watch.poke()
        engine.poke_all()

    async def part() -> None:
        await asyncio.gather(*(way.close() for way in set(engine.deliver.ways.values())))

    current.tell, current.changed = engine.tell, changed
    broken_templates = map(_of_template, renderer.load(settings.templates))
    for trouble in (*refused(problems), *broken_templates, *_of_ledger(ledger)):
        engine.tell(trouble)
    others = (answers.run, arrivals.run, retired.run, reviews.run, _poll(current, engine, ledger, clock).run)
    return Daemon(current, engine, watch, health, manager, others, part)


async def _engine(current: ActiveConfig, ledger: Ledger, renderer: JinjaRenderer, clock: Clock) -> Engine:
    """The parts that move incidents on, with the reply codes that are taken."""
    dice = random.SystemRandom()
    codes = Codes(dice, await ledger.reserved_codes(clock.now() - RESERVED_FOR))
    invitations = ReplyOptions(codes, lambda: reply_routes(current.settings()))
    return Engine(clock, ledger, renderer, current.policy, ways(current.settings(), clock), dice, invitations)


def _arrivals(engine: Engine, ledger: ArrivalLedger, current: ActiveConfig) -> Arrivals:
    """Who judges what came in from outside."""
    replies = Replies(engine, lambda: current.settings().sms.sender or "")
    return Arrivals(ledger, {Arrives.RECEIPT: engine.receipts.judge, Arrives.SMS: replies.judge}, engine.tell)


def _poll(current: ActiveConfig, engine: Engine, ledger: ArrivalLedger, clock: Clock) -> Poll:
    """Who asks the provider for what came in, where the config says so."""

    def asked() -> Asked | None:
        replies, sms = current.settings().replies, engine.deliver.ways[Channel.SMS]
        polled = replies.by is RepliesBy.POLL and isinstance(sms, Twilio)
        return Asked(sms.inbox, replies.every) if polled and isinstance(sms, Twilio) else None

    return Poll(clock, ledger, asked, engine.tell)


def _of_ledger(ledger: SqlLedger) -> Iterator[OperatorNotice]:
    if ledger.set_aside:
        said = f"the ledger was damaged and set aside as {ledger.set_aside}; a fresh one goes on and knows nothing"
        yield OperatorNotice("ledger damaged", said)


def _of_template(broken: Problem) -> OperatorNotice:
    return OperatorNotice(f"template:{broken}", str(broken))
