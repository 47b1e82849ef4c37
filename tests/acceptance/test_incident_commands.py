"""`declare`, `ack`, `update`, `assign` and `resolve` as people type them: the installed command on real files."""

import asyncio
import os
import pty
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.adapters.files.watch_mark import NAME
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.domain.facts import Seen, Updated
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Reason
from tocsin.domain.people import Channel

from tests.fakes.commands import run_here
from tests.fakes.ready_commands import run_ready
from tests.fakes.terminal import Terminal

ROOT = Path(__file__).parents[2]
TOCSIN = Path(sys.executable).with_name("tocsin")
FILE = "# by hand\ntitle: Card payments fail   # says the shop\nseverity: sev1\n"


@pytest.fixture
def pager(tmp_path):
    """A folder with the shipped config and one incident."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "incidents").mkdir()
    (tmp_path / "incidents" / "card.yaml").write_text(FILE)
    return tmp_path


WRITE = {"declare", "ack", "update", "assign", "resolve"}


def tocsin(folder, *arguments):
    """A command where no daemon runs, which is meant."""
    arguments = (*arguments, "--anyway") if arguments[0] in WRITE else arguments
    return run_here(arguments, folder)


def keep_in_ledger(pager, incident=None, config=None, told=()):
    """A ledger that knows a version of the incident and the groups `told` of it, or a config, as the daemon leaves it."""

    async def keep():
        ledger = SqlLedger(FileStore(open_file(pager / "var" / "tocsin.db", "x")))
        at = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
        if incident:
            updates = [
                Updated(at, group, Reason.DECLARED, external, ((address, Channel.EMAIL),))
                for group, address, external in told
            ]
            await ledger.record(incident.id, [Seen(at, incident), *updates], [], [])
        if config:
            files = {str(path.relative_to(config)): path.read_bytes() for path in config.rglob("*") if path.is_file()}
            await ledger.record_config("r1", files, at)
        await ledger.close()

    asyncio.run(keep())


def test_declare_writes_a_file_and_prints_its_id(pager):
    """Only the id goes to stdout; the file is one that `check` finds good."""
    done = tocsin(pager, "declare", "Search is slow", "--severity", "SEV3", "--service", "checkout", "--by", "Ana")
    today = datetime.now(UTC).date().isoformat()
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{today}-search-is-slow\n", "")
    text = (pager / "incidents" / f"{today}-search-is-slow.yaml").read_text()
    assert 'title: "Search is slow"\nseverity: sev3\n' in text
    assert tocsin(pager, "check", "incidents").returncode == 0


def test_the_life_of_an_incident(pager):
    """Acknowledged, updated, assigned and resolved: each edit is in the file, and the comments still are."""
    for arguments in (
        ("ack", "card", "--as", "Ana Souza"),
        ("update", "card", "Found it", "--public", "We found it", "--status", "Identified", "--by", "chen"),
        ("update", "incidents/card.yaml", "Soon", "--eta", "2026-11-23T12:00:00Z"),
        ("assign", "card", "scribe", "bo@example.com"),
        ("resolve", "card", "Failed over"),
    ):
        done = tocsin(pager, *arguments)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    text = (pager / "incidents" / "card.yaml").read_text()
    assert text.startswith("# by hand\ntitle: Card payments fail   # says the shop\n")
    for line in (
        "{by: ana, at: 20",
        'public: "We found it"}',
        "eta: 2026-11-23T12:00:00Z",
        "scribe: bo",
        "status: resolved",
    ):
        assert line in text
    assert tocsin(pager, "check", "incidents").returncode == 0


CARD = Incident("card", "Card payments fail", "sev1")
CUSTOMERS = ("customers", "status@lists.example.com", True)
SUPPORT = ("support", "support@example.com", False)


def resolution(pager):
    """What the file says of the end."""
    lines = (pager / "incidents" / "card.yaml").read_text().split("status: resolved\n")
    assert len(lines) == 2
    return lines[1].partition("timeline:\n")[0]


def test_resolve_writes_a_word_for_outsiders_beside_the_one_for_insiders(pager):
    """`resolution: {text, public}`; a bare text stays a text."""
    keep_in_ledger(pager, CARD, told=[CUSTOMERS])
    done = tocsin(pager, "resolve", "card", "Failed over", "--public", "Payments work: again.")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "card: It is resolved.\n")
    assert resolution(pager) == 'resolution:\n  text: "Failed over"\n  public: "Payments work: again."\n'
    assert tocsin(pager, "check", "incidents").returncode == 0


@pytest.mark.parametrize(
    ("told", "advised"),
    [([SUPPORT], False), ([SUPPORT, CUSTOMERS], True), (None, False)],
    ids=["us", "all", "no ledger"],
)
def test_a_script_that_resolves_is_told_of_the_word_for_outsiders(pager, told, advised):
    """One line says what they read, and only where outsiders were told; it is resolved all the same."""
    if told is not None:
        keep_in_ledger(pager, CARD, told=told)
    done = tocsin(pager, "resolve", "card", "Failed over")
    advice = "Customers read only that it is over, as no --public TEXT was given\n" if advised else ""
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"card: It is resolved.\n{advice}")
    assert resolution(pager) == 'resolution: "Failed over"\n'


def test_words_that_come_after_the_closing_are_heard_by_nobody(pager):
    """It says so; the file has them all the same."""
    keep_in_ledger(pager, replace(CARD, status=Status.RESOLVED))
    text = (pager / "incidents" / "card.yaml").read_text()
    (pager / "incidents" / "card.yaml").write_text(text + "status: resolved\n")
    done = tocsin(pager, "resolve", "card", "--public", "It works again.")
    says = "card was resolved before, and its end has been told: nobody hears of these words\n"
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"card: What outsiders hear of the end: “It works again.”\n{says}"
    again = tocsin(pager, "resolve", "card")
    assert (again.returncode, again.stderr) == (0, "card: it says so already; nothing was written\n")
    assert 'public: "It works again."' in (pager / "incidents" / "card.yaml").read_text()


@pytest.mark.parametrize(("typed", "public"), [("It works again.\n", '  public: "It works again."\n'), ("\n", "")])
def test_a_person_who_resolves_is_asked_for_the_word_for_outsiders(pager, typed, public):
    """On a terminal; whoever just goes on resolves it without one."""
    keep_in_ledger(pager, CARD, told=[CUSTOMERS])
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    command = [TOCSIN, "resolve", "card", "Failed over", "--anyway"]
    with subprocess.Popen(command, cwd=pager, env=clean, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as asked:
        os.close(theirs)
        shown = b""
        while not shown.endswith(b"> "):
            shown += os.read(ours, 1000)
        os.write(ours, typed.encode())
        assert (asked.wait(30), asked.stdout.read()) == (0, b"")
    os.close(ours)
    assert b"Customers were told of it. What do they hear of its end?" in shown
    text = '  text: "Failed over"\n'
    assert resolution(pager) == (f"resolution:\n{text}{public}" if public else 'resolution: "Failed over"\n')


OPENS = ("update", "card", "It is back", "--status", "identified")


@pytest.mark.parametrize(
    ("arguments", "asks", "answer"),
    [(("resolve", "card", "Failed over"), "> ", "^C"), (OPENS, "[y/N]: ", "^C"), (OPENS, "[y/N]: ", "\n")],
    ids=["resolve", "opened again", "not opened again"],
)
def test_who_thinks_better_of_it_has_written_nothing(pager, arguments, asks, answer):
    """Ctrl-C at a question ends the command at once; Enter does not open again what is over, which pages people."""
    keep_in_ledger(pager, CARD, told=[CUSTOMERS])
    file = pager / "incidents" / "card.yaml"
    before = FILE + ("status: resolved\n" if arguments == OPENS else "")
    file.write_text(before)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    with Terminal([TOCSIN, *arguments, "--anyway"], 80, cwd=pager, env=clean) as terminal:
        shown = terminal.until(asks)
        if answer == "^C":
            terminal.interrupt()
        else:
            terminal.write(answer)
        assert terminal.end().endswith("nothing was written\n")
        assert terminal.process.returncode == 1
    assert ("This opens it again. Pages " in " ".join(shown.split())) is (arguments == OPENS)
    assert file.read_text() == before
    if arguments == OPENS:
        assert "It is open again, status identified." in tocsin(pager, *OPENS, "--yes").stderr


def test_what_is_written_where_a_daemon_watches_says_who_hears(pager):
    """By the plan itself, as on the pages: whom it pages, and which groups it tells."""
    keep_in_ledger(pager, CARD, told=[CUSTOMERS])
    (pager / "incidents" / NAME).write_text("host here, pid 1\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}

    def stderr(*arguments):
        done = run_ready(arguments, pager, clean)
        assert done.returncode == 0
        return done.stderr

    groups = "Executives, Support and Customers (outside)"
    said = stderr("update", "card", "Failing over", "--public", "We are on it")
    assert said == f"card: The update is written. Tells 3 groups: {groups}. Pages nobody.\n"
    assert "Pages Gus Keller (Scribe) now." in stderr("assign", "card", "scribe", "gus")
    assert stderr("declare", "Search is slow", "--severity", "sev1").startswith("Pages ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("declare", "x", "--severity", "sev9"), "unknown severity"),
        (("declare", "x", "--severity", "sev1", "--service", "chekout"), 'did you mean "checkout"'),
        (("ack", "crad", "--as", "ana"), 'no incident "crad"; did you mean "card"'),
        (("ack", "card", "--as", "an"), "unknown person"),
        (("update", "card", "x", "--status", "fixed"), "unknown status"),
        (("assign", "card", "scribbe", "ana"), 'did you mean "scribe"'),
        (("resolve", "nothing-like-it"), "no incident"),
    ],
)
def test_a_wrong_name_is_refused(pager, arguments, says):
    """Exit 1, one line that says what may be meant, and nothing written."""
    done = tocsin(pager, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.read_text() for path in (pager / "incidents").iterdir()] == [FILE]


@pytest.mark.parametrize(
    "arguments",
    [
        ("declare", "x"),
        ("declare", " ", "--severity", "sev1"),
        ("ack", "card"),
        ("update", "card"),
        ("update", "card", "x", "--eta", "noon"),
        ("assign", "card", "scribe"),
    ],
)
def test_wrong_usage(pager, arguments):
    """A missing or malformed argument exits with 2."""
    assert tocsin(pager, *arguments).returncode == 2


def test_whoever_was_never_asked_cannot_acknowledge(pager):
    """The ledger knows the incident: exit 1, the file untouched, `tocsin assign` named; after that it works."""
    keep_in_ledger(pager, Incident("card", "Card payments fail", "sev1"))
    done = tocsin(pager, "ack", "card", "--as", "ana")
    assert done.returncode == 1
    assert "tocsin assign card ROLE ana" in done.stderr
    assert (pager / "incidents" / "card.yaml").read_text() == FILE
    assert tocsin(pager, "assign", "card", "technical_lead", "ana").returncode == 0
    assert tocsin(pager, "ack", "card", "--as", "ana").returncode == 0


def test_the_last_good_config_is_used(pager):
    """A config refused today does not stop anybody: the one in the ledger counts (rule 43); without it exit 1."""
    broken = pager / "config" / "roles.yaml"
    good = broken.read_bytes()
    broken.write_text("roles: [\n")
    done = tocsin(pager, "resolve", "card")
    assert done.returncode == 1
    assert "config/roles.yaml:" in done.stderr
    broken.write_bytes(good)
    keep_in_ledger(pager, config=pager / "config")
    broken.write_text("roles: [\n")
    done = tocsin(pager, "resolve", "card")
    assert done.returncode == 0
    assert "the last good one is used" in done.stderr
    assert "status: resolved" in (pager / "incidents" / "card.yaml").read_text()
