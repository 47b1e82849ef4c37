"""The daemon's parts that decide and deliver, put together on a ledger in memory and transports in memory."""

import random
from collections.abc import Sequence
from datetime import datetime
from functools import cache

from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.app.delivery.bundles import Bundles
from tocsin.app.delivery.context import DeliveryContext
from tocsin.app.delivery.operator_notices import OperatorNotices
from tocsin.app.delivery.providers import Providers
from tocsin.app.delivery.receipts import Receipts
from tocsin.app.delivery.rooms import Rooms
from tocsin.app.delivery.sender import Sender
from tocsin.app.delivery.transports import Transports
from tocsin.app.reply_options.codes import Codes
from tocsin.app.reply_options.options import ReplyOptions
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.delivery import Attempt, Content, Letter, Message
from tocsin.domain.facts import Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import NO_REPLY_OFFER, Kind, Notification, Reason, ReplyOffer
from tocsin.domain.people import MAIN, Channel
from tocsin.domain.plan import AfterPages
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem
from tocsin.formats.settings.settings import Settings
from tocsin.planning.history.fold import apply_fact
from tocsin.planning.plan import plan
from tocsin.ports.clock import Clock
from tocsin.ports.renderer import BundledPage

from tests.builders.active_config import active_config, settings
from tests.builders.policies import paging_policy
from tests.fakes.ledger import MemoryLedger
from tests.fakes.transport import MemoryTransport

PAY = Incident("pay", "Card payments fail", "sev1")


class DaemonParts:
    """A sender with all it needs. The SMS transport gives receipts; both keep what arrived. `with_fallbacks`: each
    channel has another provider, called backup.
    """

    def __init__(
        self,
        clock: Clock,
        policy: Policy | None = None,
        in_force: Settings | None = None,
        ledger: MemoryLedger | None = None,
        *,
        with_fallbacks: bool = False,
    ) -> None:
        self.clock, self.ledger = clock, ledger or MemoryLedger()
        self.config = active_config(policy or paging_policy(), in_force or settings())
        self.notices, self.agenda = Notices(clock), Agenda()
        self.incidents = Incidents(self.agenda)
        self.sms, self.email = MemoryTransport(receipts=True), MemoryTransport(blind=True)
        self.sms_backup, self.email_backup = MemoryTransport(receipts=True), MemoryTransport(blind=True)
        self.by_channel = by_channel = {Channel.SMS: {MAIN: self.sms}, Channel.EMAIL: {MAIN: self.email}}
        if with_fallbacks:
            by_channel[Channel.SMS]["backup"] = self.sms_backup
            by_channel[Channel.EMAIL]["backup"] = self.email_backup
        self.transports = Transports(self.config.settings, lambda _settings: by_channel)
        self.codes = Codes(random.Random(1))
        reply_options = ReplyOptions(self.codes, self.config, self.ledger)
        self.context = DeliveryContext(self.config, self.incidents, self.notices, reply_options)
        self.providers = Providers(clock, self.transports, self.notices)
        self.rooms = Rooms(clock, self.context)
        bundles = Bundles(self.context, PlainBundles())
        self.sender = Sender(clock, self.ledger, self.context, self.providers, random.Random(1), self.rooms, bundles)
        self.receipts = Receipts(clock, self.ledger, self.context, self.providers, self.sender)
        self.operator_notices = OperatorNotices(
            clock, self.ledger, self.config, self.notices, self.sender, shipped_words(), "web-1.example.com"
        )

    def declare(self, incident: Incident = PAY) -> tuple[Notification, ...]:
        """The incident is seen now, and planned: what is due. Its history stands as after the plan."""
        state = self.incidents.state(incident.id)
        seen = Seen(self.clock.now(), incident, incident.title)
        history = apply_fact(state.history, seen)
        planned = plan(incident, self.config.policy, history, self.clock.now())
        state.note([seen, *planned.facts], planned.history)
        return tuple(due.notification for due in planned.due)

    async def enqueue(self, *notifications: Notification, recorded: bool = True) -> None:
        """Give letters of these to the sender, written into the ledger unless told otherwise."""
        letters = [letter(notification) for notification in notifications]
        if recorded:
            await self.ledger.record(notifications[0].incident, (), letters, ())
        self.sender.enqueue(letters, recorded=recorded)

    def state_of(self, notification: Notification) -> str:
        """How the ledger has its letter settled; "" while it is not."""
        return self.ledger.pages.states.get(notification.key, ("", None))[0]

    def attempts_of(self, notification: Notification) -> list[Attempt]:
        """What the ledger has of its attempts."""
        return [attempt for attempt in self.ledger.pages.attempts if attempt.reference == notification.key]

    def sent(self, via: Channel) -> list[Message]:
        """What was given to a channel's transport, in order."""
        return (self.sms if via is Channel.SMS else self.email).tries


@cache
def shipped_words() -> JinjaRenderer:
    """The shipped templates, read once. None of them breaks."""

    def broken(problem: Problem) -> None:
        raise AssertionError(problem)

    return JinjaRenderer(shipped_folder(), broken)


class PlainBundles:
    """A port LeavingRenderer whose words are the incidents', the worst first."""

    def render(
        self,
        notification: Notification,
        incident: Incident,
        history: History,
        policy: Policy,
        invitation: ReplyOffer = NO_REPLY_OFFER,
        after: AfterPages | None = None,
    ) -> Content:
        """What it says of an incident by itself."""
        said = f"made anew: {incident.severity}{' DRILL' if incident.drill else ''} {incident.title} {invitation.code}"
        return Content(said.strip(), "" if notification.via.traits.short else said.strip())

    def render_bundle(self, pages: Sequence[BundledPage], policy: Policy) -> Content:
        """One line for each."""
        lines = [f"{page.incident.severity} {page.incident.title} {page.offer.code}".strip() for page in pages]
        subject = "" if pages[0].notification.via.traits.short else f"{len(pages)} pages"
        return Content("\n".join((f"{len(pages)} pages", *lines)), subject)

    def unseen(self, content: Content, notification: Notification, policy: Policy, machine: str) -> Content:
        """With one line more."""
        return Content(f"{content.text}\n{machine} sees no ledger", content.subject)


def letter(notification: Notification) -> Letter:
    """It with words of its own."""
    return Letter(notification, Content(f"{notification.kind} to {notification.to}", notification.via.value))


def page_to(person: str, at: datetime, via: Channel = Channel.SMS, *roles: str) -> Notification:
    """A page of the incident `pay`, as the plan would make it."""
    key = f"pay/1/page/{person}/{at:%H%M%S}/{via.value}"
    return Notification(key, "pay", 1, Kind.PAGE, Reason.DECLARED, at, person, via, roles=roles or ("technical_lead",))
