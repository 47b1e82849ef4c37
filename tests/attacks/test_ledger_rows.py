"""D5: rows of the ledger that cannot be read, under the real daemon (rule 63)."""

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.pager import ROOMY, Pager

OPEN = "title: {title}\nseverity: sev1\n"


@pytest.fixture
def pager(tmp_path: Path) -> Iterator[Pager]:
    pager = Pager(tmp_path, **ROOMY)
    yield pager
    if pager.process is not None:
        pager.stop(signal.SIGKILL)


def spoil(pager: Pager, statement: str) -> None:
    """Edit the ledger by hand while the daemon is down."""
    with closing(sqlite3.connect(pager.folder / "var" / "tocsin.db", isolation_level=None)) as ledger:
        assert ledger.execute(statement).rowcount > 0


def pages(pager: Pager, incident: str, to: str = "") -> int:
    """How many pages by email there were."""
    return sum(mail["X-Tocsin-Incident"] == incident for mail in pager.mails("page", to))


def told(pager: Pager) -> str:
    """All that the operators were told."""
    bodies = [mail.get_body(("plain",)) for mail in pager.mails("operator", "olga")]
    return "\n".join(body.get_content() for body in bodies if body is not None)


def declare_two(pager: Pager) -> None:
    """Two incidents, paged and kept; then the power fails."""
    pager.start()
    for name in ("db", "web"):
        pager.write(f"{name}.yaml", OPEN.format(title=name))
        pager.until(lambda name=name: pages(pager, name) == 1)
    pager.stop(signal.SIGKILL)


@pytest.mark.attack
def test_one_bad_row_sets_aside_its_own_incident(pager: Pager) -> None:
    """Rule 63: the daemon starts; the other incident goes on, unasked anew; this one is declared anew from its file,
    and its pages really leave. Commands say in a line what they lack. A second start finds nothing to mend.
    """
    declare_two(pager)
    spoil(pager, "UPDATE facts SET body = '{}' WHERE incident = 'db' AND kind = 'Paged'")
    status, explained = pager.run("status"), pager.run("explain", "db")
    assert (status.returncode, explained.returncode) == (0, 0)
    for command in (status, explained):
        assert "cannot be read" in command.stdout
        assert "Traceback" not in command.stderr
    pager.start()
    pager.until(lambda: pages(pager, "db") == 2)
    pager.until(lambda: "incident db is set aside and declared anew from its file" in told(pager))
    assert pages(pager, "web") == 1
    assert pager.run("ack", "db", "--as", "ana").returncode == 0
    pager.until(lambda: "Ana Souza, accepted" in pager.run("status").stdout)
    assert pager.stop() == 0
    pager.start()
    assert pager.stop() == 0
    assert (pages(pager, "db"), pages(pager, "web")) == (2, 1)


@pytest.mark.attack
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE facts SET body = CAST(X'7bff' AS TEXT) WHERE incident = 'db' AND kind = 'Seen'",
        "UPDATE facts SET kind = 'Dreamt' WHERE incident = 'db' AND kind = 'StepFired'",
        "UPDATE notifications SET reason = 'boredom', state = 'pending' WHERE incident = 'db' AND kind = 'page'",
        "DELETE FROM facts WHERE incident = 'db' AND kind = 'Seen'",
        'UPDATE facts SET body = replace(body, \'"group":"support"\', \'"group":"moon"\') '
        "WHERE incident = 'db' AND kind = 'Updated'",
    ],
)
def test_whatever_cannot_be_read(pager: Pager, statement: str) -> None:
    """Rule 63: a version, a step, a letter, a row gone, facts that do not fit together: that incident alone is paged
    again, and the daemon starts and stops as ever.
    """
    declare_two(pager)
    spoil(pager, statement)
    pager.start()
    if "moon" not in statement:  # an unknown group fits: it is dropped as one that left the config
        pager.until(lambda: pages(pager, "db") == 2)
    assert pages(pager, "web") == 1
    assert pager.stop() == 0


@pytest.mark.attack
def test_without_a_file_the_last_resort_is_paged(pager: Pager) -> None:
    """Rule 63: nobody else can know what it was. Once the file is there, it is declared normally."""
    declare_two(pager)
    (pager.folder / "incidents" / "db.yaml").unlink()
    spoil(pager, "UPDATE facts SET body = '{}' WHERE incident = 'db' AND kind = 'Seen'")
    pager.start()
    pager.until(lambda: pages(pager, "db", "olga") == 1)
    pager.stop(signal.SIGKILL)
    pager.start()
    pager.write("db.yaml", OPEN.format(title="db"))
    pager.until(lambda: pages(pager, "db", "ana") == 2)
    assert pages(pager, "db", "olga") == 1
    assert pager.stop() == 0


@pytest.mark.attack
def test_what_was_over_pages_nobody(pager: Pager) -> None:
    """Rule 63: an incident that was resolved, as far as can be read, is only told; also when its file is there."""
    pager.start()
    for name in ("db", "web"):
        pager.write(f"{name}.yaml", OPEN.format(title=name))
        pager.until(lambda name=name: pages(pager, name) == 1)
        pager.write(f"{name}.yaml", OPEN.format(title=name) + "status: resolved\n")
    pager.until(lambda: len(pager.mails("closing", "ana")) == 2)
    pager.stop(signal.SIGKILL)
    (pager.folder / "incidents" / "db.yaml").unlink()
    spoil(pager, "UPDATE incidents SET finished = 0")
    spoil(pager, "UPDATE facts SET body = '{}' WHERE kind = 'Paged'")
    sent = len(pager.mails())
    pager.start()
    pager.until(lambda: "db" in told(pager) and "web" in told(pager))
    pager.until(lambda: "db" not in unfinished(pager), 30)
    assert {mail["X-Tocsin-Kind"] for mail in pager.mails()[sent:]} == {"operator"}
    assert pager.stop() == 0


def unfinished(pager: Pager) -> set[str]:
    """The incidents that a start would load."""
    with closing(sqlite3.connect(pager.folder / "var" / "tocsin.db")) as ledger:
        return {row[0] for row in ledger.execute("SELECT id FROM incidents WHERE NOT finished")}


@pytest.mark.attack
def test_a_finished_incident_that_cannot_be_read_is_reopened(pager: Pager) -> None:
    """Rule 63: what rests in the ledger is read when its file opens again; if it cannot be, people are paged all the
    same.
    """
    pager.start()
    pager.write("db.yaml", OPEN.format(title="db"))
    pager.until(lambda: pages(pager, "db") == 1)
    pager.write("db.yaml", OPEN.format(title="db") + "status: resolved\n")
    pager.until(lambda: pager.mails("closing", "ana"))
    assert pager.stop() == 0
    spoil(pager, "UPDATE incidents SET finished = 1")
    spoil(pager, "UPDATE facts SET body = '{}' WHERE kind = 'Paged'")
    pager.start()
    assert pages(pager, "db") == 1
    pager.write("db.yaml", OPEN.format(title="db"))
    pager.until(lambda: pages(pager, "db") == 2)
    pager.until(lambda: "it was over" in told(pager))
    assert pager.stop() == 0


@pytest.mark.attack
def test_a_kept_config_that_does_not_inflate(pager: Pager) -> None:
    """Rule 63: with a good config on disk it does not matter; with a bad one, it is as if none had been kept."""
    declare_two(pager)
    spoil(pager, "UPDATE configs SET files = X'00'")
    pager.start()
    assert pages(pager, "db") == 1
    assert pager.stop() == 0
    spoil(pager, "UPDATE configs SET files = X'00'")
    (pager.folder / "config" / "all.yaml").write_text("people: 1\n")
    ended = pager.run("run")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.attack
def test_facts_in_another_order_are_for_no_command_the_end(pager: Pager) -> None:
    """Rule 63: commands say of an incident whose facts do not fit together that they do not, and show the others."""
    declare_two(pager)
    spoil(pager, "UPDATE facts SET sequence = 1000000 - sequence WHERE incident = 'db'")
    for command in (("status",), ("status", "--format", "json"), ("explain", "db"), ("explain", "web")):
        done = pager.run(*command)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
    shown = pager.run("status").stdout
    assert "does not fit those before it" in shown
    assert "web" in shown
