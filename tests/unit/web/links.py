"""A site with signed links, on a ledger in memory that lived through the shipped config's plan."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from tocsin.app.reply_options import signed_links
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import AnswerLink
from tocsin.domain.policy import Policy
from tocsin.formats.settings.providers import EmailSettings, SmsSettings
from tocsin.formats.settings.settings import Settings, WebSettings
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.web.http.site import Site
from tocsin.web.server import application

from tests.builders.instants import T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import happen, see
from tests.fakes.clock import StillClock
from tests.fakes.inbox import JudgedInbox
from tests.fakes.ledger import MemoryLedger
from tests.unit.web.lives import PAGES, RecordedLog

KEY, OLD_KEY = "a key of more than sixteen", "the key before that one"
PUBLIC = "https://tocsin.example.com"
CARD = Incident(
    "card",
    "Card payments fail at checkout",
    "sev1",
    status=Status.INVESTIGATING,
    impact="About a third of card payments fail.",
    summary="Since the release of 10:00 the payment service answers every third request with an error.",
    services=("checkout",),
)


def settings(keys: list[str] | None = None, public_url: str | None = PUBLIC, *, sms: bool = False) -> Settings:
    """What switches links on; `sms`: one can answer by SMS, too."""
    secrets = [SecretStr(key) for key in ([KEY, OLD_KEY] if keys is None else keys)]
    email, account = EmailSettings(sender="tocsin@example.com"), {"transport": "twilio", "account_sid": "AC" + "0" * 32}
    texts = SmsSettings.model_validate({"sender": "+15005550006", **(account if sms else {})})
    web = WebSettings(signing_key=secrets)
    return Settings(operators=["ana"], last_resort=["ana"], email=email, sms=texts, web=web, public_url=public_url)


@dataclass
class Door:
    """The site as a browser reaches it, and what is behind it."""

    client: TestClient[Any, Any]
    ledger: MemoryLedger
    clock: StillClock
    log: RecordedLog
    force: Any
    inbox: JudgedInbox

    async def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
        """Look."""
        async with self.client.request(method, path, headers=_dashed(headers)) as answer:
            return answer.status, " ".join((await answer.text()).split())

    async def post(self, path: str, data: Any = None, **headers: str) -> tuple[int, str]:
        """Press a button, and see what one is shown then."""
        async with self.client.post(path, data=data, headers=_dashed(headers)) as answer:
            assert len(answer.history) <= 1
            return answer.status, " ".join((await answer.text()).split())

    async def take(self, person: str, answer: str = "ok") -> str:
        """Answer by one's own link; the page after it."""
        status, page = await self.post(self.link(person), {"answer": answer})
        assert status == 200
        return page

    def link(self, person: str, incident: str = "card", key: str = KEY, episode: int = 1) -> str:
        """The path of somebody's link."""
        return signed_links.answer([key], incident, person, episode)

    def short(self, person: str, incident: str = "card", key: str = KEY, episode: int = 1) -> str:
        """The path of somebody's short link, which the ledger knows."""
        token = signed_links.token(key, incident, episode, person)
        link = AnswerLink(signed_links.token_digest(token), incident, episode, person)
        self.ledger.pages.links[link.digest] = link
        return signed_links.SHORT + token

    async def seen(self, **changes: Any) -> None:
        """The daemon sees a version now."""
        await see(self.ledger, replace(CARD, **changes), self.now)

    async def heard(self, person: str, answer: Answer = Answer.OK) -> None:
        """An answer by another way."""
        await happen(self.ledger, "card", Answered(self.now, person, answer))

    @property
    def now(self) -> Any:
        """The clock's instant."""
        return self.clock.now()

    @property
    def answers(self) -> list[tuple[str, str]]:
        """The answers recorded, by person."""
        facts = [fact for _, fact in self.ledger.pages.facts]
        return [(fact.person, fact.answer.value) for fact in facts if isinstance(fact, Answered)]


@asynccontextmanager
async def door(
    keys: list[str] | None = None, public_url: str | None = PUBLIC, *, sms: bool = False
) -> AsyncIterator[Door]:
    """The site, with the incident declared at T0."""
    ledger, clock, log = MemoryLedger(), StillClock(T0), RecordedLog()
    force = SimpleNamespace(now=shipped_policy(), trouble="")

    async def policy() -> Policy:
        if force.trouble:
            raise LedgerError(force.trouble)
        return force.now

    active_policy: Any = SimpleNamespace(policy=policy, last_known=force.now)
    inbox = JudgedInbox(clock, ledger, lambda: force.now, in_force := settings(keys, public_url, sms=sms))
    site = Site(in_force, clock, lambda: ledger, active_policy, PAGES, inbox, log)
    await see(ledger, CARD)
    async with TestClient(TestServer(application(site))) as client:
        yield Door(client, ledger, clock, log, force, inbox)


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
