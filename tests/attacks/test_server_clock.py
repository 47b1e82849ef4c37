"""A machine whose clock is wrong, with a ledger on a server: all go by the database's (R60)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.pager import ROOMY, SETTINGS, Pager
from tests.fakes.postgres import Database
from tests.fakes.wall_clock import WallClock

INCIDENT = "title: Card payments fail\nseverity: sev1\n"


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path)


@pytest.fixture
def pager(tmp_path: Path, clock: WallClock, database: Database) -> Iterator[Pager]:
    """A pager by that clock, with a ledger in that database, which is gone when the test is over."""
    pager = Pager(tmp_path, TOCSIN_LEDGER=database.url(), **ROOMY, **clock.environ)
    (tmp_path / "config" / "tocsin.yaml").write_text(f"{SETTINGS}node: ana-host\n")
    yield pager
    if pager.process is not None:
        pager.process.kill()
        pager.process.wait()


@pytest.mark.attack
@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=-400)])
def test_a_wrong_clock_is_told_and_used_for_nothing(
    pager: Pager, clock: WallClock, database: Database, ahead: timedelta
) -> None:
    """What is recorded bears the database's time, pages leave at once, and the operators hear of the machine's clock; it is
    put right while the daemon runs, and nothing moves.
    """
    clock.set(ahead)
    pager.start()
    pager.until(lambda: database.run("SELECT node FROM lease WHERE node <> ''"), 10)
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"), 5)
    told = pager.until(lambda: pager.mails("operator", "olga@"), 20)
    assert any("This machine's clock is not the database's" in str(mail["Subject"]) for mail in told)
    clock.set(timedelta(0))
    pager.write("db.yaml", INCIDENT)
    pager.until(lambda: len(pager.mails("page", "ana@")) == 2, 5)
    instants = [datetime.fromisoformat(at) for (at,) in database.run("SELECT at FROM facts")]
    assert instants
    assert all(abs(datetime.now(UTC) - at) < timedelta(seconds=60) for at in instants)
    assert database.run("SELECT count(*) FROM facts WHERE kind = 'ClockMoved'") == [(0,)]
    assert pager.stop() == 0
    assert database.run("SELECT node FROM lease") == [("",)]
    ((id_,),) = database.run("SELECT id FROM installation")
    assert (pager.folder / "var" / "installation").read_text() == f"{id_}\n"
