"""tocsin diff: what an edit of the config moves, for whom, and which line is blamed; in real git repositories."""

import json
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tocsin.app.diff.scenarios import moments
from tocsin.app.diff.words import ChangedWords, changed_words
from tocsin.cli import tocsin
from tocsin.ports.bounded_work import Overrun, OverrunCause

from tests.fakes.bounded_work import SameProcess

SHIPPED = Path(__file__).parents[3] / "config"
AT = "2026-11-23T08:24:00Z"
SMALL = """people:
  ana: {email: ana@example.com, phone: "+14155550101"}
  bo: {email: bo@example.com, phone: "+14155550102"}
  chen: {email: chen@example.com}
roles:
  technical_lead:
    chain: [ana, bo]
  scribe: {chain: [chen]}
rotations:
  crew:
    shifts:
      - {members: [ana, bo], handoff: "0 9 * * mon", timezone: Europe/Berlin, starts: 2026-01-05T09:00}
services:
  shop: {}
  search: {roles: {technical_lead: [crew.on_call]}}
stakeholders:
  support: {emails: [support@example.com], external: false}
severities:
  sev1:
    page:
      roles: [technical_lead]
      via: [sms, email]
      acknowledge_within: 5m
      rounds: 2
    updates:
      - {to: [support], every: 30m}
  sev4:
    updates:
      - {to: [support], cron: "0 9 * * mon", timezone: Europe/Berlin}
"""
SETTINGS = """operators: [ana]
last_resort: [chen, ana]
email: {sender: "Incidents <incidents@example.com>"}
sms: {sender: "+15005550006"}
"""


class Repository:
    """A repository with a config folder somewhere in it, and the command that compares."""

    def __init__(self, top: Path, inside: str) -> None:
        self.top, self.config = top, top / inside
        self.config.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com"]
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return subprocess.run(
            ["git", *identity, *arguments], cwd=self.top, env=own, check=True, capture_output=True, text=True
        ).stdout

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "a change")

    def write(self, name: str, text: str) -> None:
        path = self.config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.config / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def diff(self, *arguments: str) -> Result:
        return CliRunner().invoke(tocsin, ["diff", "--config", str(self.config), "--at", AT, *arguments])

    def changes(self, *arguments: str) -> list[dict[str, object]]:
        found = self.diff(*(arguments or ("HEAD",)), "--format", "json")
        assert found.exit_code == 0, found.output
        return json.loads(found.stdout)["changes"]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The small config, committed."""
    monkeypatch.chdir(tmp_path)
    made = Repository(tmp_path, "ops/config")
    made.write("all.yaml", SMALL)
    made.write("tocsin.yaml", SETTINGS)
    made.commit()
    return made


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The shipped config, committed."""
    monkeypatch.chdir(tmp_path)
    made = Repository(tmp_path, "config")
    for path in SHIPPED.glob("*.yaml"):
        made.write(path.name, path.read_text())
    made.commit()
    return made


def told(changes: list[dict[str, object]], situation: str) -> set[tuple[object, ...]]:
    """What moved for whom in one situation."""
    keys = ("change", "to", "via", "before", "after")
    return {tuple(each[key] for key in keys) for each in changes if each["situation"] == situation}


def lines_of(changes: list[dict[str, object]]) -> set[tuple[object, object]]:
    return {(each["file"], each["line"]) for each in changes}


def line_with(path: Path, words: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if words in line)


PAGE = ("sms", "email")
EDITS: dict[str, tuple[str, str, set[tuple[object, ...]]]] = {
    "a swapped chain": (
        "chain: [ana, bo]",
        "chain: [bo, ana]",
        {("later", "ana", via, 0, 300) for via in PAGE} | {("earlier", "bo", via, 300, 0) for via in PAGE},
    ),
    "a longer wait": (
        "acknowledge_within: 5m",
        "acknowledge_within: 10m",
        {("later", "ana", via, 600, 1200) for via in PAGE}
        | {("later", "bo", via, 300, 600) for via in PAGE}
        | {("later", "chen", "email", 1200, 2400)},
    ),
    "fewer rounds": (
        "rounds: 2",
        "rounds: 1",
        {("gone", "bo", via, 900, None) for via in PAGE}
        | {("earlier", "ana", via, 1200, 900) for via in PAGE}
        | {("earlier", "chen", "email", 1200, 600)},
    ),
    "one channel less": (
        "via: [sms, email]",
        "via: [sms]",
        {("gone", "ana", "email", 0, None), ("gone", "bo", "email", 300, None)},
    ),
    "one role more": (
        "roles: [technical_lead]",
        "roles: [technical_lead, scribe]",
        {("earlier", "chen", "email", 1200, 0)},
    ),
    "another pace": ("every: 30m", "every: 15m", {("cadence", "support@example.com", "email", 1800, 900)}),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_moves_what_it_says(small: Repository, name: str) -> None:
    """Each edit of one line moves exactly these messages of an incident without a service at noon, and is blamed."""
    old, new, expected = EDITS[name]
    line = line_with(small.config / "all.yaml", old)
    small.edit("all.yaml", old, new)
    changes = small.changes()
    assert told(changes, "sev1, no service, noon") == expected
    assert lines_of(changes) == {("ops/config/all.yaml", line)}


def test_another_cron(small: Repository) -> None:
    """A cron that fires at another time moves updates by as much, at every moment."""
    small.edit("all.yaml", 'cron: "0 9 * * mon"', 'cron: "0 10 * * mon"')
    changes = small.changes()
    assert {(each["change"], each["to"], str(each["situation"]).split(",")[0]) for each in changes} == {
        ("cadence", "support@example.com", "sev4")
    }
    assert all(each["after"] - each["before"] == 3600 for each in changes)  # type: ignore[operator]


def test_every_situation_is_looked_at(small: Repository) -> None:
    """Every severity × every service and none × three moments, but for those in which the role is another's."""
    small.edit("all.yaml", "chain: [ana, bo]", "chain: [bo, ana]")
    found = {str(each["situation"]) for each in small.changes()}
    assert found == {
        f"sev1, {service}, {moment}" for service in ("no service", "shop") for moment in ("noon", "night", "weekend")
    }


def test_moments_lie_ahead() -> None:
    """The next of each kind after the instant, never that instant itself: at noon on Monday it is Tuesday's noon."""
    noon = datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert {moment.name: moment.at for moment in moments(noon, "Europe/Berlin")} == {
        "noon": noon + timedelta(days=1),
        "night": datetime(2026, 11, 24, 2, tzinfo=UTC),
        "weekend": datetime(2026, 11, 28, 13, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    "edits",
    [
        [("people:", "# everybody\npeople:")],
        [("acknowledge_within: 5m\n      rounds: 2", "rounds: 2\n      acknowledge_within: 5m")],
        [("acknowledge_within: 5m", "acknowledge_within: 300s")],
        [("scribe: {chain: [chen]}", "scribe: {chain: [chen], duties: Writes.}")],
    ],
    ids=["a comment", "keys in another order", "the same in other words", "words only"],
)
def test_what_moves_nothing_is_no_change(small: Repository, edits: list[tuple[str, str]]) -> None:
    """Comments, order, spelling and words move nobody's messages."""
    for old, new in edits:
        small.edit("all.yaml", old, new)
    assert small.changes() == []
    said = small.diff("HEAD").stdout
    assert "no change to who hears what when" in said or "no page or update moves" in said


def test_files_may_be_renamed(small: Repository) -> None:
    """What is declared counts, not in which file."""
    sections = re.split(r"^(?=\w)", SMALL, flags=re.MULTILINE)
    (small.config / "all.yaml").unlink()
    for number, section in enumerate(filter(None, sections)):
        small.write(f"teams/{number}.yaml", section)
    small.commit()
    assert small.changes("HEAD~1", "HEAD") == []
    assert "no line of the config changed" in small.diff("HEAD~1").stdout


def test_the_guilty_one_of_several_lines(small: Repository) -> None:
    """Of several changed lines each message is blamed on the one without which it would not have moved."""
    small.edit("all.yaml", "chain: [ana, bo]", "chain: [bo]")
    small.edit("all.yaml", "every: 30m", "every: 20m")
    small.edit("all.yaml", "ana: {email: ana@example.com", "ana: {name: Ana, email: ana@example.com")
    small.edit("tocsin.yaml", "[chen, ana]", "[chen]")
    changes = small.changes()
    blamed = {(str(each["to"]), Path(str(each["file"])).name, each["line"]) for each in changes}
    chain = line_with(small.config / "all.yaml", "chain: [bo]")
    assert ("support@example.com", "all.yaml", line_with(small.config / "all.yaml", "every: 20m")) in blamed
    assert ("bo", "all.yaml", chain) in blamed
    assert {each["line"] for each in changes if each["to"] == "ana" and each["before"] == 0} == {chain}
    assert not {("all.yaml", line_with(small.config / "all.yaml", "name: Ana"))} & {each[1:] for each in blamed}
    text = small.diff("HEAD").stdout
    assert "Changed without moving a page or an update here: people.ana.name added: Ana" in text
    assert text.count("people.ana.name") == 1


def test_a_removed_line_stands_where_it_stood(small: Repository) -> None:
    """What was removed is blamed at its line of the old revision."""
    line = line_with(small.config / "all.yaml", "search:")
    small.edit("all.yaml", "  search: {roles: {technical_lead: [crew.on_call]}}\n", "")
    assert lines_of(small.changes()) == {("ops/config/all.yaml", line)}


def test_a_new_team(small: Repository) -> None:
    """A new file with a team of its own moves only what names its service."""
    small.write(
        "teams/pay.yaml",
        "people: {dee: {email: dee@example.com}}\nservices:\n  pay: {roles: {technical_lead: [dee, ana]}}\n",
    )
    changes = small.changes()
    assert {str(each["situation"]).split(", ")[1] for each in changes} == {"pay"}
    assert ("new", "dee", "email", None, 0) in told(changes, "sev1, pay, night")
    assert lines_of(changes) == {("ops/config/teams/pay.yaml", 3)}


def test_severities_that_come_and_go(small: Repository) -> None:
    """A new severity pages anew; an incident of one that is gone counts as unreadable_severity, which is said."""
    small.write("sev2.yaml", "severities:\n  sev2: {page: {roles: [scribe], via: [email], acknowledge_within: 1h}}\n")
    fresh = small.changes()
    assert {str(each["situation"])[:4] for each in fresh} == {"sev2"}
    assert told(fresh, "sev2, shop, weekend") == {
        ("new", "chen", "email", None, 0),
        ("new", "ana", "email", None, 3600),
    }
    small.commit()
    assert ("new", "bo", "sms", None, 300) in told(small.changes("HEAD", "HEAD~1"), "sev2, no service, noon")
    assert "sev2 is no more: an incident that still says so counts as sev1" in small.diff("HEAD", "HEAD~1").stdout


def test_open_incidents_and_those_of_tests(small: Repository) -> None:
    """Open incidents count as first seen now, those of policy tests with their moments and steps; resolved ones don't."""
    incidents = small.top / "ops" / "incidents"
    incidents.mkdir()
    (incidents / "card.yaml").write_text("title: Cards fail\nseverity: sev1\n")
    (incidents / "over.yaml").write_text("title: Over\nseverity: sev1\nstatus: resolved\n")
    small.write(
        "tests/night.yaml",
        "name: at night\nat: 2026-11-23T02:00:00Z\nincident: {title: x, severity: sev1}\n"
        "steps: [{after: 7m, ack: bo}]\nexpect: {after: 5m, page: bo}\n",
    )
    small.commit()
    small.edit("all.yaml", "chain: [ana, bo]", "chain: [bo, ana]")
    others = [each for each in small.changes() if not str(each["situation"]).startswith("sev")]
    assert {each["situation"] for each in others} == {"incident card", "test at night"}
    assert ("earlier", "bo", "sms", 300, 0) in told(others, "test at night")
    assert "nobody answers), 1 open incident and 1 policy test." in small.diff("HEAD").stdout


SHIPPED_EDITS = {
    "a swapped chain": ("roles.yaml", "[engineers.on_call, engineers.next,", "[engineers.next, engineers.on_call,", 9),
    "a removed level": ("roles.yaml", "[eli, dee, fay]", "[eli, dee]", 4),
    "a longer wait": ("severities.yaml", "acknowledge_within: 5m", "acknowledge_within: 15m", 6),
    "a wrong cron": ("severities.yaml", "0 9,16 * * mon-fri", "9 0,16 * * mon-fri", 2),
    "another order of turns": ("rotations.yaml", "[chen, bo, fay]", "[bo, chen, fay]", 11),
    "another last resort": ("tocsin.yaml", "last_resort: [ana, bo]", "last_resort: [bo, eli]", 5),
    "no phone": ("people.yaml", '    phone: "+14155550102"\n', "", 3),
}
"""An edit of a file, and the most lines that may be needed to tell it."""


SAMPLE = ("a swapped chain", "another order of turns", "no phone")


@pytest.mark.parametrize(
    "name", [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.attack) for name in SHIPPED_EDITS]
)
def test_a_line_gives_a_short_answer(shipped: Repository, name: str) -> None:
    """One changed line of the shipped config is told in a few lines, which name it."""
    file, old, new, most = SHIPPED_EDITS[name]
    shipped.edit(file, old, new)
    found = shipped.diff("HEAD")
    assert found.exit_code == 0
    assert "1 changed line moves messages in" in found.stdout
    assert f"config/{file}:" in found.stdout
    _, cause, *_ = found.stdout.split("\n\n")
    assert cause.count("\n") + 1 <= most, cause


def test_turns_beyond_the_moments_are_told(shipped: Repository) -> None:
    """A handoff that moves into another hour is told although none of the moments lies between."""
    shipped.edit("rotations.yaml", "0 9 * * mon", "9 0 * * mon")
    said = shipped.diff("HEAD").stdout
    assert "no page or update moves" in said
    assert "On call in commanders from Mon 30 Nov 2026 00:09 Europe/Berlin" in said


def test_internal_words_to_outsiders(shipped: Repository) -> None:
    """That a group now hears internal words is told, although nothing moves; JSON has no word for it."""
    shipped.edit("stakeholders.yaml", "first: accepted", "first: at_once")
    shipped.commit()
    shipped.edit("stakeholders.yaml", "external: true", "external: false")
    said = shipped.diff("HEAD").stdout
    assert "customers (status@lists.example.com): told when they were, but otherwise" in said
    assert "in internal words as customers, was public as customers" in said
    assert shipped.changes() == []


def test_words_are_compared_too(small: Repository) -> None:
    """Templates of one's own, and catalogues: whose words change, and in which file; nothing else moves."""
    small.write("../templates/page.sms.txt.j2", "{{ title }}")
    small.write("../templates/unused.j2", "{{ title }}")
    said = small.diff("HEAD").stdout.splitlines()
    assert "The words of pages change: see ops/templates/page.sms.txt.j2" in said
    assert not any("unused" in line for line in said)
    assert said[0].endswith("no change to who hears what when, in all 18 situations; no line of the config changed")
    assert small.changes() == []
    small.commit()
    assert not any("words" in line for line in small.diff("HEAD").stdout.splitlines())
    small.write("../templates/page.sms.txt.j2", "{% include 'brand.txt.j2' %}")
    small.write("../templates/brand.txt.j2", "{{ title }}")
    small.write("../templates/update.sms.txt.j2", "{% include 'brand.txt.j2' %}")
    small.write("../templates/pt-BR/messages.po", 'msgid "Since {time}."\nmsgstr "Desde {time}."\n')
    small.commit()
    said = small.diff("HEAD~1", "HEAD", "--format", "markdown").stdout
    for words in (
        "The words of pages change: see ops/templates/page.sms.txt.j2",
        "The words of pages and updates change: see ops/templates/brand.txt.j2",
        "The words in Portuguese (Brazil) change: see ops/templates/pt-BR/messages.po",
    ):
        assert words.replace("(", "\\(").replace(")", "\\)") in said or words in said, said
    small.write("../templates/layout.html.j2", "{% block body %}{% endblock %}")
    assert "kinds of messages change: see ops/templates/layout.html.j2" in small.diff("HEAD").stdout


def test_words_that_cannot_be_compared(small: Repository) -> None:
    """A template that comes to no end is named all the same; templates outside the repository are passed over."""
    shut = Overrun(OverrunCause.TIME, "took longer than 10 s", "")
    assert changed_words(SameProcess(shut), {"a.j2": "x"}, {"b.j2": "y"}) == (ChangedWords(("a.j2", "b.j2")),)
    assert changed_words(SameProcess(), {"a.j2": "{% if"}, {"a.j2": "{% for"}) == ()
    small.edit("tocsin.yaml", "operators:", "templates: /tmp/nowhere\noperators:")
    assert "words" not in small.diff("HEAD").stdout


def test_a_merge_request_comment(small: Repository) -> None:
    """The Markdown has a headline, and for each line a table; nothing in it is a mark of somebody else's."""
    small.edit("all.yaml", "chain: [ana, bo]", "chain: [bo, ana]")
    small.commit()
    said = small.diff("HEAD~1", "main", "--format", "markdown").stdout.splitlines()
    assert said[0] == "**tocsin diff `HEAD~1` → `main`: 1 changed line moves messages in 6 of 18 situations**"
    assert said[2] == "`ops/config/all.yaml:7` `roles.technical_lead.chain: [ana, bo] → [bo, ana]`"
    assert "| bo | paged earlier | except with search: sev1 +5m → +0s |" in said


WRONG = {
    "nope": 'there is no revision "nope"',
    "mains": 'there is no revision "mains"; did you mean "main"?',
    "main..HEAD": "write two revisions: tocsin diff main HEAD",
    "-x": 'there is no revision "-x"',
    "HEAD:ops": 'there is no revision "HEAD:ops"',
}


@pytest.mark.parametrize("revision", WRONG)
def test_a_revision_that_is_not_there(small: Repository, revision: str) -> None:
    """One clear line and exit 1, whatever was written for a revision."""
    found = small.diff("--", revision)
    assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (1, "", 1)
    assert WRONG[revision] in found.stderr


def test_a_config_that_does_not_load(small: Repository) -> None:
    """A revision or a work tree whose config is refused gives one line with the place, and exit 1."""
    small.edit("all.yaml", "chain: [ana, bo]", "chain: [ana, bob]")
    small.edit("all.yaml", "every: 30m", "every: often")
    found = small.diff("HEAD")
    assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (1, "", 1)
    assert found.stderr.startswith("work tree: its config does not load: ops/config/all.yaml:")
    assert "(and 1 more)" in found.stderr
    small.commit()
    assert small.diff("HEAD~1", "HEAD").stderr.startswith("HEAD: its config does not load: ops/config/all.yaml:")


def test_a_folder_outside_of_git(tmp_path: Path, small: Repository) -> None:
    """A folder that the revision lacks, and one in no repository, are told in one line."""
    (small.top / "new").mkdir()
    found = CliRunner().invoke(tocsin, ["diff", "HEAD", "--config", str(small.top / "new")])
    assert found.exit_code == 1
    assert "HEAD: there is no folder new in that revision" in found.stderr


def test_nothing_is_touched(small: Repository) -> None:
    """Neither the work tree nor the index changes, and revisions are read with no help of either."""
    small.edit("all.yaml", "chain: [ana, bo]", "chain: [bo, ana]")
    small.commit()
    small.edit("all.yaml", "every: 30m", "every: 15m")

    def state() -> dict[str, tuple[int, bytes]]:
        files = [path for path in small.top.rglob("*") if path.is_file()]
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    before = state()
    assert {each["to"] for each in small.changes("HEAD~1", "HEAD")} == {"ana", "bo"}
    assert state() == before
    (small.config / "all.yaml").unlink()
    assert {each["to"] for each in small.changes("HEAD~1", "HEAD")} == {"ana", "bo"}


def test_policy_tests_do_not_make_a_wall(small: Repository) -> None:
    """Where other situations tell what moved, policy tests are only counted; JSON has them all."""
    tests = "".join(
        f"- {{at: 2026-11-{day}T02:00:00Z, incident: {{title: x, severity: sev1}}, expect: {{page: ana}}}}\n"
        for day in range(10, 20)
    )
    small.write("tests/many.yaml", tests)
    small.commit()
    small.edit("all.yaml", "chain: [ana, bo]", "chain: [bo, ana]")
    said = small.diff("HEAD").stdout
    assert "  10 policy tests: messages move as well\n" in said
    assert said.count("\n") == 8
    assert len({each["situation"] for each in small.changes() if str(each["situation"]).startswith("test ")}) == 10
