"""What the end says to whom: people who were paged, groups, outsiders; and what became of it, after a reopening too."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.domain.delivery import Content
from tocsin.domain.facts import Seen
from tocsin.domain.history import History, RoleHistory, WaitingPage
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import Policy, ReviewPolicy, Role, Severity
from tocsin.domain.problem import Problem
from tocsin.planning.history.fold import fold_facts
from tocsin.wording.message.closing_words import closing_reader, public_word, resolution

from tests.builders.policies import small_policy

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOTHING = "You need not do anything."
WRITE = "If it still fails for you, write to help@acme.example."
REOPEN = "If it still fails, open it again: people are paged then."
NAMED = "You get this because the on-call plan names you."
TOLD = "You get this because this address is told about incidents."
OPEN = Incident("pay", "Payments fail", "sev1")
OVER = replace(OPEN, status=Status.RESOLVED, resolution="Put back.")
POLICY = replace(
    small_policy(
        severities={"sev1": Severity("sev1", "Critical", review=ReviewPolicy(timedelta(days=5)))},
        roles={"lead": Role("lead", "Lead")},
        people={name: Person(name, name.title(), f"{name}@acme.example") for name in ("ana", "bo", "gus")},
        last_resort=("ana",),
    ),
    organisation="Acme",
    reply_to="help@acme.example",
)


def paged(*people: str, **role: object) -> History:
    """An episode that is over, in which they were paged for the role of lead."""
    pages = {name: WaitingPage(name, AT, ("lead",), 0, 0, Reason.DECLARED, ()) for name in people}
    lead = replace(RoleHistory("lead", True, first_pages=tuple((name, AT) for name in people)), **role)  # type: ignore[arg-type]
    return History(
        OVER, 1, started_at=AT, resolved_at=AT + 9 * MINUTE, acted=True, roles={"lead": lead}, newest_pages=pages
    )


def closing(
    to: str, history: History, incident: Incident = OVER, policy: Policy = POLICY, **changes: object
) -> Content:
    """The closing as its reader gets it; every template must hold."""

    def broken(problem: Problem) -> None:
        raise AssertionError(problem)

    about = Notification("k", "pay", 1, Kind.CLOSING, Reason.RESOLVED, AT + 9 * MINUTE, to, Channel.EMAIL)
    return JinjaRenderer(shipped_folder(), broken).render(
        replace(about, **changes),  # type: ignore[arg-type]
        incident,
        history,
        policy,
    )


def said(content: Content) -> set[str]:
    """Which of the sentences stand in both parts of a mail."""
    sentences = (NOTHING, WRITE, REOPEN, NAMED, TOLD)
    assert [each for each in sentences if each in content.text] == [each for each in sentences if each in content.html]
    return {sentence for sentence in sentences if sentence in content.text}


def test_who_works_on_it_is_not_spoken_to_as_a_customer() -> None:
    """Who was paged opens it again where it still fails; who is only told writes to the answer address."""
    past = paged("bo", "ana", holder="ana")
    assert said(closing("bo", past)) == {NOTHING, REOPEN, NAMED}
    assert said(closing("ana", past)) == {REOPEN, NAMED}
    assert said(closing("gus", past)) == {WRITE, TOLD}
    assert said(closing("c@example.com", past, external=True)) == {WRITE, TOLD}
    by_sms = closing("bo", past, via=Channel.SMS).text
    assert by_sms == f"Acme SEV1 Payments fail: resolved at 10:09 UTC after 9 minutes. Put back. {NOTHING}"


def test_one_rendering_is_not_anothers() -> None:
    """Readers of a closing share its words only where they are left with the same to do."""
    renderer = JinjaRenderer(shipped_folder(), lambda _: None)
    past = paged("bo", "ana", holder="ana")
    about = Notification("k", "pay", 1, Kind.CLOSING, Reason.RESOLVED, AT, "gus", Channel.EMAIL)
    texts = [renderer.render(replace(about, to=to), OVER, past, POLICY).text for to in ("gus", "bo", "ana", "gus")]
    assert len(set(texts)) == 3
    assert texts[0] == texts[3]


def test_in_a_drill_nothing_failed() -> None:
    """Nobody is told what to do if it still fails; nor is anybody asked for a review."""
    drill = replace(OVER, drill=True)
    past = replace(paged("ana", holder="ana"), incident=drill)
    assert said(closing("ana", past, drill)) == {NOTHING, NAMED}
    assert said(closing("gus", past, drill)) == {TOLD}


@pytest.mark.parametrize(
    ("incident", "role", "idle"),
    [
        (OVER, {"holder": "ana"}, True),
        (OVER, {"holder": "bo"}, False),
        (OVER, {}, False),
        (OVER, {"passed": frozenset({"bo"})}, True),
        (replace(OVER, roles=(("scribe", "bo"),)), {"holder": "ana"}, False),
    ],
)
def test_who_is_left_with_nothing_to_do(incident: Incident, role: dict[str, object], idle: bool) -> None:
    """Only who holds no role, and can come to none (rule 26), surely gets no question after the end."""
    about = Notification("k", "pay", 1, Kind.CLOSING, Reason.RESOLVED, AT, "bo", Channel.EMAIL)
    past = paged("bo", **role)
    assert closing_reader(about, incident, past, POLICY).nothing_to_do is idle
    assert not closing_reader(replace(about, external=True), incident, past, POLICY).paged
    plain = replace(POLICY, severities={"sev1": Severity("sev1", "Critical")})
    assert closing_reader(about, incident, past, plain).nothing_to_do
    resort = replace(POLICY, last_resort=("bo",))
    assert not closing_reader(about, incident, past, resort).nothing_to_do


def test_a_word_about_an_end_that_did_not_hold_does_not_count() -> None:
    """Each word by itself; one that was taken away and written again is a new one."""
    first = replace(OVER, resolution="Put back.", public_resolution="It works.")
    again = replace(first, status=Status.MONITORING)

    def ended(*versions: Incident) -> tuple[str, str, str]:
        past = fold_facts([Seen(AT + number * MINUTE, version) for number, version in enumerate(versions)])
        last = versions[-1]
        inside, outside = (resolution(last, past, external=external) for external in (False, True))
        return inside, outside, public_word(last, past)

    assert ended(OPEN, first) == ("Put back.", "It works.", "It works.")
    assert ended(OPEN, first, again, first) == ("", "", "")
    told = replace(first, public_resolution="It works again.")
    assert ended(OPEN, first, again, told) == ("It works again.", "It works again.", "It works again.")
    inside = replace(first, resolution="Put back twice.")
    assert ended(OPEN, first, again, inside) == ("Put back twice.", "", "")
    empty = replace(again, resolution="", public_resolution="")
    assert ended(OPEN, first, empty, first) == ("Put back.", "It works.", "It works.")
    assert ended(OPEN, first, again, empty, first) == ("Put back.", "It works.", "It works.")
    assert ended(OPEN, first, again, first, again, first) == ("", "", "")
