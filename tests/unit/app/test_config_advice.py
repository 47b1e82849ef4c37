"""What `tocsin check` says of edits to the shipped config that load, but would surprise somebody at 3 a.m."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.app.configuration.check import advice
from tocsin.app.configuration.load import Configuration
from tocsin.app.configuration.read_tree import read_tree
from tocsin.domain.problem import Problem, ProblemLevel

from tests.builders.loading import load

CONFIG = Path(__file__).parents[3] / "config"
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SHIPPED = {path.name: path.read_text() for path in CONFIG.glob("*.yaml")}

LEAD = "[engineers.on_call, engineers.next, engineers.everyone]"
ENGINEERS = "        starts: 2026-01-05T10:00\n"
WEEKDAYS = '        during: "mon-fri 08:00-20:00"\n'
NIGHTS = (
    "Mon 23 Nov 20:00 – Tue 24 Nov 08:00, Fri 27 Nov 20:00 – Mon 30 Nov 08:00 Europe/Berlin, "
    "and 63 more times until Sun 21 Feb"
)


def read(files: dict[str, str]) -> Configuration:
    return read_tree({name: text.encode() for name, text in files.items()}, Path("config"), AT, {})


def told(edits: list[tuple[str, str, str]], more: str = "") -> tuple[dict[str, str], list[Problem]]:
    """The edited files, and everything that check says about them."""
    files = dict(SHIPPED)
    for name, old, new in edits:
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)
    if more:
        files["more.yaml"] = more
    found = read(files)
    return files, [*found.problems, *advice(found, AT)]


def test_the_shipped_config_needs_no_advice() -> None:
    """Every chain reaches somebody at any time, and every name is used."""
    assert advice(load(CONFIG, AT, {}), AT) == []


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        pytest.param(
            [("rotations.yaml", ENGINEERS, ENGINEERS + WEEKDAYS), ("services.yaml", "    responders: [engineers.on_call]", "#")],
            [("rotations.yaml", WEEKDAYS, "during-hole",
              f"engineers has no shift {NIGHTS}; a level is passed over then for technical_lead and technical_lead of "
              "website in sev1, sev2; add a shift for that time")],
            id="windows that leave a hole, with everybody at the end of the chain",
        ),
        pytest.param(
            [("rotations.yaml", ENGINEERS, ENGINEERS + WEEKDAYS), ("roles.yaml", LEAD, "[engineers.on_call, engineers.next]")],
            [("rotations.yaml", WEEKDAYS, "chain-gap",
              f"technical_lead and the responders of checkout in sev1, sev2: nobody is reached {NIGHTS}; engineers has no "
              "shift then, so only the last resort is paged; add a shift for that time, or a level that is always there")],
            id="windows that leave a hole, and nobody else in the chain",
        ),
        pytest.param(
            [("rotations.yaml", ENGINEERS, ENGINEERS + WEEKDAYS)],
            [("rotations.yaml", WEEKDAYS, "responders-gap",
              f"the responders of checkout in sev1, sev2: nobody is reached {NIGHTS}; engineers has no shift then, so no "
              "responder is paged; add a shift for that time, or a responder that is always there")],
            id="windows that leave a hole, and responders who have no last resort",
        ),
        pytest.param(
            [("rotations.yaml", ENGINEERS, "        starts: 2026-12-07T10:00\n"), ("roles.yaml", LEAD, "[engineers.on_call, engineers.next]")],
            [("rotations.yaml", "        starts: 2026-12-07", "chain-gap",
              "technical_lead and the responders of checkout in sev1, sev2, sev3: nobody is reached from now until Mon 7 Dec "
              "10:00 Europe/Berlin; engineers begins later, so only the last resort is paged; let it start earlier, or add a "
              "level until then")],
            id="a rotation that begins later",
        ),
        pytest.param(
            [("rotations.yaml", ENGINEERS, "        starts: 2062-01-05T10:00\n"), ("services.yaml", "    responders: [engineers.on_call]", "#")],
            [("rotations.yaml", "        starts: 2062", "during-hole",
              "engineers has no shift in all of the next 90 days; a level is passed over then for technical_lead and "
              "technical_lead of website in sev1, sev2, sev3; let it start earlier")],
            id="a rotation that never begins, with everybody at the end of the chain",
        ),
        pytest.param(
            [("roles.yaml", LEAD, "[engineers.everyone, engineers.next, engineers.on_call]")],
            [("roles.yaml", "chain: [engineers.everyone", "level-repeats",
              f"level {level} of technical_lead pages nobody whom level 0 does not page; name somebody else")
             for level in (1, 2)],
            id="a chain the wrong way round",
        ),
        pytest.param(
            [("rotations.yaml", "[chen, bo, fay]", "[chen]"), ("rotations.yaml", "instead_of: bo}", "instead_of: chen}"), ("rotations.yaml", "{person: chen", "{person: bo")],
            [("rotations.yaml", "members: [chen]", "chain-of-one",
              "chen is alone in engineers, and the chain of technical_lead has nobody else; while they sleep only the last "
              "resort is left"),
             ("rotations.yaml", "{person: bo", "override-outsider",
              "bo is no member of engineers (chen); is this override meant for them?")],
            id="a rotation of one person",
        ),
        pytest.param(
            [("rotations.yaml", "[chen, bo, fay]", "[chen, fay]")],
            [("rotations.yaml", "instead_of: bo}", "override-without-turn",
              "bo never has a turn in engineers (chen, fay); this override changes nothing")],
            id="a member who left the rotation, but not its override",
        ),
        pytest.param(
            [("people.yaml", '    phone: "+14155550103"\n', "")],
            [("people.yaml", "  chen:", "no-phone",
              "chen may be paged by sms as technical_lead, but has no phone; email alone is used")],
            id="no phone in an SMS role",
        ),
        pytest.param(
            [("people.yaml", "people:\n", "people:\n  no: {email: no@example.com}\n")],
            [("people.yaml", "  no:", "unused-person",
              '"no" is in no chain, rotation, group, `operators` or `last_resort`; use it or remove it')],
            id="a name that a sentence would swallow",
        ),
        pytest.param(
            [("severities.yaml", "acknowledge_within: 5m", "acknowledge_within: 5s")],
            [("severities.yaml", "acknowledge_within: 5s", "hasty-page",
              "5s is too short to read a page and answer: the next level is woken before anybody can; write 5m, or 2m at the "
              "least")],
            id="seconds where minutes are meant",
        ),
        pytest.param(
            [("severities.yaml", "every: 30m}", "every: 10s}")],
            [("severities.yaml", "every: 10s}", "hasty-updates",
              "an update each 10s is more than anybody reads; write 30m, or 5m at the least")],
            id="an update each ten seconds",
        ),
        pytest.param(
            [("roles.yaml", "[dee, eli, ana]", "[dee]")],
            [("roles.yaml", "chain: [dee]", "chain-of-one",
              "the chain of communications is one person; while they sleep only the last resort is left")],
            id="a chain of one person",
        ),
        pytest.param(
            [("severities.yaml", "roles: [incident_commander, technical_lead, communications]", "roles: [technical_lead, communications]")],
            [("severities.yaml", "    review: {within: 7d}", "review-without-owner",
              "nobody owns the review of sev2: it pages neither incident_commander nor scribe, so the last resort is asked to "
              "finish it; add one to `page.roles`")],
            id="a review owner who is nobody",
        ),
        pytest.param(
            [("severities.yaml", "hours: business", "hours: always"), ("stakeholders.yaml", "    people: [gus]", "    emails: x@example.com\n    external: false"), ("roles.yaml", "[eli, dee, fay]", "[dee, eli]")],
            [("hours.yaml", "  business:", "unused-hours", "no severity's `page` has `hours: business`; use it or remove it"),
             ("people.yaml", "  gus:", "unused-person",
              "gus is in no chain, rotation, group, `operators` or `last_resort`; use it or remove it")],
            id="names that nothing uses any more",
        ),
    ],
)  # fmt: skip
def test_edits_and_what_check_says(
    edits: list[tuple[str, str, str]], expected: list[tuple[str, str, str, str]]
) -> None:
    """One warning for each cause, at the line that leaves it, in words that say what to write instead."""
    files, problems = told(edits)
    said = [(each.file.removeprefix("config/"), each.line, each.code, each.message) for each in problems]
    wanted = []
    for name, text, code, message in expected:
        line = next(n for n, each in enumerate(files[name].splitlines(), 1) if text.rstrip("\n") in each)
        wanted.append((name, line, code, message))
    assert said == wanted
    assert all(each.level is ProblemLevel.WARNING for each in problems)


def test_a_new_team_that_is_not_wired_in() -> None:
    """A role, a rotation and a group that nothing asks for, each at its name; a service is named by incident files."""
    _, problems = told(
        [],
        """people:
  hal: {email: hal@example.com, phone: +14155550107}
  ida: {email: ida@example.com, phone: +14155550108}
rotations:
  payments: {shifts: [{members: [hal, ida], handoff: "0 9 * * mon", timezone: UTC, starts: 2026-01-05T09:00}]}
roles:
  payments_lead: {chain: [hal, ida]}
stakeholders:
  merchants: {emails: merchants@example.com, external: false}
services:
  payments_api: {title: Payments}
""",
    )
    assert [(each.line, each.code) for each in problems] == [
        (5, "unused-rotation"),
        (7, "unused-role"),
        (9, "unused-group"),
    ]


def test_a_calendar_that_ends() -> None:
    """From its last event on nobody is reached; told at the line that names the file."""
    rotation = (
        "rotations: {cal: {calendar: c.ics}}\nservices: {x: {roles: {technical_lead: [cal.on_call, cal.next]}}}\n"
    )
    event = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260901T000000Z\r\n"
        "DTSTART;VALUE=DATE:20261101\r\nDTEND;VALUE=DATE:20261220\r\nSUMMARY:ana\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:2\r\nDTSTAMP:20260901T000000Z\r\n"
        "DTSTART;VALUE=DATE:20261101\r\nDTEND;VALUE=DATE:20261102\r\nSUMMARY:bo\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    found = read({**SHIPPED, "more.yaml": rotation, "c.ics": event})
    (problem,) = advice(found, AT)
    assert (problem.file, problem.line, problem.code) == ("config/more.yaml", 1, "chain-gap")
    assert problem.message == (
        "technical_lead of x in sev1, sev2, sev3: nobody is reached from Sun 20 Dec 00:00 UTC on; the calendar of cal has "
        "nobody then, so only the last resort is paged; add events, or a level that is always there"
    )


def test_nobody_is_next_to_one_member() -> None:
    """A level that can never page anybody, and a chain of nothing else."""
    solo = (
        "rotations: {s: {shifts: [{members: ana, handoff: '0 9 * * mon', timezone: UTC, starts: 2026-01-05T09:00}]}}\n"
    )
    _, problems = told([], solo + "services: {x: {roles: {technical_lead: [s.on_call, s.next, bo]}}}")
    assert [(each.line, each.code) for each in problems] == [(2, "level-of-nobody")]
    _, problems = told([], solo + "services: {x: {roles: {technical_lead: [s.next]}}}")
    assert [each.code for each in problems] == ["chain-of-one", "chain-gap"]
    assert "nobody is reached in all of the next 90 days; nobody is next in s, so only" in problems[1].message


def test_two_rotations_that_leave_one_gap() -> None:
    """It is told at the chain, with the place of each rotation."""
    both = [
        ("rotations.yaml", ENGINEERS, ENGINEERS + WEEKDAYS),
        ("rotations.yaml", "        starts: 2026-01-05T09:00\n", "        starts: 2026-01-05T09:00\n" + WEEKDAYS),
        ("roles.yaml", LEAD, "[engineers.on_call, commanders.on_call]"),
        ("services.yaml", "    responders: [engineers.on_call]", "#"),
    ]
    _, problems = told(both)
    assert [(each.file, each.code) for each in problems] == [("config/roles.yaml", "chain-gap")]
    assert "engineers (config/rotations.yaml:22) and commanders (config/rotations.yaml:14) have nobody then" in (
        problems[0].message
    )


@pytest.mark.parametrize(
    ("field", "wrong"), [("weekday", "0 9 * * mno"), ("hour", "0 25 * * mon"), ("minute", "60 9 * * mon")]
)
def test_a_wrong_cron_names_its_field(field: str, wrong: str) -> None:
    """Which of the five is wrong, and what it may hold."""
    files = {**SHIPPED, "rotations.yaml": SHIPPED["rotations.yaml"].replace("0 9 * * mon", wrong)}
    (problem,) = read(files).problems
    assert (problem.line, problem.code) == (11, "wrong-cron")
    assert f'"{wrong}" is no cron expression: its {field} "' in problem.message


def test_a_long_problem_is_whole() -> None:
    """The longest sensible warning, with two rotations and many services, is not cut."""
    services = "".join(
        f"  service-with-a-rather-long-name-{n}: {{roles: {{technical_lead: [engineers.on_call, commanders.on_call]}}}}\n"
        for n in range(30)
    )
    _, problems = told(
        [
            ("rotations.yaml", ENGINEERS, ENGINEERS + WEEKDAYS),
            ("rotations.yaml", "        starts: 2026-01-05T09:00\n", "        starts: 2026-01-05T09:00\n" + WEEKDAYS),
            ("roles.yaml", LEAD, "[engineers.on_call, commanders.on_call]"),
        ],
        "services:\n" + services,
    )
    (gap,) = (each for each in problems if each.code == "chain-gap")
    assert gap.message.endswith("add a level that is always there"), gap.message
    assert "and 29 more" in gap.message
