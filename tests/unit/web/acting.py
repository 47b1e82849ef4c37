"""A site whose people act: signed in or by link, with a daemon that judges at once."""

import hashlib
import html
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tocsin.app.edits.edited import edited
from tocsin.domain.arrival import Arrival, ArrivalKind, DeclareEntry, EditEntry, InboxEntry, Judgement
from tocsin.domain.incident import Incident, Status
from tocsin.domain.people import SESSION_LASTS, Session, session_digest
from tocsin.planning.history.fold import fold_facts
from tocsin.web.access.browser import SESSION

from tests.builders.stories import see
from tests.unit.web.links import Door, door

NEW = "2026-11-23-search-is-down"


class Acting:
    """A door, and somebody who has signed in behind it."""

    def __init__(self, site: Door, person: str) -> None:
        self.site, self.person = site, person
        self.id = f"the-session-of-{person}"
        self.judged: Judgement | None = None
        self.acts: list[EditEntry | DeclareEntry] = []

    async def begin(self) -> None:
        """Sign in."""
        session = Session(session_digest(self.id), self.person, self.site.now)
        await self.site.ledger.begin_session(session)
        self.site.inbox.sessions.add(session)

    async def leave(self, entry: InboxEntry) -> None:
        """What the daemon makes of an act, as far as a page sees it."""
        if not isinstance(entry, (EditEntry, DeclareEntry)):
            await type(self.site.inbox).leave(self.site.inbox, entry)
            return
        if self.site.inbox.trouble:
            raise self.site.inbox.trouble
        self.acts.append(entry)
        self.site.inbox.left.append(entry)
        if not self.site.inbox.away:
            await self.judge(entry)

    async def judge(self, entry: EditEntry | DeclareEntry) -> None:
        """Its judgement, once."""
        kind = ArrivalKind(entry.kind.value)
        ledger = self.site.ledger
        if not await ledger.record_arrival(Arrival(kind, entry.ref, entry.person, "", self.site.now)):
            return
        self.site.inbox.taken.add(entry.ref)
        is_new = isinstance(entry, DeclareEntry)
        judged = self.judged or Judgement("acted", f"{NEW}: It is declared." if is_new else "It is true now.")
        if judged.result == "acted" and isinstance(entry, EditEntry):
            current = fold_facts(await ledger.facts(entry.incident)).incident
            assert current is not None
            edit = replace(entry.edit, status=Status.INVESTIGATING) if entry.not_healthy else entry.edit
            await see(ledger, edited(current, edit), self.site.now, hashlib.sha256(entry.ref.encode()).hexdigest())
        elif judged.result == "acted" and isinstance(entry, DeclareEntry):
            await see(ledger, Incident(NEW, entry.title, entry.severity, declared_by=entry.person), self.site.now)
        row = next(
            number for number, arrival in await ledger.unjudged_acts() if getattr(arrival, "ref", "") == entry.ref
        )
        await ledger.record_result(row, judged.result, judged.words)

    @property
    def cookie(self) -> dict[str, str]:
        """What the browser sends."""
        return {"Cookie": f"{SESSION}={self.id}"}

    async def get(self, path: str) -> tuple[int, str]:
        """Look at a page."""
        return await self.site.get(path, **self.cookie)

    async def post(self, path: str, data: Mapping[str, Any], **headers: str) -> tuple[int, str, str]:
        """Send a form: the status, where it leads, and the page."""
        given = {name.replace("_", "-"): value for name, value in (self.cookie | headers).items()}
        async with self.site.client.post(path, data=data, headers=given, allow_redirects=False) as told:
            return told.status, told.headers.get("Location", ""), " ".join((await told.text()).split())

    async def act(self, act: str, **fields: str) -> tuple[int, str, str]:
        """Open the form of an act, look at it filled in, and do it."""
        path = f"/incidents/card/act/{act}"
        _, page = await self.get(path)
        status, where, page = await self.post(path, hidden(page) | fields | {"step": "look"})
        if status != 200:
            return status, where, page
        return await self.post(path, hidden(page) | fields | {"step": "do"})

    def end(self) -> None:
        """The session is over."""
        self.site.clock.go(SESSION_LASTS)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


@asynccontextmanager
async def acting(person: str = "bo") -> AsyncIterator[Acting]:
    """The site, with somebody signed in."""
    async with door() as site:
        actor = Acting(site, person)
        await actor.begin()
        object.__setattr__(site.inbox, "leave", actor.leave)
        yield actor
