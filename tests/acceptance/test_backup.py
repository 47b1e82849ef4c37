"""`tocsin backup`: copied while the daemon runs, put back in its place, and gone on with (rule 64)."""

import json
import os
import shutil
import sqlite3
import stat
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
        pager.stop()


def pages(pager: Pager, incident: str) -> int:
    """How many pages by email there were."""
    return sum(mail["X-Tocsin-Incident"] == incident for mail in pager.mails("page"))


def declare(pager: Pager, name: str) -> None:
    """An incident, and its first page."""
    pager.write(f"{name}.yaml", OPEN.format(title=name))
    pager.until(lambda: pages(pager, name) == 1)


def accepted(pager: Pager) -> bool:
    """Whether Ana has accepted the first incident."""
    incidents = json.loads(pager.run("status", "--format", "json").stdout)["incidents"]
    lead = next(one for one in incidents if one["id"] == "db")["roles"]["technical_lead"]
    return lead["person"] == "ana" and lead["accepted"] is not None


def put_in_place(backup: Path, var: Path) -> None:
    """As docs/upkeep.md says it: the ledger and what SQLite keeps beside it go, the backup comes, all else stays."""
    for name in ("tocsin.db", "tocsin.db-wal", "tocsin.db-shm"):
        (var / name).unlink(missing_ok=True)
    shutil.copy2(backup, var / "tocsin.db")


@pytest.mark.attack
def test_a_backup_is_gone_back_to(pager: Pager) -> None:
    """Taken beside the running daemon, put in place after it was killed: what it holds is neither forgotten nor paged
    anew, what was sent since is marked as perhaps sent before.
    """
    pager.start()
    declare(pager, "db")
    pager.write("db.yaml", OPEN.format(title="db") + "acknowledged: [ana]\n")
    pager.until(lambda: pager.said("version") == 2)
    done = pager.run("backup", "copy.db")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("copy.db: ")
    assert "1 incident, " in done.stdout
    assert "sound, and as the ledger is" in done.stdout
    assert "tocsin.db.key too" in done.stderr
    copy = pager.folder / "copy.db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    declare(pager, "web")
    pager.stop(9)
    put_in_place(copy, pager.folder / "var")
    pager.start()
    pager.until(lambda: pages(pager, "web") == 2)
    assert accepted(pager)
    assert pages(pager, "db") == 1
    assert pager.stop() == 0
    with closing(sqlite3.connect(pager.folder / "var" / "tocsin.db")) as ledger:
        marked = ledger.execute("SELECT DISTINCT possible_duplicate FROM attempts WHERE key LIKE 'web/%'").fetchall()
        assert marked == [("the ledger is an older copy",)]
        assert ledger.execute("SELECT count(*) FROM attempts WHERE key LIKE 'db/%/page/%'").fetchone() == (2,)


def test_there_is_nothing_to_copy_yet(tmp_path: Path) -> None:
    """Without a ledger a backup is none, and that is said."""
    pager = Pager(tmp_path)
    done = pager.run("backup", "copy.db")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no ledger at" in done.stderr
    assert not os.path.lexists(pager.folder / "copy.db")


@pytest.mark.attack
def test_a_person_is_forgotten_by_the_running_daemon(pager: Pager) -> None:
    """Seen before line by line, then done: what she wrote, and what was written to her, is in no row any more; the
    incident that is open is left out, by its name.
    """
    said = "The disk of the primary is full."
    over = f"drill: true\nstatus: resolved\nresolution: done\nupdates:\n  - {{text: {said}, by: ana}}\n"
    pager.start()
    declare(pager, "db")
    pager.write("db.yaml", OPEN.format(title="db") + over)
    declare(pager, "web")
    pager.stop()
    pager.start()  # else it is ten minutes until a resolved incident is looked at again, and over

    def look() -> str:
        return pager.run("prune", "--person", "ana", "--dry-run").stdout

    pager.until(lambda: f"  - {said}\n  + erased\n" in look())
    done = pager.run("prune", "--person", "ana", "--yes")
    assert (done.returncode, done.stdout) == (0, "ana is erased from 1 incident\n"), done.stderr
    assert "left out: web is open, and names ana" in done.stderr
    assert look() == ""
    with closing(sqlite3.connect(pager.folder / "var" / "tocsin.db")) as ledger:
        of_db = "incident = 'db'"
        facts = [body for (body,) in ledger.execute(f"SELECT body FROM facts WHERE {of_db}")]
        assert any('"somebody (erased)"' in body for body in facts)
        assert not any(said in body or '"ana"' in body for body in facts)
        assert ledger.execute(
            "SELECT count(*) FROM arrivals WHERE kind = 'prune' AND body || who != ''"
        ).fetchone() == (0,)
        assert ledger.execute(
            f"SELECT count(*) FROM notifications WHERE {of_db} AND key LIKE '%/ana/%'"
        ).fetchone() == (0,)
    assert pager.stop() == 0
