"""`/declare`, where who has signed in declares an incident: whom that wakes and who hears is shown before."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from tocsin.app.arrivals.link_answers import REFUSED
from tocsin.app.edits.effect_words import OutsideText, effect_sentences, outside_texts
from tocsin.app.edits.effects import effects
from tocsin.app.edits.words import declared_id
from tocsin.app.incidents.incident_views import IncidentList, IncidentRow, listing
from tocsin.domain.arrival import ArrivalKind, DeclareEntry
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.people import Person
from tocsin.domain.policy import Policy
from tocsin.formats.inbox.entries import ENTRY_MOST, write_entry
from tocsin.formats.inbox.names import REF
from tocsin.formats.incident.new_id import candidate_ids
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.text.cleaning import clean, one_line
from tocsin.text.names import quotable
from tocsin.web.access.same_origin import REFERRER, require_same_origin
from tocsin.web.access.viewer import Viewer, require_person
from tocsin.web.acting.actor import path_before
from tocsin.web.acting.fields import Typed, ref_of, severity, too_long, typed_fields
from tocsin.web.acting.forms import CHANGED_FORM, LOST, first
from tocsin.web.acting.given_back import DRAFT, Drafts, Form, given_back, pressed
from tocsin.web.http.cache import BriefCache
from tocsin.web.http.judged import (
    DONE,
    LEFT,
    LOOKS_AGAIN,
    NOT_LEFT,
    any_judgement,
    judgement,
    leave,
    new_ref,
    see_other,
    waits,
)
from tocsin.web.http.page_times import PageTimes
from tocsin.web.http.site import Site
from tocsin.wording.language.language import ENGLISH
from tocsin.wording.message.page_words import people_to_call

KINDS = (ArrivalKind.DECLARE,)
OPEN_MOST = 5
"""Incidents that are open already and are named: those of people before those of alerts, those that began last."""
NO_TITLE = "Say in a few words what is wrong: it is the first thing that everybody reads."


@dataclass(frozen=True, slots=True)
class _DeclareSheet:
    """What the page shows besides its fields."""

    typed: Typed
    ref: str = field(default_factory=new_ref)
    wrong: Mapping[str, str] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    texts: tuple[OutsideText, ...] = ()
    press: str = ""
    refused: str = ""
    notice: str = ""
    status: int = 200


def routes(site: Site, drafts: Drafts) -> list[web.RouteDef]:
    """`GET` the form, `POST` it: `step=look` shows what it will do, `step=do` declares."""
    declaring = _Declaring(site, drafts)
    return [web.get("/declare", declaring.show), web.post("/declare", declaring.press)]


class _Declaring:
    """The form of a declaration."""

    def __init__(self, site: Site, drafts: Drafts) -> None:
        self._site = site
        self._drafts = drafts
        self._lists: BriefCache[IncidentList] = BriefCache(1)

    async def show(self, request: web.Request) -> web.Response:
        """The form as it is opened, or again after a sign-in or while it waits."""
        actor = await require_person(self._site, request)
        person, ref = _person(actor), request.query.get(LEFT, "")
        if re.fullmatch(REF, ref):
            typed = self._drafts.find(ref, person.id, self._site.clock.now()) or Typed()
            return await self._told(actor, typed, ref, 0)
        self._drafts.know(actor.session, person.id)
        draft = request.query.get(DRAFT, "")
        kept = self._drafts.find(draft, person.id, self._site.clock.now()) if draft else Typed()
        return await self._form(actor, _DeclareSheet(kept or Typed(), notice=LOST if kept is None else ""))

    async def press(self, request: web.Request) -> web.Response:
        """What was pressed."""

        async def sent(form: Form) -> web.Response:
            require_same_origin(self._site, request)
            return await self._pressed(await require_person(self._site, request), form)

        return await pressed(self._site, self._drafts, request, sent)

    async def _pressed(self, actor: Viewer, form: Form) -> web.Response:
        person, typed, ref = _person(actor), typed_fields(form), first(form, "ref")
        ref = ref if re.fullmatch(REF, ref) else new_ref()
        left_as = ref_of(ref, typed)
        earlier = await any_judgement(self._site, left_as, KINDS)
        if earlier is not None and earlier.result != REFUSED:  # pressed twice: it counted once
            return await self._told(actor, typed, left_as, 0)
        policy = await self._site.active_policy.policy()
        entry, wrong = _declaration(typed, policy, person, actor.session, left_as)
        if wrong:
            return await self._form(actor, _DeclareSheet(typed, ref, wrong, status=422))
        looked, does = first(form, "looked") == typed.mark, first(form, "step") == "do"
        if not (does and looked):
            notice = CHANGED_FORM if does and first(form, "looked") else ""
            return await self._form(actor, await self._looked_at(typed, ref, entry, policy, person, notice))
        try:
            await leave(self._site, entry)
        except web.HTTPServiceUnavailable:
            return given_back(self._site, typed, NOT_LEFT, 503, again=self._path)
        self._drafts.keep(left_as, person.id, typed, self._site.clock.now())
        return await self._told(actor, typed, left_as, None)

    async def _looked_at(
        self, typed: Typed, ref: str, entry: DeclareEntry, policy: Policy, person: Person, notice: str
    ) -> _DeclareSheet:
        """What it would do, from the plan."""

        def look() -> _DeclareSheet:
            now = self._site.clock.now()
            incident = Incident(
                next(candidate_ids(entry.title, now)),
                entry.title,
                entry.severity,
                summary=entry.summary,
                impact=entry.impact,
                services=entry.services,
                declared_by=person.id,
                public_title=entry.public_title,
                drill=entry.drill,
            )
            shown = effects(None, incident, policy, History(), now)
            people = len({asked.person for asked in shown.pages if asked.at is None})
            what = f"Declare {'a drill, ' if entry.drill else ''}{entry.severity.upper()}"
            whom = f"{people} {'person' if people == 1 else 'people'}" if people else "nobody"
            return _DeclareSheet(
                typed,
                ref,
                sentences=effect_sentences(shown, policy, person.timezone, now),
                texts=outside_texts(shown, policy, self._site.renderer()),
                press=f"{what}: page {whom} now",
                notice=notice,
            )

        return await asyncio.to_thread(look)

    async def _told(self, actor: Viewer, typed: Typed, ref: str, seconds: float | None) -> web.Response:
        """What became of it, waited for."""
        judged = await judgement(self._site, ArrivalKind.DECLARE, ref, seconds)
        if judged is None:
            policy, person = self._site.active_policy.last_known, _person(actor).id
            page = self._site.page(
                "acting/waiting",
                503,
                viewer=actor,
                called=people_to_call(History(), policy, ENGLISH, without=person) if policy else (),
                title="Declare an incident",
                here=self._path,
                again=f"{self._path}?{LEFT}={ref}",
                kept=await waits(self._site, ref, KINDS),
                texts=typed.texts,
                looks_again=LOOKS_AGAIN,
            )
            page.headers.update(REFERRER)
            return page
        if judged.result == REFUSED:
            return await self._form(actor, _DeclareSheet(typed, refused=judged.words, status=409))
        incident, _ = declared_id(judged.words)
        return see_other(f"{path_before(self._site)}/incidents/{incident}?{DONE}={ref}")

    async def _form(self, actor: Viewer, sheet: _DeclareSheet) -> web.Response:
        policy = await self._site.active_policy.policy()
        going, more = await self._going(policy)
        page = self._site.page(
            "acting/declare",
            sheet.status,
            viewer=actor,
            here=self._path,
            typed=sheet.typed,
            ref=sheet.ref,
            wrong=sheet.wrong,
            sentences=sheet.sentences,
            texts=sheet.texts,
            press=sheet.press,
            looked=sheet.typed.mark if sheet.press else "",
            refused=sheet.refused,
            notice=sheet.notice,
            severities=list(policy.severities.values()),
            services=list(policy.services.values()),
            chosen=sheet.typed.lists.get("services", ()),
            going=going,
            more=more,
            times=PageTimes(actor.zone, self._site.clock.now()),
        )
        page.headers.update(REFERRER)
        return page

    async def _going(self, policy: Policy) -> tuple[list[tuple[IncidentRow, str]], int]:
        """What is open already, and who declared it, and how much more is: two people who see one outage are not to
        page everybody twice. Where that cannot be seen one declares all the same.
        """
        now = self._site.clock.now()
        try:
            listed = await self._lists.get("", lambda: listing(self._site.ledger(), policy, now))
        except LedgerError:
            return [], 0
        rows = [row for row in listed.open if not row.incident.drill]
        rows.sort(key=lambda row: (not row.incident.declared_by_alerts, row.since), reverse=True)
        named = [(row, policy.person_name(row.incident.declared_by)) for row in rows[:OPEN_MOST]]
        return named, len(rows) - len(named) + listed.more

    @property
    def _path(self) -> str:
        return f"{path_before(self._site)}/declare"


def _person(actor: Viewer) -> Person:
    assert actor.person is not None, "who declares has signed in"
    return actor.person


def _declaration(
    typed: Typed, policy: Policy, person: Person, session: str, ref: str
) -> tuple[DeclareEntry, Mapping[str, str]]:
    """What the form says, and a sentence for each field that is wrong."""
    wrong = too_long(typed)
    title, public_title = one_line(clean(typed["title"])), one_line(clean(typed["public_title"]))
    if not title:
        wrong["title"] = NO_TITLE
    name = severity(typed["severity"], policy, wrong)
    services = typed.lists.get("services", ())
    unknown = [service for service in services if service not in policy.services]
    if unknown:
        wrong["services"] = f"There is no service “{quotable(unknown[0])}”."
    entry = DeclareEntry(
        ref,
        person.id,
        session,
        title,
        name or "",
        services,
        clean(typed["summary"]),
        clean(typed["impact"]),
        public_title,
        bool(typed["drill"]),
    )
    over = 0 if wrong else len(write_entry(entry)) - ENTRY_MOST
    if over > 0:
        wrong["summary"] = f"All in all this is {over:,} bytes too long: shorten it."
    return entry, wrong
