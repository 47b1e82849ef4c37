"""Plan: the only public verb of the planning. Facts in, what is due now and when to look again out.

The parts decide in this order, each seeing what those before it decided: needs (which ladders there are), pages,
later channels of earlier pages, stand-downs, updates; or, once resolved, closing, verification, review.
`timeline.md` numbers the rules; each part names those it follows.
"""

from datetime import datetime, timedelta

from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.plan import Plan
from tocsin.domain.policy import Policy
from tocsin.planning.after_resolving import ask_for_review, close, verify
from tocsin.planning.draft import Draft
from tocsin.planning.needed_roles import assess, open_silent_roles
from tocsin.planning.paging import page_last_resort, page_people
from tocsin.planning.reach import go_on_reaching
from tocsin.planning.stand_downs import stand_down
from tocsin.planning.updates import update_groups

LOOK_AT_LEAST_EVERY = timedelta(days=1)
PASSES_MAX = 20
AT_ONCE = timedelta(milliseconds=1)
"""How soon the plan is made again when intervals are so short that more is due than one plan says."""


def plan(incident: Incident, policy: Policy, history: History, now: datetime) -> Plan:
    """What is due at `now` for one incident, what is held back and why, and when to look again.

    `incident` is the newest version and `history` its facts so far, folded; `now` is an aware UTC instant not before
    any of them. An open incident always has something due or a next look (P1). Never raises on operating errors.
    """
    assert history.incident is not None, "an incident was seen before it is planned"
    draft = Draft(incident, policy, history, now)
    for _ in range(PASSES_MAX):
        before = draft.decisions
        draft.again()
        _decide(draft)
        if draft.decisions == before:
            break
    else:
        draft.look(now + AT_ONCE)
    return draft.plan()


def _decide(draft: Draft) -> None:
    """One pass over everything that may be due; the last pass finds nothing and only looks ahead."""
    incident, history = draft.incident, draft.history
    if incident.unreadable:
        page_last_resort(draft)
    elif history.resolved_at is not None:
        close(draft)
        if history.episode:
            verify(draft)
            ask_for_review(draft)
    else:
        open_silent_roles(draft)
        assess(draft)
        paged = page_people(draft)
        go_on_reaching(draft, paged)
        stand_down(draft)
        update_groups(draft)
        draft.look(draft.now + LOOK_AT_LEAST_EVERY)
