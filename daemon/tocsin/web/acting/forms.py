"""The form of each act: what it asks, what it will do, and what becomes of it when it is pressed.

A form carries a reference, by which it counts once however often it is posted with the same words, and the version of
the incident that it was made from, by which the daemon sees whether somebody else was quicker. Nothing leaves that was
not shown before as it leaves. Whatever goes wrong, what was typed is given back.
"""

import asyncio
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import structlog
from aiohttp import web

from tocsin.app.arrivals.link_answers import ACTED, REFUSED
from tocsin.app.edits.conflicts import author
from tocsin.domain.arrival import AnswerEntry, ArrivalKind, EditEntry, InboxEntry
from tocsin.domain.facts import Answer, Seen
from tocsin.domain.incident import Edit
from tocsin.formats.inbox.entries import ENTRY_MOST, write_entry
from tocsin.formats.inbox.names import REF
from tocsin.text.times import clock
from tocsin.web.access.same_origin import REFERRER
from tocsin.web.access.viewer import sign_in_path
from tocsin.web.acting.actor import Actor, path_before
from tocsin.web.acting.acts import BIG, Act, offered
from tocsin.web.acting.choices import choices
from tocsin.web.acting.fields import Meant, Typed, meant, ref_of, typed_fields, with_estimate
from tocsin.web.acting.given_back import DRAFT, Drafts, Form, given_back
from tocsin.web.acting.link_page import numbers_to_call
from tocsin.web.acting.preview import Preview, changed_since, preview
from tocsin.web.http.judged import (
    DONE,
    LEFT,
    LOOKS_AGAIN,
    NOT_LEFT,
    any_judgement,
    judgement,
    kind_of,
    leave,
    new_ref,
    see_other,
    waits,
)
from tocsin.web.http.site import Site
from tocsin.wording.language.language import ENGLISH

LOST = "What you had typed is not here any more. If your browser can go back, it stands there."
SIGN_IN = "sign_in"
"""The step that keeps what was typed, and leads to the sign-in."""
CHANGED_INCIDENT = "The incident was changed since you looked: see once more what outsiders will read, then send it."
CHANGED_FORM = "You have changed the form since you looked: look once more at what it will do."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What the page of a form shows besides its fields."""

    typed: Typed
    ref: str = field(default_factory=new_ref)
    meant: Meant = field(default_factory=Meant)
    shown: Preview | None = None
    refused: str = ""
    notice: str = ""
    changed: tuple[str, ...] = ()
    status: int = 200


class ActForms:
    """The forms of a site."""

    def __init__(self, site: Site, drafts: Drafts) -> None:
        self._site = site
        self._drafts = drafts

    async def menu(self, actor: Actor) -> web.Response:
        """All that one may do, what is theirs first."""
        options = actor.options
        offers = offered(options, person=actor.person.id)
        return self._page("acting/menu", actor, menu=offers, options=options, accept=actor.accept_label, big=BIG)

    async def show(self, actor: Actor, act: Act, request: web.Request) -> web.Response:
        """The form as it is opened, or again after an act that waited or a sign-in."""
        ref = request.query.get(LEFT, "")
        if re.fullmatch(REF, ref):
            return await self._look_again(actor, act, ref)
        if why := unavailable(act, actor):
            return self._given_back(actor, act, Typed(), why, 409)
        if why := unasked(act, actor):
            return self._given_back(actor, act, Typed(), why, 409)
        if not (actor.signed_in or suffices_by_link(act, actor)):
            return see_other(self._sign_in(actor, act, ""))
        if actor.signed_in:
            self._drafts.know(actor.session, actor.person.id)
        draft = request.query.get(DRAFT, "")
        typed = self._drafts.find(draft, actor.person.id, actor.now) if draft else Typed()
        prefilled = Typed(
            {name: value for name, value in request.query.items() if name in ("role", "person", "status")}
        )
        notice = LOST if typed is None else ""
        return await self._form(actor, act, _Sheet(typed or prefilled, notice=notice))

    async def press(self, actor: Actor, act: Act, form: Form) -> web.Response:
        """What was pressed: to look at what it will do, or to do it."""
        typed, ref = typed_fields(form), first(form, "ref")
        ref = ref if re.fullmatch(REF, ref) else new_ref()
        left_as = ref_of(ref, typed)
        earlier = await any_judgement(self._site, left_as, _kinds(act, actor))
        if earlier is not None and earlier.result != REFUSED:  # pressed twice: it counted once
            return see_other(f"{actor.base}?{DONE}={left_as}")
        if why := unavailable(act, actor):
            return self._given_back(actor, act, typed, why, 409)
        asks_to = first(form, "step") == SIGN_IN and not actor.signed_in
        if asks_to or self._wants_sign_in(actor, act, typed):
            self._drafts.keep(ref, actor.person.id, typed, actor.now)
            return see_other(self._sign_in(actor, act, ref))
        said = meant(act, typed, actor.incident, actor.policy, actor.person, actor.now)
        if not said.wrong:
            said = self._fitting(actor, act, said, ref)
        changed = changed_since(actor, first(form, "version"))
        sheet = _Sheet(typed, ref, said, changed=changed, status=422)
        if said.wrong:
            return await self._form(actor, act, sheet)
        shown = await self._preview(actor, act, said.edit)
        question = unanswered(act, typed, said.edit, shown)
        if question:
            return await self._form(
                actor, act, _Sheet(typed, ref, Meant(said.edit, question), changed=changed, status=422)
            )
        looked, does = first(form, "looked") == typed.mark, first(form, "step") == "do"
        if does and looked and changed and shown.texts:  # it would read otherwise than it was shown
            sheet = _Sheet(with_estimate(typed, said.edit), ref, said, shown, notice=CHANGED_INCIDENT, changed=changed)
            return await self._form(actor, act, sheet)
        suffices = act.traits.shown and not (act is Act.SEVERITY and shown.texts)
        if not does or not (looked or suffices):
            notice = CHANGED_FORM if does and first(form, "looked") else ""
            looked_at = with_estimate(typed, said.edit)
            return await self._form(actor, act, _Sheet(looked_at, ref, said, shown, notice=notice, changed=changed))
        version = first(form, "version") or actor.history.digest
        return await self._do(actor, act, typed, self._entry(actor, act, said.edit, left_as, version))

    async def _do(self, actor: Actor, act: Act, typed: Typed, entry: InboxEntry) -> web.Response:
        """Leave it for the daemon, and tell what came of it."""
        ref = entry.ref
        try:
            await leave(self._site, entry)
        except web.HTTPServiceUnavailable:
            return self._given_back(actor, act, typed, NOT_LEFT, 503)
        judged = await judgement(self._site, kind_of(entry), ref)
        if judged is None:
            self._drafts.keep(ref, actor.person.id, typed, actor.now)
            return await self._waiting(actor, act, ref, typed)
        if judged.result == REFUSED:
            return await self._refused(actor, act, typed, judged.words)
        if judged.result == ACTED:
            log.info("acted", act=act.value, incident=actor.incident.id, person=actor.person.id)
        reopened = act is Act.UNHEALTHY and actor.signed_in  # their link was of the time before
        base = f"{path_before(self._site)}/incidents/{actor.incident.id}" if reopened else actor.base
        return see_other(f"{base}?{DONE}={ref}")

    async def _refused(self, actor: Actor, act: Act, typed: Typed, words: str) -> web.Response:
        """The form again, made from the version that now stands, with what was typed and why it did not count."""
        return await self._form(actor, act, _Sheet(typed, refused=words or NOT_LEFT, status=409))

    async def _look_again(self, actor: Actor, act: Act, ref: str) -> web.Response:
        """The page of an act that waited: what became of it by now."""
        typed = self._drafts.find(ref, actor.person.id, actor.now) or Typed()
        judged = await any_judgement(self._site, ref, _kinds(act, actor))
        if judged is None:
            return await self._waiting(actor, act, ref, typed)
        if judged.result == REFUSED:
            return await self._refused(actor, act, typed, judged.words)
        return see_other(f"{actor.base}?{DONE}={ref}")

    async def _waiting(self, actor: Actor, act: Act, ref: str, typed: Typed) -> web.Response:
        """503: nobody has confirmed it; one that waits no more and is not judged either was lost, or was refused."""
        kept = await waits(self._site, ref, _kinds(act, actor))
        here = self._path(actor, act)
        return self._page(
            "acting/waiting",
            actor,
            503,
            act=act,
            here=here,
            again=f"{here}?{LEFT}={ref}",
            kept=kept,
            called=numbers_to_call(actor),
            texts=typed.texts,
            looks_again=LOOKS_AGAIN,
        )

    async def _form(self, actor: Actor, act: Act, sheet: _Sheet) -> web.Response:
        """The page of a form."""
        shown, traits = sheet.shown, act.traits
        if shown is None and traits.shown and act not in (Act.SEVERITY, Act.NOTE) and not sheet.meant.wrong:
            said = meant(act, sheet.typed, actor.incident, actor.policy, actor.person, actor.now)
            shown = await self._preview(actor, act, said.edit)
        values: dict[str, Any] = {
            "act": act,
            "here": self._path(actor, act),
            "typed": sheet.typed,
            "ref": sheet.ref if not sheet.refused else new_ref(),
            "version": actor.history.digest,
            "wrong": sheet.meant.wrong,
            "refused": sheet.refused,
            "notice": sheet.notice,
            "changed": sheet.changed,
            "shown": shown,
            "looked": sheet.typed.mark if sheet.shown else "",
            "sign_in": self._sign_in(actor, act, "") if not actor.signed_in else "",
            "choices": await asyncio.to_thread(choices, act, actor),
        }
        return self._page("acting/form", actor, sheet.status, **values)

    def _given_back(self, actor: Actor, act: Act, typed: Typed, why: str, status: int) -> web.Response:
        """It was not done: a sentence, and what was typed."""
        again = "" if unavailable(act, actor) or unasked(act, actor) else self._path(actor, act)
        return given_back(self._site, typed, why, status, again=again, base=actor.base, drill=actor.incident.drill)

    def _page(self, name: str, actor: Actor, status: int = 200, **values: object) -> web.Response:
        """A page about this incident."""
        incident, policy = actor.incident, actor.policy
        page = self._site.page(
            name,
            status,
            drill=incident.drill,
            actor=actor,
            incident=incident,
            severity=policy.severity(incident.severity),
            base=actor.base,
            **values,
        )
        page.headers.update(REFERRER)
        return page

    def _path(self, actor: Actor, act: Act) -> str:
        return f"{actor.base}/act/{act.value}"

    def _sign_in(self, actor: Actor, act: Act, ref: str) -> str:
        """Where who came by a link signs in, and comes back to their form."""
        return sign_in_path(self._path(actor, act) + (f"?{DRAFT}={ref}" if ref else ""))

    def _wants_sign_in(self, actor: Actor, act: Act, typed: Typed) -> bool:
        """Whether a link alone may not do this (P8)."""
        if actor.signed_in:
            return False
        more = act is Act.UPDATE and (typed["public"].strip() or typed["status"] or typed["eta"] or typed["eta_at"])
        return bool(more) or not suffices_by_link(act, actor)

    async def _preview(self, actor: Actor, act: Act, edit: Edit) -> Preview:
        return await asyncio.to_thread(lambda: preview(actor, act, edit, self._site.renderer()))

    def _entry(self, actor: Actor, act: Act, edit: Edit, ref: str, version: str) -> AnswerEntry | EditEntry:
        """What is left for the daemon: who, what, and what shows that they may."""
        incident, person = actor.incident.id, actor.person.id
        episode, signature, session = (
            (0, "", actor.session) if actor.signed_in else (actor.episode, actor.signature, "")
        )
        if _kinds(act, actor)[0] is ArrivalKind.ANSWER:
            answer = Answer.PASS if act is Act.PASS else Answer.OK
            return AnswerEntry(ref, incident, episode, person, answer, signature, session)
        return EditEntry(
            ref, incident, person, episode, signature, session, version, edit, not_healthy=act is Act.UNHEALTHY
        )

    def _fitting(self, actor: Actor, act: Act, said: Meant, ref: str) -> Meant:
        """The same; with a sentence where all texts together are too long for an entry."""
        over = len(write_entry(self._entry(actor, act, said.edit, ref, actor.history.digest))) - ENTRY_MOST
        if over <= 0:
            return said
        words = f"All in all this is {over:,} bytes too long (a letter with an accent counts two, others up to four)."
        name = next((name for name in ("text", "impact", "note", "public") if _has_text(said, name)), "text")
        return Meant(said.edit, {name: f"{words} Shorten it."})


def _has_text(said: Meant, name: str) -> bool:
    """Whether an edit has a text of that field."""
    edit = said.edit
    texts = {
        "text": (edit.entry.text if edit.entry else "") or edit.resolution,
        "impact": edit.impact,
        "note": edit.note.text if edit.note else "",
        "public": (edit.entry.public if edit.entry else "") or edit.public_resolution,
    }
    return bool(texts[name])


def suffices_by_link(act: Act, actor: Actor) -> bool:
    """Whether a signed link alone is enough (P8): about health only for who was asked."""
    asked = act not in (Act.HEALTHY, Act.UNHEALTHY) or actor.options.verify
    return act.traits.by_link and asked


def unavailable(act: Act, actor: Actor) -> str:
    """Why an act cannot be done to the incident as it stands; empty: it can."""
    incident, history = actor.incident, actor.history
    if incident.unreadable and act not in (Act.OK, Act.PASS):
        return "The incident file cannot be read, so nothing can be written into it from here. Nothing was changed."
    over, wants = history.resolved_at is not None, act.traits.when_over
    if wants is False and over and act is not Act.OK:
        assert history.resolved_at is not None
        at = clock(history.resolved_at, actor.person.timezone, actor.now)
        by = _resolver(actor)
        on = "You can still note something, or say that it is not healthy: that opens it again."
        return f"This incident was resolved at {at}{' by ' if by else ''}{by}. Nothing was changed. {on}"
    if wants and not over:
        return "This incident is open. Nothing was changed."
    return ""


def _resolver(actor: Actor) -> str:
    """Who resolved it, as far as the version that did so says; empty: it does not."""
    versions = [fact.incident for fact in actor.facts if isinstance(fact, Seen)]
    ends = [(old, new) for old, new in pairwise(versions) if new.resolved and not old.resolved]
    return actor.policy.person_name(author(*ends[-1])) if ends else ""


def unasked(act: Act, actor: Actor) -> str:
    """Why an answer would change nothing; empty: it would, or somebody waits for it."""
    options = actor.options
    if act is Act.OK and not (options.takes or options.confirms or options.holds or options.urges):
        return "You are asked for nothing here, so there is nothing to accept. Nothing was changed."
    if act is Act.PASS and not (options.passes or options.urges):
        return "You have no role here and are asked for none, so there is nothing to pass. Nothing was changed."
    return ""


def unanswered(act: Act, typed: Typed, edit: Edit, shown: Preview) -> dict[str, str]:
    """What is to be asked once more: outsiders who heard of it are to read a word about its end (rule 58)."""
    if act is not Act.RESOLVE or edit.public_resolution or typed["without_public"] or not shown.texts:
        return {}
    groups = ENGLISH.listed(list(dict.fromkeys(title for text in shown.texts for title in text.groups)))
    words = "would read nothing about how it ended. Write it, or tick that they get no word."
    return {"public": f"{groups} heard of it and {words}"}


def first(form: Form, name: str) -> str:
    """The first value of a field; empty: there is none."""
    return next(iter(form.get(name, ())), "")


def _kinds(act: Act, actor: Actor) -> tuple[ArrivalKind, ...]:
    """As what it is judged; health is confirmed by an answer of whoever was asked, else by an edit."""
    if act in (Act.OK, Act.PASS) or (act is Act.HEALTHY and actor.options.confirms):
        return (ArrivalKind.ANSWER,)
    return (ArrivalKind.EDIT, ArrivalKind.ANSWER) if act is Act.HEALTHY else (ArrivalKind.EDIT,)
