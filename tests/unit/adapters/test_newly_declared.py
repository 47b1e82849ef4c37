"""The folder as a machine sees it that cannot see the ledger (R54)."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tocsin.adapters.files.watch_mark import is_watched
from tocsin.adapters.files.watched_folder import CHANGED_WITHIN, NewlyDeclaredFiles, WatchedFolder

from tests.fakes.clock import StillClock

FILE = "title: Card payments fail\nseverity: sev1\n"


def shown(folder: NewlyDeclaredFiles) -> list[str]:
    """The files that are newly declared."""
    listing = folder.scan()
    assert not isinstance(listing, str)
    return [listed.name for listed in listing]


def test_what_the_ledger_knew_is_left_out(tmp_path: Path) -> None:
    """However lately its file was changed; what it did not know is new, however old its file is."""
    for name in ("old.yaml", "pay.yaml"):
        (tmp_path / name).write_text(FILE)
    os.utime(tmp_path / "pay.yaml", (0, 0))
    known = {"old"}
    folder = NewlyDeclaredFiles(known.__contains__, tmp_path, StillClock())
    assert shown(folder) == ["pay.yaml"]
    known.add("pay")
    assert shown(folder) == ["pay.yaml"], "its pages go on from here until the database is back"
    assert shown(NewlyDeclaredFiles(known.__contains__, tmp_path, StillClock())) == []


def test_where_nothing_is_known_a_file_is_new_for_half_an_hour(tmp_path: Path) -> None:
    """A machine without a journal."""
    now = datetime.now(UTC)
    for name, age in (("old.yaml", CHANGED_WITHIN + timedelta(minutes=1)), ("pay.yaml", timedelta(minutes=29))):
        (tmp_path / name).write_text(FILE)
        changed = (now - age).timestamp()
        os.utime(tmp_path / name, (changed, changed))
    clock = StillClock(now)
    folder = NewlyDeclaredFiles(None, tmp_path, clock)
    assert shown(folder) == ["pay.yaml"]
    clock.go(timedelta(hours=1))
    (tmp_path / "pay.yaml").write_text(f"{FILE}impact: all\n")
    os.utime(tmp_path / "pay.yaml", (now.timestamp(), now.timestamp()))
    assert shown(folder) == ["pay.yaml"], "what was shown once stays"


def test_another_machine_may_watch_it_too(tmp_path: Path) -> None:
    """P3: a folder that is shared keeps nobody from paging."""
    other = WatchedFolder(tmp_path, StillClock())
    other.make()
    folder = NewlyDeclaredFiles(None, tmp_path, StillClock())
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
    folder = NewlyDeclaredFiles({"old"}.__contains__, tmp_path, StillClock())
    for look in (folder.make, folder.renew):
        assert not look()
        assert not is_watched(tmp_path, tmp_path / "old.yaml")
    folder.release()
