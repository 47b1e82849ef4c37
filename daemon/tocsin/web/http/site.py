"""What the routes share: the ledger, the config in force, the settings, the clock, the pages."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

from tocsin.adapters.outbox.file import OutboxFile
from tocsin.app.arrivals.log_limit import LimitedLog
from tocsin.app.configuration.active_policy import ActivePolicy
from tocsin.app.wiring.renderer import shipped_renderer
from tocsin.formats.settings.reply_routes import ReplyRoutes
from tocsin.formats.settings.settings import Settings, reply_routes
from tocsin.ports.clock import Clock
from tocsin.ports.inbox import Inbox
from tocsin.ports.leadership import Machines
from tocsin.ports.ledger.reading import LedgerReader
from tocsin.ports.renderer import Renderer
from tocsin.text.cleaning import clean, one_line
from tocsin.web.http.clients import Client, client_of

CACHE_NEVER = "no-store"
DEADLINE = web.RequestKey("deadline", asyncio.Timeout)
"""When a request must be answered; a route that streams puts it off."""


class PageTemplates(Protocol):
    """HTML from a page's template."""

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """The page `name` (without its ending). Values are data: they are escaped."""
        ...


class OutboxView(Protocol):
    """The messages of the outbox. Each question blocks: ask it in a thread."""

    def mark(self) -> str:
        """Changes whenever the folder does."""
        ...

    def newest(self, most: int) -> Sequence[OutboxFile]:
        """The newest messages, newest first."""
        ...

    def html(self, name: str) -> str | None:
        """The HTML of one message; None where there is no such message, or it has none."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """The web side of one config."""

    settings: Settings
    clock: Clock
    ledger: Callable[[], LedgerReader]
    """The ledger; raises LedgerError while there is none."""
    active_policy: ActivePolicy
    pages: PageTemplates
    inbox: Inbox
    """Where what comes in is left for the daemon."""
    log: LimitedLog = field(default_factory=LimitedLog)
    outbox: OutboxView | None = None
    """The messages as their readers would see them; None where messages really leave."""
    apart: bool = False
    """Whether it is a user of its own, who may not write the ledger."""
    meant_for: str = ""
    """The user that the inbox was made for, where that is another one than ours."""
    machines: Callable[[], Awaitable[Machines]] | None = None
    """The machines that share the ledger; None where it lies in a file. Raises LedgerError."""
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the site stops: whatever lasts must end."""

    def warn(self, event: str, **fields: object) -> None:
        """A line in the log about a request, a few a minute for each event. Nothing secret belongs there."""
        self.log.warning(event, **fields)

    def renderer(self) -> Renderer:
        """The words of messages as the daemon would write them now. It blocks: ask for it in a thread."""
        return shipped_renderer(self.settings.templates)

    def client(self, request: web.BaseRequest) -> Client:
        """Whose request this is."""
        return client_of(request, self.settings.web.proxies)

    @property
    def reply_routes(self) -> ReplyRoutes:
        """Where answers come in, and the keys of links."""
        return reply_routes(self.settings)

    def page(self, name: str, status: int = 200, **values: object) -> web.Response:
        """A page as an answer. Nothing of ours is to be kept by anybody between us and the reader. One whose
        `viewer` has signed in has a form, by which they sign out: the browser is to tell us, and nobody else, where it
        is from.
        """
        headers = {"Cache-Control": CACHE_NEVER}
        if getattr(values.get("viewer"), "person", None):
            headers["Referrer-Policy"] = "same-origin"
        text = self.pages.render(name, values)
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)

    async def public_page(self, name: str, status: int = 200, **values: object) -> web.Response:
        """A page for outsiders: it bears the organisation's name, and whom to write to."""
        policy = await self.active_policy.policy()
        ours = {"organisation": one_line(clean(policy.organisation)), "reply_to": policy.reply_to}
        return self.page(name, status, **ours, **values)
