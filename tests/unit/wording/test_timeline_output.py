"""The timeline as two pages write it, byte for byte: the review's Markdown, and the HTML of the incident's page.

The story has one line of each sort, told about people, roles and groups whose names are full of marks.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

import pytest
from tocsin.domain import facts as f
from tocsin.domain.delivery import Accepted, Attempt, Deferred, Outcome, Receipt, Record, Refused, Uncertain
from tocsin.domain.history import History
from tocsin.domain.incident import Acknowledgment, Incident, Status, TimelineNote, UpdateEntry
from tocsin.domain.notification import Kind, Notification, Reason, Suppression, Why
from tocsin.domain.people import Channel, Person, StakeholderGroup
from tocsin.domain.policy import Role
from tocsin.planning.history.fold import apply_fact
from tocsin.text.markdown import Run
from tocsin.wording.report.page_timeline import TimelineMoment, moments
from tocsin.wording.report.review import draft
from tocsin.wording.report.timeline import TimelineStep, timeline_lines

from tests.builders.policies import small_policy
from tests.unit.wording.records import record

STORED = Path(__file__).parents[2] / "data" / "report"
T0 = datetime(2026, 11, 23, 23, 50, tzinfo=UTC)
TAGS = {"strong": "strong", "slight": "em", "code": "code"}
MARKED = "# *a* `b`\n\n- [c](d) <e>\\\n1. f  g\n   == |h|"
POLICY = small_policy(
    people={
        "ana": Person("ana", "Ana *Souza*", "ana@example.com"),
        "bo": Person("bo", "- Bo `Berg`", "bo@example.com"),
        "chen": Person("chen", "Chen Li", "chen@example.org"),
    },
    roles={
        "technical_lead": Role("technical_lead", "1. Lead"),
        "scribe": Role("scribe", "Scribe_*"),
        "x": Role("x", "X"),
    },
    stakeholders={"support": StakeholderGroup("support", "+ Support *24/7*", ("ana",))},
)


def after(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def steps() -> list[TimelineStep]:
    """A file that is unreadable, then read, changed in every field, answered, resolved, reopened and removed."""
    unreadable = Incident("card", "card.yaml", "sev1", unreadable=True)
    begun = Incident("card", "Cards *fail*\n# badly", "sev1", declared_by="- Ana", summary="s")
    entries = (UpdateEntry(MARKED, MARKED, after(3), "chen"), UpdateEntry("", "only in public"), UpdateEntry("", ""))
    changed = Incident(
        "card",
        "# Cards",
        "sev2",
        Status.IDENTIFIED,
        MARKED,
        "impact_",
        ("checkout", "*gone*"),
        (("technical_lead", "bo"), ("scribe", "nobody@x")),
        (Acknowledgment("chen", after(2)), Acknowledgment("zoe")),
        eta=after(60),
        updates=entries,
        timeline=(TimelineNote(MARKED, after(4), "*eli*"), TimelineNote("plain")),
        drill=True,
    )
    eased = replace(changed, summary="", services=(), roles=(("scribe", "ana"),), eta=None, drill=False)
    over = replace(eased, status=Status.RESOLVED, resolution=MARKED, verified_by="bo", review="http://x/_y_")
    told: list[f.Fact] = [
        f.Seen(T0, unreadable),
        f.Gone(after(0.5)),
        f.Seen(after(1), begun),
        f.RoleOpened(after(1), "technical_lead", Reason.DECLARED),
        f.RoleOpened(after(1), "scribe", Reason.DECLARED),
        f.StepFired(after(1), "technical_lead", 1, 0, ("bo", "chen")),
        f.StepFired(after(1), "scribe", 1, 1, ()),
        f.RespondersAsked(after(1), ("checkout",), 1, ("ana", "chen"), Reason.DECLARED),
        f.Answered(after(1.5), "bo", f.Answer.OK),
        f.Seen(after(5), changed),
        f.Answered(after(6), "ana", f.Answer.OK),
        f.Noted(after(6.5), "bo", MARKED),
        f.Answered(after(7), "bo", f.Answer.PASS),
        f.ChannelRefused(after(8), "bo", Channel.SMS),
        f.ChannelRefused(after(8), "*x*@example.com", Channel.EMAIL),
        f.PageLost(after(9), "bo", after(1)),
        f.StepFired(after(10), "scribe", None, None, ()),
        f.StepFired(after(10), "", None, None, ()),
        f.StepFired(after(11), "scribe", None, None, ("ana",)),
        f.Seen(after(12), eased, "e"),
        f.Answered(after(13), "ana", f.Answer.OK),
        f.RoleDropped(after(14), "scribe"),
        f.Seen(after(15), eased, "saved"),
        f.Seen(after(20), over, "o"),
        f.Closed(after(20)),
        f.Seen(after(30), replace(changed, title="Again"), "r"),
    ]
    history = History()
    found = []
    for fact in told:
        found.append(TimelineStep(fact, history, apply_fact(history, fact)))
        history = found[-1].after
    return found


def sent() -> Iterator[Record]:
    """Each kind of message, each outcome, and an update to many readers."""
    outcomes: list[Outcome | None] = [
        Accepted("id"),
        Deferred("busy *now*", "421"),
        Refused("550 <no> such user", "550"),
        Uncertain("timed out"),
        Uncertain(""),
        None,
    ]
    for number, kind in enumerate(kind for kind in Kind if kind is not Kind.SIGN_IN):
        about = Notification(
            f"k{number}", "card", 1, kind, Reason.SEVERITY_RAISED, after(number), "bo", Channel.SMS, ("scribe", "x")
        )
        outcome = outcomes[number % len(outcomes)]
        attempt = Attempt(
            "1", about.key, 1 + number % 3, about.via, "x", T0, outcome, after(number) if outcome else None
        )
        about = replace(
            about, group={2: "support", 3: "gone_*"}.get(number), level=number if number % 2 else None, round=1
        )
        yield record(about, (attempt,), list(Receipt)[number % len(Receipt)])
        twice = (replace(attempt, possible_duplicate="killed *hard*"),)
        yield record(replace(about, key=f"e{number}", via=Channel.EMAIL), twice if number % 2 else ())
        yield record(
            replace(about, key=f"s{number}", to="- zoe", roles=(), at=after(number + 0.1)), (), None, "left_config"
        )
    update = Notification("u", "card", 1, Kind.UPDATE, Reason.DUE, after(25), "r", Channel.EMAIL, group="support")
    for number in range(9):
        attempt = Attempt(
            "1", "u", 1, Channel.EMAIL, "x", T0, Accepted() if number else Refused("no", "550"), after(25)
        )
        yield record(replace(update, to=f"*r{number}*@example.com"), (attempt,))


def held() -> list[Record]:
    """What was not sent, with and without a reader and a reason in detail."""
    return [
        Record(Suppression("h1", "card", 1, Kind.STAND_DOWN, Why.NO_CHANNEL, after(2), "bo", "no *address* at_all")),
        Record(Suppression("h2", "card", 1, Kind.CLOSING, Why.TOLD_ALREADY, after(2))),
    ]


def html(found: list[TimelineMoment]) -> str:
    """The moments as `pages/moments.html.j2` writes them."""
    return "\n".join(_moment(each) for each in found) + "\n"


def _moment(each: TimelineMoment) -> str:
    lines = [*(f"<p>{_words(line)}</p>" for line in each.lines), f"{each.sent} ({each.failed})"]
    return "\n".join([f"{each.at}", *lines, *(f"<small>{_words(line)}</small>" for line in each.messages)])


def _words(line: tuple[Run, ...]) -> str:
    return "".join(_tagged(run) for run in line).strip()


def _tagged(run: Run) -> str:
    tag = TAGS.get(run.manner)
    return f"<{tag}>{escape(run.text)}</{tag}>" if tag else escape(run.text)


def test_the_review_is_written_as_ever() -> None:
    """Every mark of a stranger is escaped, every mark of ours stands, lines break where they were broken."""
    page = draft(steps(), [*sent(), *held()], POLICY)
    assert page.decode() == (STORED / "review.md").read_text(encoding="utf-8")


def test_the_page_is_written_as_ever() -> None:
    """The same words as the review's, without an escape, with a strong word where the review has one."""
    page = html(moments(steps(), [*sent(), *held()], POLICY))
    assert page == (STORED / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (f.ChannelRefused(T0, "bo", Channel.SMS, "+1"), "cannot be reached by sms any more: refused for good"),
        (f.RefusalTakenBack(T0, "bo", Channel.SMS, "+1"), "The SMS provider was wrong about"),
        (f.RefusalTakenBack(T0, "bo", Channel.EMAIL, "b@x"), "'s address"),
    ],
)
def test_a_refusal_and_that_it_was_wrong(fact: f.Fact, said: str) -> None:
    """Rules 37, 38: with the reader's name, and not the address."""
    step = TimelineStep(fact, History(), apply_fact(History(), fact))
    (line,) = timeline_lines([step], (), small_policy())
    words = "".join(run.text for run in line.words)
    assert said in words
    assert "Bo" in words
