"""The database away from who leads, on virtual time (rule 54): pages from memory, and what becomes of them elsewhere."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tocsin.app.hand_ins.from_memory import sent_elsewhere
from tocsin.app.hand_ins.from_memory.left_here import LeftFromMemory
from tocsin.app.hand_ins.hand_in import SentFromMemory, hand_in_of
from tocsin.app.replies.sms_poll import SmsPoll
from tocsin.domain.arrival import Arrival as CameIn
from tocsin.domain.arrival import ArrivalKind
from tocsin.domain.delivery import Accepted
from tocsin.domain.facts import Answered, Paged
from tocsin.domain.notification import Kind
from tocsin.domain.people import MAIN, Channel
from tocsin.domain.policy import Service, Who

from tests.builders.active_config import settings
from tests.fakes.fence import AwayFence
from tests.fakes.loop import VirtualClock, run_virtually
from tests.simulation.machines import Cluster, Fault
from tests.simulation.machines import simulate as simulate_machines
from tests.simulation.test_folders import FILE, Machines
from tests.simulation.world import Arrival, DiskLedger


class AwayLead(AwayFence):
    """A Lead whose lease ran out."""

    drains_for = 2.0

    def __init__(self) -> None:
        super().__init__()
        self.lost = asyncio.Event()

    def note_healthy(self) -> None:
        """Nobody counts."""

    def begin_anew(self) -> None:
        """Nobody counts."""

    def hold_back(self) -> None:
        """Nobody heeds it."""

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def give_back(self) -> None:
        """It has none."""


class Cut(Machines):
    """The first machine is cut off from the ledger, and pages what is new in its folder; the second one leads."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.lead = AwayLead()

    async def cut(self) -> None:
        """It leads, until the ledger does not answer any more."""
        self.first.lead = self.lead  # type: ignore[assignment]  # another Lead
        await self.first.start()
        await self.first.wait(1)
        assert self.first._ledger is not None
        self.first._ledger.cut = True
        self.first.folder.write("pay.yaml", FILE)

    async def lose(self) -> None:
        """It finds that another one leads, and hands in what it sent."""
        self.lead.lets = False
        self.lead.lost.set()
        await self.first.ended()
        left = LeftFromMemory("a", self.clock, DiskLedger(self.first.disk, self.clock, self.first.dice))  # type: ignore[arg-type]
        left.keep(self.first.daemon.sender.open.values())
        await left.write()

    def tries(self) -> list[Any]:
        """All tries that the ledger knows of."""
        return [attempt for tries in self.first.disk.attempts.values() for attempt in tries]


def simulate(story: Callable[[Cut], Any]) -> Cut:
    async def main(clock: VirtualClock) -> Cut:
        machines = Cut(clock)
        await story(machines)
        return machines

    cut: Cut = run_virtually(main)
    return cut


def test_first_pages_leave_from_memory_and_later_steps_wait() -> None:
    """Rule 54: ana's and chen's page at once, on both channels; the next step only once later steps may leave."""

    async def story(machines: Cut) -> None:
        await machines.cut()
        await machines.first.wait(20)
        first = len(machines.first.pages())
        assert first == 4
        await machines.first.wait(310)
        assert len(machines.first.pages()) == first, "5 minutes later bo and dai would be next"
        machines.lead.steps = True
        await machines.first.wait(5)
        assert {page.message.person for page in machines.first.pages()[first:]} == {"bo", "dai"}

    simulate(story)


def test_what_left_elsewhere_outlives_the_leader_that_keeps_it() -> None:
    """R52: its page is not decided yet, so whoever leads next takes it up, and sends no copy."""

    async def story(machines: Cut) -> None:
        await machines.cut()
        await machines.first.wait(20)
        await machines.lose()
        await machines.second.start()
        await machines.second.wait(5)
        assert machines.results(ArrivalKind.SENT) == [None] * 4
        await machines.second.kill()
        await machines.second.start()
        await machines.second.wait(1)
        machines.second.folder.write("pay.yaml", FILE)
        await machines.second.wait(20)

    machines = simulate(story)
    assert len(machines.first.pages()) == 4
    assert machines.results(ArrivalKind.SENT) == ["kept"] * 4


def test_what_was_decided_before_says_so_when_it_leaves_from_memory() -> None:
    """R54: a page that waited for its provider as the ledger went away may be answered elsewhere by now."""

    async def story(machines: Cut) -> None:
        machines.first.lead = machines.lead  # type: ignore[assignment]  # another Lead
        machines.lead.away = False
        machines.first.faults.down = frozenset(Channel)
        await machines.first.start()
        machines.first.folder.write("pay.yaml", FILE)
        await machines.first.wait(10)
        assert machines.first.disk.letters, "decided and recorded"
        assert machines.first._ledger is not None
        machines.first._ledger.cut = machines.lead.away = True
        machines.first.faults.down = frozenset()
        await machines.first.wait(60)
        assert len(machines.first.pages()) == 4
        said = [page.message.content.text.count("a sees no ledger") for page in machines.first.pages()]
        assert said == [1] * 4

    simulate(story)


def olgas_minutes(pages: Sequence[Arrival], began: datetime) -> list[int]:
    """When the last resort was paged by email, in whole minutes."""
    mails = [page for page in pages if page.message.via is Channel.EMAIL and page.message.person == "olga"]
    return [round((mail.at - began) / timedelta(minutes=1)) for mail in mails]


def test_without_the_ledger_the_last_resort_is_paged_each_quarter_of_an_hour() -> None:
    """R54: the steps left of the round, then the last resort once every 15 min; as ever once it is back."""

    async def story(machines: Cut) -> None:
        severity = machines.first.policy.severities["sev1"]
        thrice = replace(severity, page=replace(severity.page, rounds=3))  # type: ignore[type-var]
        machines.first.policy = replace(machines.first.policy, severities={"sev1": thrice})
        machines.lead.steps = True
        await machines.cut()
        began = machines.clock.now()
        await machines.first.wait(42 * 60)
        assert olgas_minutes(machines.first.pages(), began) == [10, 25, 40]
        machines.first._ledger.cut = machines.lead.away = False  # type: ignore[union-attr]
        await machines.first.wait(15 * 60)
        assert olgas_minutes(machines.first.pages(), began)[3:] == [45, 50, 55]

    simulate(story)


def test_who_was_paged_elsewhere_alone_hears_the_end() -> None:
    """P5: bo and dai were asked by the machine that was cut off, ana answers where another one leads by then: their step
    is never decided there, and they hear the end all the same, once on each channel.
    """

    async def story(machines: Cut) -> None:
        machines.lead.steps = True
        await machines.cut()
        await machines.first.wait(310)
        await machines.lose()
        await machines.second.start()
        await machines.second.wait(1)
        acknowledged = f"{FILE}acknowledged: [ana, chen]\n"
        machines.second.folder.write("pay.yaml", acknowledged)
        for seconds in (60, 7200):
            await machines.second.wait(seconds)
            await machines.second.kill()
            await machines.second.start()
        await machines.second.wait(60)
        machines.second.folder.write("pay.yaml", f"{acknowledged}status: resolved\n")
        await machines.second.wait(30)
        await machines.second.stop()

    machines = simulate(story)
    closings = [each.message for each in machines.first.arrived if each.message.kind == Kind.CLOSING]
    told = sorted((message.person, message.via.value) for message in closings if message.person in {"bo", "dai"})
    assert told == [("bo", "email"), ("bo", "sms"), ("dai", "email"), ("dai", "sms")]
    assert len(machines.facts(Paged)) == 4, "ana and chen were as well"
    assert set(machines.results(ArrivalKind.SENT)) == {"kept"}, "all of it is judged in the end"


@pytest.mark.parametrize("before", [True, False])
def test_who_was_paged_elsewhere_first_hears_the_end(before: bool) -> None:
    """P5: what counts as sent has left, though nothing of it ever left from here."""

    async def story(machines: Cut) -> None:
        await machines.cut()
        await machines.first.wait(20)
        if before:
            await machines.lose()
        machines.second.faults.down = frozenset() if before else frozenset(Channel)
        await machines.second.start()
        await machines.second.wait(1)
        machines.second.folder.write("pay.yaml", FILE)
        await machines.second.wait(20)
        if not before:
            await machines.lose()
            await machines.second.wait(5)
        machines.second.folder.write("pay.yaml", f"{FILE}status: resolved\n")
        await machines.second.wait(5)
        machines.second.faults.down = frozenset()
        await machines.second.wait(600)
        await machines.second.stop()

    machines = simulate(story)
    closings = [each.message for each in machines.first.arrived if each.message.kind == Kind.CLOSING]
    assert {(message.person, message.via) for message in closings if message.person in {"ana", "chen"}} == {
        (person, via) for person in ("ana", "chen") for via in (Channel.EMAIL, Channel.SMS)
    }


@pytest.mark.parametrize("back_after", [0, 50, 115])
def test_steps_that_waited_for_the_ledger_do_not_leave_together(back_after: int) -> None:
    """R54: a ladder of 20 s stands still for the two minutes. Then bo is asked once, and olga once in 15 min; where the
    ledger is back before, it goes on as ever from there (rule 4).
    """
    began: list[datetime] = []

    async def story(machines: Cut) -> None:
        severity = machines.first.policy.severities["sev1"]
        quick = replace(severity, page=replace(severity.page, acknowledge_within=timedelta(seconds=20), rounds=2))  # type: ignore[type-var]
        machines.first.policy = replace(machines.first.policy, severities={"sev1": quick})
        await machines.cut()
        began.append(machines.clock.now())
        await machines.first.wait(back_after or 120)
        if back_after:
            machines.first._ledger.cut = machines.lead.away = False  # type: ignore[union-attr]
        else:
            machines.lead.steps = True
        await machines.first.wait(165 - (back_after or 120))

    machines = simulate(story)
    mails = [page for page in machines.first.pages() if page.message.via is Channel.EMAIL]
    asked = [(page.message.person, round((page.at - began[0]).total_seconds(), -1)) for page in mails]
    by_person = {person: [at for name, at in asked if name == person] for person in ("ana", "bo", "olga")}
    expected = {
        0: {"ana": [0], "bo": [120], "olga": [140]},
        50: {"ana": [0, 50], "bo": [50, 60], "olga": [80, 100, 120, 140, 160]},
        115: {"ana": [0, 140], "bo": [120, 160], "olga": []},
    }
    assert by_person == expected[back_after]


def seconds_asked(machines: Cut, began: datetime, names: set[str]) -> list[tuple[str, int]]:
    """Who of these was asked by email, and how many seconds after it began."""
    mails = [page for page in machines.first.pages() if page.message.via is Channel.EMAIL]
    asked = [(mail.message.person, round((mail.at - began).total_seconds())) for mail in mails]
    return sorted((entry for entry in asked if entry[0] in names), key=lambda entry: (entry[1], entry[0]))


def test_rounds_of_responders_that_waited_for_the_ledger_do_not_leave_together() -> None:
    """R54, rule 10: eve is asked once after the two minutes, and then each window."""
    began: list[datetime] = []

    async def story(machines: Cut) -> None:
        severity = machines.first.policy.severities["sev1"]
        quick = replace(severity, page=replace(severity.page, acknowledge_within=timedelta(seconds=20), rounds=6))  # type: ignore[type-var]
        db = Service("db", "DB", responders=(Who("eve"),))
        machines.first.policy = replace(machines.first.policy, severities={"sev1": quick}, services={"db": db})
        await machines.cut()
        machines.first.folder.write("pay.yaml", f"{FILE}services: [db]\n")
        began.append(machines.clock.now())
        await machines.first.wait(120)
        machines.lead.steps = True
        await machines.first.wait(45)

    machines = simulate(story)
    assert seconds_asked(machines, began[0], {"eve"}) == [("eve", 0), ("eve", 122), ("eve", 142), ("eve", 162)]


def test_a_role_lost_by_silence_waits_for_the_ledger_with_its_first_step() -> None:
    """R54, rule 19: whoever held it may have said that they are there; bo and dai have their whole window then."""
    began: list[datetime] = []

    async def story(machines: Cut) -> None:
        severity = machines.first.policy.severities["sev1"]
        page = replace(  # type: ignore[type-var]
            severity.page, acknowledge_within=timedelta(seconds=40), still_there_after=timedelta(seconds=60), rounds=2
        )
        machines.first.policy = replace(machines.first.policy, severities={"sev1": replace(severity, page=page)})
        machines.first.lead = machines.lead  # type: ignore[assignment]  # another Lead
        machines.lead.away = False
        await machines.first.start()
        await machines.first.wait(1)
        machines.first.folder.write("pay.yaml", f"{FILE}acknowledged: [ana, chen]\n")
        began.append(machines.clock.now())
        await machines.first.wait(15)
        machines.first._ledger.cut = machines.lead.away = True  # type: ignore[union-attr]
        await machines.first.wait(205)
        machines.lead.steps = True
        await machines.first.wait(60)

    machines = simulate(story)
    expected = [("bo", 222), ("dai", 222), ("olga", 262)]
    assert seconds_asked(machines, began[0], {"bo", "dai", "olga"}) == expected


@pytest.mark.parametrize("before", [True, False])
def test_what_left_elsewhere_counts_as_sent(before: bool) -> None:
    """R52: handed in before the other machine decides the same pages they do not leave again; after it, each copy has
    its row, marked as perhaps a second one.
    """

    async def story(machines: Cut) -> None:
        await machines.cut()
        await machines.first.wait(20)
        if before:
            await machines.lose()
        await machines.second.start()
        await machines.second.wait(1)
        machines.second.folder.write("pay.yaml", FILE)
        await machines.second.wait(20)
        if not before:
            await machines.lose()
            await machines.second.wait(5)

    machines = simulate(story)
    copies = 4 if before else 8
    assert len(machines.first.pages()) == copies
    assert (
        sum(isinstance(attempt.outcome, Accepted) for attempt in machines.tries() if "/page/" in attempt.reference)
        == copies
    )
    assert sum(bool(attempt.possible_duplicate) for attempt in machines.tries()) == 4
    assert machines.results(ArrivalKind.SENT) == (["kept"] if before else ["sent"]) * 4


@pytest.mark.parametrize("minutes", [1, 8])
def test_a_standby_without_the_database_pages_what_is_newly_declared(
    minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 54: after 30 s in vain, what is new in its own folder leaves from there, and is the leader's once it is back,
    however long that takes; what the ledger knew leaves no second time.
    """
    monkeypatch.setattr(sent_elsewhere, "KEPT_FOR", timedelta(minutes=5))

    def pay(cluster: Cluster) -> list[Arrival]:
        return [page for page in cluster.machines[0].world.pages() if page.message.incident == "pay"]

    async def story(cluster: Cluster) -> None:
        await cluster.wait(5)
        await cluster.write("old.yaml", FILE)
        await cluster.wait(20)
        standby = cluster.machines[1]
        assert cluster.leader is cluster.machines[0]
        standby.rows.cut = True
        standby.world.folder.write("pay.yaml", FILE)
        before = len(cluster.arrived)
        await cluster.wait(29)
        assert len(cluster.arrived) == before
        await cluster.wait(15)
        assert {page.message.person for page in pay(cluster)} == {"ana", "chen"}
        assert len(pay(cluster)) == 4, "each by both channels"
        await cluster.wait(minutes * 60)
        cluster.left = len(pay(cluster))
        standby.rows.cut = False
        await cluster.wait(60)

    cluster: Any = simulate_machines(1, 2, story)
    assert len(pay(cluster)) == cluster.left, "they count as sent"
    assert minutes > 1 or cluster.left == 4
    assert cluster.disk.facts["pay"], "it is in the ledger"
    tries = [attempt for key, tries in cluster.disk.attempts.items() if key.startswith("pay/") for attempt in tries]
    assert sum(bool(attempt.possible_duplicate) for attempt in tries) == 4


def test_a_standby_too_old_to_lead_pages_what_is_newly_declared() -> None:
    """R54: the newer machine that led is gone, and nobody may follow: what is new leaves from each that stands by, and
    operators hear why. Once a machine may lead they stand by, and it is the leader's; nobody is asked a second time.
    """

    async def story(cluster: Cluster) -> None:
        await cluster.wait(25)
        newer, standby = cluster.machines
        cluster.shared.view = replace(cluster.shared.view, leads_from="0099")
        newer.suffer(Fault("killed", "", seconds=1000))
        standby.world.folder.write("pay.yaml", FILE)
        before = len(cluster.arrived)
        await cluster.wait(25)
        assert len(cluster.arrived) == before
        await cluster.wait(20)
        pages = standby.world.pages()
        assert {page.message.person for page in pages} == {"ana", "chen"}
        assert len(pages) == 4, "each by both channels"
        told = [page.message for page in cluster.arrived[before:] if page.message.kind == Kind.OPERATOR.value]
        assert told
        assert all("nobody leads until tocsin is updated" in message.content.text for message in told)
        await cluster.wait(100)
        cluster.shared.view = replace(cluster.shared.view, leads_from="")
        await cluster.wait(40)
        assert cluster.leader is standby
        assert cluster.disk.facts["pay"], "it is in the ledger"
        assert standby.world.pages() == pages, "they count as sent"

    simulate_machines(1, 2, story)


def test_a_file_that_was_renamed_pages_nobody_without_the_database() -> None:
    """R54, rule 33: it is the incident that it was, which the ledger knows."""

    async def story(cluster: Cluster) -> None:
        await cluster.wait(5)
        standby, leader = cluster.machines[1], cluster.machines[0]
        await cluster.write("pay.yaml", FILE)
        await cluster.wait(20)
        for machine in cluster.machines:
            machine.world.folder.remove("pay.yaml")
            machine.world.folder.write("checkout.yaml", FILE)
        await cluster.wait(20)
        leader.world.says("ana", "ok")
        leader.world.says("chen", "ok")
        await cluster.wait(20)
        assert len(leader.world.pages()) == 4
        standby.rows.cut = True
        await cluster.wait(180)
        assert len(leader.world.pages()) == 4

    simulate_machines(1, 2, story)


@pytest.mark.parametrize("text", ["[[[[ : nothing\n", "[[[[ : nothing again\n"])
def test_a_broken_file_that_comes_back_while_the_database_is_away_pages(text: str) -> None:
    """Rules 32 and 54: the pages of the first one ended with it, so it is as new as any other."""

    async def story(machines: Cut) -> None:
        first = machines.first
        machines.lead.away = False
        first.lead = machines.lead  # type: ignore[assignment]  # another Lead
        await first.start()
        await first.wait(1)
        first.folder.write("x.yaml", "[[[[ : nothing\n")
        await first.wait(30)
        first.folder.remove("x.yaml")
        await first.wait(40)
        before = len(first.pages())
        assert before > 0
        assert first._ledger is not None
        first._ledger.cut = machines.lead.away = True
        await first.wait(20)
        first.folder.write("x.yaml", text)
        await first.wait(60)
        first._ledger.cut = machines.lead.away = False
        await first.wait(60)
        assert len(first.pages()) > before

    simulate(story)


def test_what_left_under_the_lease_leaves_no_more_often_from_a_standby(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 54: a machine that paged from memory while it led, and could not hand that in, stands by and is away again."""
    paged: list[list[Arrival]] = []

    def simulated(left: Sequence[SentFromMemory]) -> Cluster:
        async def story(cluster: Cluster) -> None:
            await cluster.wait(5)
            standby = cluster.machines[1]
            standby.left._sent += left
            standby.rows.cut = True
            standby.world.folder.write("pay.yaml", FILE)
            await cluster.wait(60)
            paged.append([page for page in cluster.machines[0].world.pages() if page.message.incident == "pay"])
            standby.rows.cut = False
            await cluster.wait(20)

        return simulate_machines(1, 2, story)

    sent = [hand_in_of(came) for came, _ in simulated(()).disk.arrivals if came.kind is ArrivalKind.SENT]
    pages = [one for one in sent if isinstance(one, SentFromMemory)]
    assert len(pages) == len(paged[0]) == 4
    monkeypatch.setattr(LeftFromMemory, "write", asyncio.Event().wait)
    cluster = simulated(pages)
    assert not paged[1]
    assert list(cluster.machines[1].left.sent) == pages, "handed in once"


@pytest.mark.parametrize("minutes", [1, 20])
def test_an_ok_to_a_page_from_memory_counts_there_and_once_it_is_written_down(minutes: int) -> None:
    """R54: it names no code that the ledger has not confirmed, so whoever answers says `ok`. Where it was sent that ends
    the ladder; the leader, which reads the same list, keeps what fits nothing until it knows of the page.
    """

    async def story(cluster: Cluster) -> None:
        await cluster.wait(5)
        standby, leader = cluster.machines[1], cluster.machines[0]
        standby.rows.cut = True
        standby.world.folder.write("pay.yaml", FILE)
        await cluster.wait(45)
        for person in ("ana", "chen"):
            leader.world.says(person, "ok")
        standby.in_memory.arrivals += [(arrival, None) for arrival, _ in cluster.disk.arrivals]
        await cluster.wait(30)
        assert [len(leader.world.answers_to(person)) for person in ("ana", "chen")] == [1, 1], "nothing is known"
        await cluster.wait(minutes * 60)
        standby.rows.cut = False
        await cluster.wait(60)
        assert [len(leader.world.answers_to(person)) for person in ("ana", "chen")] == [2, 2], "it counts"
        await cluster.wait(15 * 60)

    cluster = simulate_machines(1, 2, story)
    pages = cluster.machines[0].world.pages()
    assert {page.message.person for page in pages} == {"ana", "chen"}, "nobody else was asked"
    assert len(pages) == 4
    assert sorted(answers(cluster)) == ["ana", "chen"]


def test_an_ok_that_was_unclear_counts_for_a_page_from_memory_alone() -> None:
    """R54: whoever led read it before it knew of the page, and asked which of two others was meant. It counts once that
    page is written down, for nothing else: not for one of the two either, when that is the only one left.
    """

    async def story(cluster: Cluster) -> None:
        await cluster.wait(5)
        standby, leader = cluster.machines[1], cluster.machines[0]
        for name in ("old", "older"):
            await cluster.write(f"{name}.yaml", FILE)
        await cluster.wait(20)
        standby.rows.cut = True
        standby.world.folder.write("pay.yaml", FILE)
        await cluster.wait(45)
        leader.world.says("ana", "ok")
        await cluster.wait(20)
        assert len(leader.world.answers_to("ana")) == 1, "which one?"
        await cluster.write("old.yaml", FILE + "acknowledged: [chen]\nstatus: resolved\n")
        await cluster.wait(30)
        assert not answers(cluster, "older"), "she may have meant the other one"
        standby.rows.cut = False
        await cluster.wait(60)

    cluster = simulate_machines(1, 2, story)
    assert answers(cluster) == ["ana"]
    assert not answers(cluster, "old") + answers(cluster, "older")


def test_an_ok_means_the_last_of_several_pages_from_a_standby() -> None:
    """R54: none of them named a code, so whoever answers says `ok` to each as it comes: nobody else is woken."""

    async def story(cluster: Cluster) -> None:
        await cluster.wait(5)
        standby, leader = cluster.machines[1], cluster.machines[0]
        standby.rows.cut = True
        for incident in ("pay", "db"):
            standby.world.folder.write(f"{incident}.yaml", FILE)
            await cluster.wait(60)
            for person in ("ana", "chen"):
                leader.world.says(person, "ok")
            hears(standby)
        await cluster.wait(15 * 60)

    cluster = simulate_machines(1, 2, story)
    pages = cluster.machines[0].world.pages()
    assert {page.message.person for page in pages} == {"ana", "chen"}
    assert len(pages) == 8


def hears(standby: Any) -> None:
    """A machine without the database finds in the provider's list what came in there."""
    known = {arrival.ref for arrival, _ in standby.in_memory.arrivals}
    came = [arrival for arrival, _ in standby.cluster.disk.arrivals if arrival.ref not in known]
    standby.in_memory.arrivals += [(arrival, None) for arrival in came]


@pytest.mark.parametrize("coded_since", [False, True])
def test_an_ok_means_the_page_from_memory_that_came_last(coded_since: bool) -> None:
    """R54: that page asked for a bare `ok`, so one means it, whatever else is open; not once a page with a code came."""

    async def story(cluster: Cluster) -> None:
        await cluster.wait(5)
        standby, leader = cluster.machines[1], cluster.machines[0]
        await cluster.write("old.yaml", FILE)
        await cluster.wait(20)
        standby.rows.cut = True
        standby.world.folder.write("pay.yaml", FILE)
        await cluster.wait(60)
        standby.rows.cut = False
        await cluster.wait(30)
        if coded_since:
            await cluster.write("new.yaml", FILE)
            await cluster.wait(20)
        leader.world.says("ana", "ok")
        await cluster.wait(5)

    cluster = simulate_machines(1, 2, story)
    assert answers(cluster) == ([] if coded_since else ["ana"])
    assert answers(cluster, "old") == []


def test_an_ok_answers_no_page_that_left_after_it() -> None:
    """R54, rule 47: one that is kept counts for what was handed over before it was sent, however soon after it somebody
    is paged; a code says what is meant at any time.
    """

    async def story(cluster: Cluster) -> None:
        await cluster.wait(5)
        world = cluster.machines[0].world
        for _ in range(5):
            world.says("ana", "ok")
            await cluster.wait(10)
        assert len(world.answers_to("ana")) == 5
        await cluster.wait(60)
        await cluster.write("pay.yaml", FILE)
        await cluster.wait(120)
        assert not answers(cluster), "she has not seen it"
        world.says("ana", "ok")
        await cluster.wait(5)
        assert answers(cluster) == ["ana"]
        world.says("ana", "ok")
        await cluster.wait(5)
        await cluster.write("db.yaml", FILE)
        await cluster.wait(120)
        assert not answers(cluster, "db")
        world.says("ana", "ok")
        await cluster.wait(5)
        assert not answers(cluster, "db"), "she has the other one: which is meant is asked"

    simulate_machines(1, 2, story)


def answers(cluster: Cluster, incident: str = "pay") -> list[str]:
    """Who has answered it."""
    return [fact.person for fact in cluster.disk.facts[incident] if isinstance(fact, Answered)]


class AnswerList:
    """A Polled: what people wrote to the provider's number."""

    def __init__(self) -> None:
        self.arrivals: list[CameIn] = []

    async def inbox(self, _since: datetime) -> Sequence[CameIn]:
        return tuple(self.arrivals)


@pytest.mark.parametrize("word", ["ok", "ok all"])
def test_an_ok_ends_a_ladder_while_the_ledger_is_away(word: str) -> None:
    """R54: the provider's list is read and judged in memory, so nobody else is woken; both hear that it counts once it
    is written down, as of the instant when they answered.
    """
    answered_at: list[datetime] = []

    async def story(machines: Cut) -> None:
        first, said = machines.first, AnswerList()
        first.lead, machines.lead.away = machines.lead, False  # type: ignore[assignment]  # another Lead
        first.settings = settings(replies={"by": "poll", "every": "5s"})
        first.providers[Channel.SMS].polled = said  # type: ignore[assignment]  # what it lists
        first.polls = lambda *parts: [SmsPoll(*parts[:5], MAIN, parts[5])]  # type: ignore[method-assign]
        await first.start()
        first.folder.write("pay.yaml", FILE)
        await first.wait(20)
        assert first._ledger is not None
        first._ledger.cut = machines.lead.away = machines.lead.steps = True
        await first.wait(20)
        for person in ("ana", "chen"):
            number, now = first.policy.people[person].phone, machines.clock.now()
            said.arrivals.append(CameIn(ArrivalKind.SMS, f"SM{person}", number, word, now))
        answered_at.append(machines.clock.now())
        await first.wait(15 * 60)
        assert {page.message.person for page in first.pages()} == {"ana", "chen"}
        assert not first.answers_to("ana"), "nothing is written down"
        first._ledger.cut = machines.lead.away = False
        await first.wait(30)
        assert [len(first.answers_to(person)) for person in ("ana", "chen")] == [1, 1]

    machines = simulate(story)
    answers = [fact for fact in machines.first.disk.facts["pay"] if isinstance(fact, Answered)]
    assert sorted(fact.person for fact in answers) == ["ana", "chen"]
    assert all(fact.at - answered_at[0] < timedelta(seconds=10) for fact in answers)
