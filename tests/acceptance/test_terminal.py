"""The commands in a terminal, as people see them: laid out by its width, and `status --watch` that counts down."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.fakes.pager import TOCSIN, Pager
from tests.fakes.terminal import Terminal, plain

ID = "2026-11-26-card-payments-fail-at-checkout"
FILE = (
    "title: Card payments fail at checkout for most customers since the deployment of this morning\n"
    "severity: sev1\nbogus: 1\n"
)
TESTS = """
- name: Somebody with a long name is paged after five minutes if nobody answers
  at: 2026-11-23T10:00:00Z
  incident: {title: Card payments fail, severity: sev1}
  expect: [{after: 5m, page: bo, as: technical_lead}, {after: 6m, page: ana}]
"""
COMMANDS = """
import sys
from tocsin.cli import main
for command in (["check"], ["oncall"], ["oncall", "--from", "2026-12-01T00:00Z", "--to", "2026-12-20T00:00Z"], ["status"],
                ["simulate", f"incidents/{sys.argv[1]}.yaml", "--for", "6m"], ["explain", sys.argv[1]], ["test"],
                ["send-test", "ana"], ["explain", "nothing-of-the-kind-is-known-to-anybody-here"]):
    print("=", *command[:1], flush=True)
    try:
        main(command)
    except SystemExit:
        pass
"""


@pytest.fixture
def pager(tmp_path: Path) -> Iterator[Pager]:
    pager = Pager(tmp_path, TERM="xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        pager.environ.pop(name, None)
    pager.write(f"{ID}.yaml", FILE)
    yield pager
    if pager.process is not None:
        pager.stop(signal.SIGKILL)


def test_nothing_is_broken_inside_a_word(pager: Pager) -> None:
    """At 60 columns: no row is too long but one that is a single word; ids, addresses and file:line:col stay whole."""
    (pager.folder / "config" / "tests").mkdir()
    (pager.folder / "config" / "tests" / "sev1.yaml").write_text(TESTS)
    with (pager.folder / "config" / "all.yaml").open("a") as config:
        config.write("rotations: {engineers: {shifts: [{members: [ana, bo], handoff: '0 9 * * mon', timezone: UTC, ")
        config.write("starts: 2026-01-05T00:00}]}}\n")
    with Terminal([sys.executable, "-c", COMMANDS, ID], 60, cwd=pager.folder, env=pager.environ) as terminal:
        seen = terminal.end(60)
    rows = [row.rpartition("\r")[2] for row in plain(seen).split("\n")]
    assert [row for row in rows if cell_len(row) > 60 and len(row.split()) > 1] == []
    words = " ".join(rows).split()
    for word in (ID, "<ana@example.com>", f"incidents/{ID}.yaml:3:1:", "config/all.yaml:7", "config/tests/sev1.yaml:2"):
        assert any(word in known for known in words), (word, words)
    assert "Traceback" not in seen
    assert [row for row in rows if row.startswith("=")] == [
        "= check", "= oncall", "= oncall", "= status", "= simulate", "= explain", "= test", "= send-test", "= explain",
    ]  # fmt: skip
    for coloured in (
        "\x1b[1;97;41mSEV1\x1b[0m",
        "\x1b[1;35mwarning:\x1b[0m",
        "\x1b[1;31mFAIL\x1b[0m",
        "\x1b[1;31mnobody yet",
    ):
        assert coloured in seen, coloured


def test_status_is_watched(pager: Pager) -> None:
    """It counts down to the next page, keeps what it saw when the ledger is away, follows the terminal's size, and
    leaves the terminal as it was.
    """
    pager.start()
    pager.until(lambda: pager.mails("page"))
    ledger = pager.folder / "var" / "tocsin.db"
    with Terminal([TOCSIN, "status", "--watch"], 100, cwd=pager.folder, env=pager.environ) as watching:
        first = watching.until(" UTC, in 4m")
        assert "not accepted" in plain(first)
        assert "next Bo Berg" in plain(first)
        watching.resize(40)
        watching.until("  most customers since the deployment")
        assert pager.stop(signal.SIGKILL) == -signal.SIGKILL
        watching.until("no daemon seems to run")
        for path in ledger.parent.glob("tocsin.db-*"):
            path.unlink()
        ledger.write_bytes(b"no database" * 1000)
        away = plain(watching.until("the ledger cannot be"))
        watching.until("not accepted")
        assert "not seen by the daemon" not in away
        watching.interrupt()
        rest = watching.end()
        assert watching.process.returncode == 0
    assert rest.index("\x1b[?1049h") < rest.index("\x1b[?1049l")
    assert "\x1b[?25h" in rest
    assert "not accepted" in plain(rest.partition("\x1b[?1049l")[2])
