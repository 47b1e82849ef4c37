"""One subject per incident and reader for life: what each reader's first message was called. Two are mended once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tocsin.domain import facts as f
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Reason
from tocsin.domain.people import Channel
from tocsin.planning.history.fold import fold_facts

from tests.builders.instants import MINUTE, T0

FIRST = Incident("pay", "Payments fail", "sev1")
RENAMED = replace(FIRST, title="Payments and refunds fail")
AFTER = T0 + MINUTE


def titles(history: History) -> dict[str, str]:
    return {reader: subject.title for reader, subject in history.subjects.items()}


def updated(reader: str, *, external: bool = False, reason: Reason = Reason.DECLARED) -> f.Updated:
    return f.Updated(AFTER, "customers" if external else "executives", reason, external, ((reader, Channel.EMAIL),))


TELLING = {
    "paged": f.Paged(AFTER, "bo", ("lead",), 0, 1, Reason.DECLARED, (Channel.EMAIL,)),
    "updated": updated("bo"),
    "stood down": f.StoodDown(AFTER, "bo", (), Reason.ACCEPTED, Channel.EMAIL),
    "took a role unasked": f.RoleAccepted(AFTER, "lead", "bo"),
    "asked for health": f.VerifyAsked(AFTER, 1, ("bo",)),
    "asked for the review": f.ReviewAsked(AFTER, 0, ("bo",)),
}


@pytest.mark.parametrize("telling", TELLING)
def test_a_first_message_names_all_that_follow(telling: str) -> None:
    """Whatever it is; a title that is written anew is the subject of those alone who hear only now."""
    history = fold_facts([f.Seen(T0, FIRST), TELLING[telling], f.Seen(AFTER + MINUTE, RENAMED), updated("cleo")])
    assert titles(history) == {"bo": "Payments fail", "cleo": "Payments and refunds fail"}
    assert fold_facts([TELLING[telling]], history).subjects == history.subjects


def test_whom_nothing_was_sent_has_no_subject() -> None:
    """A stand-down that found no channel left, and what the world did."""
    silent = f.StoodDown(AFTER, "bo", (), Reason.ACCEPTED, None)
    assert fold_facts([f.Seen(T0, FIRST), silent, f.Answered(AFTER, "ana", f.Answer.OK)]).subjects == {}


def test_a_reopened_incident_keeps_its_subjects() -> None:
    """The thread goes on in the next episode, under the old name."""
    reopened = replace(RENAMED, status=Status.MONITORING)
    facts = [
        f.Seen(T0, FIRST),
        updated("bo"),
        f.Seen(AFTER, replace(FIRST, status=Status.RESOLVED)),
        f.Closed(AFTER),
        f.Seen(AFTER + timedelta(hours=1), reopened),
        updated("bo"),
    ]
    history = fold_facts(facts)
    assert (history.episode, titles(history)) == (2, {"bo": "Payments fail"})


@pytest.mark.parametrize("unread", [{"unreadable": True}, {"never_read": ("title", "severity")}])
def test_a_name_that_stood_for_the_title_goes_once_that_is_read(unread: dict[str, Any]) -> None:
    """With the next message, whichever it is, to the title as it is then; and no further."""
    first = replace(FIRST, title="pay", **unread)
    facts = [f.Seen(T0, first), TELLING["paged"], f.Seen(AFTER, FIRST), f.EtaReminded(AFTER, AFTER)]
    assert titles(fold_facts(facts[:2])) == {"bo": "pay"}
    again = [*facts, f.Seen(AFTER + MINUTE, RENAMED), updated("cleo"), TELLING["paged"]]
    assert titles(fold_facts(again)) == {"bo": "Payments fail", "cleo": "Payments and refunds fail"}


@pytest.mark.parametrize("telling", [[updated("cy@example.net", external=True)], [f.Closed(AFTER)]])
def test_an_outsider_who_was_told_by_the_title_for_insiders_goes_over_to_the_public_one(telling: list[f.Fact]) -> None:
    """Once, with the next message; what is written between two messages nobody has read."""
    readers = [updated("cy@example.net", external=True), updated("bo"), updated("ana", external=True)]
    status = Status.RESOLVED if isinstance(telling[0], f.Closed) else Status.INVESTIGATING
    public = [replace(FIRST, public_title=words, status=status) for words in ("Paymets", "Payments", "Cards")]
    facts = [f.Seen(T0, FIRST), *readers, f.Seen(AFTER, public[0]), f.Seen(AFTER + MINUTE, public[1])]
    assert titles(fold_facts(facts))["cy@example.net"] == "Payments fail"
    reopened = replace(public[2], status=Status.MONITORING)
    told = fold_facts(
        [*facts, *telling, f.Seen(AFTER + 2 * MINUTE, reopened), updated("cy@example.net", external=True)]
    )
    assert titles(told) | {"ana": ""} == {"cy@example.net": "Payments", "bo": "Payments fail", "ana": ""}


def test_an_insiders_subject_knows_no_public_title() -> None:
    """Neither of whom the title was for, nor of a person who heard as an outsider by the public title first."""
    public = replace(RENAMED, public_title="Cards")
    facts = [f.Seen(T0, FIRST), updated("bo"), f.Seen(AFTER, public), updated("bo", external=True)]
    assert titles(fold_facts(facts)) == {"bo": "Payments fail"}
    outside = fold_facts([f.Seen(T0, public), updated("ana", external=True), TELLING["paged"]])
    assert titles(outside) == {"ana": "Cards", "bo": "Payments and refunds fail"}


def test_a_name_that_outsiders_read_gives_way_twice() -> None:
    """First to the title, then to the public one."""
    first = replace(FIRST, title="pay", never_read=("title",))
    told = updated("cy@example.net", external=True)
    facts = [f.Seen(T0, first), told, f.Seen(AFTER, FIRST), told]
    assert titles(fold_facts(facts)) == {"cy@example.net": "Payments fail"}
    public = replace(FIRST, public_title="Cards")
    assert titles(fold_facts([*facts, f.Seen(AFTER, public), told])) == {"cy@example.net": "Cards"}


ALERTED = replace(FIRST, title="LatHigh on db-prod-7", declared_by="Alertmanager")


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({"impact": "Slow"}, ""),
        ({"public_title": "Cards"}, "Cards"),
        ({"title": "Payments are slow"}, "Payments are slow"),
        ({"status": Status.RESOLVED}, ""),
    ],
)
def test_a_title_that_only_an_alert_wrote_is_no_subject_outside(changes: dict[str, Any], subject: str) -> None:
    """Empty: the words put a neutral one. Insiders read the alert's, and a reopening changes nothing."""
    told = [updated("cy@example.net", external=True), updated("bo")]
    history = fold_facts([f.Seen(T0, ALERTED), *told])
    assert titles(history) == {"cy@example.net": "", "bo": ALERTED.title}
    version = replace(ALERTED, **changes)
    after = fold_facts([f.Seen(AFTER, version), *(told if not version.resolved else [f.Closed(AFTER)])], history)
    assert titles(after) == {"cy@example.net": subject, "bo": ALERTED.title}
    again = [f.Seen(AFTER + MINUTE, replace(version, status=Status.RESOLVED)), f.Closed(AFTER + MINUTE)]
    reopened = fold_facts(
        [*again, f.Seen(AFTER + 2 * MINUTE, replace(version, status=Status.MONITORING)), *told], after
    )
    assert titles(reopened) == titles(after)


def test_what_many_readers_hear_alike_is_kept_once() -> None:
    """A thousand readers of one update share its subject, and how they heard: by which channels, and whether more than
    pages.
    """
    readers = tuple((f"reader{number}@example.com", Channel.EMAIL) for number in range(1000))
    told = f.Updated(AFTER, "executives", Reason.DECLARED, False, readers)
    again = replace(told, at=AFTER + MINUTE, reason=Reason.DUE)
    history = fold_facts([f.Seen(T0, FIRST), told, again])
    assert len(history.subjects) == len(history.reached) == 1000
    assert len({id(subject) for subject in history.subjects.values()}) == 1
    assert len({id(heard) for heard in history.reached.values()}) == 1
