"""How an incident stands: holders by rule 26, and the earliest promised update."""

from dataclasses import replace
from datetime import datetime, timedelta

from tocsin.domain.facts import Answer, Answered, Fact, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status, UpdateEntry
from tocsin.planning.current_state import current_state
from tocsin.planning.history.fold import apply_fact, fold_facts
from tocsin.planning.plan import plan

from tests.builders.instants import T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import on_duty

CARD = Incident("card", "Card payments fail", "sev1")


def lived(*facts: Fact) -> History:
    """The history after these facts, with a plan made at each."""
    history = History()
    for fact in facts:
        history = apply_fact(history, fact)
        assert history.incident is not None
        history = plan(history.incident, shipped_policy(), history, fact.at).history
    return history


def promise(history: History) -> datetime | None:
    assert history.incident is not None
    return current_state(history.incident, shipped_policy(), history, T0).next_update_at


def test_who_holds_what() -> None:
    """Who accepted, with the instant; else who is assigned; else who was paged first; in the severity's order."""
    later, commander = T0 + timedelta(minutes=1), on_duty("commanders")
    history = lived(Seen(T0, replace(CARD, roles=(("scribe", "fay"),))), Answered(later, commander, Answer.OK))
    assert history.incident is not None
    found = current_state(history.incident, shipped_policy(), history, later).roles
    assert [(each.role, each.person, each.accepted_at) for each in found] == [
        ("incident_commander", commander, later),
        ("technical_lead", on_duty("engineers"), None),
        ("communications", "dee", None),
        ("scribe", "fay", None),
    ]


def test_before_any_plan() -> None:
    """The severity's roles and the file's own; held by whoever is assigned; nothing is promised."""
    policy = shipped_policy()
    incident = replace(CARD, severity="sev3", roles=(("scribe", "fay"),))
    found = current_state(incident, policy, fold_facts([Seen(T0, incident)]), T0)
    assert [(each.role, each.person) for each in found.roles] == [("technical_lead", None), ("scribe", "fay")]
    assert found.next_update_at is None


def test_the_promise_is_the_earliest() -> None:
    """It counts from the last send, and slows down with the cadence."""
    assert promise(lived(Seen(T0, CARD))) == T0 + timedelta(minutes=30)
    changed = replace(CARD, updates=(UpdateEntry("News"),))
    edited, sent = T0 + timedelta(minutes=10), T0 + timedelta(minutes=10, seconds=2)
    history = lived(Seen(T0, CARD), Seen(edited, changed))
    assert promise(history) == T0 + timedelta(minutes=30)
    history = plan(changed, shipped_policy(), history, sent).history
    assert promise(history) == T0 + timedelta(minutes=30), "the customers, who hear nothing of it, come first"


def test_nobody_waits_for_what_is_over() -> None:
    """A resolved incident, and one whose severity tells nobody, promise nothing."""
    over = replace(CARD, status=Status.RESOLVED)
    assert promise(lived(Seen(T0, CARD), Seen(T0 + timedelta(hours=1), over))) is None
    assert (
        current_state(
            CARD,
            replace(shipped_policy(), severities={"sev1": replace(shipped_policy().severities["sev1"], updates=())}),
            lived(Seen(T0, CARD)),
            T0,
        ).next_update_at
        is None
    )
