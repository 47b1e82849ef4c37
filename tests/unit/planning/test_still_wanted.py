"""Whether a letter that was decided should still leave: every kind against every turn the incident may take."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tocsin.domain.facts import (
    Answer,
    Answered,
    Fact,
    FirstWordHeld,
    Gone,
    HandoverAsked,
    Reminded,
    RespondersAsked,
    ReviewAsked,
    RoleDropped,
    RoleOpened,
    Seen,
    StepFired,
    StillThereAsked,
    StoodDown,
    Updated,
    VerifyAsked,
)
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Kind, Notification, Reason, Why
from tocsin.domain.people import Channel
from tocsin.planning.delivery.still_wanted import current_address, why_not_now, why_unwanted
from tocsin.planning.history.fold import fold_facts

from tests.builders.instants import T0
from tests.builders.policies import shipped_policy

OPEN = Incident("card", "Card payments fail", "sev1")
OVER = replace(OPEN, status=Status.RESOLVED)
LEAD, SCRIBE, RESPONDER = "technical_lead", "scribe", "responder"
GONE, ENDED, NEWER = Why.NO_LONGER_WANTED, Why.RESOLVED, Why.SUPERSEDED


def minutes(count: float) -> datetime:
    return T0 + timedelta(minutes=count)


def seen(at: float, incident: Incident) -> Seen:
    return Seen(minutes(at), incident)


def ok(at: float, person: str) -> Answered:
    return Answered(minutes(at), person, Answer.OK)


def declines(at: float, person: str) -> Answered:
    return Answered(minutes(at), person, Answer.PASS)


def opened(role: str, *people: str) -> tuple[Fact, ...]:
    return (RoleOpened(T0, role, Reason.DECLARED), StepFired(T0, role, 1, 0, people))


def updated(at: float, reason: Reason = Reason.CHANGED) -> Updated:
    return Updated(minutes(at), "execs", reason, external=False, readers=(("ceo", Channel.EMAIL),))


BEGUN = (
    seen(0, OPEN),
    *opened(LEAD, "ana", "bo"),
    *opened(SCRIBE, "ana"),
    RespondersAsked(T0, ("shop",), 1, ("ana",), Reason.DECLARED),
    updated(0, Reason.DECLARED),
)
"""ana and bo were paged for the lead, ana alone for the scribe and as a responder; the execs were told."""


def history(*more: Fact) -> History:
    return fold_facts((*BEGUN, *more))


def notification(kind: Kind, reason: Reason = Reason.DECLARED, **fields: object) -> Notification:
    decided = Notification("key", "card", 1, kind, reason, T0, "ana", Channel.SMS, roles=(LEAD,), group="execs")
    return replace(decided, **fields)  # type: ignore[arg-type]


STATES: dict[str, tuple[Fact, ...]] = {
    "open": (),
    "resolved": (seen(9, OVER),),
    "verified in the file": (seen(9, OVER), seen(10, replace(OVER, verified_by="ana"))),
    "verified by an ok": (seen(9, OVER), VerifyAsked(minutes(20), 1, ("ana",)), ok(21, "ana")),
    "reviewed": (seen(9, OVER), seen(10, replace(OVER, review="done"))),
    "reopened": (seen(9, OVER), seen(10, OPEN)),
    "resolved again": (seen(9, OVER), seen(10, OPEN), seen(11, OVER)),
}


BY_KIND = {
    Kind.PAGE: [None, ENDED, ENDED, ENDED, ENDED, GONE, GONE],
    Kind.STAND_DOWN: [GONE, ENDED, ENDED, ENDED, ENDED, GONE, GONE],
    Kind.UPDATE: [None, ENDED, ENDED, ENDED, ENDED, GONE, GONE],
    Kind.REMINDER: [None, ENDED, ENDED, ENDED, ENDED, GONE, GONE],
    Kind.CLOSING: [None, None, None, None, None, None, None],
    Kind.VERIFY: [GONE, None, GONE, GONE, None, GONE, GONE],
    Kind.REVIEW: [GONE, None, None, None, GONE, GONE, GONE],
    Kind.OPERATOR: [None, None, None, None, None, None, None],
    Kind.ANSWER: [None, None, None, None, None, None, None],
    Kind.SIGN_IN: [None, None, None, None, None, None, None],
}
"""Why it leaves no more, in each of the states."""


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_in_each_state(kind: Kind) -> None:
    """Once resolved only closing, verify and review messages leave (rules 3, 27); of an episode that is over only the
    closing; what is outside the plan always does.
    """
    reasons = {state: why_unwanted(notification(kind), history(*facts)) for state, facts in STATES.items()}
    assert reasons == dict(zip(STATES, BY_KIND[kind], strict=True))


@pytest.mark.parametrize(("kind", "asked"), [(Kind.VERIFY, VerifyAsked), (Kind.REVIEW, ReviewAsked)])
def test_a_question_that_waits_gives_way_to_the_next(
    kind: Kind, asked: Callable[[datetime, int, tuple[str, ...]], Fact]
) -> None:
    """Rules 4 and 27: whoever could be told nothing for so long is asked once when that is over."""
    facts = seen(9, OVER), asked(minutes(20), 1, ("ana",)), asked(minutes(30), 2, ("ana",))
    first, second = notification(kind, at=minutes(20)), notification(kind, at=minutes(30))
    assert why_unwanted(first, history(*facts[:2])) is None
    assert [why_unwanted(each, history(*facts)) for each in (first, second)] == [Why.SUPERSEDED, None]


def test_a_stand_down_that_waits_is_not_told_to_whoever_is_asked_anew() -> None:
    """Rule 17: they would take themselves for free. That they are asked for another role changes nothing."""
    free = (ok(1, "bo"), StoodDown(minutes(1), "ana", (LEAD,), Channel.SMS, Reason.ACCEPTED))
    gave_up = (*free, declines(2, "bo"))
    asked = (*gave_up, StepFired(minutes(3), LEAD, 2, 0, ("ana",)))
    stand_down = notification(Kind.STAND_DOWN, Reason.ACCEPTED, roles=(LEAD,))
    expected = ((free, None), (gave_up, None), (asked, GONE), ((*gave_up, ok(3, "ana")), GONE))
    assert [why_unwanted(stand_down, history(*facts)) for facts, _ in expected] == [why for _, why in expected]
    both = replace(stand_down, roles=(SCRIBE, LEAD))
    told_of_both = (ok(1, "bo"), StoodDown(minutes(1), "ana", (LEAD, SCRIBE), Channel.SMS, Reason.ACCEPTED))
    assert why_unwanted(both, history(*told_of_both)) is None
    assert why_unwanted(both, history(*told_of_both, declines(2, "bo"), *asked[-1:])) is GONE


def test_a_reminder_that_waits_is_not_told_once_its_update_went() -> None:
    """Rules 4, 24: it would ask for what was done. One of a group that waits for its first word goes as long as it does
    (rule 56).
    """
    due = notification(Kind.REMINDER, Reason.UPDATE_DUE, at=minutes(25), next_update_at=minutes(30))
    reminded = Reminded(minutes(25), ("execs",), minutes(30))
    assert why_unwanted(due, history(reminded)) is None
    for reason in (Reason.CHANGED, Reason.DUE):
        assert why_unwanted(due, history(reminded, updated(30, reason))) is NEWER
    waits = replace(due, next_update_at=None)
    held = (FirstWordHeld(T0, "fans"), Reminded(minutes(25), ("fans",), minutes(25)))
    assert why_unwanted(waits, history(*held)) is None
    assert why_unwanted(waits, history(*held, replace(updated(26, Reason.DECLARED), group="fans"))) is NEWER


def test_an_end_that_was_taken_back_is_told_to_nobody_who_heard_so() -> None:
    """P4, P5: a closing that waits for its provider while the incident is opened again would say that all is over. Who
    hears nothing of the new episode there still hears the end of theirs.
    """
    again = (*STATES["reopened"], updated(10, Reason.DECLARED))
    for facts in (again, (*again, seen(11, OVER))):
        for to, via, why in (
            ("ceo", Channel.EMAIL, NEWER),
            ("ceo", Channel.SMS, None),
            ("ana", Channel.EMAIL, None),
        ):
            closing = notification(Kind.CLOSING, Reason.RESOLVED, to=to, via=via)
            assert why_unwanted(closing, history(*facts)) is why
    of_its_own = notification(Kind.CLOSING, Reason.RESOLVED, to="ceo", via=Channel.EMAIL, episode=2)
    assert why_unwanted(of_its_own, history(*again, seen(11, OVER))) is None


DROPPED = (RoleDropped(minutes(1), LEAD),)


@pytest.mark.parametrize(
    ("roles", "to", "facts", "wanted"),
    [
        ((LEAD,), "ana", (), True),
        ((LEAD,), "ana", (ok(1, "bo"),), False),
        ((LEAD,), "ana", (ok(1, "ana"),), False),
        ((LEAD,), "ana", (declines(1, "ana"),), False),
        ((LEAD,), "ana", (declines(1, "bo"),), True),
        ((LEAD,), "ana", DROPPED, False),
        ((LEAD,), "ana", (declines(1, "ana"), ok(2, "ana"), declines(3, "ana")), False),
        # One of several roles is enough.
        ((LEAD, SCRIBE), "ana", (ok(1, "bo"),), True),
        ((SCRIBE, LEAD), "ana", (ok(1, "bo"),), True),
        ((LEAD, SCRIBE), "ana", (ok(1, "ana"),), False),
        # Responders answer for themselves: nobody else's ok ends it, their own or a pass does.
        ((RESPONDER,), "ana", (), True),
        ((RESPONDER,), "ana", (ok(1, "bo"),), True),
        ((RESPONDER,), "ana", (ok(1, "ana"),), False),
        ((RESPONDER,), "ana", (declines(1, "ana"),), False),
        ((LEAD, RESPONDER), "ana", (ok(1, "bo"),), True),
        # Are you still there: until the holder answers or the file changes.
        ((LEAD,), "ana", (ok(1, "ana"), StillThereAsked(minutes(5), LEAD, "ana")), True),
        ((LEAD,), "ana", (ok(1, "ana"), StillThereAsked(minutes(5), LEAD, "ana"), ok(6, "ana")), False),
        (
            (LEAD,),
            "ana",
            (ok(1, "ana"), StillThereAsked(minutes(5), LEAD, "ana"), seen(6, replace(OPEN, eta=T0))),
            False,
        ),
        ((LEAD,), "bo", (ok(1, "ana"), StillThereAsked(minutes(5), LEAD, "ana")), False),
        # A handover: until the person named answers.
        (
            (LEAD,),
            "chen",
            (ok(1, "ana"), seen(2, replace(OPEN, roles=((LEAD, "chen"),))), HandoverAsked(minutes(2), LEAD, "chen", 1)),
            True,
        ),
        (
            (LEAD,),
            "bo",
            (ok(1, "ana"), seen(2, replace(OPEN, roles=((LEAD, "chen"),))), HandoverAsked(minutes(2), LEAD, "chen", 1)),
            False,
        ),
        (
            (LEAD,),
            "chen",
            (
                ok(1, "ana"),
                seen(2, replace(OPEN, roles=((LEAD, "chen"),))),
                HandoverAsked(minutes(2), LEAD, "chen", 1),
                declines(3, "chen"),
            ),
            False,
        ),
        # A role that nobody was ever paged for.
        (("communications",), "ana", (), False),
    ],
)
def test_a_page_while_it_asks(roles: tuple[str, ...], to: str, facts: tuple[Fact, ...], wanted: bool) -> None:
    """A page leaves only while one of its roles is needed, nobody has accepted it, and its reader has not passed; or
    while it asks the holder whether they are still there, or somebody to take over (rules 9, 13, 16, 19).
    """
    page = notification(Kind.PAGE, roles=roles, to=to)
    assert why_unwanted(page, history(*facts)) == (None if wanted else GONE)


@pytest.mark.parametrize("end", [(), (Gone(minutes(9)),), (ok(9, "olga"),)])
def test_a_page_for_an_unreadable_file(end: tuple[Fact, ...]) -> None:
    """It leaves until an `ok`, or until the file has gone (rule 32)."""
    unreadable = Incident("odd", "odd.yaml", "", unreadable=True)
    known = fold_facts((seen(0, unreadable), StepFired(T0, "", None, None, ("olga",)), *end))
    page = notification(Kind.PAGE, Reason.LAST_RESORT, roles=(), to="olga", episode=0)
    assert why_unwanted(page, known) == (GONE if end else None)


def test_an_update_until_a_newer_one() -> None:
    """An update leaves until its group has a newer one; a group that is told nothing any more gets only its last word."""
    first, second = notification(Kind.UPDATE, at=T0), notification(Kind.UPDATE, at=minutes(5))
    known = history(updated(5))
    assert (why_unwanted(first, known), why_unwanted(second, known)) == (NEWER, None)
    last = notification(Kind.UPDATE, Reason.SEVERITY_LOWERED, at=minutes(8))
    known = history(updated(5), updated(8, Reason.SEVERITY_LOWERED))
    assert (why_unwanted(second, known), why_unwanted(last, known)) == (NEWER, None)
    concerned_again = history(updated(8, Reason.SEVERITY_LOWERED), updated(9, Reason.DECLARED))
    assert why_unwanted(last, concerned_again) is NEWER


@pytest.mark.parametrize(
    ("kind", "worth"),
    [(Kind.OPERATOR, timedelta(hours=1)), (Kind.ANSWER, timedelta(minutes=10)), (Kind.SIGN_IN, timedelta(minutes=5))],
)
def test_what_is_of_the_moment(kind: Kind, worth: timedelta) -> None:
    """A notice to operators is worth sending for an hour, an answer to an SMS for 10 minutes, both ends included."""
    letter = notification(kind)
    assert why_not_now(letter, history(), T0 + worth) is None
    assert why_not_now(letter, history(), T0 + worth + timedelta.resolution) is Why.LATE


def test_a_page_is_worth_sending_as_long_as_it_is_wanted() -> None:
    """Age alone drops no message of the plan; an unwanted one is dropped at any age."""
    page = notification(Kind.PAGE)
    assert why_not_now(page, history(), minutes(60 * 24 * 7)) is None
    assert why_not_now(page, history(ok(1, "ana")), minutes(1)) is GONE


def test_where_it_goes() -> None:
    """By the current config (rule 8): a person's address on that channel, or an address that some group still lists,
    as it is written there now; else nowhere.
    """
    policy = shipped_policy()
    ana = policy.people["ana"]
    for via, expected in ((Channel.SMS, ana.phone), (Channel.EMAIL, ana.email)):
        assert current_address(notification(Kind.PAGE, via=via), policy) == expected
    no_phone = replace(policy, people={**policy.people, "ana": replace(ana, phone="")})
    assert not current_address(notification(Kind.PAGE), no_phone)
    support = notification(Kind.UPDATE, to="support@example.com", via=Channel.EMAIL)
    assert current_address(support, policy) == "support@example.com"
    assert not current_address(replace(support, to="nobody@example.com"), policy)
    assert current_address(replace(support, to="Support@Example.com"), policy) == "support@example.com"
