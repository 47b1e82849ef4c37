"""A drill in the ledger: when it is complete, what is told while it runs, and what the report says."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from tocsin.app.incidents.drill import Drill, DrillState
from tocsin.cli.drill import _run_drill, command
from tocsin.cli.output.drill_lines import LiveLines, report
from tocsin.domain.delivery import Deferred, Outcome, Receipt, Refused
from tocsin.domain.facts import Answer, Answered, Seen
from tocsin.domain.incident import Acknowledgment, Incident, Status

from tests.builders.instants import T0
from tests.builders.policies import SHIPPED_CONFIG, shipped_policy
from tests.builders.stories import happen, on_duty, pass_time, see
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger

DRILL = Incident("practice", "An exercise", "sev2", drill=True)
SECOND = timedelta(seconds=1)
POLICY = shipped_policy()
LEDGER = "sqlite:////nowhere/tocsin.db"


def answered_by_all(found: DrillState) -> list[str]:
    """Whoever is asked."""
    return list(dict.fromkeys(name for role in found.history.roles.values() for name, _ in role.first_pages))


@pytest.fixture
async def ledger() -> MemoryLedger:
    """The drill was declared at T0, and all messages left at once."""
    made = MemoryLedger()
    await see(made, DRILL)
    return made


def drill_of(ledger: MemoryLedger, clock: StillClock | None = None) -> Drill:
    return Drill("practice", ledger, clock or StillClock(T0))


async def look(ledger: MemoryLedger) -> DrillState:
    return await drill_of(ledger).look()


async def test_it_is_complete_when_all_have_answered(ledger: MemoryLedger) -> None:
    """Not before the last role has its holder, whichever way they answered."""
    found = await look(ledger)
    people = answered_by_all(found)
    assert found.missing
    assert not found.complete
    for number, person in enumerate(people[1:]):
        await happen(ledger, "practice", Answered(T0 + (10 + number) * SECOND, person, Answer.OK))
        assert not (await look(ledger)).complete
    acknowledged = replace(DRILL, acknowledged=(Acknowledgment(people[0], T0 + 30 * SECOND),))
    await happen(ledger, "practice", Seen(T0 + 31 * SECOND, acknowledged, "e"))
    found = await look(ledger)
    assert found.complete
    assert not found.failed
    assert {each.way for each in found.replies} == {"by reply or link", "in the incident file"}


async def test_a_severity_that_pages_nobody_is_complete_at_once() -> None:
    """When its updates have left."""
    ledger = MemoryLedger()
    await see(ledger, replace(DRILL, severity="sev4"))
    assert (await look(ledger)).complete
    assert "  nobody was asked: this severity pages nobody" in report(await look(ledger), POLICY, T0)


async def test_nothing_is_complete_before_it_is_seen() -> None:
    """The report then says that the daemon did not see it, and it counts as failed."""
    found = await look(MemoryLedger())
    assert not found.complete
    assert found.failed
    assert list(report(found, POLICY, T0)) == ["practice: the daemon did not see it; its log may say why"]


async def test_live_lines_come_once(ledger: MemoryLedger) -> None:
    """One for each message, one for each answer, in time order."""
    live = LiveLines(POLICY)
    first = list(live.lines(await look(ledger)))
    assert len(first) == len(ledger.pages.letters)
    assert all("accepted, 0.0 s" in line for line in first)
    lead = on_duty("engineers")
    await happen(ledger, "practice", Answered(T0 + 42 * SECOND, lead, Answer.OK))
    more = list(live.lines(await look(ledger)))
    assert more[0] == f"10:00:42  {POLICY.people[lead].name} answered ok by reply or link"
    assert list(live.lines(await look(ledger))) == []


async def test_the_report_tells_each_hop(ledger: MemoryLedger) -> None:
    """Tried, accepted, receipt, answered: seconds since it was decided; who took which role; what failed: nothing."""
    lead = on_duty("engineers")
    await happen(ledger, "practice", Answered(T0 + 42 * SECOND, lead, Answer.OK))
    sms = next(each for each in ledger.pages.attempts if each.address == lead and "sms" in each.reference)
    await ledger.record_receipt(sms, Receipt.DELIVERED, T0 + 3 * SECOND)
    clock = StillClock(T0 + 5 * SECOND)
    found = await drill_of(ledger, clock).look()
    lines = list(report(found, POLICY, T0 + 60 * SECOND))
    assert lines[1].endswith("(sev2), 2026-11-23 10:00:00 UTC, 1m")
    row = next(line for line in lines if POLICY.people[lead].name in line and " sms " in line)
    assert row.split()[-5:] == ["0.0", "0.0", "delivered", "5.0", "42.0"]
    assert f"  Technical Lead: {POLICY.people[lead].name}, 42.0 s after the page, by reply or link" in lines
    assert any(line.endswith(": nobody") for line in lines)
    assert lines[lines.index("WHAT FAILED") + 1] == "  nothing"
    assert lines[-1] == "Its end was not told yet. If it is still open: tocsin resolve practice"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Refused("unknown number\x1b[31m", "21211"), "refused: 21211 unknown number"),
        (Deferred("busy", "20429"), "put off: 20429 busy"),
        (None, "on its way"),
    ],
)
async def test_what_failed_is_named(outcome: Outcome | None, said: str) -> None:
    """The person, the channel, the address, and what the provider said."""
    ledger = MemoryLedger()
    await see(ledger, DRILL)
    lead = on_duty("engineers")
    place = next(n for n, each in enumerate(ledger.pages.attempts) if each.address == lead and "sms" in each.reference)
    broken = replace(ledger.pages.attempts[place], outcome=outcome, address="+14155550100")
    ledger.pages.attempts[place] = broken
    found = await look(ledger)
    assert found.failed
    assert f"  {POLICY.people[lead].name} by sms (+14155550100): {said}" in report(found, POLICY, T0)


async def test_following_ends_by_time_or_by_hand(ledger: MemoryLedger) -> None:
    """After --for, or when it is interrupted; a ledger in trouble for a moment ends nothing."""
    clock, looks, over = StillClock(T0), [0], asyncio.Event()

    def tell(_found: DrillState) -> None:
        looks[0] += 1
        clock.go(timedelta(seconds=4))

    assert not await drill_of(ledger, clock).follow(tell, T0 + 10 * SECOND, over)
    assert looks == [3]
    over.set()
    assert not await drill_of(ledger, clock).follow(tell, T0 + 999 * SECOND, over)
    assert looks == [4]
    ledger.trouble = "disk full"
    assert await drill_of(ledger, clock).close(tell, over) is None


def test_nobody_is_paged_without_a_daemon() -> None:
    """A clear line, and exit 1; a severity that is none is told before."""
    for severity, said in (("sev1", "start tocsin run first"), ("sev9", "unknown severity")):
        done = CliRunner().invoke(
            command, [severity, "--yes", "--config", str(SHIPPED_CONFIG)], env={"TOCSIN_LEDGER": LEDGER}
        )
        assert done.exit_code == 1
        assert said in done.stderr
        assert done.stdout == ""


async def test_the_end_is_waited_for(ledger: MemoryLedger) -> None:
    """Until the closing messages have left."""
    at = T0 + 60 * SECOND
    await pass_time(ledger, "practice", at)
    await happen(ledger, "practice", Seen(at, replace(DRILL, status=Status.RESOLVED), "r"))
    found = await drill_of(ledger).close(lambda _found: None, asyncio.Event())
    assert found is not None
    assert found.closed
    assert not any("Its end was not told" in line for line in report(found, POLICY, at))


def texts(folder: Path) -> list[str]:
    return [path.read_text() for path in folder.glob("*.yaml")]


async def test_a_drill_that_nobody_watches_is_over_at_once(
    ledger: MemoryLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """P3: the daemon of this ledger reads another folder; it is said, and the drill's file is resolved."""
    with pytest.raises(SystemExit) as ended:
        await _run_drill(DRILL, POLICY, ledger, tmp_path, timedelta(minutes=5))
    assert ended.value.code == 1
    assert "no healthy daemon watches" in capsys.readouterr().err
    (text,) = texts(tmp_path)
    assert "status: resolved" in text
