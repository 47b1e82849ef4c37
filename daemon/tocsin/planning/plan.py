"""What is due now for an incident, and when to look again, from its facts so far.

The parts decide in this order, each seeing what those before it decided: which roles are needed, pages, later channels
of earlier pages, stand-downs, updates; or, once resolved, closing messages, verification, review. Each part names the
rules that it follows; `docs/rules.md` numbers them.
"""

from datetime import datetime, timedelta

from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.plan import Plan
from tocsin.domain.policy import Policy
from tocsin.planning.after_resolving import ask_for_review, ask_to_verify, send_closing, why_nobody_is_asked
from tocsin.planning.draft import Draft
from tocsin.planning.needed_roles import open_and_drop_roles, reopen_lost_roles
from tocsin.planning.paging import page_for_unreadable_file, send_due_pages
from tocsin.planning.reach import send_to_corrected_addresses, send_waiting_pages
from tocsin.planning.stand_downs import send_stand_downs
from tocsin.planning.updates import send_updates

LOOK_AT_LEAST_EVERY = timedelta(days=1)
LOOK_FROM_MEMORY = timedelta(minutes=1)
"""How soon it is looked again while the ledger is away: once it is back ladders go on as ever."""
MOST_PASSES = 20
AT_ONCE = timedelta(milliseconds=1)
"""How soon the plan is made again when intervals are so short that more is due than one plan says."""


def plan(
    incident: Incident,
    policy: Policy,
    history: History,
    now: datetime,
    *,
    from_memory: bool = False,
    steps_wait: bool = False,
) -> Plan:
    """What is due at `now` for one incident, what is held back and why, and when to look again. The ledger is away:
    `steps_wait`: not for long yet, so ladders stand still; `from_memory`: for long. Both are looked at again soon.

    `incident` is the newest version and `history` its facts so far, folded; `now` is an aware UTC instant not before
    any of them. An open incident always has something due or a next look (P1). Never raises on operating errors.
    """
    assert history.incident is not None, "an incident was seen before it is planned"
    draft = Draft(incident, policy, history, now, from_memory=from_memory, steps_wait=steps_wait)
    at_rest = any(_decides_nothing(draft) for _ in range(MOST_PASSES))
    if not at_rest:
        draft.look_at(now + AT_ONCE)
    if from_memory:
        draft.look_at(now + LOOK_FROM_MEMORY)
    return draft.plan(at_rest=at_rest)


def _decides_nothing(draft: Draft) -> bool:
    """Make one pass; whether it found nothing that was due."""
    before = draft.decisions
    draft.begin_pass()
    _decide(draft)
    return draft.decisions == before


def _decide(draft: Draft) -> None:
    """One pass over everything that may be due; the last pass finds nothing and only looks ahead."""
    incident, history = draft.incident, draft.history
    if incident.unreadable:
        page_for_unreadable_file(draft)
        draft.note_pages()
    elif history.resolved_at is not None:
        send_closing(draft)
        if history.episode and why_nobody_is_asked(incident, history) is None:
            ask_to_verify(draft)
            ask_for_review(draft)
    else:
        reopen_lost_roles(draft)
        open_and_drop_roles(draft)
        paged = send_due_pages(draft)
        draft.note_pages()
        send_waiting_pages(draft, paged)
        send_to_corrected_addresses(draft)
        send_stand_downs(draft)
        send_updates(draft)
        draft.look_at(draft.now + LOOK_AT_LEAST_EVERY)
