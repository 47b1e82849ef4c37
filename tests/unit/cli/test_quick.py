"""What people type at three in the morning waits for no library that it does not need."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tocsin.adapters.jinja import sources

from tests.fakes.pager import CONFIG, SETTINGS

SOMETIMES = {"icalendar", "recurring_ical_events", "pydantic_settings"}
"""What only a config with calendars needs, or one that variables set."""
JUDGED_WITH = {"email_validator", "phonenumbers"}
"""What judges addresses: the process that does is another one, which imports it while the command imports its own."""
DEAR = SOMETIMES | JUDGED_WITH | {"rich", "jinja2", "sqlalchemy", "aiohttp", "twilio", "aiosmtplib"}
"""Together they cost as much as all the rest. `sqlalchemy` is for a ledger, and there is none here."""
SENT = "tocsin.domain.delivery", "tocsin.ports.ledger.ledger"
"""The types of what is sent, and of all that can be asked of a ledger."""
UNASKED = {"status": ("ruamel.yaml", "babel", "tocsin.domain.arrival", *SENT), "ack": SENT}
"""What a command needs nothing of, though its neighbours do."""
RUN = """
import sys
from tocsin.cli import main
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules})
"""

JUDGE = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from tocsin.app.configuration.judge import judge
from tocsin.app.configuration.load import read_files
folder = Path("config")
read = judge(read_files(folder), folder, datetime.now(UTC), os.environ)
assert read.policy and read.settings, read.problems
print("click", *{name.partition(".")[0] for name in sys.modules})
"""
"""What a process of its own does with a config."""


@pytest.mark.parametrize(
    "arguments",
    [["ack", "pay", "--as", "ana"], ["note", "pay", "x"], ["severity", "pay", "sev1"], ["update", "pay", "x"]],
)
def test_what_is_typed_in_the_night_imports_little(tmp_path: Path, arguments: list[str]) -> None:
    """No output library, no template engine, no ledger, no client of a provider."""
    assert not DEAR & imported(tmp_path, [*arguments, "--anyway"])


@pytest.mark.parametrize("arguments", [["status"], ["oncall"], ["check"]])
def test_what_only_some_configs_need_is_not_imported_for_others(tmp_path: Path, arguments: list[str]) -> None:
    """A config without a calendar and without variables waits for neither library."""
    assert not (SOMETIMES | JUDGED_WITH) & imported(tmp_path, arguments)


@pytest.mark.parametrize(
    ("variables", "needed"), [({"TOCSIN_CONFIG": "config", "TOCSIN_AS": "ana"}, False), ({"TOCSIN_OUTBOX": "o"}, True)]
)
def test_variables_are_read_with_their_library(tmp_path: Path, variables: dict[str, str], needed: bool) -> None:
    """Judging imports it where a variable sets something; what only says where the config is, or who acts, does not."""
    assert SOMETIMES & imported(tmp_path, [], JUDGE, **variables) == ({"pydantic_settings"} if needed else set())


def test_templates_as_they_were_shipped_need_no_engine(tmp_path: Path) -> None:
    """`check` has only what somebody changed parsed and rendered: the shipped ones are known to be good."""
    shutil.copytree(sources.shipped_folder(), tmp_path / "templates")
    assert "jinja2" not in imported(tmp_path, ["check"])
    (tmp_path / "templates" / "page.sms.txt.j2").write_text("{{ title }} {{ acknowledge }}")
    assert "jinja2" in imported(tmp_path, ["check"])


def test_a_ledger_is_opened_with_libraries_that_were_imported_meanwhile(tmp_path: Path) -> None:
    """While the config is judged a command imports what opens the ledger that its settings name, if there is one; one
    that is not there, or that is named otherwise, costs and changes nothing.
    """
    expect = (
        "import sys\nfrom pathlib import Path\nimport tocsin.cli.opened_config as o; o.expect_ledger(Path('config'))"
    )
    expect += "\nprint('click', *sys.modules)"
    assert "sqlalchemy" not in imported(tmp_path, [], expect)
    (tmp_path / "var").mkdir(exist_ok=True)
    (tmp_path / "var" / "tocsin.db").touch()
    assert "sqlalchemy" in imported(tmp_path, [], expect)


def test_a_command_leaves_no_process_behind(tmp_path: Path) -> None:
    """Whoever inherits what a command left behind, such as process 1 of a container, has nobody to wait for."""
    heir = """
import ctypes, os, subprocess, sys
assert ctypes.CDLL(None).prctl(36, 1) == 0  # PR_SET_CHILD_SUBREAPER
subprocess.run([sys.executable, "-m", "tocsin", *sys.argv[1:]], check=True)
try:
    print("click", "left", os.waitpid(-1, 0))
except ChildProcessError:
    print("click", "none")
"""
    assert "none" in imported(tmp_path, ["status"], heir)
    assert "none" in imported(tmp_path, ["ack", "--help"], heir)


def test_a_config_is_judged_by_a_process_that_begins_first(tmp_path: Path) -> None:
    """It begins before the command's own module is imported; who has none judged, or reads the help, begins none."""
    begun = """
import sys
from tocsin.cli import Commands, main, tocsin
import click
command = Commands.resolve_command(tocsin, click.Context(tocsin), sys.argv[1:])
from tocsin.cli.judging import bounded_child
print("click", "begun" if bounded_child()._server else "")
"""
    assert "begun" in imported(tmp_path, ["ack"], begun)
    assert "begun" not in imported(tmp_path, ["schema"], begun)
    assert "begun" not in imported(tmp_path, ["ack", "--help"], begun)


@pytest.mark.parametrize(
    ("arguments", "later"),
    [
        (["status"], "tocsin.cli.status_look"),
        (["check"], "tocsin.cli.checking"),
        (["ack", "pay", "--as", "ana", "--anyway"], "tocsin.cli.incident_command"),
    ],
)
def test_a_config_is_judged_while_the_command_imports_what_it_needs_next(
    tmp_path: Path, arguments: list[str], later: str
) -> None:
    """The process that judges is asked before most is imported, since it is ready before that."""
    asks = f"""
import sys
from tocsin.adapters import bounded_child
from tocsin.cli import main
ask, seen = bounded_child._Server.ask, []
def asked(server, job, meanwhile):
    seen.append({{{later!r}, "asyncio", "tocsin.domain.facts"}} & sys.modules.keys())
    answer = ask(server, job, meanwhile)
    seen.append({later!r} in sys.modules)
    return answer
bounded_child._Server.ask = asked
try:
    main()
finally:
    print("click", "early" if seen == [set(), True] else seen)
"""
    assert "early" in imported(tmp_path, arguments, asks)


def test_a_command_that_ends_looks_for_no_garbage(tmp_path: Path) -> None:
    """What is left goes with its process; Python would look through all of it several times first."""
    ends = f"""
import atexit, gc
atexit.register(lambda: print("click", "kept" if gc.get_freeze_count() > 10_000 else ""))
{RUN}
"""
    assert "kept" in imported(tmp_path, ["ack", "pay", "--as", "ana", "--anyway"], ends)


@pytest.mark.parametrize("arguments", [["status"], ["oncall"], ["ack", "pay", "--as", "ana", "--anyway"]])
def test_what_reads_a_config_is_imported_by_who_judges_alone(tmp_path: Path, arguments: list[str]) -> None:
    """A command is handed what came of it."""
    whole = RUN.replace('{name.partition(".")[0] for name in sys.modules}', "sys.modules")
    found = imported(tmp_path, arguments, whole)
    assert "tocsin.app.configuration.load" in found
    assert not {"tocsin.app.configuration.read_tree", "tocsin.formats.config.read"} & found


@pytest.mark.parametrize(
    "arguments", [["status"], ["check"], ["ack", "pay", "--as", "ana", "--anyway"], ["note", "pay", "x", "--anyway"]]
)
def test_who_only_asks_about_incidents_or_addresses_waits_for_no_database_library(
    tmp_path: Path, arguments: list[str]
) -> None:
    """A ledger in a file is asked by SQL as it stands; nor does who only looks wait for what edits or words."""
    (tmp_path / "var").mkdir()
    made = "from pathlib import Path; from tocsin.adapters.ledger.sqlite.opening import open_file; "
    subprocess.run([sys.executable, "-c", f"{made}open_file(Path('var/tocsin.db'), '')"], cwd=tmp_path, check=True)
    found = imported(
        tmp_path, arguments, RUN.replace('{name.partition(".")[0] for name in sys.modules}', "sys.modules")
    )
    assert "tocsin.adapters.ledger.sqlite.file_reader" in found
    assert not {"sqlalchemy", *UNASKED.get(arguments[0], ())} & found


def test_the_words_of_pull_requests_are_imported_for_them_alone(tmp_path: Path) -> None:
    """`check` in a terminal needs nothing of the policy tests' reports."""
    assert "xml" not in imported(tmp_path, ["check"])


def imported(tmp_path: Path, arguments: list[str], program: str = RUN, **variables: str) -> set[str]:
    """The libraries that a program imports, which must go well."""
    for name in ("config", "incidents"):
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / "config" / "all.yaml").write_text(CONFIG)
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS)
    (tmp_path / "incidents" / "pay.yaml").write_text("title: Payments fail\nseverity: sev1\n")
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        env={"PATH": str(Path(shutil.which("env") or "/usr/bin/env").parent), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "click" in done.stdout.split()
    return set(done.stdout.splitlines()[-1].split())
