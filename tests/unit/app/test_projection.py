"""The plan on a clock that jumps: what still belongs to a span, and how far the next message is looked for."""

from datetime import timedelta

from tocsin.app.simulation.play import play_within
from tocsin.app.simulation.projection import SEEN_AHEAD, next_messages, project
from tocsin.domain.facts import Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Kind, Reason
from tocsin.formats.policy_test.script import ScriptStep
from tocsin.planning.history.fold import apply_fact, fold_facts

from tests.builders.instants import MINUTE, T0
from tests.builders.policies import paging_policy

CARD = Incident("card", "Card payments fail", "sev1")
CHANGED = Incident("card", "Card payments fail", "sev1", status=Status.IDENTIFIED)
OVER = Incident("card", "Card payments fail", "sev1", status=Status.RESOLVED)
SECOND = timedelta(seconds=1)


def seen(incident: Incident = CARD) -> History:
    """The history once the daemon saw that."""
    return fold_facts([Seen(T0, incident)])


def test_a_change_at_the_very_end_is_told_within_the_span() -> None:
    """Its update leaves two seconds later but bears its instant, so it is found though a page is known beyond (rule 5)."""
    end = T0 + 5 * MINUTE - SECOND
    change = (end, lambda history, at: apply_fact(history, Seen(at, CHANGED)))
    projection = project(seen(), paging_policy(), T0, end, end + MINUTE, [change])
    within = {
        (due.notification.at - T0, due.notification.reason) for due in projection.due if due.notification.at <= end
    }
    assert within == {(0 * MINUTE, Reason.DECLARED), (5 * MINUTE - SECOND, Reason.CHANGED)}


def test_a_step_that_changes_nothing_is_no_change_of_the_file() -> None:
    """A script that sets what is there already moves nothing: the history is as without it."""
    data, span = b"title: Card payments fail\nseverity: sev1\n", 10 * MINUTE
    same = ScriptStep(2 * MINUTE, fields={"severity": "sev1"})
    with_step, without = (play_within(paging_policy(), data, "card.yaml", T0, span, steps) for steps in ((same,), ()))
    assert with_step.history == without.history
    assert with_step.messages == without.messages


def test_what_happens_at_an_instant_comes_before_the_plan_of_it() -> None:
    """Resolved at the instant of the escalation, nobody is paged any more (rules 1, 3)."""
    resolution = (T0 + 5 * MINUTE, lambda history, at: apply_fact(history, Seen(at, OVER)))
    end = T0 + 60 * MINUTE
    projection = project(seen(), paging_policy(), T0, end, end, [resolution])
    later = {(due.notification.at - T0, due.notification.kind) for due in projection.due if due.notification.at > T0}
    assert later == {(5 * MINUTE, Kind.CLOSING)}


def test_it_stops_at_the_first_message_beyond_the_span() -> None:
    """And looks no further than it is told."""
    end = T0 + MINUTE
    beyond = {due.notification.at for due in project(seen(), paging_policy(), T0, end, end + 60 * MINUTE).due} - {T0}
    assert beyond == {T0 + 5 * MINUTE}
    assert {due.notification.at for due in project(seen(), paging_policy(), T0, end, end + MINUTE).due} == {T0}
    at_a_page = T0 + 5 * MINUTE
    instants = {due.notification.at for due in project(seen(), paging_policy(), T0, at_a_page, at_a_page).due}
    assert instants == {T0, at_a_page}
    later = project(seen(), paging_policy(), T0, at_a_page, at_a_page + 60 * MINUTE)
    assert max(due.notification.at for due in later.due) == T0 + 10 * MINUTE


def test_messages_to_come_reach_to_the_end_of_the_span_or_to_the_first() -> None:
    """Every one within the span, its end included; where there is none, those of the first instant after it."""
    history = project(seen(), paging_policy(), T0, T0, T0).history
    within = next_messages(history, paging_policy(), T0 + SECOND, 10 * MINUTE - SECOND)
    assert {message.at - T0 for message in within} == {5 * MINUTE, 10 * MINUTE}
    first = next_messages(history, paging_policy(), T0 + SECOND, MINUTE)
    assert {message.at - T0 for message in first} == {5 * MINUTE}
    assert len(first) == 4


def test_an_incident_that_is_over_has_nothing_to_come() -> None:
    """However far it is looked for, within reason."""
    history = project(seen(OVER), paging_policy(), T0, T0, T0).history
    assert next_messages(history, paging_policy(), T0 + MINUTE, SEEN_AHEAD) == ()
