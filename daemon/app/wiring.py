"""Wiring: the one place where adapters are made and the parts of the daemon put together.

It decides which adapter stands at which port, from the settings. It must not know what the parts do with each other.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

from daemon.adapters.clock import SystemClock
from daemon.adapters.folder import WatchedFolder
from daemon.adapters.heartbeat import Heartbeat
from daemon.adapters.incident_files import IncidentFiles
from daemon.adapters.jinja import JinjaRenderer, shipped_folder
from daemon.adapters.ledger.ledger import SqlLedger
from daemon.adapters.ledger.lock import Lock, Locked
from daemon.adapters.ledger.opening import open_file
from daemon.adapters.outbox import Outbox
from daemon.adapters.smtp import Smtp
from daemon.adapters.systemd import Systemd
from daemon.adapters.tree import fingerprint
from daemon.adapters.twilio import Twilio
from daemon.app.answers import Answers
from daemon.app.arrivals import Arrivals
from daemon.app.codes import RESERVED_FOR, Codes
from daemon.app.configuration import label_of, load
from daemon.app.current import Current, refused
from daemon.app.engine import Engine
from daemon.app.health import Health
from daemon.app.intake import Intake
from daemon.app.invitations import Invitations
from daemon.app.lifecycle import Daemon, Orders
from daemon.app.reviews import Reviews
from daemon.app.settings import MailTransport, Settings, SmsTransport, doors
from daemon.app.start import CannotStart, in_force, make_folders
from daemon.app.trouble import Trouble
from daemon.app.watch import Watch
from daemon.domain.people import Channel
from daemon.domain.problem import Problem
from daemon.ports import Clock, LedgerTrouble, Renderer, Transport

RETIRES_AFTER = 60.0
"""Seconds for which a transport that was replaced may finish what it has begun."""


async def run(folder: Path, environ: Mapping[str, str]) -> None:
    """The daemon, from start to drain. Raises `start.CannotStart`."""
    clock = SystemClock()
    now = clock.now()
    seen = fingerprint((folder,))
    found = load(folder, now, environ)
    if found.policy is None and not found.ledger.is_file():
        raise CannotStart(*found.errors)
    async with AsyncExitStack() as last:
        ledger = open_ledger(found.ledger, now, last)
        started = await in_force(found, ledger, folder, environ, now)
        make_folders(started.settings)
        current = Current(folder, environ, clock, ledger, started, seen)
        daemon = await assemble(current, started.refused, ledger, environ, clock)
        orders = Orders()
        orders.by_signal()
        await daemon.serve(await ledger.unsettled(), orders)


def open_ledger(path: Path, now: datetime, last: AsyncExitStack) -> SqlLedger:
    """The ledger, for this daemon alone; `last` lets go of it in the end. Raises CannotStart."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        last.callback(Lock(path).release)
        ledger = SqlLedger(open_file(path, now.strftime("%Y%m%dT%H%M%SZ")))
    except (Locked, LedgerTrouble) as trouble:
        raise CannotStart(trouble) from None
    except OSError as trouble:
        raise CannotStart(f"the ledger {path} cannot be opened: {trouble.strerror}") from None
    last.push_async_callback(ledger.close)
    return ledger


def shipped_renderer(templates: Path, tell: Callable[[Problem], None] = lambda _broken: None) -> Renderer:
    """The words of messages as the daemon would write them: a folder's templates over the shipped ones."""
    renderer = JinjaRenderer(shipped_folder(), tell)
    for problem in renderer.load(templates):
        tell(problem)
    return renderer


def ways(settings: Settings, clock: Clock) -> dict[Channel, Transport]:
    """The transport of each channel."""
    email, sms = settings.email, settings.sms
    outbox = Outbox(folder=settings.outbox, email_sender=email.sender, sms_sender=sms.sender or "", clock=clock)
    found: dict[Channel, Transport] = {Channel.EMAIL: outbox, Channel.SMS: outbox}
    if email.transport is MailTransport.SMTP:
        found[Channel.EMAIL] = Smtp(
            host=email.host or "",
            port=email.port,
            sender=email.sender,
            security=email.security.value,
            username=email.username or "",
            password=email.password.get_secret_value() if email.password else "",
            ca_file=email.ca_file,
        )
    if sms.transport is SmsTransport.TWILIO:
        found[Channel.SMS] = Twilio(
            account_sid=sms.account_sid or "",
            sender=sms.sender or "",
            messaging_service_sid=sms.messaging_service_sid or "",
            auth_token=sms.auth_token.get_secret_value() if sms.auth_token else "",
            api_key=sms.api_key.get_secret_value() if sms.api_key else "",
            api_secret=sms.api_secret.get_secret_value() if sms.api_secret else "",
            api_url=sms.api_url or "",
        )
    return found


async def warm(ways: Mapping[Channel, Transport]) -> None:
    """Load what a transport would else load while the first page waits (the SDK's message part, half a second)."""
    sms = ways[Channel.SMS]
    if isinstance(sms, Twilio):
        await sms.start()


async def assemble(
    current: Current, problems: Iterable[Problem], ledger: SqlLedger, environ: Mapping[str, str], clock: Clock
) -> Daemon:
    """Every part, with what the ledger knows. `problems` are why the config on disk was refused."""
    settings = current.settings()
    renderer = JinjaRenderer(shipped_folder(), lambda broken: engine.tell(_of_template(broken)))
    dice = random.SystemRandom()
    codes = Codes(dice, await ledger.reserved(clock.now() - RESERVED_FOR))
    invitations = Invitations(codes, lambda: doors(current.settings()))
    engine = Engine(clock, ledger, renderer, current.policy, ways(settings, clock), dice, invitations)
    arrivals = Arrivals(ledger, {})
    answered = await ledger.answered_since(0)
    answers = Answers(ledger, engine.learn, engine.tell, clock.now, answered[-1][0] if answered else 0)
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
        if (before.email, before.sms) != (settings.email, settings.sms):
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
    return Daemon(current, engine, watch, health, manager, (answers.run, arrivals.run, retired.run, reviews.run), part)


class Retired:
    """Transports that were replaced: closed when what they had begun must have ended."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Transport] = asyncio.Queue()

    def put(self, ways: Iterable[Transport]) -> None:
        """These carry nothing new."""
        for way in set(ways):
            self._waiting.put_nowait(way)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            way = await self._waiting.get()
            await asyncio.sleep(RETIRES_AFTER)
            await way.close()


def _of_ledger(ledger: SqlLedger) -> Iterator[Trouble]:
    if ledger.set_aside:
        said = f"the ledger was damaged and set aside as {ledger.set_aside}; a fresh one goes on and knows nothing"
        yield Trouble("ledger damaged", said)


def _of_template(broken: Problem) -> Trouble:
    return Trouble(f"template:{broken}", str(broken))
