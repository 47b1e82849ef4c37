"""What `simulate` says of a script's steps: each stands among the messages, and one without effect says why."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from tocsin.app.simulation.play import play
from tocsin.cli import tocsin
from tocsin.cli.output.simulate_lines import lines
from tocsin.formats.policy_test.script import read_script

from tests.timelines.stage import START, folder_of, full, policy_of, span_of

CONFIG = """
severities:
  s1:
    title: Critical
    page: {roles: [tl, co], via: [sms, email], acknowledge_within: 5m, still_there_after: 40m}
    updates: [{to: [execs], every: 30m}]
    verify_after: 10m
  s2: {title: Minor}
roles: {tl: {title: Technical Lead, chain: [ana, bo, pat]}, co: {title: Communications, chain: [eve]}}
services: {shop: {responders: [fay]}}
stakeholders: {execs: {people: [ceo], emails: [list@example.org], external: true}}
"""
SHIPPED = Path(__file__).parents[2] / "config"
INCIDENT = b"title: Trouble\nseverity: s1\nservices: [shop]\n"


def told(script: str, span: str = "1h", incident: bytes = INCIDENT) -> dict[str, list[str]]:
    """The lines about steps, by the instant under which they stand."""
    policy = policy_of(CONFIG)
    steps, problems = read_script(full(script).encode(), "script.yaml", policy)
    assert problems == ()
    played = play(policy, incident, "trouble.yaml", START, span_of(span), steps)
    said: dict[str, list[str]] = {}
    now = ""
    for line in lines(played, policy):
        now = line.split()[0] if line.startswith("+") else now
        if line.startswith("  > "):
            said.setdefault(now, []).append(line.removeprefix("  > "))
    return said


EFFECTS = [
    ("{after: 2m, ack: ana}", "ack: ana  (accepts Technical Lead)"),
    ("{after: 2m, ack: fay}", "ack: fay  (answers as responder)"),
    ("{after: 2m, pass: ana}", "pass: ana  (declines Technical Lead; somebody else is asked at once)"),
    ("{after: 2m, pass: fay}", "pass: fay  (passes as responder)"),
    ("{after: 2m, fail: {person: ana, via: sms}}", "fail: ana by sms  (their number is refused from here on)"),
    ("{after: 2m, set: {status: identified}}", "set: {status: identified}"),
    (
        "{after: 2m, set: {acknowledged: [bo]}}",
        "set: {acknowledged: [bo]}  (bo was not paged, and accepts nothing)",
    ),
    ("{after: 2m, set: {acknowledged: [ana]}}", "set: {acknowledged: [ana]}"),
    ("{after: 2m, update: Found it, public: Cause found}", "update: Found it, public: Cause found"),
    (
        "{after: 2m, set: {status: identified, severity: S1}}",
        "set: {status: identified, severity: S1}  (severity is s1 already)",
    ),
]
IN_VAIN = [
    ("{after: 2m, ack: bo}", "ack: bo  (no effect: they are first paged 3m later)"),
    (
        "{after: 0s, ack: ana}",
        "ack: ana  (no effect: they are first paged at this very instant, and a step comes before the messages of its "
        "instant (rule 1))",
    ),
    ("{after: 2m, ack: gus}", "ack: gus  (no effect: they are not paged in this time)"),
    ("{after: 2m, pass: gus}", "pass: gus  (no effect: they are not paged in this time)"),
    (
        "{after: 2m, set: {status: Investigating}}",
        "set: {status: Investigating}  (no effect: status is investigating already)",
    ),
    ("{after: 2m, set: {status: identifed}}", "set: {status: identifed}  (no effect: status stays as it was)"),
    ("{after: 2m, fail: {person: pat, via: email}}", "fail: pat by email  (no effect: pat has no address for email)"),
    (
        "{after: 2m, fail: {person: list@example.org, via: sms}}",
        "fail: list@example.org by sms  (no effect: list@example.org has no number for SMS)",
    ),
]


@pytest.mark.parametrize(("step", "line"), EFFECTS + IN_VAIN)
def test_a_step_stands_at_its_instant(step: str, line: str) -> None:
    """Each part of a step is shown as the script has it, with what it did, or why it did nothing."""
    assert [said for steps in told(f"- {step}").values() for said in steps] == [line]


def test_a_second_answer_has_no_effect() -> None:
    """Who holds a role, has passed it, or comes too late for it is told what is so already."""
    said = told(
        """
        - {after: 6m, ack: [ana, ana, bo], pass: eve}
        - {after: 7m, pass: eve}
        - {after: 8m, fail: {person: ana, via: sms}}
        - {after: 9m, fail: {person: ana, via: sms}}
        """
    )
    assert said["+6m"] == [
        "ack: ana  (accepts Technical Lead)",
        "ack: ana  (no effect: they are Technical Lead already)",
        "ack: bo  (no effect: ana is Technical Lead already)",
        "pass: eve  (declines Communications)",
    ]
    assert said["+7m"] == ["pass: eve  (no effect: they have passed already)"]
    assert said["+9m"] == ["fail: ana by sms  (no effect: it is refused already)"]


def test_after_resolving() -> None:
    """What nobody hears any more is told; who is asked whether all is healthy confirms it, once."""
    said = told(
        """
        - {after: 1m, ack: ana}
        - {after: 10m, set: {status: resolved}}
        - {after: 11m, update: Too late, ack: ana}
        - {after: 12m, set: {impact: None}}
        - {after: 21m, ack: ana}
        - {after: 22m, ack: ana}
        """
    )
    assert said["+11m"] == [
        "update: Too late  (no effect: nobody hears it: the incident is resolved)",
        "ack: ana  (no effect: the incident is resolved, and they were not asked whether all is healthy)",
    ]
    assert said["+12m"] == ["set: {impact: None}  (no effect: nobody hears it: the incident is resolved)"]
    assert said["+21m"] == ["ack: ana  (confirms that all is healthy)"]
    assert said["+22m"] == ["ack: ana  (no effect: that all is healthy is confirmed already)"]


def test_who_is_still_there() -> None:
    """An `ok` to the question whether somebody is still there (rule 19) is no idle one."""
    said = told("- {after: 1m, ack: [ana, eve]}\n- {after: 42m, ack: ana}")
    assert said["+42m"] == ["ack: ana  (is still there as Technical Lead)"]


def test_a_file_that_cannot_be_read() -> None:
    """Its pages end with an `ok` (rule 32); a second one finds nothing."""
    said = told("- {after: 1m, ack: olga}\n- {after: 2m, ack: olga}", incident=b"oh no, everything is down")
    assert said["+1m"] == ["ack: olga  (ends the pages for a file that cannot be read)"]
    assert said["+2m"] == ["ack: olga  (no effect: nothing is asked of them any more)"]


def test_steps_that_come_later_are_counted() -> None:
    """What the time shown does not reach is not played, and that is said."""
    policy = policy_of(CONFIG)
    steps, _ = read_script(b"- {after: 2h, ack: ana}\n- {after: 3h, ack: bo}", "script.yaml", policy)
    played = play(policy, INCIDENT, "trouble.yaml", START, timedelta(hours=1), steps)
    assert "2 steps of the script come after this and were not played (--for shows more)" in list(lines(played, policy))


def test_bodies_and_json(tmp_path: Path) -> None:
    """With --bodies a mail's whole text stands below it; JSON knows nothing of steps."""
    config = tmp_path / "config"
    config.mkdir()
    for name, data in folder_of(CONFIG).items():
        (config / name).write_bytes(data)
    incident, script = tmp_path / "trouble.yaml", tmp_path / "script.yaml"
    incident.write_bytes(INCIDENT)
    script.write_text(yaml.safe_dump([{"after": "2m", "ack": "bo"}]))
    asked = [
        "simulate",
        str(incident),
        "--script",
        str(script),
        "--config",
        str(config),
        "--at",
        "2026-11-23T10:00:00Z",
    ]
    without = CliRunner().invoke(tocsin, [*asked, "--for", "10m"])
    bodies = CliRunner().invoke(tocsin, [*asked, "--for", "10m", "--bodies"])
    assert (without.exit_code, bodies.exit_code) == (0, 0)
    assert "  > ack: bo  (no effect" in without.stdout
    assert "You are asked to be Technical Lead" not in without.stdout
    assert "          " in bodies.stdout
    assert len(bodies.stdout.splitlines()) > 2 * len(without.stdout.splitlines())
    assert set(without.stdout.splitlines()) <= set(bodies.stdout.splitlines())
    document = CliRunner().invoke(tocsin, [*asked, "--format", "json"])
    assert "no effect" not in document.stdout


def test_problems_of_the_file_and_of_a_step_are_told_once(tmp_path: Path) -> None:
    """The file's by its path, at their place; what a step brings has no place in it, and is told with the step. What a
    step leaves as it was is not told again.
    """
    (tmp_path / "elsewhere").mkdir()
    incident, steps = tmp_path / "elsewhere" / "trouble.txt", tmp_path / "elsewhere" / "steps.txt"
    incident.write_bytes(INCIDENT + b"drill: maybe\n")
    steps.write_text("- {after: 3m, update: News.}\n- {after: 90s, set: {services: [shp]}}\n")
    for name, data in folder_of(CONFIG).items():
        (tmp_path / name).write_bytes(data)
    result = CliRunner().invoke(
        tocsin, ["simulate", str(incident), "--script", str(steps), "--config", str(tmp_path), "--at", "10:00"]
    )
    assert [line for line in result.stderr.splitlines() if "trouble.txt" in line] == [
        f'{incident}:4:8: error: drill is "maybe"; write true, false or review',
        f'{incident}:1:1: error: unknown service "shp"; did you mean "shop"? (by the script, after 1m30s)',
    ]


@pytest.mark.parametrize("data", [b"title: Trouble\nseverity: sev1\n", b"trouble: ["])
@pytest.mark.parametrize("name", ["trouble.yml", "trouble.YAML", "a trouble.yaml", "trouble.yaml"])
def test_a_page_names_the_file_as_it_is_called(tmp_path: Path, data: bytes, name: str) -> None:
    """What is written into a second file of that stem would not count."""
    (tmp_path / name).write_bytes(data)
    asked = ["simulate", str(tmp_path / name), "--bodies", "--for", "0s", "--config", str(SHIPPED)]
    said = CliRunner().invoke(tocsin, asked).stdout
    told = f"or write in {name}:" if b"sev1" in data else f"It is treated as SEV1. Somebody must look at {name}."
    assert {line.strip() for line in said.splitlines() if ".y" in line.lower()} == {told}


def test_of_what_is_resolved_it_is_told_why_nothing_is_sent(tmp_path: Path) -> None:
    """Rule 20; a step that reopens it is another matter."""
    incident, script = tmp_path / "trouble.yaml", tmp_path / "script.yaml"
    incident.write_bytes(b"title: Trouble\nseverity: sev1\nstatus: resolved\n")
    script.write_text("- {after: 1m, set: {status: resolved}}\n")
    asked = ["simulate", str(incident), "--config", str(SHIPPED)]
    assert "nothing is sent in this time: the file says that it is resolved" in CliRunner().invoke(tocsin, asked).stdout
    assert "the file says" not in CliRunner().invoke(tocsin, [*asked, "--script", str(script)]).stdout
