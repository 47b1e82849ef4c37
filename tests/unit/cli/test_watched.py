"""A command that writes an incident file says when nobody will act on it (P3): no healthy daemon watches the folder."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tocsin.adapters.files.watch_mark import NAME
from tocsin.cli import tocsin, workspace

from tests.fakes.pager import CONFIG, SETTINGS

Run = Callable[..., Result]

WRITING = {
    "declare": ["declare", "Cards fail", "--severity", "sev1"],
    "ack": ["ack", "pay", "--as", "ana"],
    "update": ["update", "pay", "We know why."],
    "assign": ["assign", "pay", "technical_lead", "ana"],
    "resolve": ["resolve", "pay", "Mended."],
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command where a config and one incident are."""
    for folder in ("config", "incidents"):
        (tmp_path / folder).mkdir()
    (tmp_path / "config" / "all.yaml").write_text(CONFIG)
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS)
    (tmp_path / "incidents" / "pay.yaml").write_text("title: Payments fail\nseverity: sev1\n")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(tocsin, arguments)


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "incidents").glob("*.yaml")}


@pytest.mark.parametrize("arguments", WRITING.values(), ids=WRITING)
def test_nobody_watches(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    """Exit 1 and two lines on stderr: the file, which stays, and what to do; stdout is what it always is."""
    before = files(tmp_path)
    done = run(*arguments)
    assert done.exit_code == 1
    assert files(tmp_path) != before
    assert done.stdout.count("\n") == (arguments[0] == "declare")
    first, second = done.stderr.splitlines()[-2:]
    name = f"{done.stdout.strip()}.yaml" if arguments[0] == "declare" else "pay.yaml"
    assert first.startswith(f"incidents/{name} is written, but no healthy daemon watches incidents (no {NAME}")
    assert "tocsin run" in second
    assert "--anyway" in second


@pytest.mark.parametrize("arguments", WRITING.values(), ids=WRITING)
def test_the_database_is_away(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    """R54: no daemon is healthy then, but one that runs pages what is newly declared here and counts what is answered:
    whoever reads that nobody hears of it would go and wake people, or declare it once more.
    """
    before, settings = files(tmp_path), tmp_path / "config" / "tocsin.yaml"
    kept = [line for line in SETTINGS.splitlines() if not line.startswith("ledger:")]
    settings.write_text("\n".join([*kept, "ledger: postgresql://tocsin@127.0.0.1:1/tocsin", ""]))
    done = run(*arguments)
    assert done.exit_code == 1
    assert files(tmp_path) != before
    first, second = done.stderr.splitlines()[-2:]
    assert "is written, but the database does not answer: a daemon that runs here acts on what is newly" in first
    assert "nobody hears" not in done.stderr
    assert "reply to it" in second


@pytest.mark.parametrize("arguments", WRITING.values(), ids=WRITING)
def test_that_may_be_meant(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    """`--anyway`, for folders that git carries elsewhere: nothing is said, exit 0."""
    done = run(*arguments, "--anyway")
    assert done.exit_code == 0
    assert "daemon" not in done.stderr
    assert "--anyway" in run(arguments[0], "--help").stdout


@pytest.mark.parametrize("arguments", WRITING.values(), ids=WRITING)
@pytest.mark.parametrize(("age", "status"), [(0, 0), (25, 0), (35, 1)])
def test_a_healthy_daemon_watches(run: Run, tmp_path: Path, arguments: list[str], age: int, status: int) -> None:
    """Its mark is at most 30 s old, by the times of the folder's own file system; no ledger is needed."""
    mark = tmp_path / "incidents" / NAME
    mark.write_text("host here, pid 1\n")
    at = mark.stat().st_mtime - age
    os.utime(mark, (at, at))
    done = run(*arguments)
    assert done.exit_code == status
    assert ("no healthy daemon" in done.stderr) is bool(status)


def test_a_command_that_wrote_nothing_says_nothing_of_daemons(run: Run) -> None:
    """What is refused is refused for its own reason."""
    done = run("resolve", "nothing")
    assert done.exit_code == 1
    assert "daemon" not in done.stderr


@pytest.mark.parametrize("arguments", [*WRITING.values(), ["explain", "pay"]], ids=[*WRITING, "explain"])
def test_a_folder_that_hangs(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """Rule 62: exit 1 in seconds and one line that says so; nothing was written."""
    answers, before, real = threading.Event(), files(tmp_path), os.scandir

    def hung(path: Path) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("incidents"):
            answers.wait(30)
        return real(path)

    monkeypatch.setattr(workspace, "ANSWERS_WITHIN", 0.1)
    monkeypatch.setattr(os, "scandir", hung)
    began = time.monotonic()
    done = run(*arguments)
    assert time.monotonic() - began < 10
    answers.set()
    assert done.exit_code == 1
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert (
        "the incident folder incidents does not answer (see whether its disk or server is alive: ls incidents); "
        in last
    )
    assert ("tocsin status" if arguments[0] == "explain" else "nothing was written") in last
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert files(tmp_path) == before
