"""D6, D19, D20: the disk of the ledger is full or cannot be written, its file goes away or grows younger (rule 64)."""

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tocsin.adapters.ledger.sqlite.ballast import SIZE

from tests.fakes.pager import ROOMY, SETTINGS, Pager

OPEN = "title: {title}\nseverity: sev1\n"
SMALL = f"ledger: sqlite:///../small/tocsin.db\n{SETTINGS}"

needs_mount = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


@pytest.fixture
def pager(tmp_path: Path) -> Iterator[Pager]:
    pager = Pager(tmp_path, **ROOMY)
    yield pager
    if pager.process is not None:
        pager.stop(signal.SIGKILL)


@pytest.fixture
def small(pager: Pager) -> Iterator[Path]:
    """A disk of 40 MB with the ledger alone on it."""
    disk = pager.folder / "small"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", disk], check=False)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    (pager.folder / "config" / "tocsin.yaml").write_text(SMALL)
    yield disk
    if pager.process is not None:
        pager.stop(signal.SIGKILL)
    subprocess.run(["umount", "-l", disk], check=True)


def fill(disk: Path) -> None:
    """Use every block that is left."""
    with (disk / "filler").open("ab", 0) as filler:
        for size in (1 << 16, 4096, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                continue


def pages(pager: Pager, incident: str) -> int:
    """How many pages by email there were."""
    return sum(mail["X-Tocsin-Incident"] == incident for mail in pager.mails("page"))


def told(pager: Pager) -> str:
    """All that the operators were told."""
    bodies = [mail.get_body(("plain",)) for mail in pager.mails("operator", "olga")]
    return "\n".join(body.get_content() for body in bodies if body is not None)


def declare(pager: Pager, name: str, number: int = 1) -> None:
    """An incident, and its first page."""
    pager.write(f"{name}.yaml", OPEN.format(title=name))
    pager.until(lambda: pages(pager, name) == number)


def seen(ledger: Path) -> set[str]:
    """The incidents that a ledger file knows."""
    with closing(sqlite3.connect(ledger)) as connection:
        return {row[0] for row in connection.execute("SELECT DISTINCT incident FROM facts")}


@needs_mount
@pytest.mark.attack
def test_a_start_on_a_full_disk(pager: Pager, small: Path) -> None:
    """Rule 64: after a clean stop the disk is filled. The ballast gives the room to start, page and write; it is held
    again once there is room, and the operators hear of both.
    """
    pager.start()
    declare(pager, "db")
    pager.until(lambda: (small / "tocsin.db.ballast").exists())
    assert (small / "tocsin.db.ballast").stat().st_size == SIZE
    assert pager.stop() == 0
    fill(small)
    pager.start()
    declare(pager, "web")
    pager.until(lambda: "The ledger's disk is full" in told(pager))
    assert pages(pager, "db") == 1
    assert seen(small / "tocsin.db") == {"db", "web"}
    (small / "filler").unlink()
    assert pager.stop() == 0
    pager.start()
    pager.until(lambda: (small / "tocsin.db.ballast").exists())
    assert (pages(pager, "db"), pages(pager, "web")) == (1, 1)
    assert pager.stop() == 0


@needs_mount
@pytest.mark.attack
def test_a_start_on_a_full_disk_without_ballast(pager: Pager, small: Path) -> None:
    """Rule 64: the ledger goes on in memory with all that its file holds, pages, and tells; once there is room it
    returns into its file, and a restart knows everything.
    """
    pager.start()
    declare(pager, "db")
    assert pager.stop() == 0
    (small / "tocsin.db.ballast").unlink()
    fill(small)
    pager.start()
    declare(pager, "web")
    pager.until(lambda: "The ledger is kept in memory" in told(pager))
    assert "it knows all that the file held" in told(pager)
    assert pages(pager, "db") == 1
    assert pager.run("status").returncode in {0, 1}
    (small / "filler").unlink()
    pager.until(lambda: "The ledger is in its file again" in told(pager), 60)
    declare(pager, "dns")
    assert not list(small.glob("tocsin.db.before-*"))
    assert pager.stop() == 0
    assert seen(small / "tocsin.db") == {"db", "web", "dns"}
    pager.start()
    assert pager.stop() == 0
    assert [pages(pager, name) for name in ("db", "web", "dns")] == [1, 1, 1]


@needs_mount
@pytest.mark.attack
def test_a_first_start_on_a_full_disk(pager: Pager, small: Path) -> None:
    """Rule 64: there is no ledger yet and no room for one: people are paged all the same."""
    fill(small)
    pager.start()
    declare(pager, "db")
    pager.until(lambda: "The ledger is kept in memory" in told(pager))
    (small / "filler").unlink()
    pager.until(lambda: "The ledger is in its file again" in told(pager), 60)
    assert "db" in seen(small / "tocsin.db")
    assert pager.stop() == 0


@needs_mount
@pytest.mark.attack
def test_a_start_on_a_disk_that_can_only_be_read(pager: Pager, small: Path) -> None:
    """Rule 64: as Linux leaves a disk after bad I/O. The open incident is known, a new one is paged."""
    pager.start()
    declare(pager, "db")
    assert pager.stop() == 0
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    pager.start()
    declare(pager, "web")
    pager.until(lambda: "The ledger is kept in memory" in told(pager))
    assert pages(pager, "db") == 1
    assert "is gone" not in told(pager)
    subprocess.run(["mount", "-o", "remount,rw", small], check=True)
    pager.until(lambda: "The ledger is in its file again" in told(pager), 90)  # up to a minute is gathered (rule 39)
    assert pager.stop() == 0
    assert seen(small / "tocsin.db") == {"db", "web"}


@pytest.mark.attack
@pytest.mark.parametrize("names", [("tocsin.db",), ("tocsin.db", "tocsin.db-wal", "tocsin.db-shm"), ("",)])
def test_the_ledger_is_deleted_while_it_runs(pager: Pager, names: tuple[str, ...]) -> None:
    """Rule 64: it is made anew with all it held, and told; a restart pages nobody again."""
    pager.start()
    declare(pager, "db")
    var = pager.folder / "var"
    for name in names:
        if name:
            (var / name).unlink()
        else:
            (var / "outbox").rename(pager.folder / "outbox")
            shutil.rmtree(var)
            var.mkdir(mode=0o700)
            (pager.folder / "outbox").rename(var / "outbox")
    pager.until(lambda: (var / "tocsin.db").exists() and "db" in seen(var / "tocsin.db"))
    declare(pager, "web")
    pager.until(lambda: "was deleted while tocsin ran" in told(pager))
    assert pager.run("status").returncode == 0
    second = pager.run("run")
    assert (second.returncode, "Traceback" in second.stderr) == (1, False)
    assert pager.stop() == 0
    pager.start()
    assert pager.stop() == 0
    assert (pages(pager, "db"), pages(pager, "web")) == (1, 1)


@pytest.mark.attack
def test_a_ledger_by_a_link_is_the_file_that_it_leads_to(pager: Pager, tmp_path: Path) -> None:
    """Rule 72: commands read what the daemon writes, and a second daemon that names the file itself is refused."""
    (tmp_path / "large").mkdir()
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "tocsin.db").symlink_to(tmp_path / "large" / "pager.db")
    pager.start()
    declare(pager, "db")
    assert "paged" in pager.run("status").stdout
    assert pager.run("backup", str(tmp_path / "copy.db")).returncode == 0
    (tmp_path / "other").mkdir()
    direct = {"TOCSIN_LEDGER": f"sqlite:///{tmp_path}/large/pager.db", "TOCSIN_INCIDENTS": f"{tmp_path}/other"}
    refused = Pager(tmp_path, **direct).run()
    assert (refused.returncode, "another tocsin works on this ledger" in refused.stderr) == (1, True)


@pytest.mark.attack
def test_another_file_is_put_in_place_of_the_ledger(pager: Pager, tmp_path: Path) -> None:
    """Rule 64: the other file is put aside and kept, the open one is there again, and told."""
    pager.start()
    backup = tmp_path / "backup.db"
    with closing(sqlite3.connect(backup, isolation_level=None)) as other:
        other.execute("CREATE TABLE mine (x)")
    declare(pager, "db")
    backup.rename(pager.folder / "var" / "tocsin.db")
    pager.until(lambda: "another file was put in place" in told(pager))
    (aside,) = (pager.folder / "var").glob("tocsin.db.replaced-*[0-9]Z")
    with closing(sqlite3.connect(aside)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    declare(pager, "web")
    assert pager.stop() == 0
    assert seen(pager.folder / "var" / "tocsin.db") == {"db", "web"}
    pager.start()
    assert pager.stop() == 0
    assert (pages(pager, "db"), pages(pager, "web")) == (1, 1)


@pytest.mark.attack
def test_an_older_copy_is_put_back(pager: Pager) -> None:
    """Rule 64: what is sent again is marked, the operators hear why, once; nobody is kept from being paged."""
    pager.start()
    declare(pager, "db")
    assert pager.stop() == 0
    ledger, backup = pager.folder / "var" / "tocsin.db", pager.folder / "backup.db"
    shutil.copy(ledger, backup)
    pager.start()
    declare(pager, "web")
    assert pager.stop() == 0
    shutil.copy(backup, ledger)
    pager.start()
    pager.until(lambda: pages(pager, "web") == 2)
    pager.until(lambda: "The ledger is an older copy" in told(pager))
    declare(pager, "dns")
    assert pages(pager, "db") == 1
    assert pager.stop() == 0
    with closing(sqlite3.connect(ledger)) as connection:
        marked = connection.execute(
            "SELECT key, possible_duplicate FROM attempts WHERE possible_duplicate <> ''"
        ).fetchall()
    assert {cause for _, cause in marked} == {"the ledger is an older copy"}
    assert sorted(key.split("/")[0] + " " + key.split("/")[2] for key, _ in marked) == [
        "web page",
        "web page",
        "web update",
    ]
    operators = len(pager.mails("operator"))
    pager.start()
    declare(pager, "mail")
    assert pager.stop() == 0
    assert len(pager.mails("operator")) == operators


@pytest.mark.attack
def test_the_ledger_is_deleted_while_stopped(pager: Pager) -> None:
    """Rule 64: everything open is declared anew, marked and told."""
    pager.start()
    declare(pager, "db")
    assert pager.stop() == 0
    (pager.folder / "var" / "tocsin.db").unlink()
    pager.start()
    pager.until(lambda: pages(pager, "db") == 2)
    pager.until(lambda: "The ledger is an older copy" in told(pager))
    assert pager.stop() == 0


@pytest.mark.attack
def test_another_program_locks_the_ledger(pager: Pager) -> None:
    """Rules 44, 71: the page and the operators' message leave from memory within seconds; the advice names who holds it;
    a restart sends nothing again.
    """
    pager.start()
    ledger = pager.folder / "var" / "tocsin.db"
    with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        declare(pager, "db")
        paged = time.monotonic() - began
        pager.until(lambda: "The ledger cannot be written" in told(pager))
        heard = time.monotonic() - began
        other.execute("ROLLBACK")
    assert paged < 4
    assert heard < 6, "2 s for the lock, 3 s from there, and a second for the process"
    assert "`fuser -v tocsin.db` names it" in told(pager)
    pager.until(lambda: "The ledger can be written again" in told(pager), 70)
    assert "db" in seen(ledger)
    assert pager.stop() == 0
    pager.start()
    assert pager.stop() == 0
    assert pages(pager, "db") == 1


@needs_mount
@pytest.mark.attack
def test_the_disk_fills_while_it_runs(pager: Pager, small: Path) -> None:
    """Rules 44 and 71: pages and the operators' notice leave from memory; once there is room all of it is recorded, and
    the operators hear that, too.
    """
    pager.start()
    declare(pager, "db")
    pager.until(lambda: (small / "tocsin.db.ballast").exists())
    fill(small)
    for number in range(400):  # what the log had in reserve
        pager.write(f"more{number}.yaml", OPEN.format(title="more") + f"summary: {'x' * 4000}\n")
    pager.until(lambda: pager.said("ledger trouble"))
    declare(pager, "web")
    pager.until(lambda: "The ledger cannot be written" in told(pager), 90)
    (small / "filler").unlink()
    pager.until(lambda: "The ledger can be written again" in told(pager), 90)
    pager.until(lambda: "web" in seen(small / "tocsin.db"))
    with closing(sqlite3.connect(small / "tocsin.db")) as connection:
        kept = "SELECT count(*) FROM notifications WHERE kind = 'operator' AND state = 'accepted'"
        pager.until(lambda: connection.execute(kept).fetchone()[0] >= 2)
    assert pages(pager, "web") == 1
    assert pager.stop() == 0


@pytest.mark.attack
def test_a_ledger_that_somebody_locks(pager: Pager) -> None:
    """Rules 64 and 71: a start beside a lock goes on in memory and pages; one that comes while it runs is told, and that
    it is over.
    """
    pager.start()
    declare(pager, "db")
    assert pager.stop() == 0
    ledger = pager.folder / "var" / "tocsin.db"
    with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        pager.start()
        declare(pager, "web")
        pager.until(lambda: "The ledger is kept in memory" in told(pager))
        other.execute("ROLLBACK")
    pager.until(lambda: "The ledger is in its file again" in told(pager), 60)
    assert pager.stop() == 0
    assert seen(ledger) == {"db", "web"}
