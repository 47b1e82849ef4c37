"""How an incident stands: holders by rule 26, and the earliest promised update."""

from dataclasses import replace
from datetime import datetime, timedelta

from tocsin.domain.facts import Answer, Answered, Fact, RoleAccepted, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status, UpdateEntry
from tocsin.domain.policy import Cadence, Span, Stream
from tocsin.planning.current_state import current_state
from tocsin.planning.history.fold import apply_fact, fold_facts
from tocsin.planning.plan import plan

from tests.builders.instants import T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import on_duty

CARD = Incident("card", "Card payments fail", "sev1")
CARD_NAMED = replace(CARD, roles=(("technical_lead", "fay"),))


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
    """It counts from the last send; a group that waits for its first word (rule 56) was promised nothing."""
    edited, sent = T0 + timedelta(minutes=10), T0 + timedelta(minutes=10, seconds=2)
    public = UpdateEntry("Looking", "We look into it.")
    for entries, first, then in (((), 30, 40), ((public,), 20, 20)):
        card = replace(CARD, updates=entries)
        assert promise(lived(Seen(T0, card))) == T0 + timedelta(minutes=first)
        changed = replace(CARD, updates=(*entries, UpdateEntry("News")))
        history = lived(Seen(T0, card), Seen(edited, changed))
        assert promise(history) == T0 + timedelta(minutes=first)
        history = plan(changed, shipped_policy(), history, sent).history
        assert promise(history) == T0 + timedelta(minutes=then), "the customers, who hear nothing of it, come first"


def test_nobody_waits_for_what_is_over() -> None:
    """A resolved incident, and one whose severity tells nobody, promise nothing."""
    over = replace(CARD, status=Status.RESOLVED)
    assert promise(lived(Seen(T0, CARD), Seen(T0 + timedelta(hours=1), over))) is None
    silent = replace(shipped_policy().severities["sev1"], updates=())
    policy = replace(shipped_policy(), severities={"sev1": silent})
    assert current_state(CARD, policy, lived(Seen(T0, CARD)), T0).next_update_at is None


def test_a_group_that_nobody_reads_is_promised_nothing() -> None:
    """A promise is made to somebody: the earliest one counts only groups that have a reader."""
    policy = shipped_policy()
    history = lived(Seen(T0, CARD))
    quick = Stream(("support",), Cadence((Span(timedelta(minutes=1)),)))
    severity = replace(policy.severities["sev1"], updates=(quick, *policy.severities["sev1"].updates))
    unread = replace(policy.stakeholders["support"], emails=(), people=())
    for group, minutes in ((policy.stakeholders["support"], 1), (unread, 30)):
        changed = replace(
            policy,
            severities={**policy.severities, "sev1": severity},
            stakeholders={**policy.stakeholders, "support": group},
        )
        assert current_state(CARD, changed, history, T0).next_update_at == T0 + timedelta(minutes=minutes)


def test_a_file_that_cannot_be_read() -> None:
    """It needs no roles, though the last resort is paged, and promises nothing (rule 32)."""
    unreadable = Incident("odd", "odd.yaml", "", unreadable=True, roles=(("scribe", "fay"),))
    for history in (lived(Seen(T0, unreadable)), fold_facts([Seen(T0, unreadable)])):
        state = current_state(unreadable, shipped_policy(), history, T0)
        assert (state.roles, state.next_update_at) == ((), None)


def test_a_severity_without_page_asks_for_no_roles_yet() -> None:
    """Before any plan, names in the file of an incident that pages nobody are not roles that are needed (rule 9)."""
    quiet = replace(shipped_policy().severities["sev3"], page=None)
    policy = replace(shipped_policy(), severities={**shipped_policy().severities, "sev3": quiet})
    incident = replace(CARD, severity="sev3", roles=(("scribe", "fay"),))
    assert current_state(incident, policy, fold_facts([Seen(T0, incident)]), T0).roles == ()


def test_roles_no_longer_needed_are_left_out() -> None:
    """After a change of severity only what the new one asks for is listed, and names still needed come last (rule 9)."""
    named = replace(CARD, severity="sev3", roles=(("scribe", "fay"),))
    lowered = replace(CARD, severity="sev3")
    later, last = T0 + timedelta(minutes=1), T0 + timedelta(minutes=2)
    raised = lived(Seen(T0, CARD), Seen(later, lowered))
    assert [held.role for held in current_state(lowered, shipped_policy(), raised, later).roles] == ["technical_lead"]
    unnamed = lived(Seen(T0, named), Seen(last, lowered))
    state = current_state(lowered, shipped_policy(), unnamed, last)
    assert [held.role for held in state.roles] == ["technical_lead", "scribe"], "removing a name changes nothing"


def test_a_holder_who_left_the_config_accepted_nothing() -> None:
    """Who is listed instead of them has not accepted the role (rules 8, 26)."""
    engineer, later = on_duty("engineers"), T0 + timedelta(minutes=1)
    history = lived(Seen(T0, CARD_NAMED), Answered(later, engineer, Answer.OK))
    history = fold_facts([RoleAccepted(later, "technical_lead", "nobody")], history)
    state = current_state(CARD_NAMED, shipped_policy(), history, later)
    lead = next(held for held in state.roles if held.role == "technical_lead")
    assert (lead.person, lead.accepted_at) == ("fay", None)
