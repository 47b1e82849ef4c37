"""Several machines have a folder each, on virtual time (P9): one leads, the others hand in what is new in theirs."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from tocsin.app.hand_ins.hand_in import MachineNotice, arrival_of
from tocsin.app.incidents.commands import IncidentCommands
from tocsin.app.intake.own_writes.catching_up import catch_up
from tocsin.app.reply_options import seals, signed_links
from tocsin.app.state.sign_in_codes import browser_digest
from tocsin.domain.arrival import AnswerEntry, Arrival, ArrivalKind, CodeEntry, EditEntry, SignInEntry
from tocsin.domain.facts import Answer, Answered, Fact, Gone, RoleOpened, Seen, StepFired
from tocsin.domain.incident import Acknowledgment, Edit, Incident, Status, UpdateEntry
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel, session_digest
from tocsin.ports.folder import MarkTrouble
from tocsin.ports.ledger.trouble import Unreadable

from tests.builders.active_config import settings
from tests.builders.policies import paging_policy
from tests.fakes.loop import VirtualClock, run_virtually
from tests.simulation.world import DiskLedger, World

FILE = "# the night shift\ntitle: Card payments fail\nseverity: sev1\n"
PAY, KEY = "pay", "a key of more than sixteen"


class Machines:
    """Two of them, on one ledger: `first` leads at the beginning. Their providers are the same."""

    def __init__(self, clock: VirtualClock) -> None:
        self.first, self.second = World(clock, paging_policy()), World(clock, paging_policy())
        self.first.machine_name, self.second.machine_name = "a", "b"
        self.second.disk, self.second.providers = self.first.disk, self.first.providers
        self.clock = clock

    async def begin(self) -> None:
        """One leads, the other stands by."""
        await self.first.start()
        await self.second.stand_by()

    async def take_over(self) -> None:
        """The leader is killed; the other leads in its place."""
        await self.first.kill()
        await self.second.kill()
        await self.second.start()

    def facts(self, *kinds: type[Fact], incident: str = PAY) -> Sequence[Any]:
        """What has happened to an incident."""
        return [fact for fact in self.first.disk.facts.get(incident, ()) if isinstance(fact, kinds)]

    def newest(self, incident: str = PAY) -> Incident:
        """What counts of it."""
        version: Incident = self.facts(Seen, incident=incident)[-1].incident
        return version

    def results(self, kind: ArrivalKind = ArrivalKind.VERSION) -> list[str | None]:
        """What became of what was handed in."""
        return [result for arrival, result in self.first.disk.arrivals if arrival.kind is kind]

    def told(self) -> list[str]:
        """What operators heard."""
        mails = [each.message.content for each in self.first.arrived if each.message.kind == "operator"]
        return list(dict.fromkeys(mail.text for mail in mails if mail.subject))

    def commands(self, world: World) -> IncidentCommands:
        """As somebody gives them at that machine."""
        ledger: Any = DiskLedger(world.disk, self.clock, world.dice)
        return IncidentCommands(world.files, world.policy, ledger, self.clock.now())

    async def edit(self, world: World, edit: Edit) -> None:
        """By a command at that machine."""
        ledger: Any = DiskLedger(world.disk, self.clock, world.dice)
        await catch_up(PAY, world.files, ledger)
        await self.commands(world).edit(PAY, edit)


def simulate(story: Callable[[Machines], Any]) -> Machines:
    async def main(clock: VirtualClock) -> Machines:
        machines = Machines(clock)
        await story(machines)
        return machines

    machines: Machines = run_virtually(main)
    return machines


def test_what_is_declared_on_a_standby_pages_within_two_seconds() -> None:
    """P9: the leader judges it as if it had seen it itself; the same file on the leader's machine counts once."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        machines.second.folder.write("pay.yaml", FILE)
        await machines.first.wait(2.5)
        assert {page.message.person for page in machines.first.pages()} == {"ana", "chen"}
        machines.first.folder.write("pay.yaml", FILE)
        await machines.first.wait(60)
        await machines.first.stop()

    machines = simulate(story)
    assert machines.results() == ["declared"]
    assert len(machines.facts(Seen)) == 1
    assert len(machines.first.pages("ana")) == 2, "one by each channel"


def test_a_standby_may_share_a_folder_with_another_machine() -> None:
    """P3: that another machine has its lock is no trouble of anybody's: the ledger lets one page."""

    async def story(machines: Machines) -> None:
        machines.second.folder.mark_trouble = MarkTrouble("another tocsin watches the same folder", shared=True)
        await machines.begin()
        await machines.first.wait(3600)
        await machines.first.stop()

    machines = simulate(story)
    assert not machines.told()
    assert not machines.results(ArrivalKind.NOTICE)


@pytest.mark.parametrize("leader_first", [True, False])
def test_one_commit_that_reaches_both_machines_counts_once(leader_first: bool) -> None:
    """P9: equal (id, content) count once, whoever pulls first."""

    async def story(machines: Machines) -> None:
        worlds = [machines.first, machines.second] if leader_first else [machines.second, machines.first]
        await machines.begin()
        for content in (
            FILE,
            f"{FILE}impact: Nobody can pay.\n",
            f"{FILE}impact: Nobody can pay.\nstatus: identified\n",
        ):
            for world in worlds:
                world.folder.write("pay.yaml", content)
                await machines.first.wait(5)
        await machines.first.stop()

    machines = simulate(story)
    assert len(machines.facts(Seen)) == 3
    assert machines.newest().status is Status.IDENTIFIED


def test_the_same_file_edited_on_both_machines_within_a_second() -> None:
    """P9: what each changed counts, whoever came first, and nothing is put back."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        for world in (machines.first, machines.second):
            world.folder.write("pay.yaml", FILE)
        await machines.first.wait(10)
        machines.first.folder.write("pay.yaml", f"{FILE}impact: Nobody can pay.\nupdates: [{{text: We look.}}]\n")
        await machines.first.wait(0.5)
        machines.second.folder.write("pay.yaml", f"{FILE}status: identified\nupdates: [{{text: A disk is full.}}]\n")
        await machines.first.wait(10)
        await machines.first.stop()

    newest = simulate(story).newest()
    assert (newest.impact, newest.status) == ("Nobody can pay.", Status.IDENTIFIED)
    assert {entry.text for entry in newest.updates} == {"We look.", "A disk is full."}


def test_what_both_changed_is_kept_as_a_file_with_its_comments() -> None:
    """P9: who writes the file anew from the ledger gets what both wrote."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        for world in (machines.first, machines.second):
            world.folder.write("pay.yaml", FILE)
        await machines.first.wait(10)
        machines.first.folder.write("pay.yaml", f"{FILE}impact: Nobody can pay.\n")
        await machines.first.wait(5)
        machines.second.folder.write("pay.yaml", f"{FILE}status: identified\n")
        await machines.first.wait(5)
        await machines.first.stop()

    machines = simulate(story)
    _, data = machines.first.disk.contents[PAY]
    assert data.decode() == f"{FILE}impact: Nobody can pay.\nstatus: identified\n"


def test_an_older_checkout_on_the_disk_of_who_takes_over_changes_nothing() -> None:
    """P9: it lags behind, and says nothing new; nor does it when it is looked at anew, or catches up by one commit."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        machines.second.folder.write("pay.yaml", FILE)
        await machines.first.wait(5)
        for content in (FILE, f"{FILE}status: identified\n", f"{FILE}status: resolved\n"):
            machines.first.folder.write("pay.yaml", content)
            await machines.first.wait(10)
        await machines.first.wait(600)
        await machines.take_over()
        await machines.second.wait(60)
        assert machines.newest().status is Status.RESOLVED
        machines.second.folder.write("pay.yaml", f"{FILE}status: identified\n")
        await machines.second.wait(60)
        await machines.second.stop()

    machines = simulate(story)
    assert machines.newest().status is Status.RESOLVED
    assert len(machines.facts(Seen)) == 3
    assert len(machines.facts(RoleOpened)) == 2


def test_a_fresh_clone_that_was_never_looked_at_changes_nothing_either() -> None:
    """P9: a machine without any memory, whose folder holds an old commit, leads."""

    async def story(machines: Machines) -> None:
        await machines.first.start()
        for content in (FILE, f"{FILE}status: resolved\n"):
            machines.first.folder.write("pay.yaml", content)
            await machines.first.wait(10)
        machines.second.folder.write("pay.yaml", FILE)
        await machines.first.kill()
        await machines.second.start()
        await machines.second.wait(60)
        await machines.second.stop()

    assert simulate(story).newest().status is Status.RESOLVED


def test_a_file_that_held_something_newer_and_goes_back_is_an_edit() -> None:
    """P9: one incident that was resolved by mistake is opened again by git revert, on either machine."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        for content in (FILE, f"{FILE}status: resolved\n", FILE):
            machines.second.folder.write("pay.yaml", content)
            await machines.first.wait(10)
        await machines.first.stop()

    machines = simulate(story)
    assert machines.newest().status is Status.INVESTIGATING
    assert machines.results() == ["declared", "edited", "edited"]


@pytest.mark.parametrize("leaders", [True, False])
def test_a_file_removed_on_one_machine(leaders: bool) -> None:
    """P9: the incident stays open and operators hear of it once; a machine that never had the file does not miss it."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        for world in (machines.first, machines.second):
            world.folder.write("pay.yaml", FILE)
            await machines.first.wait(5)
        (machines.first if leaders else machines.second).folder.remove("pay.yaml")
        await machines.first.wait(60)
        (machines.second if leaders else machines.first).folder.remove("pay.yaml")
        await machines.first.wait(7200)
        machines.first.folder.write("net.yaml", FILE)
        await machines.first.wait(60)
        await machines.take_over()
        await machines.second.wait(60)
        await machines.second.stop()

    machines = simulate(story)
    assert not machines.newest().resolved
    (told,) = [text for text in machines.told() if "vanished" in text]
    assert f"on {'a' if leaders else 'b'}: incidents/pay.yaml has vanished" in told


def test_a_file_that_is_no_yaml_on_a_standby() -> None:
    """P9: a new one pages the last resort after 10 s, and its pages end with it; of a known incident operators hear."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        machines.second.folder.write("pay.yaml", FILE)
        machines.second.folder.write("odd.yaml", "Help, nothing works\n")
        await machines.first.wait(9)
        assert not machines.facts(Seen, incident="odd")
        await machines.first.wait(4)
        assert machines.newest("odd").unreadable
        machines.second.folder.write("pay.yaml", "Help\n")
        await machines.first.wait(60)
        machines.second.folder.remove("odd.yaml")
        await machines.first.wait(30)
        await machines.first.stop()

    machines = simulate(story)
    assert len(machines.facts(Seen)) == 1
    assert machines.facts(Gone, incident="odd")
    assert any("pay.yaml" in text and "on b: " in text for text in machines.told())


@pytest.mark.parametrize(
    ("leads", "text"),
    [
        (True, "Help, nothing works\n"),
        (False, "Help, nothing works\n"),
        (True, "Still nothing works\n"),
        (False, "Still nothing works\n"),
    ],
)
def test_another_file_that_is_no_yaml_pages_anew(leads: bool, text: str) -> None:
    """P2, rule 32: the first one of that name was taken away; this one may have the same bytes, on either machine."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        world = machines.first if leads else machines.second
        world.folder.write("odd.yaml", "Help, nothing works\n")
        await machines.first.wait(30)
        world.folder.remove("odd.yaml")
        await machines.first.wait(30)
        world.folder.write("odd.yaml", text)
        await machines.first.wait(30)
        await machines.first.stop()

    machines = simulate(story)
    steps = [type(fact) for fact in machines.facts(Seen, Gone, StepFired, incident="odd")]
    assert steps[:5] == [Seen, StepFired, Gone, Seen, StepFired]


@pytest.mark.parametrize("restarted", ["first", "second"])
def test_the_same_file_that_is_no_yaml_pages_anew_after_a_restart(restarted: str) -> None:
    """P2, rule 32: what was seen, gone and back is so for whoever leads, and whoever hands it in, by then."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        folder = machines.second.folder
        folder.write("odd.yaml", "Help, nothing works\n")
        await machines.first.wait(30)
        folder.remove("odd.yaml")
        await machines.first.wait(30)
        if restarted == "first":
            await machines.first.kill()
            await machines.first.start()
        else:
            await machines.second.kill()
            await machines.second.stand_by()
        for _ in range(2):
            folder.write("odd.yaml", "Help, nothing works\n")
            await machines.first.wait(30)
            folder.remove("odd.yaml")
            await machines.first.wait(30)
        await machines.first.stop()

    machines = simulate(story)
    steps = [type(fact) for fact in machines.facts(Seen, Gone, incident="odd")]
    assert steps == [Seen, Gone] * 3


@pytest.mark.parametrize("leader_first", [True, False])
def test_a_file_that_is_no_yaml_and_goes_on_one_machine_after_the_other(leader_first: bool) -> None:
    """Rule 32: its pages end when it is gone, and it is not while another machine has it."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        worlds = [machines.first, machines.second] if leader_first else [machines.second, machines.first]
        for world in worlds:
            world.folder.write("odd.yaml", "Help, nothing works\n")
            await machines.first.wait(20)
        worlds[0].folder.remove("odd.yaml")
        await machines.first.wait(60)
        assert not machines.facts(Gone, incident="odd")
        worlds[1].folder.remove("odd.yaml")
        await machines.first.wait(60)
        await machines.first.stop()

    machines = simulate(story)
    assert len(machines.facts(Gone, incident="odd")) == 1
    (told,) = [text for text in machines.told() if "was never readable and is gone now" in text]
    assert f"on {'b' if leader_first else 'a'}: incidents/odd.yaml" in told
    assert len(machines.facts(Seen, incident="odd")) == 1


def test_commands_on_a_standby_whose_clone_lags() -> None:
    """P9: `ack` and `update` work on any machine: the file is written from the last good version in the ledger, and
    only what the command did counts.
    """

    async def story(machines: Machines) -> None:
        await machines.begin()
        for world in (machines.first, machines.second):
            world.folder.write("pay.yaml", FILE)
            await machines.first.wait(5)
        machines.first.folder.write("pay.yaml", f"{FILE}status: identified\nimpact: Nobody can pay.\n")
        await machines.first.wait(10)
        now = machines.clock.now().replace(microsecond=0)
        await machines.edit(machines.second, Edit(acknowledgment=Acknowledgment("ana", now)))
        await machines.first.wait(5)
        await machines.edit(machines.second, Edit(entry=UpdateEntry("A disk is full.", at=now, by="ana")))
        await machines.first.wait(5)
        await machines.first.stop()

    machines = simulate(story)
    newest, text = machines.newest(), machines.second.folder.files["pay.yaml"].data or b""
    assert (newest.status, newest.impact) == (Status.IDENTIFIED, "Nobody can pay.")
    assert [entry.by for entry in newest.acknowledged] == ["ana"]
    assert [entry.text for entry in newest.updates] == ["A disk is full."]
    assert text.startswith(b"# the night shift\n")
    assert b"Nobody can pay." in text
    assert not machines.facts(Answered)


def test_a_standby_that_was_killed_hands_in_once_what_was_new() -> None:
    """P9: what it saw is remembered across restarts; what changed meanwhile is handed in with what was there before."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        machines.second.folder.write("pay.yaml", FILE)
        await machines.first.wait(5)
        machines.first.folder.write("pay.yaml", f"{FILE}impact: Nobody can pay.\n")
        await machines.first.wait(5)
        await machines.second.kill()
        machines.second.folder.write("pay.yaml", f"{FILE}status: identified\n")
        await machines.second.stand_by()
        await machines.first.wait(5)
        await machines.second.kill()
        await machines.second.stand_by()
        await machines.first.wait(30)
        await machines.first.stop()

    machines = simulate(story)
    assert machines.results() == ["declared", "edited"]
    assert (machines.newest().status, machines.newest().impact) == (Status.IDENTIFIED, "Nobody can pay.")


def test_what_was_handed_in_before_a_takeover_is_judged_by_who_leads_then() -> None:
    """P9: it lies in the ledger, and late steps wait for it (rule 62)."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        await machines.first.kill()
        machines.second.folder.write("pay.yaml", FILE)
        await machines.second.wait(5)
        assert machines.results() == [None]
        await machines.second.kill()
        await machines.second.start()
        await machines.second.wait(5)
        await machines.second.stop()

    machines = simulate(story)
    assert machines.results() in (["declared"], ["known"])
    assert len(machines.facts(Seen)) == 1


async def kill_before_it_is_written(machines: Machines, change: Callable[[], None], seconds: float = 5) -> None:
    """The leader is killed, and leads again, after it judged what is handed in now and before the ledger has it."""

    async def takes_for_ever(*_: Any) -> frozenset[str]:
        await asyncio.Event().wait()
        raise AssertionError

    ledger: Any = machines.first._ledger
    ledger.record = takes_for_ever
    change()
    await machines.first.wait(seconds)
    assert [result for _, result in machines.first.disk.arrivals][-1] is None, "it is not judged yet"
    await machines.first.kill()
    await machines.first.start()
    await machines.first.wait(30)


def test_what_a_killed_leader_judged_and_had_not_written_is_judged_again() -> None:
    """P9: the file lies on one machine alone, which has handed it in and will not again: an incident, then an edit."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        write = machines.second.folder.write
        await kill_before_it_is_written(machines, lambda: write("pay.yaml", FILE))
        assert {page.message.person for page in machines.first.pages()} == {"ana", "chen"}
        await kill_before_it_is_written(machines, lambda: write("pay.yaml", f"{FILE}status: resolved\n"))
        await machines.first.stop()

    machines = simulate(story)
    assert machines.newest().resolved
    assert machines.results() == ["declared", "edited"]


def test_pages_for_a_file_that_never_was_readable_end_though_the_leader_is_killed() -> None:
    """Rule 32: the end is written before the hand-in counts as judged."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        machines.second.folder.write("odd.yaml", "Help, nothing works\n")
        await machines.first.wait(30)
        await kill_before_it_is_written(machines, lambda: machines.second.folder.remove("odd.yaml"), 30)
        await machines.first.stop()

    machines = simulate(story)
    assert machines.facts(Gone, incident="odd")
    assert machines.results(ArrivalKind.VANISHED) == ["gone"]


def test_operators_hear_of_what_cannot_be_judged_though_the_leader_is_killed() -> None:
    """P9: so do they of what another machine has to tell; and each of it once."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(5)
        spoilt = Arrival(ArrivalKind.VERSION, "spoilt", "b", "no version", machines.clock.now())
        ill = OperatorNotice(Trouble.INBOX_UNUSABLE, "the inbox of b is gone")
        for arrival in (arrival_of(MachineNotice("b", ill), machines.clock.now()), spoilt):
            leave = partial(machines.first.disk.arrivals.append, (arrival, None))
            await kill_before_it_is_written(machines, leave, 1.5)  # 0.5 s before a message would leave
            await machines.first.wait(60)
        await machines.first.stop()

    machines = simulate(story)
    assert [result for _, result in machines.first.disk.arrivals] == ["told", "broken"]
    for words in ("could not be judged", "on b: the inbox of b is gone"):
        assert sum(words in text for text in machines.told()) == 1


def with_inboxes(machines: Machines) -> None:
    """Links are signed, and both machines hold the same key."""
    for world in (machines.first, machines.second):
        web = {"web": {"signing_key": [KEY]}, "public_url": "https://tocsin.example.com"}
        world.settings = settings(ledger="postgresql://tocsin@db/tocsin", **web)
        world.inbox.looks_every = 0.1


def test_an_answer_on_a_standby_is_judged_by_the_leader() -> None:
    """P8: the entry is looked at by the gate there, and is the same arrival as on the leader; then it is gone."""

    async def story(machines: Machines) -> None:
        with_inboxes(machines)
        await machines.begin()
        machines.first.folder.write("pay.yaml", FILE)
        await machines.first.wait(30)
        signature = signed_links.token(KEY, PAY, 1, "ana")
        forged = AnswerEntry("press000002", PAY, 1, "chen", Answer.OK, signature)
        for entry in (AnswerEntry("press000001", PAY, 1, "ana", Answer.OK, signature), forged):
            machines.second.inbox.put(entry, machines.clock.now())
        await machines.first.wait(3)
        assert [answered.person for answered in machines.facts(Answered)] == ["ana"]
        assert not machines.second.inbox.files
        await machines.first.wait(60)
        await machines.first.stop()

    machines = simulate(story)
    assert [arrival.ref for arrival, _ in machines.first.disk.arrivals if arrival.kind is ArrivalKind.ANSWER] == [
        "press000001"
    ]
    assert any("on b: an answer by link in the inbox was refused" in text for text in machines.told())


def test_signing_in_and_acting_on_a_standby() -> None:
    """P8: a code is typed where it may be, and neither it nor a session's id is ever recorded."""

    async def story(machines: Machines) -> None:
        with_inboxes(machines)
        await machines.begin()
        machines.first.folder.write("pay.yaml", FILE)
        await machines.first.wait(30)
        first, second, now = machines.first, machines.second, machines.clock.now
        second.inbox.put(SignInEntry("sign000001", "ana", Channel.SMS, browser_digest("proof"), "", 0, ""), now())
        await first.wait(5)
        (text,) = [each.message.content.text for each in first.arrived if each.message.kind == "sign_in"]
        code = re.search(r"[0-9]{6}", text)
        assert code is not None
        digest = session_digest("the session of ana")
        for ref, typed in (("code000001", "wrong"), ("code000002", code[0])):
            entry = seals.sealed(CodeEntry(ref, "sign000001", typed, "proof", digest), [KEY])
            second.inbox.put(entry, now())
            await first.wait(3)
        assert first.disk.words["code000001"].result == "refused"
        assert first.disk.words["code000002"].result == "acted"
        entry = EditEntry(
            "edit000001", PAY, "ana", 0, "", "the session of ana", "", Edit(entry=UpdateEntry("We look."))
        )
        second.inbox.put(seals.sealed(entry, [KEY]), now())
        await first.wait(5)
        assert first.disk.words["edit000001"].result == "acted"
        recorded = "".join(arrival.body for arrival, _ in first.disk.arrivals)
        assert code[0] not in recorded
        assert "the session of ana" not in recorded
        await first.stop()

    assert [entry.text for entry in simulate(story).newest().updates] == ["We look."]


def test_an_edit_in_the_browser_is_made_of_the_newest_version() -> None:
    """P9: the leader's own clone lags behind what another machine wrote; nothing of that is undone."""

    async def story(machines: Machines) -> None:
        with_inboxes(machines)
        await machines.begin()
        for world in (machines.first, machines.second):
            world.folder.write("pay.yaml", FILE)
            await machines.first.wait(5)
        machines.second.folder.write("pay.yaml", f"{FILE}status: identified\nimpact: Nobody can pay.\n")
        await machines.first.wait(30)
        signature = signed_links.token(KEY, PAY, 1, "ana")
        entry = EditEntry("edit000001", PAY, "ana", 1, signature, "", "", Edit(entry=UpdateEntry("We look.")))
        machines.second.inbox.put(entry, machines.clock.now())
        await machines.first.wait(5)
        assert machines.first.disk.words["edit000001"].result == "acted"
        assert b"Nobody can pay." in (machines.first.folder.files["pay.yaml"].data or b"")
        await machines.first.stop()

    newest = simulate(story).newest()
    assert (newest.status, newest.impact) == (Status.IDENTIFIED, "Nobody can pay.")
    assert [entry.text for entry in newest.updates] == ["We look."]


def test_a_checkout_of_an_old_commit_on_every_machine_pages_nobody() -> None:
    """Rule 69: the files of many resolved incidents go back to what was said long ago, also to what only another
    machine's files had said; operators are asked.
    """
    names = [f"pay{number}" for number in range(5)]

    async def story(machines: Machines) -> None:
        await machines.begin()
        for end in ("", "impact: Nobody can pay.\n", "impact: Nobody can pay.\nstatus: resolved\n"):
            for name in names:
                machines.first.folder.write(f"{name}.yaml", f"{FILE}{end}")
                if "impact" not in end or "resolved" in end:
                    machines.second.folder.write(f"{name}.yaml", f"{FILE}{end}")
            await machines.first.wait(30)
        await machines.first.wait(3600)
        for world in (machines.first, machines.second):
            for name in names:
                world.folder.write(f"{name}.yaml", f"{FILE}impact: Nobody can pay.\n")
        await machines.first.wait(60)
        await machines.take_over()
        await machines.second.wait(60)
        await machines.second.stop()

    machines = simulate(story)
    assert all(machines.newest(name).resolved for name in names)
    assert any("of 5 resolved incidents went back to older contents" in text for text in machines.told())


def test_while_the_ledger_is_away_the_leaders_folder_still_pages() -> None:
    """P9: what is new in its own folder is judged by what the process knows; once the ledger is back it is written
    down, and what others handed in meanwhile is judged.
    """

    async def story(machines: Machines) -> None:
        await machines.begin()
        for world in (machines.first, machines.second):
            world.folder.write("pay.yaml", FILE)
            await machines.first.wait(5)
        machines.first.disk.full = True
        machines.first.folder.write("net.yaml", FILE.replace("Card payments fail", "The net is down"))
        machines.first.folder.write("pay.yaml", f"{FILE}impact: Nobody can pay.\n")
        machines.second.folder.write("pay.yaml", f"{FILE}status: identified\n")
        await machines.first.wait(10)
        assert {page.message.person for page in machines.first.pages() if page.message.incident == "net"}
        machines.first.disk.full = False
        await machines.first.wait(60)
        await machines.take_over()
        await machines.second.wait(30)
        await machines.second.stop()

    machines = simulate(story)
    newest = machines.newest()
    assert (newest.impact, newest.status) == ("Nobody can pay.", Status.IDENTIFIED)
    assert len(machines.facts(Seen, incident="net")) == 1
    assert machines.results()[-1] == "edited"


def test_a_file_that_was_renamed_on_one_machine_is_the_same_incident() -> None:
    """Rule 33: there, and for whoever judges it."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        for world in (machines.first, machines.second):
            world.folder.write("pay.yaml", FILE)
            await machines.first.wait(5)
        machines.second.folder.remove("pay.yaml")
        machines.second.folder.write("checkout.yaml", FILE)
        await machines.first.wait(60)
        machines.second.folder.write("checkout.yaml", f"{FILE}status: identified\n")
        await machines.first.wait(30)
        await machines.first.stop()

    machines = simulate(story)
    assert list(machines.first.disk.facts) == [PAY]
    assert machines.newest().status is Status.IDENTIFIED
    assert not any("vanished" in text for text in machines.told())


def test_a_save_of_an_older_text_on_a_standby_gets_back_what_a_command_wrote() -> None:
    """P9: on whichever machine the editor was open."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        for world in (machines.first, machines.second):
            world.folder.write("pay.yaml", FILE)
            await machines.first.wait(5)
        now = machines.clock.now().replace(microsecond=0)
        await machines.edit(machines.second, Edit(entry=UpdateEntry("A disk is full.", at=now, by="ana")))
        await machines.first.wait(5)
        machines.second.folder.write("pay.yaml", f"{FILE}impact: Nobody can pay.\n")
        await machines.first.wait(10)
        assert b"A disk is full." in (machines.second.folder.files["pay.yaml"].data or b"")
        await machines.first.stop()

    newest = simulate(story).newest()
    assert [entry.text for entry in newest.updates] == ["A disk is full."]
    assert newest.impact == "Nobody can pay."


def test_an_incident_whose_record_is_spoilt_is_declared_anew_from_the_leaders_file() -> None:
    """Rule 63: though that file is as it was."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        machines.first.folder.write("pay.yaml", FILE)
        await machines.first.wait(5)
        await machines.first.kill()
        machines.first.disk.unreadable[PAY] = Unreadable(PAY, "row 7 of facts cannot be read")
        await machines.first.start()
        await machines.first.wait(30)
        await machines.first.stop()

    machines = simulate(story)
    assert machines.newest().title == "Card payments fail"
    assert not machines.newest().unreadable


def test_another_config_reads_the_leaders_file_anew_and_nobody_elses_twice() -> None:
    """Rule 8: a severity that the config did not know counts once it does; the same file on a standby says nothing."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        for world in (machines.first, machines.second):
            world.folder.write("pay.yaml", FILE.replace("sev1", "sev9"))
            await machines.first.wait(5)
        assert machines.newest().never_read == ("severity",)
        policy = machines.first.policy
        known = replace(policy.severities["sev1"], name="sev9")
        machines.first.daemon.config.replace(
            replace(policy, severities={**policy.severities, "sev9": known}), machines.first.settings
        )
        await machines.first.wait(30)
        await machines.first.stop()

    machines = simulate(story)
    assert not machines.newest().never_read
    assert machines.newest().severity == "sev9"
    assert len(machines.facts(Seen)) == 2


@pytest.mark.parametrize("seconds", [3, 30])
def test_another_config_after_an_outage_reads_the_newest_text(seconds: float) -> None:
    """Rule 8: what was saved while the ledger was away, also before the ledger has that text again."""
    odd = FILE.replace("sev1", "sev9")

    async def story(machines: Machines) -> None:
        await machines.begin()
        machines.first.folder.write("pay.yaml", odd)
        await machines.first.wait(10)
        machines.first.disk.full = True
        machines.first.folder.write("pay.yaml", f"{odd}updates: [{{text: We look.}}]\n")
        await machines.first.wait(20)
        machines.first.disk.full = False
        await machines.first.wait(seconds)
        policy = machines.first.policy
        known = replace(policy.severities["sev1"], name="sev9")
        machines.first.daemon.config.replace(
            replace(policy, severities={**policy.severities, "sev9": known}), machines.first.settings
        )
        await machines.first.wait(30)
        await machines.first.stop()

    machines = simulate(story)
    assert (machines.newest().severity, machines.newest().never_read) == ("sev9", ())
    assert [entry.text for entry in machines.newest().updates] == ["We look."]
    assert b"We look." in machines.first.disk.contents[PAY][1]


def test_another_config_does_not_read_a_text_that_the_ledger_kept_before_the_newest() -> None:
    """Rule 8: the newest one is lost with the process that could not write it; what it said is known, and counts on."""
    odd = FILE.replace("sev1", "sev9")

    async def story(machines: Machines) -> None:
        await machines.begin()
        machines.first.folder.write("pay.yaml", odd)
        await machines.first.wait(10)
        before = machines.first.disk.files[PAY], machines.first.disk.contents[PAY]
        machines.first.folder.write("pay.yaml", f"{odd}updates: [{{text: We look.}}]\n")
        await machines.first.wait(10)
        await machines.first.kill()
        machines.first.disk.files[PAY], machines.first.disk.contents[PAY] = before
        await machines.first.start()
        await machines.first.wait(30)
        policy = machines.first.policy
        known = replace(policy.severities["sev1"], name="sev9")
        machines.first.daemon.config.replace(
            replace(policy, severities={**policy.severities, "sev9": known}), machines.first.settings
        )
        await machines.first.wait(30)
        machines.second.folder.write("pay.yaml", odd)
        await machines.edit(machines.second, Edit(acknowledgment=Acknowledgment("ana", None)))
        await machines.first.wait(30)
        await machines.first.stop()

    machines = simulate(story)
    assert [entry.text for entry in machines.newest().updates] == ["We look."]


def test_what_several_wrote_keeps_the_comments_of_one_where_the_newest_text_cannot_be_had() -> None:
    """P9: whoever catches up gets it over a file of his own; what we do not know of stays as well."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        for world in (machines.first, machines.second):
            world.folder.write("pay.yaml", FILE)
            await machines.first.wait(5)
        machines.first.folder.write("pay.yaml", f"{FILE}impact: Nobody can pay.\n")
        await machines.first.wait(5)
        del machines.first.disk.contents[PAY]
        machines.second.folder.write("pay.yaml", f"{FILE}ticket: 17\nstatus: identified\n")
        await machines.first.wait(5)
        await machines.first.stop()

    _, data = simulate(story).first.disk.contents[PAY]
    assert data.decode().startswith(f"{FILE}ticket: 17\n")
    assert b"Nobody can pay." in data


def test_what_is_longer_than_any_file_may_be_stands_for_nobodys_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 41: two files that are good, and too long together; what both say counts."""
    monkeypatch.setattr("tocsin.app.hand_ins.file_versions.FILE_LIMIT", 1000)

    async def story(machines: Machines) -> None:
        await machines.begin()
        for world in (machines.first, machines.second):
            world.folder.write("pay.yaml", FILE)
            await machines.first.wait(5)
        for world, letter in ((machines.first, "x"), (machines.second, "y")):
            world.folder.write("pay.yaml", f"{FILE}updates: [{{text: {letter * 700}}}]\n")
            await machines.first.wait(5)
        await machines.edit(machines.second, Edit(acknowledgment=Acknowledgment("ana", None)))
        await machines.first.wait(5)
        await machines.first.stop()

    machines = simulate(story)
    assert [entry.text[0] for entry in machines.newest().updates] == ["x", "y"]
    assert machines.newest().acknowledged
    for data in (machines.first.disk.contents[PAY][1], machines.second.folder.files["pay.yaml"].data or b""):
        assert len(data) < 1000


def test_a_pull_of_an_older_commit_while_the_ledger_is_away_changes_nothing() -> None:
    """P9: it was said already, as this process knows without the ledger; nor does it once the ledger is back."""
    impacts = ["Some cannot pay.", "Nobody can.", "It is mended."]
    commits = [FILE, *(f"{FILE}impact: {impact}\n" for impact in impacts)]

    async def story(machines: Machines) -> None:
        await machines.begin()
        machines.first.folder.write("pay.yaml", FILE)
        for commit in commits:
            machines.second.folder.write("pay.yaml", commit)
            await machines.first.wait(5)
        machines.first.disk.full = True
        await machines.first.wait(5)
        machines.first.folder.write("pay.yaml", commits[1])
        await machines.first.wait(20)
        machines.first.disk.full = False
        await machines.first.wait(60)
        await machines.first.stop()

    machines = simulate(story)
    assert [version.incident.impact for version in machines.facts(Seen)] == ["", *impacts]


def test_a_standby_whose_folder_cannot_be_read_is_told_by_the_leader() -> None:
    """P9: once, with the machine's name; that it is over as well, and only where it was told."""

    async def story(machines: Machines) -> None:
        await machines.begin()
        await machines.first.wait(30)
        machines.second.folder.away = "the incident folder is gone; make it again, or mount it"
        await machines.first.wait(120)
        machines.second.folder.away = ""
        await machines.first.wait(120)
        await machines.first.stop()

    told = [text for text in simulate(story).told() if "folder" in text]
    assert len(told) == 2
    assert all("on b: the incident folder" in text for text in told)
