"""`tocsin pass` where there is nothing to pass on, or nobody who asks the next (P7)."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.app.lifecycle.health import HEALTHY
from tocsin.cli import pass_, tocsin
from tocsin.domain.arrival import CommandAnswerEntry
from tocsin.domain.facts import Answer, Paged, RoleOpened, Seen, StepFired
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Reason
from tocsin.domain.people import Channel
from tocsin.formats.inbox.entries import read_entry

from tests.fakes.pager import CONFIG, SETTINGS


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A small config and an incident, without a ledger."""
    for name in ("config", "incidents"):
        (tmp_path / name).mkdir()
    (tmp_path / "config" / "all.yaml").write_text(CONFIG)
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS)
    (tmp_path / "incidents" / "pay.yaml").write_text("title: Payments fail\nseverity: sev1\n")
    return tmp_path


def seen(here: Path, *, healthy: bool) -> None:
    """The daemon knows the incident and has asked ana; it was well a moment ago, or an hour."""

    async def write() -> None:
        ledger = SqlLedger(FileStore(open_file(here / "var" / "tocsin.db", "now")))
        now = datetime.now(UTC)
        at = now - timedelta(minutes=1)
        role, reason = "technical_lead", Reason.DECLARED
        facts = [
            Seen(at, Incident("pay", "Payments fail", "sev1")),
            RoleOpened(at, role, reason),
            StepFired(at, role, 1, 0, ("ana",)),
            Paged(at, "ana", (role,), 0, 1, reason, (Channel.SMS,)),
        ]
        await ledger.record("pay", facts, [], [])
        await ledger.claim_notice(HEALTHY, now if healthy else now - timedelta(hours=1), timedelta(0))
        await ledger.close()

    (here / "var").mkdir()
    asyncio.run(write())


def run(here: Path, *arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(tocsin, ["pass", *arguments, "--config", str(here / "config")], env=environ)


def test_without_a_ledger_nobody_is_asked(here: Path) -> None:
    """No daemon has run: one sentence, exit 1, and nothing is written anywhere."""
    done = run(here, "pay", "--as", "ana")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "there is no ledger yet; no daemon has run on it, so nobody is asked; nothing was noted" in done.stderr
    assert not (here / "var").exists()


def test_without_a_healthy_daemon_nobody_is_asked(here: Path) -> None:
    """Exit 1 and what to do; what would count an hour later is not left behind."""
    seen(here, healthy=False)
    done = run(here, "pay", "--as", "ana")
    assert done.exit_code == 1
    assert done.stderr.startswith("no healthy daemon runs here, so nobody would be asked next: nothing was noted\n")
    assert not (here / "var" / "inbox").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["pay", "--as", "Bo Berg"],
            "Bo Berg is not asked for anything in pay and holds no role of it; nothing was noted",
        ),
        (["pay", "--as", "boo"], 'unknown person "boo"; did you mean "bo"?'),
        (["pya", "--as", "ana"], 'the daemon knows no incident "pya"; did you mean "pay"?; nothing was noted'),
    ],
)
def test_what_cannot_be_passed_on(here: Path, arguments: list[str], said: str) -> None:
    """One sentence each, exit 1."""
    seen(here, healthy=True)
    done = run(here, *arguments)
    assert (done.exit_code, done.stderr) == (1, f"{said}\n")
    assert not (here / "var" / "inbox").exists()


def test_who_passes_must_be_said(here: Path) -> None:
    """That is wrong usage, and $TOCSIN_AS says it as well."""
    assert run(here, "pay").exit_code == 2
    seen(here, healthy=True)
    assert "Bo Berg is not asked" in run(here, "pay", TOCSIN_AS="bo").stderr


def test_what_is_not_confirmed_is_not_called_done(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry is there and counts later, and the sentence says that it does not yet: exit 1."""
    seen(here, healthy=True)
    monkeypatch.setattr(pass_, "WAITS", 0.1)
    done = run(here, "p", "--as", "ana")
    assert done.exit_code == 1
    assert done.stderr.startswith("p is pay\nNOT yet passed on: the daemon has not confirmed it within 0 s. It counts")
    (left,) = (here / "var" / "inbox").iterdir()
    entry = read_entry(left.read_bytes())
    assert isinstance(entry, CommandAnswerEntry)
    assert (entry.incident, entry.episode, entry.person, entry.answer) == ("pay", 1, "ana", Answer.PASS)
