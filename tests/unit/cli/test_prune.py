"""`tocsin prune` without a daemon, and what it leaves for one (P7)."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tocsin.adapters.files import watch_mark
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.lock import Lock
from tocsin.app.lifecycle.health import HEALTHY
from tocsin.cli.prune import command
from tocsin.domain.arrival import Arrival, ArrivalKind, PruneEntry
from tocsin.domain.facts import Closed, Seen
from tocsin.domain.incident import Incident, Status, TimelineNote, UpdateEntry
from tocsin.formats.inbox.entries import read_entry

from tests.fakes.pager import SETTINGS
from tests.unit.cli.test_resubscribe import folder, with_ledger

__all__ = ["folder"]
DAY = timedelta(days=1)


def prune(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(command, [*words, "--config", str(folder / "config")])


def with_incidents(folder: Path, **days: int) -> None:
    """Incidents that were closed so many days ago; 0: open."""
    now = datetime.now(UTC)

    async def write(ledger: SqlLedger) -> None:
        for id_, ago in days.items():
            at = now - ago * DAY
            status = Status.RESOLVED if ago else Status.INVESTIGATING
            await ledger.record(id_, [Seen(at, Incident(id_, "x", "sev1", status), f"digest-{id_}")], (), ())
            if ago:
                await ledger.record(id_, [Closed(at)], (), ())
                await ledger.finish(id_)

    with_ledger(folder, write)


def there(folder: Path) -> set[str]:
    return set(with_ledger(folder, lambda ledger: ledger.incidents()))


def test_without_a_daemon_the_command_does_it(folder: Path) -> None:
    """What is open, or was closed later, stays; what it did is said."""
    with_incidents(folder, old=500, older=900, late=300, open=0)
    result = prune(folder, "--before", "400d")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("2 incidents pruned, closed before 20")
    assert there(folder) == {"late", "open"}
    assert set(with_ledger(folder, lambda ledger: ledger.pruned_digests())) == {"old", "older"}
    assert prune(folder, "--before", "400d").stdout.startswith("0 incidents pruned")


def test_a_dry_run_does_nothing(folder: Path) -> None:
    """It lists what would go."""
    with_incidents(folder, old=500, late=300)
    result = prune(folder, "--before", "400d", "--dry-run")
    assert (result.exit_code, result.stdout) == (0, "old\n")
    assert "1 incident would go" in result.stderr
    assert there(folder) == {"old", "late"}


def test_keep_says_what_goes(folder: Path) -> None:
    """Without `--before` it counts; without either nothing goes by mistake."""
    with_incidents(folder, old=500, late=300)
    result = prune(folder)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "say what is to go: --before 400d; or for good: keep: 400d in tocsin.yaml" in result.stderr
    (folder / "config" / "tocsin.yaml").write_text(f"keep: 400d\n{SETTINGS}")
    assert prune(folder).stdout.startswith("1 incident pruned")
    assert there(folder) == {"late"}


def test_what_was_closed_lately_stays(folder: Path) -> None:
    """Its reply codes are still nobody else's, and links lead to it."""
    with_incidents(folder, old=8, late=6)
    result = prune(folder, "--before", "1h")
    assert "what was closed in the last 7 days stays" in result.stderr
    assert there(folder) == {"late"}


@pytest.mark.parametrize("written", ["6d", "1h", "0s", "sometimes"])
def test_a_keep_that_is_too_short_is_a_problem(folder: Path, written: str) -> None:
    """It is told with its place, and nothing goes."""
    with_incidents(folder, old=500)
    (folder / "config" / "tocsin.yaml").write_text(f"keep: {written}\n{SETTINGS}")
    result = prune(folder)
    assert result.exit_code == 1
    assert "tocsin.yaml:1:" in result.stderr
    assert there(folder) == {"old"}


def test_a_daemon_that_is_not_healthy_is_left_in_peace(folder: Path) -> None:
    """Two who write would be one too many."""
    with_incidents(folder, old=500)
    lock = Lock(folder / "var" / "tocsin.db")
    try:
        result = prune(folder, "--before", "400d")
    finally:
        lock.release()
    assert result.exit_code == 1
    assert "another tocsin works on this ledger" in result.stderr
    assert there(folder) == {"old"}


def order(folder: Path) -> Path:
    """The order that was left for the daemon, once it is there."""
    while not (left := list((folder / "var").glob("inbox/*.json"))):
        time.sleep(0.05)
    return left[0]


def test_a_daemon_does_it_and_what_it_says_is_told(folder: Path) -> None:
    """The order lies in the inbox; its end is waited for."""
    with_incidents(folder, old=500)
    with_ledger(folder, lambda ledger: ledger.claim_notice(HEALTHY, datetime.now(UTC), DAY))

    with ThreadPoolExecutor() as threads:
        asked = threads.submit(prune, folder, "--before", "400d")
        entry = read_entry(order(folder).read_bytes())
        assert isinstance(entry, PruneEntry)
        answer(folder, entry)
        result = asked.result()
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("17 incidents pruned")


def test_an_order_that_the_daemon_takes_away_and_does_not_follow(folder: Path) -> None:
    """Nobody waits for an order of which nothing is left: what the daemon refuses leaves no trace in the ledger."""
    with_incidents(folder, old=500)
    with_ledger(folder, lambda ledger: ledger.claim_notice(HEALTHY, datetime.now(UTC), DAY))
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(prune, folder, "--before", "400d")
        order(folder).unlink()
        result = asked.result(timeout=10)
    assert result.exit_code == 1
    assert "the daemon refused the order" in result.stderr
    assert there(folder) == {"old"}


@pytest.mark.parametrize("words", [("--before", "400d"), ("--person", "ana", "--yes")])
def test_whoever_the_daemon_would_refuse_hears_so_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """It takes that order of root and of its own user alone: nothing is left for it, and nothing waited for."""
    with_incidents(folder, old=500)
    with_ledger(folder, lambda ledger: ledger.claim_notice(HEALTHY, datetime.now(UTC), DAY))
    incidents = folder / "incidents"
    incidents.mkdir(exist_ok=True)
    (incidents / watch_mark.NAME).touch()
    monkeypatch.setattr("tocsin.cli.prune.os.geteuid", lambda: os.getuid() + 4711)
    result = prune(folder, *words)
    assert result.exit_code == 1
    assert "only root and the daemon's own user" in result.stderr
    assert not list((folder / "var").glob("inbox/*.json"))
    assert there(folder) == {"old"}


def answer(folder: Path, entry: PruneEntry) -> None:
    """As the daemon does."""

    async def write(ledger: SqlLedger) -> None:
        await ledger.record_arrival(Arrival(ArrivalKind.PRUNE, entry.ref, "", "", datetime.now(UTC)))
        ((row, _),) = await ledger.unjudged_arrivals()
        await ledger.record_result(row, "pruned", "17")

    with_ledger(folder, write)


def test_without_a_ledger(folder: Path) -> None:
    """There is nothing to prune."""
    result = prune(folder, "--before", "400d")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        1,
        "there is no ledger yet; what is to go is kept there",
    )


def with_words(folder: Path) -> None:
    """A closed incident and an open one, in which somebody wrote and is named."""
    now = datetime.now(UTC)

    async def write(ledger: SqlLedger) -> None:
        entry = UpdateEntry("It is the disk.\nI am on it.", by="ana")
        note = TimelineNote("Rang Ana Souza\x1b[31m\nand bo", by="bo")
        for id_, status in (("old", Status.RESOLVED), ("late", Status.RESOLVED), ("new", Status.INVESTIGATING)):
            version = Incident(id_, "Disk", "sev1", status, updates=(entry,), timeline=(note,))
            await ledger.record(id_, [Seen(now, replace(version, impact=impact), "d") for impact in "ab"], (), ())
        await ledger.finish("old")

    with_ledger(folder, write)


def test_a_dry_run_shows_line_by_line_what_would_change(folder: Path) -> None:
    """Each line once, however many versions have it; at the end what is left out, and why. Nothing is done, so nobody
    has to say --yes.
    """
    with_words(folder)
    result = prune(folder, "--person", "ana", "--also", "Ana Souza", "--dry-run")
    assert (result.exit_code, result.stdout) == (
        0,
        "old\n"
        "  file: updates.text\n"
        "  - It is the disk.\n"
        "  - I am on it.\n"
        "  + erased\n"
        "  file: updates.by\n"
        "  - ana\n"
        "  + somebody (erased)\n"
        "  file: timeline.text\n"
        "  - Rang Ana Souza\n"
        "  + Rang somebody (erased)\n",
    )
    assert "1 incident would change; nothing was done" in result.stderr
    assert (
        "left out: late is resolved, but verify, review or a message is still to come, and names ana" in result.stderr
    )
    assert "left out: new is open, and names ana" in result.stderr
    assert prune(folder, "--person", "ana", "--also", "Ana Souza", "--dry-run").stdout == result.stdout


def test_what_was_left_out_is_said_when_it_is_done(folder: Path) -> None:
    """Whoever asked has to come back to it."""
    with_words(folder)
    result = prune(folder, "--person", "ana", "--also", "Ana Souza", "--yes")
    assert (result.exit_code, result.stdout) == (0, "ana is erased from 1 incident\n")
    assert result.stderr.count("left out: ") == 2
    assert "left out: new is open, and names ana" in result.stderr
    again = prune(folder, "--person", "ana", "--also", "Ana Souza", "--dry-run")
    assert (again.stdout, "0 incidents would change" in again.stderr) == ("", True)


def test_a_name_of_one_word_is_looked_for_in_texts_only_if_that_is_said(folder: Path) -> None:
    """It may be any word; that it was not is said."""
    with_incidents(folder, old=500)
    people = folder / "config" / "people.yaml"
    people.write_text("people:\n  will: {name: Will, email: will@example.com}\n")
    result = prune(folder, "--person", "will", "--dry-run")
    assert "Will is one word, so it was looked for where a person is meant" in result.stderr
    assert "for that too: --also Will" in result.stderr
    assert "one word" not in prune(folder, "--person", "will", "--also", "Will", "--dry-run").stderr


def test_more_names_than_an_order_holds(folder: Path) -> None:
    """The daemon would refuse it, and nobody would hear of that."""
    with_incidents(folder, old=500)
    also = [word for number in range(21) for word in ("--also", f"Name {number}")]
    result = prune(folder, "--person", "gone", *also)
    assert result.exit_code == 1
    assert "--also takes 20 names and addresses at the most" in result.stderr
    assert prune(folder, "--also", "Ana", "--before", "400d").exit_code == 2


def test_a_person_is_forgotten(folder: Path) -> None:
    """Who is in the config only if that is meant; who is not, by the names that are said. What is left is said too."""
    with_incidents(folder, old=500)
    result = prune(folder, "--person", "ana")
    assert result.exit_code == 1
    assert "ana is in the config, and would be written down again" in result.stderr
    result = prune(folder, "--person", "gone")
    assert result.exit_code == 1
    assert "say their names and addresses, by --also for each" in result.stderr
    result = prune(folder, "--person", "ana", "--yes")
    assert (result.exit_code, result.stdout) == (0, "ana is erased from 0 incidents\n")
    assert "logs and older backups are for you to change" in result.stderr
    result = prune(folder, "--person", "gone", "--also", "Gone Away")
    assert (result.exit_code, result.stdout) == (0, "gone is erased from 0 incidents\n")
    assert prune(folder, "--person", "ana", "--before", "400d").exit_code == 2
    assert there(folder) == {"old"}
