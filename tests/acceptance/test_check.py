"""`tocsin check` as a user, a pipeline and a pull request see it: the installed command on real files."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.fakes.commands import run_here

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pager(tmp_path):
    """A folder with the shipped config and an empty folder of incidents."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "incidents").mkdir()
    return tmp_path


def check(folder, *arguments, **environment):
    return run_here(["check", *arguments], folder, environment)


def test_the_shipped_config_is_good(pager):
    """Nothing on stdout, one line about how it went and what was looked at on stderr, exit 0."""
    done = check(pager)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("config sha256:")
    assert re.fullmatch(
        r"config sha256:[0-9a-f]{12}: good \(4 severities, 4 roles, 7 people, 2 rotations, 3 services, 3 stakeholder groups"
        r"(, \d+ template files?)?(, \d+ incident files?)?; whom chains reach in the next 90 days\)\n",
        done.stderr,
    )


def test_a_mistake_is_one_line_with_its_place(pager):
    """file:line:col, relative to where the user stands, and what to write instead; exit 1."""
    people = pager / "config" / "people.yaml"
    people.write_text(people.read_text().replace('"+14155550101"', "415 555 0101"))
    done = check(pager)
    line = next(n for n, text in enumerate(people.read_text().splitlines(), 1) if "415 555 0101" in text)
    assert done.returncode == 1
    assert done.stdout == (
        f'config/people.yaml:{line}:12: error: people.ana.phone: "415 555 0101" has no country code; '
        'write the number such as "+14155550101"\n'
    )


def test_json_is_one_document(pager):
    """`ok` is true while there is no error, warnings or not."""
    (pager / "config" / "more.yaml").write_text("services: {extra: {roles: {scribe: [ana]}}}\n")
    done = check(pager, "--format", "json")
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert said["ok"] is True
    assert said["problems"] == [
        {
            "file": "config/more.yaml",
            "line": 1,
            "column": 28,
            "level": "warning",
            "code": "chain-of-one",
            "message": "the chain of scribe of extra is one person; while they sleep only the last resort is left",
        }
    ]
    (pager / "config" / "more.yaml").write_text("rolls: {}\n")
    done = check(pager, "--format", "json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["ok"]) == (1, False)
    assert [problem["code"] for problem in said["problems"]] == ["unknown-key"]


def test_annotations_for_a_pull_request(pager):
    """Workflow commands, with what would end them escaped."""
    (pager / "config" / "a,b.yaml").write_text("people: {x: {email: 100%}}\n")
    done = check(pager, "--format", "github")
    assert done.returncode == 1
    assert done.stdout.startswith('::error file=config/a%2Cb.yaml,line=1,col=21::people.x.email: "100%25" is no email')


def test_a_gap_is_told_at_the_line_that_leaves_it(pager):
    """When nobody is reached over the next 90 days, on the rotation's own clock; a warning, so exit 0."""
    rotations, roles = pager / "config" / "rotations.yaml", pager / "config" / "roles.yaml"
    text = rotations.read_text().replace("10:00\n", '10:00\n        during: "sat,sun 00:00-24:00"\n', 1)
    rotations.write_text(text)
    roles.write_text(roles.read_text().replace(", engineers.next, engineers.everyone]", "]"))
    line = next(n for n, each in enumerate(text.splitlines(), 1) if "sat,sun" in each)
    done = check(pager, "--format", "github")
    assert done.returncode == 0
    assert re.fullmatch(
        rf"::warning file=config/rotations.yaml,line={line},col=17::technical_lead and the responders of checkout in "
        r"sev1, sev2, sev3: nobody is reached (from now until|\w{3} \d+ \w{3} 00:00 –) Sat \d+ \w{3} 00:00"
        r"(, \w{3} \d+ \w{3} 00:00 – Sat \d+ \w{3} 00:00)? Europe/Berlin, and 1[123] more times until \w{3} \d+ \w{3}; "
        r"engineers has no shift then, so only the last resort is paged; add a shift for that time, or a level that is "
        r"always there\n",
        done.stdout,
    )
    assert ": 1 warning (4 severities, " in done.stderr


def test_incident_files_are_judged_by_the_config(pager):
    """Those of the configured folder, or those that are named; a folder's name means its files."""
    good, bad = pager / "incidents" / "good.yaml", pager / "incidents" / "bad.yaml"
    good.write_text("title: Payments fail\nseverity: sev1\n")
    bad.write_text("title: Payments fail\nseverity: sev1\nservices: [chekout]\n")
    done = check(pager)
    assert done.returncode == 1
    assert done.stdout.startswith("incidents/bad.yaml:3:12: error: ")
    assert "checkout" in done.stdout
    assert check(pager, "incidents/good.yaml").returncode == 0
    assert check(pager, "incidents").stdout == done.stdout
    assert check(pager, "config/people.yaml").stdout == ""


def test_each_template_is_parsed_and_rendered(pager):
    """A template of one's own that cannot be parsed, or asks for what there is not, is told with its file; so is one
    that nothing uses, and a name that says nothing where no sample comes by.
    """
    templates = pager / "templates"
    templates.mkdir()
    (templates / "page.sms.txt.j2").write_text("one\n{{ titel }}\n")
    (templates / "closing.email.txt.j2").write_text("{% if %}\n")
    (templates / "pages.sms.txt.j2").write_text("never read")
    (templates / "update.sms.txt.j2").write_text("x\n{% if drill and external and unreadable %}{{ nxt }}{% endif %}\n")
    done = check(pager)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert {line.partition(":")[0] for line in lines if ": error: " in line} == {
        "templates/page.sms.txt.j2",
        "templates/closing.email.txt.j2",
    }
    assert "'titel' is undefined (did you mean \"title\"?)" in done.stdout
    assert sorted(line for line in lines if ": error: " not in line) == [
        'templates/pages.sms.txt.j2:1:1: warning: no message uses this template; did you mean "page.sms.txt.j2"?',
        "templates/update.sms.txt.j2:2:1: warning: 'nxt' is undefined; did you mean \"next\"?",
    ]


def test_an_unknown_variable_is_an_error(pager):
    """A typing mistake in the environment is told where it stands."""
    done = check(pager, TOCSIN_OPERATERS="x")
    assert done.returncode == 1
    assert done.stdout.startswith("TOCSIN_OPERATERS:1:1: error: unknown variable TOCSIN_OPERATERS; did you mean")


@pytest.mark.parametrize("arguments", [["--format", "yaml"], ["nowhere.yaml"], ["--confg", "x"]])
def test_wrong_usage_is_2(pager, arguments):
    """Arguments that mean nothing end with 2, and nothing on stdout."""
    done = check(pager, *arguments)
    assert (done.returncode, done.stdout) == (2, "")


def test_the_config_folder_is_the_option_s_or_the_variable_s(pager):
    """--config, else $TOCSIN_CONFIG, else ./config; a folder that is not there is said so in one line."""
    elsewhere = pager.parent
    assert check(elsewhere, "--config", str(pager / "config")).returncode == 0
    assert check(elsewhere, TOCSIN_CONFIG=str(pager / "config")).returncode == 0
    done = check(elsewhere / "..", "--config", "nowhere")
    assert done.returncode == 1
    assert done.stdout == "nowhere:1:1: error: there is no config folder nowhere; name it with --config DIR\n"
