"""What the page of a signed link shows: what is true for this person now, what is asked of them, and what else they
can do.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from tocsin.app.edits.effect_words import OutsideText, effect_sentences, outside_texts
from tocsin.app.incidents.incident_views import views
from tocsin.app.replies.answer_options import RoleState
from tocsin.app.replies.duties import next_asked, review_duty, update_duty
from tocsin.app.reply_options import signed_links
from tocsin.domain.facts import RoleDropped
from tocsin.domain.history import History
from tocsin.domain.incident import Edit, Status
from tocsin.domain.people import Person
from tocsin.domain.policy import Policy
from tocsin.planning.current_state import CurrentState, NextPages, RoleHolder, current_state
from tocsin.ports.renderer import Renderer
from tocsin.text.times import clock, span
from tocsin.web.access.viewer import Viewer
from tocsin.web.acting.actor import Actor
from tocsin.web.acting.acts import BIG, Act, offered
from tocsin.web.acting.preview import act_effects, press_label
from tocsin.web.http.site import Site
from tocsin.wording.language.language import ENGLISH
from tocsin.wording.message.page_words import people_to_call
from tocsin.wording.report.internal_view import people_asked
from tocsin.wording.report.places import places


@dataclass(frozen=True, slots=True)
class _AnswerButton:
    """One of the two answers: what its button says, what would come of it, and what outsiders would read then."""

    press: str
    sentences: tuple[str, ...]
    texts: tuple[OutsideText, ...] = ()


async def link_page(site: Site, actor: Actor, looker: Viewer, done: str) -> web.Response:
    """What is true for this person now, in their own time; `done` is what became of their last act. Raises
    LedgerError.
    """
    options, incident = actor.options, actor.incident
    state = current_state(incident, actor.policy, actor.history, actor.now)
    called = numbers_to_call(actor)
    return site.page(
        "acting/link",
        viewer=looker,
        drill=incident.drill,
        done=done,
        options=options,
        incident=incident,
        severity=actor.policy.severity(incident.severity),
        resolved=incident.status is Status.RESOLVED,
        person=actor.person,
        base=actor.base,
        acts=offered(options, person=actor.person.id),
        big=BIG,
        signed_in=actor.signed_in,
        takes=await asyncio.to_thread(_answer, actor, Act.OK, site.renderer()) if options.takes else None,
        passes=await asyncio.to_thread(_answer, actor, Act.PASS, site.renderer()) if options.passes else None,
        services=actor.policy.service_titles(incident.services),
        places=[] if actor.history.resolved_at else places(incident, actor.policy),
        numbers={role: number for role, _, number in called},
        called=called,
        writes=await _update_values(site, actor, state),
        incident_page=site.reply_routes.public_url + signed_links.page(site.reply_routes.keys, incident.id),
        **_asked(actor),
        **_times(actor, state),
    )


def _asked(actor: Actor) -> dict[str, Any]:
    """What they are asked to be and by when to answer, what they are, and the review that they owe."""
    options, policy, now = actor.options, actor.policy, actor.now
    open_roles = [
        option.role
        for option in options.roles
        if option.role and option.state is RoleState.OPEN and option.holder is None
    ]
    others = [option for option in options.roles if option.role not in open_roles]
    coming, review = next_asked(options, policy, now), review_duty(options, policy)
    title, name = policy.role_title, policy.person_name
    return {
        "open_roles": ENGLISH.listed([title(role) for role in open_roles]),
        "duties": [policy.roles[role].duties for role in open_roles if role in policy.roles],
        "roles": [
            (option.state.value, title(option.role), name(option.holder), _at(actor, option.since)) for option in others
        ],
        "dropped": ENGLISH.listed([title(role) for role in options.dropped]),
        "dropped_at": _at(actor, _dropped_at(actor)),
        "answer_by": _at(actor, coming.at) if coming else "",
        "then": _then(coming, actor.person, policy) if coming else "",
        "review": review,
        "review_due": _at(actor, review.due_at) if review else "",
        "review_overdue": review is not None and review.due_at is not None and review.due_at < now,
    }


def _dropped_at(actor: Actor) -> datetime | None:
    """Since when the roles that they were paged for are not needed any more."""
    drops = (fact for fact in actor.facts if isinstance(fact, RoleDropped))
    return max((fact.at for fact in drops if fact.role in actor.options.dropped), default=None)


def _times(actor: Actor, state: CurrentState) -> dict[str, Any]:
    """Since when, until when, and who has what since when, in their own time."""
    history, policy = actor.history, actor.policy
    lasted = history.resolved_at - history.began_at if history.resolved_at and history.began_at else None
    return {
        "holdings": [
            (
                policy.role_title(holding.role),
                ENGLISH.listed([policy.person_name(name) for name in people]),
                "is" if len(people) == 1 else "are",
                _at(actor, holding.accepted_at),
            )
            for holding in state.roles
            for people in [_people(holding, history)]
        ],
        "since": _at(actor, history.began_at),
        "resolved_at": _at(actor, history.resolved_at),
        "eta": "" if actor.incident.resolved else _at(actor, actor.incident.eta),
        "lasted": span(lasted) if lasted is not None else "",
    }


def _people(holding: RoleHolder, history: History) -> tuple[str, ...]:
    """Who has a role; else everybody who is asked for it, or will be."""
    asked = people_asked(history.roles[holding.role]) if holding.role in history.roles else ()
    holder = (holding.person,) if holding.person else ()
    return holder if holding.accepted_at is not None or not asked else asked


def _at(actor: Actor, moment: datetime | None) -> str:
    return clock(moment, actor.person.timezone, actor.now) if moment else ""


def _answer(actor: Actor, act: Act, renderer: Renderer) -> _AnswerButton:
    """What an answer would do; by `ok` to be still there nothing changes."""
    if act is Act.OK and actor.options.still_there:
        return _AnswerButton(actor.accept_label, ())
    shown = act_effects(actor, act, Edit())
    sentences = effect_sentences(shown, actor.policy, actor.person.timezone, actor.now)
    texts = outside_texts(shown, actor.policy, renderer)
    return _AnswerButton(press_label(act, Edit(), shown, actor), () if shown.tells_nobody else sentences, texts)


def numbers_to_call(actor: Actor) -> list[tuple[str, str, str]]:
    """Whom somebody with only a phone calls: role, name and number. Once it is resolved, only who is still asked for
    something has to.
    """
    options = actor.options
    if options.history.resolved_at and not options.confirms and review_duty(options, actor.policy) is None:
        return []
    people = people_to_call(options.history, actor.policy, ENGLISH, without=actor.person.id)
    return [contact for contact in people if contact[2]]


def _then(coming: NextPages, person: Person, policy: Policy) -> str:
    """Who is asked next, in words."""
    names = ["you again" if name == person.id else policy.person_name(name) for name in coming.people]
    listed = ENGLISH.listed(names)
    return f"the last resort ({listed})" if coming.last_resort else listed


async def _update_values(site: Site, actor: Actor, state: CurrentState) -> dict[str, object] | None:
    """For whom the updates are to write: when the next one is promised, and what outsiders have read last."""
    duty, zone, now = update_duty(actor.options, state, actor.now), actor.person.timezone, actor.now
    if duty is None:
        return None
    both_views = await views(actor.incident.id, site.ledger(), actor.policy, site.settings.limits, now)
    latest = both_views.public.latest if both_views and both_views.public else None
    return {
        "next": clock(duty.next_at, zone, now) if duty.next_at else "",
        "overdue": duty.next_at is not None and duty.next_at < now,
        "eta_passed": duty.eta_passed,
        "read": (*latest.changes, *latest.words) if latest else (),
        "read_at": clock(latest.at, zone, now) if latest else "",
        "outsiders": any(group.external for group in actor.policy.stakeholders.values()),
    }
