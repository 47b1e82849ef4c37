"""The folder as a machine sees it that cannot see the ledger (R54)."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tocsin.adapters.files.incident_folder.watched_folder import CHANGED_WITHIN, NewlyDeclaredFiles, WatchedFolder
from tocsin.adapters.files.watch_mark import is_watched
from tocsin.app.hand_ins.from_memory.known_names import KnownNames
from tocsin.formats.incident.read import digest
from tocsin.ports.folder import RememberedFile

from tests.fakes.clock import StillClock
from tests.fakes.folder import FakeFolderMemory

FILE = "title: Card payments fail\nseverity: sev1\n"


def shown(folder: NewlyDeclaredFiles) -> list[str]:
    """The files that are newly declared."""
    listing = folder.scan()
    assert not isinstance(listing, str)
    return [listed.name for listed in listing]


def newly_declared(
    knows: Callable[[str], bool] | None, folder: Path, clock: StillClock | None = None, *files: RememberedFile
) -> NewlyDeclaredFiles:
    """The folder of a machine that remembers these files of it."""
    memory, clock = FakeFolderMemory(), clock or StillClock()
    memory.note(files)
    return NewlyDeclaredFiles(KnownNames(memory, clock).incidents, knows, folder, clock)


def remembered(name: str, incident: str, text: str = FILE) -> RememberedFile:
    """What the file of an incident was called, and held."""
    return RememberedFile(name, incident, digest(text.encode()), text.encode())


def test_a_file_that_was_renamed_is_no_new_incident(tmp_path: Path) -> None:
    """Rule 33: it keeps its id, whether that was before or falls into the outage, and however it is edited after that;
    also where a copy of it is left under another name, that one is declared.
    """
    knows, clock = {"pay", "db", "web"}.__contains__, StillClock()
    files = [remembered("checkout.yaml", "pay"), remembered("db.yaml", "db", f"{FILE}impact: db\n")]
    files.append(remembered("web.yaml", "web", f"{FILE}impact: web\n"))
    (tmp_path / "checkout.yaml").write_text(f"{FILE}impact: all\n")
    (tmp_path / "base.yaml").write_text(f"{FILE}impact: db\n")
    (tmp_path / "web.yaml").write_text(f"{FILE}impact: web\n")
    folder = newly_declared(knows, tmp_path, clock, *files)
    assert shown(folder) == []
    (tmp_path / "web.yaml").rename(tmp_path / "site.yaml")
    assert shown(folder) == []
    clock.go(timedelta(minutes=1))
    for name in ("base.yaml", "site.yaml"):
        (tmp_path / name).write_text(f"{FILE}impact: none\n")
    (tmp_path / "copy.yaml").write_text(f"{FILE}impact: all\n")
    assert shown(folder) == ["copy.yaml"]


def test_what_was_gone_for_10_s_is_declared_anew(tmp_path: Path) -> None:
    """Rule 33: the same content under another name is a new incident then."""
    clock = StillClock()
    folder = newly_declared({"pay"}.__contains__, tmp_path, clock, remembered("pay.yaml", "pay"))
    assert shown(folder) == []
    clock.go(timedelta(seconds=10))
    assert shown(folder) == []
    (tmp_path / "again.yaml").write_text(FILE)
    assert shown(folder) == ["again.yaml"]


def test_what_the_ledger_knew_is_left_out(tmp_path: Path) -> None:
    """However lately its file was changed; what it did not know is new, however old its file is."""
    for name in ("old.yaml", "pay.yaml"):
        (tmp_path / name).write_text(FILE)
    os.utime(tmp_path / "pay.yaml", (0, 0))
    known = {"old"}
    folder = newly_declared(known.__contains__, tmp_path)
    assert shown(folder) == ["pay.yaml"]
    known.add("pay")
    assert shown(folder) == ["pay.yaml"], "its pages go on from here until the database is back"
    assert shown(newly_declared(known.__contains__, tmp_path)) == []


def test_where_nothing_is_known_a_file_is_new_for_half_an_hour(tmp_path: Path) -> None:
    """A machine without a journal."""
    now = datetime.now(UTC)
    for name, age in (("old.yaml", CHANGED_WITHIN + timedelta(minutes=1)), ("pay.yaml", timedelta(minutes=29))):
        (tmp_path / name).write_text(FILE)
        changed = (now - age).timestamp()
        os.utime(tmp_path / name, (changed, changed))
    clock = StillClock(now)
    folder = newly_declared(None, tmp_path, clock)
    assert shown(folder) == ["pay.yaml"]
    clock.go(timedelta(hours=1))
    (tmp_path / "pay.yaml").write_text(f"{FILE}impact: all\n")
    os.utime(tmp_path / "pay.yaml", (now.timestamp(), now.timestamp()))
    assert shown(folder) == ["pay.yaml"], "what was shown once stays"


def test_another_machine_may_watch_it_too(tmp_path: Path) -> None:
    """P3: a folder that is shared keeps nobody from paging."""
    other = WatchedFolder(tmp_path, StillClock())
    other.make()
    folder = newly_declared(None, tmp_path)
    assert not folder.make()
    other.release()


def test_it_does_not_show_that_it_is_watched(tmp_path: Path) -> None:
    """P3: who answers a page of before is to hear that nobody reads it here."""
    standby = WatchedFolder(tmp_path, StillClock())
    standby.make()
    standby.renew()
    (tmp_path / "old.yaml").write_text(FILE)
    assert is_watched(tmp_path, tmp_path / "old.yaml")
    standby.release()
    folder = newly_declared({"old"}.__contains__, tmp_path)
    for look in (folder.make, folder.renew):
        assert not look()
        assert not is_watched(tmp_path, tmp_path / "old.yaml")
    folder.release()
