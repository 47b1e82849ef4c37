"""`tocsin resubscribe` without a daemon, and where there is nothing to undo."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import CliRunner, Result
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.cli.resubscribe import command
from tocsin.domain.arrival import OptOut, ResubscribeEntry
from tocsin.domain.people import Channel
from tocsin.formats.inbox.entries import read_entry

from tests.fakes.pager import CONFIG, SETTINGS

AT = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
T = TypeVar("T")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "var").mkdir()
    (tmp_path / "config" / "all.yaml").write_text(CONFIG)
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS)
    return tmp_path


def with_ledger(folder: Path, act: Callable[[SqlLedger], Awaitable[T]]) -> T:
    """Do something with the folder's ledger, and close it."""

    async def run() -> T:
        ledger = SqlLedger(FileStore(open_file(folder / "var" / "tocsin.db", "now"), None))
        try:
            return await act(ledger)
        finally:
            await ledger.close()

    return asyncio.run(run())


def off(folder: Path, *opt_outs: OptOut) -> None:
    """These want nothing more."""

    async def write(ledger: SqlLedger) -> None:
        for opt_out in opt_outs:
            await ledger.opt_out(opt_out)

    with_ledger(folder, write)


def resubscribe(folder: Path, address: str) -> Result:
    return CliRunner().invoke(command, [address, "--config", str(folder / "config")])


def test_without_a_daemon_it_is_left_for_the_next_start(folder: Path) -> None:
    """It says so, and what it left names the address as it was written when it was taken off."""
    off(folder, OptOut(Channel.EMAIL, "Press@example.com", AT, "click"))
    result = resubscribe(folder, "press@EXAMPLE.com")
    assert (result.exit_code, result.output) == (
        0,
        "Press@example.com is told again once the daemon runs: no healthy one does now\n",
    )
    (left,) = (folder / "var" / "inbox").iterdir()
    entry = read_entry(left.read_bytes())
    assert isinstance(entry, ResubscribeEntry)
    assert entry.address == "Press@example.com"


@pytest.mark.parametrize("written", ["+14155550101", "+1 (415) 555-0101"])
def test_a_phone_number_is_no_matter_of_ours(folder: Path, written: str) -> None:
    """Rule 51: only a START from it lifts that; nothing is left behind."""
    off(folder, OptOut(Channel.SMS, "+14155550101", AT, "SM1"))
    result = resubscribe(folder, written)
    assert result.exit_code == 1
    assert result.stderr == (
        "+14155550101 answered STOP on 2026-11-23 23:59 UTC; only a START sent from that number lifts it\n"
    )
    assert not (folder / "var" / "inbox").exists()


def test_nothing_to_undo(folder: Path) -> None:
    """One clear line, with what was perhaps meant."""
    off(folder)
    assert resubscribe(folder, "press@example.com").stderr == (
        '"press@example.com" is not unsubscribed; no address is\n'
    )
    off(folder, OptOut(Channel.EMAIL, "press@example.com", AT, "click"))
    result = resubscribe(folder, "pres@example.com")
    assert (result.exit_code, result.stderr) == (
        1,
        '"pres@example.com" is not unsubscribed; did you mean "press@example.com"?\n',
    )


def test_without_a_ledger(folder: Path) -> None:
    """It says what is missing."""
    result = resubscribe(folder, "press@example.com")
    assert (result.exit_code, result.stderr) == (1, "there is no ledger yet; who unsubscribed is kept there\n")
