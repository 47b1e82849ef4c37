"""Who is paged next if nobody answers, foretold for every page, and held against what the plan does then."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tocsin.domain.facts import Answer, Answered, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.plan import Due
from tocsin.domain.policy import Policy
from tocsin.planning import current_state
from tocsin.planning.current_state import NextPages, after_pages, next_pages, pages_ahead
from tocsin.planning.history.fold import apply_fact, fold_facts
from tocsin.planning.plan import plan

from tests.builders.instants import MINUTE, T0
from tests.builders.policies import paging_policy, shipped_policy
from tests.builders.stories import CARD

FRIDAY = T0.replace(day=27, hour=14)


def walked(history: History, policy: Policy, until: datetime) -> tuple[list[Due], History]:
    """Every page that the plan makes while nothing else happens."""
    incident, now, dues = history.incident, history.seen_at, []
    assert incident is not None
    while now is not None and now <= until:
        planned = plan(incident, policy, history, now)
        history = planned.history
        dues += [due for due in planned.due if due.notification.kind is Kind.PAGE]
        now = planned.next_look
    return dues, history


def foretold(page: Notification, incident: Incident, policy: Policy, before: History) -> NextPages | None:
    after = after_pages(incident, policy, before, page.at)
    told = next_pages(incident, policy, after, page.roles, page.at)
    assert pages_ahead(incident, policy, before, page.roles, page.at) == (after, told)
    return told


@pytest.mark.parametrize(
    ("severity", "begins", "span"),
    [("sev1", T0, 80 * MINUTE), ("sev2", T0, 150 * MINUTE), ("sev3", FRIDAY, timedelta(days=6))],
)
def test_what_is_foretold_happens(severity: str, begins: datetime, span: timedelta) -> None:
    """For each page of a ladder, in open hours only where the severity says so: the next pages of its roles."""
    policy = shipped_policy()
    incident = replace(CARD, severity=severity, services=())
    dues, _ = walked(fold_facts([Seen(begins, incident)]), policy, begins + span)
    pages = [due.notification for due in dues if due.notification.reason is not Reason.REACH]
    checked = 0
    for due in dues:
        page = due.notification
        later = [one for one in pages if one.at > page.at and set(one.roles) & set(page.roles)]
        if not later or page.reason is Reason.REACH:
            continue
        coming = [one for one in later if one.at == later[0].at]
        told = foretold(page, incident, policy, due.history)
        assert told is not None
        assert (told.at, set(told.people)) == (coming[0].at, {one.to for one in coming})
        assert told.last_resort is all(one.reason is Reason.LAST_RESORT for one in coming)
        checked += 1
    assert checked > 5
    assert any(one.reason is Reason.LAST_RESORT for one in pages)


def test_it_is_the_same_before_and_after_the_pages() -> None:
    """Words are made of the history before the plan, those of a bundle of the one after it."""
    policy, before = paging_policy(), fold_facts([Seen(T0, CARD)])
    after = plan(CARD, policy, before, T0).history
    expected = NextPages(T0 + 5 * MINUTE, ("bo",), last_resort=False)
    for history in (before, after):
        decided = after_pages(CARD, policy, history, T0)
        assert next_pages(CARD, policy, decided, ("technical_lead",), T0) == expected


def test_the_plan_of_a_page_spares_its_words_to_decide_it_again() -> None:
    """They look ahead alone; but not from what was decided from memory, or for another instant."""
    policy, before = paging_policy(), fold_facts([Seen(T0, CARD)])
    page = plan(CARD, policy, before, T0 + timedelta(seconds=2)).due[0]
    assert page.after is not None
    assert (page.after.at, page.after.next_look) == (T0, T0 + 5 * MINUTE)
    expected = NextPages(T0 + 5 * MINUTE, ("bo",), last_resort=False)
    known = pages_ahead(CARD, policy, before, ("technical_lead",), T0, page.after)
    assert known[0] is page.after.history
    assert known == pages_ahead(CARD, policy, before, ("technical_lead",), T0) == (page.after.history, expected)
    elsewhen = pages_ahead(CARD, policy, before, ("technical_lead",), T0 + MINUTE, page.after)
    assert elsewhen == pages_ahead(CARD, policy, before, ("technical_lead",), T0 + MINUTE)
    assert elsewhen[0] is not page.after.history
    assert plan(CARD, policy, before, T0, from_memory=True).due[0].after is None


def test_an_assigned_person_is_asked_again_and_then_nobody() -> None:
    """Rule 9: `rounds` times in all, without chain; the holder keeps the role."""
    policy = paging_policy()
    incident = replace(CARD, services=())
    history = plan(incident, policy, fold_facts([Seen(T0, incident)]), T0).history
    history = apply_fact(history, Answered(T0 + MINUTE, "ana", Answer.OK))
    named = replace(incident, roles=(("technical_lead", "bo"),))
    history = apply_fact(history, Seen(T0 + 2 * MINUTE, named))
    after = after_pages(named, policy, history, T0 + 2 * MINUTE)
    assert next_pages(named, policy, after, ("technical_lead",), T0 + 2 * MINUTE) is None
    twice = replace(policy.severities["sev1"].page, rounds=2)  # type: ignore[type-var]  # it has a page
    policy = replace(policy, severities={"sev1": replace(policy.severities["sev1"], page=twice)})
    told = next_pages(named, policy, after, ("technical_lead",), T0 + 2 * MINUTE)
    assert told == NextPages(T0 + 7 * MINUTE, ("bo",), last_resort=False)


def test_who_does_not_confirm_is_followed_by_the_chain() -> None:
    """Rule 19: the role is open again, and its ladder starts anew without them."""
    policy = paging_policy()
    page = replace(policy.severities["sev1"].page, still_there_after=timedelta(hours=2))  # type: ignore[type-var]
    policy = replace(policy, severities={"sev1": replace(policy.severities["sev1"], page=page)})
    history = plan(CARD, policy, fold_facts([Seen(T0, CARD)]), T0).history
    for person in ("ana", "chen"):
        history = apply_fact(history, Answered(T0 + MINUTE, person, Answer.OK))
    asked_at = T0 + timedelta(hours=2, minutes=1)
    after = after_pages(CARD, policy, history, asked_at)
    told = next_pages(CARD, policy, after, ("technical_lead",), asked_at)
    assert told == NextPages(asked_at + 5 * MINUTE, ("bo",), last_resort=False)


def test_a_file_that_cannot_be_read_asks_the_last_resort_again() -> None:
    """Rule 32."""
    policy = paging_policy()
    incident = replace(CARD, severity="sev1", unreadable=True)
    after = after_pages(incident, policy, fold_facts([Seen(T0, incident)]), T0)
    assert next_pages(incident, policy, after, (), T0) == NextPages(T0 + 5 * MINUTE, ("olga",), last_resort=True)


def test_nobody_is_paged_for_what_is_held_or_over() -> None:
    """A role that somebody has, and an incident that is resolved."""
    policy = paging_policy()
    history = plan(CARD, policy, fold_facts([Seen(T0, CARD)]), T0).history
    history = apply_fact(history, Answered(T0 + MINUTE, "ana", Answer.OK))
    assert next_pages(CARD, policy, history, ("technical_lead",), T0 + MINUTE) is None
    over = apply_fact(history, Seen(T0 + 2 * MINUTE, replace(CARD, status=Status.RESOLVED)))
    assert next_pages(CARD, policy, over, ("incident_commander",), T0 + 2 * MINUTE) is None


def test_an_ordinary_page_is_foretold_without_playing_its_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most pages of a storm are such: the next step of a ladder is all that is asked of the plan."""
    policy, before = paging_policy(), fold_facts([Seen(T0, CARD)])
    page = plan(CARD, policy, before, T0).due[0]
    monkeypatch.setattr(current_state, "_pages", lambda _moment: pytest.fail("it was played"))
    _, coming = pages_ahead(CARD, policy, before, ("technical_lead",), T0, page.after)
    assert coming == NextPages(T0 + 5 * MINUTE, ("bo",), last_resort=False)
