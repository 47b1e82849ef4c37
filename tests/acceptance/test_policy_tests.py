"""`tocsin test` as a user and a pipeline see it: the installed command on the shipped config and its tests."""

from pathlib import Path

import pytest

from tests.fakes.pager import Pager


@pytest.fixture
def pager(tmp_path: Path) -> Pager:
    """A folder with the shipped config and its tests."""
    made = Pager(tmp_path)
    made.copy_shipped()
    return made


def test_a_change_of_the_config_is_seen(pager: Pager) -> None:
    """The shipped tests hold; with another `acknowledge_within` those about it fail, each with a block that says what
    was expected, what comes instead, and which line of the config is behind it.
    """
    done = pager.run("test")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == f"{len(lines) - 1} policy tests: {len(lines) - 1} ok"
    assert lines[0].startswith("ok    config/tests/people.yaml:")

    severities = pager.folder / "config" / "severities.yaml"
    severities.write_text(severities.read_text().replace("acknowledge_within: 5m", "acknowledge_within: 6m"))
    done = pager.run("test", "config/tests/sev1.yaml")
    assert (done.returncode, done.stderr) == (1, "")
    assert (
        "FAIL  config/tests/sev1.yaml:20  sev1 climbs a level every five minutes while nobody answers\n" in done.stdout
    )
    block = done.stdout.split("config/tests/sev1.yaml:25: ")[1].split("\n\n")[0].splitlines()
    assert block[0] == (
        "chen is paged at 6m, not at 5m: level 1 of technical_lead, acknowledge_within 6m at config/severities.yaml:14 "
        "(config/roles.yaml:18)"
    )
    (expected,) = [line.split() for line in block if line.lstrip().startswith("-")]
    (planned,) = [line.split() for line in block if line.lstrip().startswith("+")]
    wanted = "- 5m page chen as technical_lead (level 1) config/tests/sev1.yaml:25"
    assert " ".join(expected) == wanted
    said = "+ 6m page chen as technical_lead by sms, email escalated, level 1, round 1 config/roles.yaml:18"
    assert " ".join(planned) == said
    assert done.stdout.splitlines()[-1].startswith("10 policy tests: ")


def test_an_unknown_person_is_one_clear_line(pager: Pager) -> None:
    """What makes no sense is told with its place, and is no success; the other tests are tried all the same."""
    tests = pager.folder / "config" / "tests"
    test = "at: 2026-11-23T10:00:00Z\nincident: {title: x, severity: sev1}\nexpect:\n  - {after: 0s, page: fey}\n"
    (tests / "wrong.yaml").write_text(test)
    done = pager.run("test")
    assert done.returncode == 1
    assert done.stderr == 'config/tests/wrong.yaml:4:23: error: unknown person "fey"; did you mean "fay"?\n'
    assert done.stdout.splitlines()[-1].endswith(" ok; 1 problem in the test files")


def test_no_tests(pager: Pager) -> None:
    """A config without tests is no failure and says how to begin; a path without any is one."""
    for path in (pager.folder / "config" / "tests").iterdir():
        path.unlink()
    done = pager.run("test")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "no policy tests: write the first one as config/tests/sev1.yaml (tocsin test --help)\n"
    done = pager.run("test", "config/tests")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "there is no test file (*.yaml) in config/tests\n")


def test_reports_for_machines(pager: Pager) -> None:
    """Only the report goes to stdout, how it went to stderr; the exit status is that of the text."""
    done = pager.run("test", "--format", "junit", "config/tests/sev1.yaml")
    assert done.returncode == 0
    assert done.stdout.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="tocsin policy tests" ')
    assert done.stderr == "10 policy tests: 10 ok\n"

    severities = pager.folder / "config" / "severities.yaml"
    severities.write_text(severities.read_text().replace("acknowledge_within: 5m", "acknowledge_within: 6m"))
    done = pager.run("test", "--format", "github", "config/tests/sev1.yaml")
    assert done.returncode == 1
    assert all(line.startswith("::error file=config/tests/sev1.yaml,line=") for line in done.stdout.splitlines())
    assert done.stderr == "10 policy tests: 7 ok, 3 failed\n"
