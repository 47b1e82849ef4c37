"""`tocsin oncall` as people and calendar applications see it: the installed command on real files."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from icalendar import Calendar

from tests.fakes.ready_commands import run_ready_raw

BASE = Path(__file__).parents[1] / "data" / "config" / "base"

ROTATIONS = """
rotations:
  nights:
    shifts:
      - {members: [bo], handoff: "0 0 * * *", timezone: UTC, starts: 2026-01-05T00:00, during: "mon-fri 20:00-08:00"}
    overrides:
      - {person: ana, from: 2026-11-25T22:00Z, to: 2026-11-26T02:00Z}
  on-paper: {calendar: paper.ics}
"""
PAPER = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20261123
DTEND;VALUE=DATE:20261125
RRULE:FREQ=WEEKLY;COUNT=120
SUMMARY:Primary: ANA
ATTENDEE:mailto:ana@example.com
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config with a weekly rotation, nights with an override, and a calendar."""
    folder = tmp_path / "config"
    folder.mkdir()
    for file in BASE.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "more.yaml").write_text(ROTATIONS)
    (folder / "paper.ics").write_text(PAPER)
    return folder


def oncall(config: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    done = run_ready_raw(["oncall", *arguments], config.parent, clean)
    assert b"Traceback" not in done.stderr
    return done


def shown(config: Path, *arguments: str) -> dict:
    done = oncall(config, *arguments, "--format", "json")
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout)


def test_a_moment_as_json(config: Path) -> None:
    """Each rotation by name with its person, the next, and the end of the stretch or gap."""
    assert shown(config, "--at", "2026-11-23T10:00+01:00") == {
        "at": "2026-11-23T09:00:00Z",
        "on_call": [
            {"rotation": "duty", "person": "ana", "next": "bo", "until": "2026-11-30T08:00:00Z"},
            {"rotation": "nights", "person": None, "next": None, "until": "2026-11-23T20:00:00Z"},
            {"rotation": "on-paper", "person": "ana", "next": None, "until": "2026-11-25T00:00:00Z"},
        ],
    }


def test_a_span_as_json(config: Path) -> None:
    """Stretches are clipped, in UTC, by start and rotation; an override splits a stretch; gaps have no entry."""
    found = shown(config, "--from", "2026-11-25T12:00Z", "--to", "2026-11-26T12:00Z")
    assert [tuple(each.values()) for each in found["shifts"]] == [
        ("duty", "ana", "2026-11-25T12:00:00Z", "2026-11-26T12:00:00Z", False),
        ("nights", "bo", "2026-11-25T20:00:00Z", "2026-11-25T22:00:00Z", False),
        ("nights", "ana", "2026-11-25T22:00:00Z", "2026-11-26T02:00:00Z", True),
        ("nights", "bo", "2026-11-26T02:00:00Z", "2026-11-26T08:00:00Z", False),
    ]
    assert list(found["shifts"][0]) == ["rotation", "person", "start", "end", "override"]


def test_a_calendar_over_a_span_of_years(config: Path) -> None:
    """The calendar is read as far as the span goes, however long, and each event counts once."""
    found = shown(config, "--from", "2026-11-23T00:00Z", "--to", "2029-11-23T00:00Z")
    paper = [each for each in found["shifts"] if each["rotation"] == "on-paper"]
    assert len(paper) == 120
    assert paper[-1]["start"] == "2029-03-05T00:00:00Z"


def test_a_calendar_file(config: Path) -> None:
    """One person's stretches as RFC 5545: CRLF, one stable UID each, the same bytes each time."""
    span = ("--from", "2026-11-25T00:00Z", "--to", "2026-12-25T00:00Z", "--person", "bo", "--format", "ics")
    first = oncall(config, *span).stdout
    assert first == oncall(config, *span).stdout
    assert first.count(b"\n") == first.count(b"\r\n") > 0
    events = Calendar.from_ical(first).walk("VEVENT")
    assert len(events) == len({event["UID"] for event in events}) > 20
    assert all({"DTSTAMP", "DTSTART", "DTEND", "SUMMARY"} <= set(event) for event in events)
    assert all("bo on call" in event["SUMMARY"] for event in events)


def test_a_calendar_file_of_one_rotation_from_today(config: Path) -> None:
    """Without a span a calendar covers 90 days from today; a stretch under way keeps its real start; names are told."""
    found = oncall(config, "--rotation", "duty", "--format", "ics").stdout
    assert b"X-WR-CALNAME:On call: duty\r\n" in found
    events = Calendar.from_ical(found).walk("VEVENT")
    assert {event["SUMMARY"].rsplit(": ", 1)[1] for event in events} == {"duty"}
    assert 12 <= len(events) <= 14
    assert len({event["DTEND"].dt - event["DTSTART"].dt for event in events[:2]}) == 1
    done = oncall(config, "--rotation", "dutty")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b'there is no rotation "dutty" in the config, did you mean "duty"' in done.stderr.replace(b";", b",")


def test_text_in_a_zone(config: Path) -> None:
    """Text says its zone, and what an override has put there."""
    done = oncall(config, "--from", "2026-11-25T22:00Z", "--to", "2026-11-25T23:00Z", "--timezone", "Europe/Berlin")
    assert done.stdout.decode().splitlines() == [
        "Wed 25 Nov 2026 23:00 CET - Thu 26 Nov 2026 00:00 CET  duty                 ana",
        "Wed 25 Nov 2026 23:00 CET - Thu 26 Nov 2026 00:00 CET  nights               ana  (override)",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--from", "2026-11-25T00:00Z"],
        ["--from", "2026-11-25T00:00Z", "--to", "2026-11-25T00:00Z"],
        ["--at", "2026-11-25T00:00"],
        ["--at", "2026-11-25T00:00Z", "--from", "2026-11-25T00:00Z", "--to", "2026-11-26T00:00Z"],
        ["--format", "ics", "--at", "2026-11-25T00:00Z"],
        ["--timezone", "Mars/Base"],
        ["--from", "2026-11-25T00:00Z", "--to", "2126-11-25T00:00Z"],
    ],
)
def test_wrong_usage(config: Path, arguments: list[str]) -> None:
    """Exit 2, words on stderr, nothing on stdout."""
    done = oncall(config, *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Error" in done.stderr


def test_a_refused_config_is_told_with_its_places(config: Path) -> None:
    """Exit 1, a line per problem as file:line:col on stderr, nothing on stdout; an unknown person too."""
    assert oncall(config, "--person", "anna").returncode == 1
    (config / "more.yaml").write_text(ROTATIONS.replace("[bo]", "[boo]"))
    done = oncall(config)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"config/more.yaml:5:20: error: ")
