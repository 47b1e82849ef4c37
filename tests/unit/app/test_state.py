"""What the running daemon shares: incidents with what came in for them, the agenda, the notices, the config in force."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from sys import getsizeof

from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incident_state import known_version
from tocsin.app.state.incidents import Incidents
from tocsin.domain.facts import Fact, Gone, PageLost, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status
from tocsin.domain.people import Channel
from tocsin.planning.history.fold import fold_facts
from tocsin.planning.plan import plan

from tests.builders.active_config import active_config, polled, settings
from tests.builders.instants import MINUTE, T0
from tests.builders.policies import paging_policy
from tests.fakes.loop import VirtualClock, run_virtually

PAY = Incident("pay", "Card payments fail", "sev1")
SEEN = Seen(T0, PAY, "d")


async def test_what_comes_in_is_kept_and_looked_at_now() -> None:
    """An event waits with its incident, in order, and the incident is in the line at once."""
    agenda = Agenda()
    incidents = Incidents(agenda)
    incidents.add_event("pay", SEEN)
    incidents.add_event("pay", Gone(T0))
    assert incidents.state("pay").events == [SEEN, Gone(T0)]
    assert await asyncio.wait_for(agenda.take(), 1) == "pay"
    assert incidents.history("pay") == History(), "it counts at the look"


async def test_all_are_looked_at_again() -> None:
    """At the start and after a reload every incident is in the line, once."""
    agenda = Agenda()
    incidents = Incidents(agenda)
    for name in ("pay", "db"):
        incidents.load(name, [SEEN])
    incidents.poke_all()
    incidents.poke_all()
    assert {await asyncio.wait_for(agenda.take(), 1) for _ in range(2)} == {"pay", "db"}


def test_an_unknown_incident_has_no_history() -> None:
    """Nothing is kept of one that was only asked about."""
    incidents = Incidents(Agenda())
    assert incidents.history("never") == History()
    assert incidents.open_count() == 0


def test_open_ones_are_counted() -> None:
    """What the daemon says when it is ready: those that are not resolved."""
    incidents = Incidents(Agenda())
    incidents.load("pay", [SEEN])
    resolved = replace(PAY, status=Status.RESOLVED)
    incidents.load("db", [SEEN, *plan_of([SEEN]), Seen(T0 + MINUTE, resolved, "e")])
    assert incidents.open_count() == 1


def plan_of(facts: list[Fact]) -> tuple[Fact, ...]:
    """The facts that the plan records after these."""
    return plan(PAY, paging_policy(), fold_facts(facts), T0).facts


def test_the_finished_rest_until_something_comes_in() -> None:
    """Archived by name; restored with the ledger's facts, while what came in still waits."""
    incidents = Incidents(Agenda())
    incidents.archive({"pay"})
    assert incidents.is_archived("pay")
    incidents.add_event("pay", Gone(T0))
    incidents.restore("pay", [SEEN])
    assert not incidents.is_archived("pay")
    assert incidents.history("pay").incident == PAY
    assert incidents.state("pay").events == [Gone(T0)]


def test_one_that_is_served_is_not_archived() -> None:
    """The ledger's list of finished incidents never hides one that the daemon holds."""
    incidents = Incidents(Agenda())
    incidents.load("pay", [SEEN])
    incidents.archive({"pay", "old"})
    assert not incidents.is_archived("pay")
    assert incidents.is_archived("old")


def test_a_state_that_needs_nothing_is_let_go() -> None:
    """Its facts are the ledger's then; one that was never seen leaves nothing."""
    incidents = Incidents(Agenda())
    incidents.load("pay", [SEEN])
    incidents.evict("pay")
    assert incidents.is_archived("pay")
    assert incidents.history("pay") == History()
    incidents.state("typo")
    incidents.evict("typo")
    assert not incidents.is_archived("typo")


def test_something_that_came_in_meanwhile_keeps_the_state() -> None:
    """Its facts must not be read from the ledger on top of themselves: a page would count twice."""
    incidents = Incidents(Agenda())
    incidents.load("pay", [SEEN])
    incidents.add_event("pay", Gone(T0))
    incidents.evict("pay")
    assert not incidents.is_archived("pay")
    assert incidents.history("pay").incident == PAY
    assert incidents.state("pay").events == [Gone(T0)]


def test_letters_on_their_way_are_counted() -> None:
    """An incident has some until the last one is settled."""
    incidents = Incidents(Agenda())
    assert not incidents.has_unsettled("pay")
    incidents.add_unsettled("pay")
    incidents.add_unsettled("pay")
    incidents.remove_unsettled("pay")
    assert incidents.has_unsettled("pay")
    assert not incidents.has_unsettled("db")
    incidents.remove_unsettled("pay")
    assert not incidents.has_unsettled("pay")


async def test_a_storm_that_is_over_leaves_no_empty_tables() -> None:
    """Python keeps a table as large as it ever was; where nothing is left in it, it is given up."""
    agenda = Agenda()
    incidents, empty = Incidents(agenda), getsizeof({})
    for number in range(1000):
        incidents.add_unsettled(f"i{number}")
        incidents.add_event(f"i{number}", SEEN)
    for number in range(1000):
        incidents.remove_unsettled(f"i{number}")
        agenda.done(await agenda.take(), None)
    assert getsizeof(agenda._waiting) == empty
    assert getsizeof(incidents._unsettled) == getsizeof(Counter())


async def test_a_resolution_waits_for_its_review() -> None:
    """In the order in which they were resolved."""
    incidents = Incidents(Agenda())
    incidents.note_resolved("pay", just_now=True)
    incidents.note_resolved("db", just_now=False)
    assert [await incidents.next_resolved() for _ in range(2)] == [("pay", True), ("db", False)]


def test_the_channels_a_page_went_by_end_with_the_incident() -> None:
    """Known from the plan's facts; a page of the next episode begins anew. A draft is decided on apart."""
    state = Incidents(Agenda()).state("pay")
    state.note([SEEN, *plan_of([SEEN])])
    assert state.pages["ana", T0] == frozenset(Channel)
    draft = state.draft()
    draft.note([PageLost(T0 + MINUTE, "ana", T0)])
    assert ("ana", T0) in state.pages
    assert ("ana", T0) not in draft.pages
    resolved = Seen(T0 + MINUTE, replace(PAY, status=Status.RESOLVED), "e")
    history = fold_facts([SEEN, *plan_of([SEEN]), resolved])
    planned = plan(history.incident or PAY, paging_policy(), history, T0 + MINUTE)
    state.note([resolved, *planned.facts], planned.history)
    assert state.pages == {}


def test_the_nearest_look_comes_first() -> None:
    """Everything due is woken; the earliest that is left is named."""
    agenda, start = Agenda(), datetime(2026, 11, 23, 10, tzinfo=UTC)
    for minutes, name in ((3, "c"), (1, "a"), (2, "b")):
        agenda.set(name, start + timedelta(minutes=minutes))
    assert agenda.wake_due(start) == start + timedelta(minutes=1)
    assert agenda.wake_due(start + timedelta(minutes=2)) == start + timedelta(minutes=3)
    assert agenda.wake_due(start + timedelta(minutes=3)) is None


def test_a_look_that_was_called_off_does_not_come() -> None:
    """None replaces whatever was set; so does a later instant."""

    async def life(clock: VirtualClock) -> list[str]:
        agenda, taken = Agenda(), list[str]()
        agenda.set("a", clock.now() + timedelta(minutes=1))
        agenda.set("a", None)
        agenda.set("b", clock.now() + timedelta(minutes=1))
        agenda.set("b", clock.now() + timedelta(minutes=5))
        agenda.wake_due(clock.now() + timedelta(minutes=2))
        try:
            async with asyncio.timeout(1):
                taken.append(await agenda.take())
        except TimeoutError:
            pass
        return taken

    assert run_virtually(life) == []


def test_something_sooner_wakes_the_alarm() -> None:
    """The scheduler sleeps until its earliest look; one set before that ends the sleep, one after it does not."""

    async def life(clock: VirtualClock) -> list[float]:
        agenda, slept, start = Agenda(), list[float](), clock.now()
        agenda.set("a", start + timedelta(minutes=10))
        agenda.wake_due(start)

        async def sleeper() -> None:
            await agenda.sooner(600)
            slept.append((clock.now() - start).total_seconds())

        for minutes in (20, 5):
            task = asyncio.create_task(sleeper())
            await asyncio.sleep(30)
            agenda.set("b", start + timedelta(minutes=minutes))
            await asyncio.sleep(30)
            task.cancel()
        return slept

    assert run_virtually(life) == [90.0]


def test_a_config_is_replaced_whole() -> None:
    """Policy, settings and where answers come in always belong to one config (P8)."""
    config = active_config(paging_policy(), settings())
    assert not config.reply_routes.takes_sms("+14155550101")
    other = paging_policy(via=(Channel.SMS,))
    config.replace(other, polled())
    assert config.policy is other
    assert config.settings == polled()
    assert config.reply_routes.takes_sms("+14155550101")


def test_what_a_restart_compares_a_file_with_is_nothing_of_one_that_was_never_readable_and_is_gone() -> None:
    """Rule 32: another one of that name is new."""
    assert known_version([SEEN], "pay.yaml") is not None
    assert known_version([SEEN, Gone(T0)], "pay.yaml") is None
    again = known_version([SEEN, Gone(T0), replace(SEEN, digest="again")], "pay.yaml")
    assert again is not None
    assert (again.digest, again.older) == ("again", frozenset())
