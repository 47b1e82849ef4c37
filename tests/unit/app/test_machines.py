"""What the machine that leads sees of the others, and what operators hear of it (P9)."""

from datetime import timedelta
from typing import Any

import pytest
from tocsin.app.leadership.lease import Lease
from tocsin.app.leadership.other_machines import OtherMachines
from tocsin.app.leadership.this_node import ThisNode
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import Trouble
from tocsin.planning.machines.leadership import GIVES_BACK_EVERY, MISSED, UNDELIVERED
from tocsin.ports.leadership import LeaseView, Node, NodeState, Term

from tests.builders.active_config import active_config
from tests.builders.policies import small_policy
from tests.fakes.clock import StillClock
from tests.fakes.leadership import MemoryLeadership, SharedLeadership
from tests.fakes.ledger import MemoryLedger


class Sending:
    """A sender whose pages reach nobody since then."""

    since: Any = None

    def page_since(self) -> Any:
        return self.since


class Desk:
    """The leader a, beside b; `former` led before: known by its name, or unknown ("?")."""

    def __init__(self, former: str = "") -> None:
        self.clock: Any = StillClock()
        self.stepped = 0.0
        self.shared = SharedLeadership(self.clock)
        self.rows, self.ledger, self.notices = MemoryLeadership(self.shared), MemoryLedger(), Notices(self.clock)
        self.a, self.b = (ThisNode(self.clock, name, "/i", "1", "") for name in "ab")
        self.b.providers_ok = True
        self.shared.view = LeaseView(Term(2, "t"), self.a.id, 5)
        self.lease = Lease(self.rows, Term(2, "t"), self.a, self.boottime, 0.0, self.clock, former=self.named(former))
        self.sender, self.gave_back = Sending(), list[float]()
        self.report(self.a, self.b)
        self.machines = self.make()

    def named(self, former: str) -> Node | None:
        name, folder = ("", "") if former == "?" else (former, "/i")
        return Node("an earlier process", name, folder, NodeState.LEADING, self.clock.now()) if former else None

    def make(self) -> OtherMachines:
        config, lease = active_config(small_policy()), self.lease
        told = self.rows, self.ledger, lease, self.a, config, self.notices, self.sender, self.boottime
        return OtherMachines(self.clock, *told, self.gave_back)

    def boottime(self) -> float:
        return float(self.clock.now().timestamp()) - self.stepped

    def report(self, *nodes: ThisNode, stopped: bool = False) -> None:
        for node in nodes:
            state = NodeState.LEADING if node is self.a else NodeState.STANDING_BY
            assert self.shared.report(node.row(state, stopped=stopped))

    async def pass_time(self, seconds: float, *nodes: ThisNode) -> list[str]:
        """Time passes while these machines report; what was told."""
        for _ in range(round(seconds / 5)):
            self.clock.go(timedelta(seconds=5))
            self.report(*nodes)
            await self.machines.look()
        return [notice.headline for notice in self.notices.take()]


async def test_a_takeover_is_told_once() -> None:
    """Rule 55: operators hear of it, with the name of who fell silent; of a clean handover they do not."""
    desk = Desk(former="b")
    assert await desk.pass_time(60, desk.a, desk.b) == [Trouble.TOOK_OVER.headline]
    assert await desk.pass_time(7200, desk.a, desk.b) == []
    assert await Desk().pass_time(60) == []


@pytest.mark.parametrize(("former", "who"), [("b", "b"), ("?", "the machine that led before"), ("a", "")])
async def test_who_led_before(former: str, who: str) -> None:
    """It is named though another process of that machine reports by now; that one's own machine tells nobody (P9)."""
    desk = Desk(former)
    await desk.machines.look()
    told = [notice.text for notice in desk.notices.take() if notice.trouble is Trouble.TOOK_OVER]
    assert [text.split(", which")[0] for text in told] == ([f"a has taken over from {who}"] if who else [])


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(hours=-1)])
async def test_a_step_of_the_databases_clock_makes_nobody_silent(step: timedelta) -> None:
    """Words bear that clock, and how old they are is counted by this machine's own: neither is who speaks silent, nor
    is who fell silent heard.
    """
    desk = Desk()
    assert await desk.pass_time(60, desk.a, desk.b) == []
    desk.clock.go(step)
    desk.stepped += step.total_seconds()
    assert await desk.pass_time(60, desk.a, desk.b) == []
    assert await desk.pass_time(MISSED - 10, desk.a) == []
    assert await desk.pass_time(20, desk.a) == ["Nothing is heard of b"]


async def test_a_machine_that_says_nothing() -> None:
    """After 5 min without a clean stop it is told once, also by the next leader, and that it is back."""
    desk = Desk()
    assert await desk.pass_time(MISSED - 10, desk.a) == []
    assert await desk.pass_time(20, desk.a) == ["Nothing is heard of b"]
    await desk.ledger.claim_notice("machine-silent:b:/i", desk.clock.now(), timedelta(hours=1))
    assert await desk.pass_time(7200, desk.a) == []
    desk.machines = desk.make()
    assert await desk.pass_time(7200, desk.a) == []
    assert await desk.pass_time(10, desk.a, desk.b) == []
    assert Trouble.MACHINE_SILENT in {over.trouble for over in desk.notices.take_recovered()}


async def test_another_machine_of_the_same_name_is_no_sign_of_life() -> None:
    """R43: a machine is known by its name and folder, so that what lives elsewhere under its name ends no silence."""
    desk = Desk()
    namesake = ThisNode(desk.clock, "b", "/elsewhere", "1", "")
    assert await desk.pass_time(MISSED + 20, desk.a) == ["Nothing is heard of b"]
    assert await desk.pass_time(60, desk.a, namesake) == []
    assert Trouble.MACHINE_SILENT not in {over.trouble for over in desk.notices.take_recovered()}
    await desk.pass_time(10, desk.a, desk.b, namesake)
    overs = {over.trouble: over.text for over in desk.notices.take_recovered()}
    assert overs[Trouble.MACHINE_SILENT] == "b on /i is there again"


async def test_a_machine_that_was_stopped() -> None:
    """It said so, and nobody misses it."""
    desk = Desk()
    desk.report(desk.b, stopped=True)
    assert await desk.pass_time(3 * MISSED, desk.a) == []


async def test_signing_keys_that_differ() -> None:
    """P8: told once, with the machines' names, also of one that has fallen silent; a change anew, and that it is over."""
    desk = Desk()
    desk.a.key = desk.b.key = "k1"
    assert await desk.pass_time(60, desk.a, desk.b) == []
    desk.b.key = "k2"
    desk.report(desk.b)
    await desk.machines.look()
    (notice,) = desk.notices.take()
    assert (notice.trouble, notice.text[:49]) == (
        Trouble.KEYS_DIFFER,
        "a and b do not have the same signing keys: a link",
    )
    assert await desk.pass_time(7200, desk.a, desk.b) == []
    assert Trouble.KEYS_DIFFER not in {over.trouble for over in desk.notices.take_recovered()}
    third = ThisNode(desk.clock, "c", "/i", "1", "", key="k2")
    assert await desk.pass_time(10, desk.a, desk.b, third) == [Trouble.KEYS_DIFFER.headline]
    assert await desk.pass_time(60, desk.a) == []
    desk.report(desk.b, stopped=True)
    third.key = "k1"
    assert await desk.pass_time(60, desk.a, third) == []
    assert [over.trouble for over in desk.notices.take_recovered()] == [Trouble.KEYS_DIFFER]


async def test_the_next_leader_tells_of_keys_that_another_told() -> None:
    """What was cured while nobody looked is told by whoever leads then; what lasts is told by them once too."""
    desk = Desk()
    await desk.machines.look()
    assert [over.trouble for over in desk.notices.take_recovered()] == [Trouble.KEYS_DIFFER]
    desk.b.key = "k2"
    assert await desk.pass_time(60, desk.a, desk.b) == [Trouble.KEYS_DIFFER.headline]


async def test_pages_that_reach_nobody() -> None:
    """A page undelivered for 60 s gives the lead to a machine that reaches a provider; not again within 10 min."""
    desk = Desk()
    desk.sender.since = desk.clock.now()
    await desk.pass_time(UNDELIVERED - 5, desk.a, desk.b)
    assert not desk.lease.lost.is_set()
    assert desk.a.providers_ok
    await desk.pass_time(10, desk.a, desk.b)
    assert desk.lease.lost.is_set()
    assert not desk.a.providers_ok
    desk.lease.lost.clear()
    await desk.pass_time(GIVES_BACK_EVERY - 60, desk.a, desk.b)
    assert not desk.lease.lost.is_set()
    await desk.pass_time(60, desk.a, desk.b)
    assert desk.lease.lost.is_set()


async def test_nobody_who_could_do_better() -> None:
    """The lead is kept where no other machine reaches a provider, has stopped, or says nothing."""
    for change in ("cannot", "stopped", "silent"):
        desk = Desk()
        desk.sender.since = desk.clock.now()
        desk.b.providers_ok = change != "cannot"
        desk.report(desk.b, stopped=change == "stopped")
        await desk.pass_time(600, desk.a, *([desk.b] if change == "cannot" else []))
        assert not desk.lease.lost.is_set()
