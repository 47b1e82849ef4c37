"""`tocsin sign-out` without a daemon, and where nobody is signed in (P8)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tocsin.cli.sign_out import command
from tocsin.domain.arrival import SignOutEntry
from tocsin.domain.people import Session
from tocsin.formats.inbox.entries import read_entry

from tests.unit.cli.test_resubscribe import folder, with_ledger

__all__ = ["folder"]
AT = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)


def sign_out(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(command, [*words, "--config", str(folder / "config")])


def signed_in(folder: Path, *people: str) -> None:
    for number, person in enumerate(people):
        session = Session(f"{number}", person, AT)
        with_ledger(folder, lambda ledger, session=session: ledger.begin_session(session))


@pytest.mark.parametrize(
    ("words", "person", "who"),
    [(["ana"], "ana", "ana"), (["ANA@example.com"], "ana", "ana"), (["--all"], "", "everybody")],
)
def test_without_a_daemon_it_is_left_for_the_next_start(folder: Path, words: list[str], person: str, who: str) -> None:
    """It says so; the entry is one that only commands may leave."""
    signed_in(folder, "ana", "bo")
    result = sign_out(folder, *words)
    said = f"{who} is signed out once the daemon runs: no healthy one does now, so nobody acts either\n"
    assert (result.exit_code, result.output) == (0, said)
    (left,) = (folder / "var" / "inbox").iterdir()
    entry = read_entry(left.read_bytes())
    assert isinstance(entry, SignOutEntry)
    assert entry.person == person


def test_who_is_signed_in_nowhere(folder: Path) -> None:
    """That is true already, but for a name that nobody bears; who left the config is signed out all the same."""
    signed_in(folder, "ana", "gone")
    assert (sign_out(folder, "bo").exit_code, sign_out(folder, "bo").output) == (0, "bo is signed in nowhere\n")
    result = sign_out(folder, "anna")
    said = '"anna" is nobody of the config, and signed in nowhere; did you mean "ana"?\n'
    assert (result.exit_code, result.stderr) == (1, said)
    assert not (folder / "var" / "inbox").exists()
    assert sign_out(folder, "gone").output.startswith("gone is signed out once")


@pytest.mark.parametrize("words", [[], ["ana", "--all"]])
def test_one_or_all(folder: Path, words: list[str]) -> None:
    """Wrong usage is 2, and says what is right."""
    result = sign_out(folder, *words)
    assert result.exit_code == 2
    assert "name a person, or give --all" in result.stderr


def test_without_a_ledger(folder: Path) -> None:
    """It says what is missing; nobody signed in is no fault."""
    assert sign_out(folder, "ana").stderr == "there is no ledger yet; who is signed in is kept there\n"
    signed_in(folder)
    with_ledger(folder, lambda ledger: ledger.sessions())
    assert sign_out(folder, "--all").output == "nobody is signed in\n"
