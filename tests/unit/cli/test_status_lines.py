"""`tocsin status` in words: who is asked since when and by what, who is paged next, and what is counted down."""

from dataclasses import replace
from datetime import timedelta

from tocsin.app.incidents.asked_roles import asked_roles
from tocsin.app.incidents.open_incidents import OpenIncident
from tocsin.cli.output.status_lines import StatusLook, lines
from tocsin.cli.output.terminal.line import Line, Mark
from tocsin.domain.facts import Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Acknowledgment, Incident
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import Level, PagePolicy, Policy, Role, Severity, Who
from tocsin.formats.incident.read import unreadable_incident
from tocsin.planning.current_state import current_state
from tocsin.planning.history.fold import fold_facts
from tocsin.planning.plan import plan

from tests.builders.instants import T0
from tests.builders.policies import small_policy

INCIDENT = Incident("pay", "Card payments fail", "sev1")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def ladder(*, last_resort: tuple[str, ...] = ()) -> Policy:
    """Ana first, Bo after five minutes, one round."""
    people = {
        "ana": Person("ana", "Ana Souza", "ana@example.com", "+14155550101"),
        "bo": Person("bo", "Bo Berg", "bo@example.com"),
    }
    page = PagePolicy(("technical_lead",), (Channel.SMS, Channel.EMAIL), 5 * MINUTE, rounds=1)
    return small_policy(
        people=people,
        roles={"technical_lead": Role("technical_lead", "Technical Lead", chain=(level("ana"), level("bo")))},
        severities={"sev1": Severity("sev1", "Critical", page=page)},
        last_resort=last_resort,
    )


def without_phone(policy: Policy) -> Policy:
    ana = replace(policy.people["ana"], phone=None)
    return replace(policy, people={**policy.people, "ana": ana})


def level(person: str) -> Level:
    return Level((Who(person),))


def planned(incident: Incident, policy: Policy, *seconds: int) -> History:
    """Its history once the plan was asked at these seconds."""
    history = fold_facts([Seen(T0, incident)])
    for second in seconds:
        history = plan(incident, policy, history, T0 + second * SECOND).history
    return history


def shown(history: History, policy: Policy, after: timedelta, *, counting: bool = False) -> list[str]:
    now = T0 + after
    assert history.incident is not None
    state = current_state(history.incident, policy, history, now)
    opened = OpenIncident(history.incident, state, (), T0, asked=asked_roles(history, policy, now))
    return list(lines(StatusLook(now, [opened], policy), now, counting=counting))


def test_who_is_paged_and_who_is_next() -> None:
    """The newest step and its channels, that nobody has accepted, and the next step; young incidents count seconds."""
    policy = ladder(last_resort=("bo",))
    rows = shown(planned(INCIDENT, policy, 0), policy, 7 * SECOND)
    assert rows == [
        "SEV1 Card payments fail",
        "  pay, investigating, for 7 s",
        "  Technical Lead       Ana Souza, paged 10:00 by SMS and email, not accepted; next Bo Berg 10:05 UTC",
    ]
    assert isinstance(rows[2], Line)
    assert [(rows[2][start:end], mark) for start, end, mark in rows[2].marks] == [("not accepted", Mark.ALARM)]
    counted = shown(planned(INCIDENT, policy, 0), policy, 7 * SECOND, counting=True)
    assert counted[2].endswith("; next Bo Berg 10:05 UTC, in 4m53s")


def test_by_what_somebody_was_paged() -> None:
    """As it was sent, whatever this process would send: the daemon knows that the number said STOP (rule 51)."""
    history = planned(INCIDENT, without_phone(ladder()), 0)
    (row,) = shown(history, ladder(), 7 * SECOND)[2:]
    assert "Ana Souza, paged 10:00 by email, not accepted" in row


def test_the_last_resort_is_named() -> None:
    """It is next once the chain is at its end; whom nobody is paged after is told so."""
    policy = ladder(last_resort=("bo",))
    rows = shown(planned(INCIDENT, policy, 0, 300), policy, 6 * MINUTE)
    assert rows[1:] == [
        "  pay, investigating, for 6 minutes",
        "  Technical Lead       Bo Berg, paged 10:05 by email, not accepted; next Bo Berg (last resort) 10:10 UTC",
    ]


def test_a_page_that_is_due() -> None:
    """A daemon that is late, or away, pages nobody: what should have been is told as now."""
    policy = ladder(last_resort=("bo",))
    opened_at = planned(INCIDENT, policy, 0)
    state = current_state(INCIDENT, policy, opened_at, T0)
    opened = OpenIncident(INCIDENT, state, (), T0, asked=asked_roles(opened_at, policy, T0))
    late = list(lines(StatusLook(T0, [opened], policy), T0 + 9 * MINUTE, counting=True))
    assert late[2].endswith("not accepted; next Bo Berg now")


def test_who_has_accepted() -> None:
    """Nothing is said of who would be next."""
    policy = ladder()
    history = planned(INCIDENT, policy, 0)
    accepted = replace(INCIDENT, acknowledged=(Acknowledgment("ana", T0 + MINUTE),))
    history = fold_facts([Seen(T0 + MINUTE, accepted)], history)
    history = plan(accepted, policy, history, T0 + MINUTE).history
    (row,) = shown(history, policy, 2 * MINUTE)[2:]
    assert row == "  Technical Lead       Ana Souza, accepted 10:01 UTC"


def test_an_unreadable_file() -> None:
    """Nobody is asked for a role, and yet somebody is paged."""
    policy = ladder(last_resort=("bo",))
    broken = unreadable_incident("pay.yaml", "title: [", policy)
    row = shown(planned(broken, policy, 0), policy, MINUTE)[2]
    assert row.startswith(
        "  file unreadable      Bo Berg, paged 10:00 by email, not accepted; next Bo Berg (last resort) "
    )


def test_nothing_is_open() -> None:
    """Trouble of the whole comes first."""
    look = StatusLook(T0, [], small_policy(), ["no daemon seems to run"])
    assert list(lines(look, T0)) == ["! no daemon seems to run", "", "no open incidents"]
