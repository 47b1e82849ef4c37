"""A web side in the test's own loop: the real application on the real connections, on a ledger in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from tocsin.adapters.jinja.pages import JinjaPages
from tocsin.app.arrivals.log_limit import LimitedLog
from tocsin.app.configuration.active_policy import ActivePolicy
from tocsin.domain.people import Session, session_digest
from tocsin.formats.settings.providers import EmailSettings, SmsSettings
from tocsin.formats.settings.settings import Settings, WebSettings
from tocsin.ports.leadership import Machines
from tocsin.web.access.browser import SESSION
from tocsin.web.http import FOLDER
from tocsin.web.http.connections import Limits, listening
from tocsin.web.http.site import OutboxView, Site
from tocsin.web.server import application

from tests.builders.policies import SHIPPED_CONFIG, shipped_policy
from tests.fakes.bounded_work import JUDGE
from tests.fakes.clock import StillClock
from tests.fakes.inbox import JudgedInbox
from tests.fakes.ledger import MemoryLedger

TOKEN = "open-sesame-0123456789"
KEY = "a-key-that-signs-links"
PAGES = JinjaPages(FOLDER / "pages")
"""Compiled once, as in a process that stays: nobody edits them at run time."""
WEB = {"web": {"token": TOKEN, "signing_key": [KEY]}, "public_url": "https://pager.example.com"}
"""Settings of a site with links and a token."""
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def settings(**changes: Any) -> Settings:
    """The least that a web side needs; `web` are its settings."""
    given: dict[str, Any] = {
        "email": EmailSettings(sender="tocsin@example.com"),
        "sms": SmsSettings(sender="+15005550006"),
    }
    given["web"] = WebSettings(**changes.pop("web", {}))
    return Settings(operators=["olga"], last_resort=["olga"], **(given | changes))


async def signed_in(life: "Life", person: str = "bo", id_: str = "a" * 43) -> dict[str, str]:
    """Somebody is signed in from now on: the header by which their browser shows it."""
    await life.ledger.begin_session(Session(session_digest(id_), person, life.clock.now()))
    return {"Cookie": f"{SESSION}={id_}"}


class RecordedLog(LimitedLog):
    """The lines themselves, instead of the log."""

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "lines", [])

    lines: list[tuple[str, Mapping[str, Any]]]

    __slots__ = ("lines",)

    @property
    def events(self) -> list[str]:
        """What happened, without its fields."""
        return [event for event, _ in self.lines]

    def warning(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))

    def fault(self, event: str, fault: BaseException) -> None:
        self.lines.append((event, {"fault": fault}))


class Life:
    """A site that listens on a port of this machine."""

    def __init__(
        self, site: Site, ledger: MemoryLedger, clock: StillClock, log: RecordedLog, inbox: JudgedInbox
    ) -> None:
        self.inbox = inbox
        self.site, self.ledger, self.clock, self.log = site, ledger, clock, log
        self.port = 0

    async def ask(self, data: bytes, *, rest: float = 5.0) -> bytes:
        """Send octets and read until the site closes the connection, for at most `rest` seconds. A request without a
        host gets one.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data if b"Host: " in data else data.replace(b" HTTP/1.1\r\n", b" HTTP/1.1\r\nHost: a\r\n"))
            async with asyncio.timeout(rest):
                return await reader.read()
        finally:
            writer.close()

    async def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
        """One request on a connection of its own: status, headers by lower-case name, body."""
        given = {"Host": f"127.0.0.1:{self.port}", "Connection": "close"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        return parsed(await self.ask(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode()))


def parsed(answer: bytes) -> tuple[int, dict[str, str], str]:
    """An answer's status, headers and body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return (
        int(first.split(" ")[1]),
        {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines},
        body.decode(),
    )


@asynccontextmanager
async def alive(
    limits: Limits | None = None,
    outbox: OutboxView | None = None,
    extra: list[web.RouteDef] | None = None,
    machines: Callable[[], Awaitable[Machines]] | None = None,
    **changes: Any,
) -> AsyncIterator[Life]:
    """The site while the block runs."""
    ledger, clock, log = MemoryLedger(), StillClock(), RecordedLog()
    inbox = JudgedInbox(clock, ledger, shipped_policy, in_force := settings(**changes))
    site = Site(
        in_force,
        clock,
        lambda: ledger,
        ActivePolicy(lambda: ledger, SHIPPED_CONFIG, {}, clock, JUDGE),
        PAGES,
        inbox,
        log,
        outbox,
        machines=machines,
    )
    app = application(site)
    app.add_routes(extra or [])
    life = Life(site, ledger, clock, log, inbox)
    async with listening(app, log, "127.0.0.1", 0, site.settings.web.proxies, limits or Limits()) as address:
        life.port = address[1]
        try:
            yield life
        finally:
            site.ending.set()
