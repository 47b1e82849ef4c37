"""Instants as people write them in a hurry: `23:00`, `2h` (P7)."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from tocsin.text.times import iso_utc
from tocsin.text.written_instant import written_instant

NOW = datetime(2026, 11, 23, 21, 30, 15, 400, tzinfo=UTC)
BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")


@pytest.mark.parametrize(
    ("text", "ago", "today", "zone", "meant"),
    [
        ("2026-11-23T10:04:00Z", False, False, BERLIN, "2026-11-23T10:04:00Z"),
        ("2026-11-23T10:04+01:00", True, True, BERLIN, "2026-11-23T09:04:00Z"),
        ("20261123T100400Z", False, False, BERLIN, "2026-11-23T10:04:00Z"),
        ("2h", False, False, BERLIN, "2026-11-23T23:30:15Z"),
        ("1h30m", False, True, BERLIN, "2026-11-23T23:00:15Z"),
        ("PT5M", False, False, BERLIN, "2026-11-23T21:35:15Z"),
        ("7d", True, False, BERLIN, "2026-11-16T21:30:15Z"),
        ("23:00", False, False, BERLIN, "2026-11-23T22:00:00Z"),
        ("22:30", False, False, BERLIN, "2026-11-24T21:30:00Z"),
        ("22:30", False, True, BERLIN, "2026-11-23T21:30:00Z"),
        ("22:30:14", False, True, UTC, "2026-11-23T22:30:14Z"),
        ("22:30:14", False, False, BERLIN, "2026-11-24T21:30:14Z"),
        ("9:05", False, False, UTC, "2026-11-24T09:05:00Z"),
        ("02:00", False, True, KOLKATA, "2026-11-23T20:30:00Z"),
        (" 23:00 ", False, False, UTC, "2026-11-23T23:00:00Z"),
    ],
)
def test_what_is_meant(text: str, ago: bool, today: bool, zone: ZoneInfo, meant: str) -> None:
    """P7: a bare span is from now on, or ago; a bare time its next occurrence, or today's, in the zone given."""
    assert iso_utc(written_instant(text, ago=ago, today=today).taken(NOW, zone)) == meant


@pytest.mark.parametrize(
    ("now", "text", "meant"),
    [
        ("2026-10-25T00:00:00+00:00", "02:30", "2026-10-25T00:30:00Z"),  # the first of two half past two
        ("2026-10-25T00:45:00+00:00", "02:30", "2026-10-25T01:30:00Z"),  # the second
        ("2026-03-28T23:30:00+00:00", "02:30", "2026-03-29T01:30:00Z"),  # there is none: half an hour after the gap
    ],
)
def test_a_night_whose_clock_changes(now: str, text: str, meant: str) -> None:
    """An hour that the clock has twice is two; in one that it skips the time is as long after midnight as it says."""
    assert iso_utc(written_instant(text).taken(datetime.fromisoformat(now), BERLIN)) == meant


def test_without_a_zone_it_is_this_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """P7: in the zone of who acts, else the machine's."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert iso_utc(written_instant("07:00").taken(NOW, None)) == "2026-11-23T22:00:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tomorrow", '"tomorrow" is no instant; write it such as 2026-11-23T10:04:00Z, 23:00 or 2h'),
        ("30", "did you mean 30m?"),
        ("24:00", "is no instant"),
        ("-2h", "is no instant"),
        ("", "is no instant"),
        ("2026-11-23T10:04", "needs its offset"),
        ("1026-11-23T10:04Z", "lies in the year 1026"),
        ("99999d", "is no instant"),
    ],
)
def test_what_is_none(text: str, said: str) -> None:
    """The sentence says what to write instead."""
    with pytest.raises(ValueError, match=r"instant|offset|year") as told:
        written_instant(text)
    assert said in str(told.value)
