"""The clock is wrong, and put right, before and while the daemon runs (rules 59, 60)."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.pager import CONFIG, Pager
from tests.fakes.wall_clock import WallClock

HOUR = timedelta(hours=1)
INCIDENT = "title: Card payments fail\nseverity: sev1\n"


def pager_of(folder: Path, clock: WallClock, window: str = "5m") -> Pager:
    """A pager by that clock; the next level is paged after the window."""
    pager = Pager(folder, **clock.environ)
    fragment = re.sub("acknowledge_within: 5m", f"acknowledge_within: {window}", CONFIG)
    (folder / "config" / "all.yaml").write_text(fragment)
    return pager


def test_a_config_from_a_fast_clock_silences_nobody(tmp_path: Path) -> None:
    """Rule 59: the config was first recorded an hour ahead; with the clock put right and the daemon started anew, a new
    incident is paged at once, and the operators hear once that the clock was wrong.
    """
    clock = WallClock(tmp_path, ahead=HOUR)
    pager = pager_of(tmp_path, clock)
    pager.start()
    pager.stop()
    clock.set(timedelta(0))
    pager.start()
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"), 3)
    told = pager.until(lambda: pager.mails("operator", "olga@"))
    assert "the clock was ahead" in told[0].get_body(("plain",)).get_content()
    pager.stop()
    pager.start()
    pager.stop()
    assert len(pager.mails("operator", "olga@")) == 1


@pytest.mark.attack
def test_a_ladder_from_a_fast_clock_goes_on(tmp_path: Path) -> None:
    """Rule 59: an incident's facts lie an hour ahead; after a start with the right clock its ladder goes on from then."""
    clock = WallClock(tmp_path, ahead=HOUR)
    pager = pager_of(tmp_path, clock, window="4s")
    pager.start()
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"))
    pager.stop()
    clock.set(timedelta(0))
    pager.start()
    pager.until(lambda: pager.mails("page", "bo@"), 8)
    assert len(pager.mails("page", "ana@")) == 1
    pager.stop()


@pytest.mark.attack
def test_an_acknowledgment_by_a_slow_laptop_counts(tmp_path: Path) -> None:
    """Rule 68: ana writes herself into the file by a clock that is 95 s slow; nobody else is paged, and no operator reads
    that she was never asked.
    """
    pager = pager_of(tmp_path, WallClock(tmp_path), window="4s")
    pager.start()
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"))
    at = datetime.now(UTC) - timedelta(seconds=95)
    pager.write("pay.yaml", f"{INCIDENT}acknowledged: [{{by: ana, at: {at.isoformat()}}}]\n")
    time.sleep(6)
    pager.stop()
    assert not pager.mails("page", "bo@")
    assert not pager.mails("operator")
