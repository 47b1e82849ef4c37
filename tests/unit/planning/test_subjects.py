"""One subject per incident and reader for life: what each reader's first message was called."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.domain import facts as f
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Reason
from tocsin.domain.people import Channel
from tocsin.planning.history.fold import fold_facts

from tests.builders.instants import MINUTE, T0

FIRST = Incident("pay", "Payments fail", "sev1")
RENAMED = replace(FIRST, title="Payments and refunds fail")
AFTER = T0 + MINUTE


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
    assert history.subjects == {"bo": "Payments fail", "cleo": "Payments and refunds fail"}
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
    assert (history.episode, history.subjects) == (2, {"bo": "Payments fail"})


def test_a_file_that_was_not_readable_keeps_its_first_name() -> None:
    """Who was paged for the unreadable file finds what became of it in the same thread."""
    unread = replace(FIRST, title="pay", unreadable=True)
    history = fold_facts([f.Seen(T0, unread), TELLING["paged"], f.Seen(AFTER, FIRST), updated("cleo")])
    assert history.subjects == {"bo": "pay", "cleo": "Payments fail"}
