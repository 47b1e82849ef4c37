"""The database of several machines goes back in time, or another takes its place, on virtual time (P3, P9): what the
machines' folders say and the ledger lacks is handed in again, whatever their memories say.
"""

import copy
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from tocsin.app.hand_ins import feed
from tocsin.app.hand_ins.hand_in import MachineNotice, arrival_of
from tocsin.app.leadership.alone import Alone
from tocsin.domain.arrival import ArrivalKind
from tocsin.domain.facts import Seen
from tocsin.domain.incident import Status
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.ports.ledger.trouble import Unreadable
from tocsin.ports.ledger.upkeep import PrunedIncident

from tests.simulation.test_folders import FILE, PAY, Machines, simulate
from tests.simulation.world import Disk, World

RESOLVED = f"{FILE}status: resolved\n"


async def hands_in(machines: Machines, world: World, *contents: str) -> None:
    """These stand in a machine's file one after the other, are judged and remembered."""
    for content in contents:
        world.folder.write("pay.yaml", content)
        await machines.first.wait(20)


async def goes_back(machines: Machines, older: Disk) -> None:
    """The leader finds that out, and begins anew."""
    machines.first.disk.go_back_to(older)
    await machines.first.kill()
    await machines.first.start()


@pytest.mark.parametrize("whose", ["leader", "standby", "who takes over"])
@pytest.mark.parametrize("lost", [1, 2], ids=["an edit", "all of it"])
def test_what_the_database_lost_counts_again(whose: str, lost: int) -> None:
    """P9: what was decided and is lost is decided again from the incident's file: it is open, paged, and its next step
    fires; of a known one the edit counts.
    """

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        world = machines.first if whose == "leader" else machines.second
        contents = [FILE, f"{FILE}impact: Nobody can pay.\n"]
        await hands_in(machines, world, *contents[:-lost])
        older = copy.deepcopy(machines.first.disk)
        await hands_in(machines, world, *contents[-lost:])
        before = len(machines.first.pages())
        if whose == "who takes over":
            machines.first.disk.go_back_to(older)
            await machines.take_over()
        else:
            await goes_back(machines, older)
        await machines.second.wait(20)
        assert machines.newest().impact == "Nobody can pay."
        await machines.second.wait(660)
        again = {page.message.person for page in machines.first.pages()[before:]}
        assert again >= {"bo"} | ({"ana", "chen"} if lost == 2 else set())

    machines = simulate(story)
    assert len(machines.facts(Seen)) == (1 if lost == 2 else 2)


@pytest.mark.parametrize("whose", ["leader", "standby"])
@pytest.mark.parametrize("back", [False, True], ids=["resolved", "open again"])
def test_an_end_that_the_database_lost_counts_again(whose: str, back: bool) -> None:
    """P9: nobody is paged on for what was resolved; and a file that went back to what it said once did so again."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        world, contents = machines.first if whose == "leader" else machines.second, [FILE, RESOLVED]
        contents = [*contents, FILE] if back else contents
        await hands_in(machines, world, *contents[:-1])
        older = copy.deepcopy(machines.first.disk)
        await hands_in(machines, world, contents[-1])
        await goes_back(machines, older)
        await machines.first.wait(20)
        await machines.first.stop()

    assert simulate(story).newest().status is (Status.INVESTIGATING if back else Status.RESOLVED)


@pytest.mark.parametrize("leader_first", [True, False])
def test_another_database_takes_the_place_of_one_with_open_incidents(leader_first: bool) -> None:
    """P3: an empty ledger before open incidents pages them anew, once, whatever machines have their files."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        for world in (machines.first, machines.second) if leader_first else (machines.second, machines.first):
            await hands_in(machines, world, FILE)
        machines.second.folder.write("net.yaml", RESOLVED)
        await machines.first.wait(20)
        before = len(machines.first.pages())
        await goes_back(machines, Disk())
        await machines.first.wait(60)
        machines.again = machines.first.pages()[before:]
        await machines.first.stop()

    machines: Any = simulate(story)
    assert {page.message.person for page in machines.again} == {"ana", "chen"}
    assert {page.message.incident for page in machines.again} == {PAY}
    assert len(machines.facts(Seen)) == 1
    assert machines.newest("net").resolved


def test_what_a_standby_handed_in_is_lost_before_the_leader_judged_it() -> None:
    """P9: the leader has lost nothing and goes on; the standby finds its own arrival gone."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(30)
        older = copy.deepcopy(machines.first.disk)
        machines.second.folder.write("pay.yaml", FILE)
        while not machines.first.disk.arrivals:
            await machines.first.wait(0.01)
        machines.first.disk.go_back_to(older)
        await machines.first.wait(20)
        assert {page.message.person for page in machines.first.pages()} == {"ana", "chen"}
        await machines.first.stop()

    assert simulate(story).results() == ["declared"]


def test_an_edit_of_what_was_lost_brings_that_along() -> None:
    """P9: what a file held before is no base of an edit if the ledger lacks it."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        await hands_in(machines, machines.second, FILE)
        older = copy.deepcopy(machines.first.disk)
        await hands_in(machines, machines.second, f"{FILE}impact: Nobody can pay.\n")
        await machines.second.kill()
        machines.second.folder.write("pay.yaml", f"{FILE}impact: Nobody can pay.\nstatus: identified\n")
        await goes_back(machines, older)
        await machines.second.stand_by()
        await machines.first.wait(20)
        await machines.first.stop()

    newest = simulate(story).newest()
    assert (newest.impact, newest.status) == ("Nobody can pay.", Status.IDENTIFIED)


def test_what_the_database_kept_is_handed_in_by_nobody_again() -> None:
    """P9: a clone that lags behind, what was merged and what was pruned are borne out by the ledger, at every start and
    takeover.
    """

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        for world in (machines.first, machines.second):
            await hands_in(machines, world, FILE)
        machines.first.folder.write("pay.yaml", f"{FILE}impact: Nobody can pay.\n")
        machines.second.folder.write("pay.yaml", f"{FILE}status: identified\n")
        await machines.first.wait(20)
        await hands_in(machines, machines.first, f"{FILE}impact: All is well.\nstatus: resolved\n")
        await hands_in(machines, machines.second, f"{FILE}status: identified\nseverity: sev2\nstatus: resolved\n")
        machines.seen = len(machines.facts(Seen)), len(machines.results())
        for _ in range(2):
            await machines.take_over()
            await machines.first.stand_by()
            await machines.second.wait(60)
            machines.first, machines.second = machines.second, machines.first
        await machines.first.stop()

    machines: Any = simulate(story)
    assert (len(machines.facts(Seen)), len(machines.results())) == machines.seen
    assert machines.newest().resolved


@pytest.mark.parametrize("whose", ["leader", "standby"])
def test_what_changed_nothing_when_it_was_judged_changes_nothing_later(whose: str) -> None:
    """P9: a file ends an incident that has ended, in other words; then that is opened again elsewhere. At the next start
    the file is no news, although no version bears its words.
    """

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        ours, others = machines.first, machines.second
        if whose == "standby":
            ours, others = others, ours
        for world in (ours, others):
            await hands_in(machines, world, FILE)
        await hands_in(machines, others, RESOLVED)
        await hands_in(machines, ours, f"{RESOLVED}# all is well\n")
        await hands_in(machines, others, FILE)
        assert not machines.newest().resolved
        seen = len(machines.facts(Seen))
        for _ in range(2):
            await machines.first.kill()
            await machines.first.start()
            await machines.first.wait(20)
        await machines.take_over()
        await machines.second.wait(20)
        assert len(machines.facts(Seen)) == seen
        await machines.second.stop()

    assert not simulate(story).newest().resolved


def test_what_was_pruned_stays_away_whatever_a_memory_says() -> None:
    """P7: it is known by the digests of its versions."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        for world in (machines.first, machines.second):
            await hands_in(machines, world, FILE)
        await hands_in(machines, machines.second, RESOLVED)
        await machines.first.kill()
        await machines.second.kill()
        disk = machines.first.disk
        digests = tuple(fact.digest for fact in machines.facts(Seen))
        disk.facts.clear()
        disk.files.clear()
        disk.arrivals.clear()
        disk.pruned[PAY] = PrunedIncident(machines.clock.now(), digests)
        await machines.second.start()
        await machines.first.stand_by()
        await machines.second.wait(60)
        await machines.second.stop()

    machines = simulate(story)
    assert not machines.facts(Seen)
    assert not machines.results()


def test_a_folder_is_shown_to_be_watched_only_while_the_ledger_answers() -> None:
    """P3: nobody declares on a machine whose word comes to nobody."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(60)
        machines.renewed = [machines.second.folder.renewed]
        machines.second._ledger.cut = True  # type: ignore[union-attr]
        for _ in range(3):
            await machines.first.wait(60)
            machines.renewed.append(machines.second.folder.renewed)
        machines.second._ledger.cut = False  # type: ignore[union-attr]
        await machines.first.wait(60)
        machines.renewed.append(machines.second.folder.renewed)
        await machines.first.stop()

    machines: Any = simulate(story)
    well, later, long_ago, longer, again = machines.renewed
    assert 0 < well < later, "its last answer is not old yet"
    assert long_ago == longer == later
    assert again > longer
    assert machines.results(ArrivalKind.VERSION) == []


@pytest.mark.parametrize(
    ("trouble", "late", "anew"),
    [
        (Trouble.LEDGER_OLDER, True, True),
        (Trouble.LEDGER_OLDER, False, False),  # it was there when this life began
        (Trouble.FILE_FAULTY, True, False),
    ],
)
def test_what_a_journal_knew_too_late_begins_another_life(
    trouble: Trouble, late: bool, anew: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P9: a machine that was down hands in what it had sent; who leads has planned without it, tells the operators, and
    begins anew from the ledger, once.
    """

    async def story(machines: Machines) -> None:
        notice = MachineNotice("b", OperatorNotice(trouble, "2 messages were not in it", about="b"))
        handed_in = arrival_of(notice, machines.clock.now() - timedelta(seconds=1)), None  # taken before it is there
        if not late:
            machines.first.disk.arrivals.append(handed_in)
            await machines.first.wait(30)
        await machines.first.start()
        await machines.first.wait(30)
        if late:
            machines.first.disk.arrivals.append(handed_in)
        await machines.first.wait(60)
        assert machines.first.lead.lost.is_set() == anew
        machines.first.lead = Alone()
        await machines.first.kill()
        await machines.first.start()
        await machines.first.wait(90)
        assert not machines.first.lead.lost.is_set()
        assert any("2 messages" in text for text in machines.told())
        await machines.first.stop()

    said: list[str] = []
    monkeypatch.setattr(feed, "log", SimpleNamespace(warning=lambda event, why: said.append(f"{event}: {why}")))
    assert simulate(story).results(ArrivalKind.NOTICE) == ["told"]
    assert said == ["not leading any more: the ledger lacked what b had sent"] * anew


def test_a_save_that_is_handed_in_again_opens_nothing_that_it_did_not_open() -> None:
    """P9: what another machine resolved since stays that, and what the save took out is taken out again."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        said = f"{FILE}status: identified\nimpact: Nobody can pay.\n"
        await hands_in(machines, machines.first, said)
        await hands_in(machines, machines.second, said)
        older = copy.deepcopy(machines.first.disk)
        await hands_in(machines, machines.second, f"{FILE}status: identified\n")
        await hands_in(machines, machines.first, said.replace("identified", "resolved"))
        await goes_back(machines, older)
        await machines.first.wait(30)
        counted = [(seen.incident.status, seen.incident.impact) for seen in machines.facts(Seen)]
        assert counted == [
            (Status.IDENTIFIED, "Nobody can pay."),
            (Status.RESOLVED, "Nobody can pay."),
            (Status.RESOLVED, ""),
        ]
        await machines.first.stop()

    simulate(story)


@pytest.mark.parametrize("seconds", [0, 0.4])
def test_what_is_opened_again_while_nobody_leads_is_open(seconds: float) -> None:
    """P9: the machine that hands it in takes the lead, and finds what it has not judged yet: with what the file said
    before, which its folder knows no more.
    """

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        machine = machines.second
        await hands_in(machines, machine, FILE, f"{RESOLVED}resolution: fixed it\n")
        assert machines.newest().resolved
        await machines.first.kill()
        await machines.first.wait(seconds)
        update = "{at: 2026-11-23T11:00:00Z, by: bo, text: it fails again}"
        machine.folder.write("pay.yaml", f"{FILE}status: investigating\nupdates:\n- {update}\n")
        await machine.wait(8)
        pages = len(machine.pages())
        await machine.kill()
        await machine.start()
        await machine.wait(60)
        assert machines.newest().status is Status.INVESTIGATING
        assert not machines.newest().resolution
        assert len(machine.pages()) > pages
        assert machines.results()[-1] == "edited"
        await machine.stop()

    simulate(story)


def test_an_incident_that_is_set_aside_is_declared_by_the_file_that_another_machine_has() -> None:
    """Rule 63, P9: it was handed in, and is what the leader judged; its ladder begins anew, and no last resort hears
    that no file declares it.
    """

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        await hands_in(machines, machines.second, FILE)
        said, paged = machines.newest(), machines.first.pages()
        await machines.first.kill()
        await machines.second.kill()
        machines.first.disk.unreadable[PAY] = Unreadable(PAY, "row 7 of facts cannot be read")
        await machines.first.start()
        await machines.second.stand_by()
        await machines.first.wait(20)
        assert machines.newest() == said
        pages = machines.first.pages()[len(paged) :]
        assert {page.message.person for page in pages} == {page.message.person for page in paged}
        machines.second.folder.write("pay.yaml", RESOLVED)
        await machines.first.wait(20)
        assert machines.newest().resolved
        await machines.first.stop()

    simulate(story)
