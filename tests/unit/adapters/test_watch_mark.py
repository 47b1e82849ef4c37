"""The mark in a watched folder: the lock of rule 72, and the age by which commands know that a daemon watches."""

import errno
import fcntl
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tocsin.adapters.files.watch_mark import FRESH, NAME, FolderWatchedError, WatchMark, is_watched
from tocsin.ports.folder import MarkTrouble

HOLDS = """
import sys, time
from collections.abc import Callable
from pathlib import Path
from tocsin.adapters.files.watch_mark import WatchMark
mark = WatchMark(Path(sys.argv[1]))
mark.claim()
print("held", flush=True)
time.sleep(60)
"""


def test_the_second_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    """Rule 72: within seconds, with the first one's host and pid; killed, it lets the next one in."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        began = time.monotonic()
        with pytest.raises(FolderWatchedError, match=rf"host {os.uname().nodename}, pid {holder.pid}\)"):
            WatchMark(tmp_path).claim()
        assert time.monotonic() - began < 5
        assert (tmp_path / NAME).stat().st_mtime > time.time() - 30, "the first one's mark is left alone"
    finally:
        holder.kill()
        holder.communicate()
    assert WatchMark(tmp_path).claim() is None


def test_a_released_folder_is_free(tmp_path: Path) -> None:
    """The lock goes with its holder, the mark stays."""
    first = WatchMark(tmp_path)
    assert first.claim() is None
    first.release()
    second = WatchMark(tmp_path)
    assert second.claim() is None
    assert (tmp_path / NAME).read_text() == f"host {os.uname().nodename}, pid {os.getpid()}\n"
    second.release()


@pytest.mark.parametrize("remove", [True, False])
def test_a_mark_that_was_taken_away_is_made_anew(tmp_path: Path, remove: bool) -> None:
    """Rule 72: by `git clean`, or by a checkout that puts another file there; the lock then is on the new one."""
    mark = WatchMark(tmp_path)
    mark.claim()
    if remove:
        (tmp_path / NAME).unlink()
    else:
        (tmp_path / "other").write_text("committed by mistake\n")
        (tmp_path / "other").rename(tmp_path / NAME)
    assert mark.renew() is None
    with pytest.raises(FolderWatchedError):
        WatchMark(tmp_path).claim(tries=1)
    mark.release()


def test_a_second_is_refused_while_the_mark_is_away(tmp_path: Path) -> None:
    """Rule 72: somebody deleted the mark (git clean), or put something else there: the folder itself is locked too."""
    first = WatchMark(tmp_path)
    first.claim()
    (tmp_path / NAME).unlink()
    with pytest.raises(FolderWatchedError, match=rf"host {os.uname().nodename}, pid {os.getpid()}\)"):
        WatchMark(tmp_path).claim(tries=1)
    assert not (tmp_path / NAME).exists(), "the second leaves no mark"
    (tmp_path / NAME).symlink_to("nowhere")
    with pytest.raises(FolderWatchedError):
        WatchMark(tmp_path).claim(tries=1)
    first.release()
    (tmp_path / NAME).unlink()
    assert WatchMark(tmp_path).claim(tries=1) is None


def test_a_folder_put_in_its_place_is_locked(tmp_path: Path) -> None:
    """Rule 72: the folder was made anew, or mounted, while the daemon ran: the lock goes to what stands there now."""
    incidents = tmp_path / "incidents"
    incidents.mkdir()
    mark = WatchMark(incidents)
    mark.claim()
    incidents.rename(tmp_path / "old")
    incidents.mkdir()
    assert mark.renew() is None
    (incidents / NAME).unlink()
    with pytest.raises(FolderWatchedError):
        WatchMark(incidents).claim(tries=1)
    mark.release()


def test_a_lock_that_another_has_later_is_told(tmp_path: Path) -> None:
    """Rule 72: the folder did not answer at the start, and another daemon has it; both go on, and it is said."""
    first, second = WatchMark(tmp_path), WatchMark(tmp_path)
    second.claim()
    trouble = first.renew()
    assert trouble is not None
    assert trouble.shared
    assert "another tocsin watches" in trouble.text
    second.release()
    assert first.renew() is None
    first.release()


def test_where_folders_cannot_be_locked_the_mark_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 72: NFS locks no folder that is open for reading (EBADF); the mark's lock keeps the second away, and nothing
    is told.
    """
    real = fcntl.flock

    def no_folder(file: int, lock: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(errno.EBADF, "Bad file descriptor")
        real(file, lock)

    monkeypatch.setattr(fcntl, "flock", no_folder)
    first = WatchMark(tmp_path)
    assert first.claim() is None
    assert first.renew() is None
    with pytest.raises(FolderWatchedError):
        WatchMark(tmp_path).claim(tries=1)
    first.release()


@pytest.mark.parametrize(
    ("make", "what", "remove"),
    [
        (lambda path: path.symlink_to("nowhere"), "is a symbolic link, where tocsin keeps a file", "rm"),
        (lambda path: path.mkdir(), "is a folder, where tocsin keeps a file", "rm -r"),
        (os.mkfifo, "is no regular file, where tocsin keeps a file", "rm"),
    ],
)
def test_what_is_no_file_in_the_marks_place(
    tmp_path: Path, make: Callable[[Path], None], what: str, remove: str
) -> None:
    """Rule 72, P3: it is named, with what cures it; commands take it for no daemon, a second daemon stays away."""
    make(tmp_path / NAME)
    written = tmp_path / "pay.yaml"
    written.write_text("title: x\n")
    assert not is_watched(tmp_path, written)
    mark = WatchMark(tmp_path)
    trouble = mark.claim()
    assert trouble is not None
    assert what in trouble.text
    assert f"remove it ({remove} {tmp_path}/{NAME}), and tocsin makes it anew" in trouble.text
    assert "second daemon" not in trouble.text
    assert not is_watched(tmp_path, written)
    with pytest.raises(FolderWatchedError):
        WatchMark(tmp_path).claim(tries=1)
    subprocess.run([*remove.split(), tmp_path / NAME], check=True)
    assert mark.renew() is None
    assert is_watched(tmp_path, written)
    mark.release()


def test_no_lock_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 72: a file system that gives none (ENOLCK) is told."""

    def no_lock(_file: int, _lock: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_lock)
    assert WatchMark(tmp_path).claim() == MarkTrouble(
        f"the file system of {tmp_path} gives no lock (no locks available), so a second daemon on it would not be noticed; "
        "see to it that there is only one"
    )


def test_a_folder_that_cannot_be_written_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 72: the reason is said, and what is missing; a mark that is there but may only be read is locked all the
    same.
    """
    real = os.open

    def read_only(path: Path, flags: int, *rest: int, **options: int) -> int:
        if flags & (os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", read_only)
    alone = WatchMark(tmp_path)
    for _ in range(2):
        trouble = alone.claim()
        assert trouble is not None
        assert not trouble.shared
        assert f"{tmp_path}/{NAME} cannot be written (read-only file system)" in trouble.text
        assert "let the daemon's user write that file" in trouble.text
        with pytest.raises(FolderWatchedError, match=rf"pid {os.getpid()}\)"):
            WatchMark(tmp_path).claim(tries=1)
    alone.release()
    (tmp_path / NAME).write_text("host old, pid 1\n")
    first = WatchMark(tmp_path)
    assert first.claim() is not None
    with pytest.raises(FolderWatchedError):
        WatchMark(tmp_path).claim(tries=1)
    first.release()


def test_the_age_of_the_mark_tells(tmp_path: Path) -> None:
    """P3: by the times of the file system alone, whatever this machine's clock says; 30 s at most."""
    written = tmp_path / "pay.yaml"
    written.write_text("title: x\n")
    assert not is_watched(tmp_path, written)
    mark = WatchMark(tmp_path)
    assert mark.renew() is None
    assert is_watched(tmp_path, written)
    at = written.stat().st_mtime
    for age, watched in ((FRESH.total_seconds(), True), (FRESH.total_seconds() + 1, False)):
        os.utime(tmp_path / NAME, (at - age, at - age))
        assert is_watched(tmp_path, written) is watched
    assert mark.renew() is None
    assert is_watched(tmp_path, written)
    mark.release()


def test_a_folder_that_is_shared_is_shown_to_be_watched_by_whoever_is_well(tmp_path: Path) -> None:
    """P3: the daemon that has the lock may be paused; another machine of the same ledger watches the folder too."""
    holder, other, written = WatchMark(tmp_path), WatchMark(tmp_path), tmp_path / "pay.yaml"
    assert holder.claim() is None
    os.utime(tmp_path / NAME, (time.time() - 60,) * 2)
    written.write_text("title: x\n")
    assert not is_watched(tmp_path, written)
    trouble = other.renew()
    assert trouble is not None
    assert trouble.shared
    assert is_watched(tmp_path, written)
    holder.release()
    assert not is_watched(tmp_path, written)
    assert other.renew() is None
    assert is_watched(tmp_path, written)
    other.release()


def test_without_a_lock_the_mark_is_renewed_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 72, P3: on a file system without locks commands see that the daemon watches; once it gives one it is taken."""

    def no_lock(_file: int, _lock: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    written = tmp_path / "pay.yaml"
    written.write_text("title: x\n")
    mark = WatchMark(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", no_lock)
        assert mark.claim() is not None
        os.utime(tmp_path / NAME, (0, 0))
        assert mark.renew() is not None
        assert is_watched(tmp_path, written)
    assert mark.renew() is None
    with pytest.raises(FolderWatchedError):
        WatchMark(tmp_path).claim(tries=1)
    mark.release()


def test_a_lock_without_a_daemon_keeps_nobody_out(tmp_path: Path) -> None:
    """Whoever may read the mark can lock it; one that nobody has renewed for minutes is told, and the daemon watches."""
    (tmp_path / NAME).write_text("host here, pid 1\n")
    os.utime(tmp_path / NAME, (0, 0))
    stranger = os.open(tmp_path / NAME, os.O_RDONLY)
    fcntl.flock(stranger, fcntl.LOCK_EX)
    mark = WatchMark(tmp_path)
    for trouble in (mark.claim(tries=1), mark.renew(), mark.renew()):
        assert trouble is not None
        assert not trouble.shared
        assert "is no healthy daemon" in trouble.text
    written = tmp_path / "pay.yaml"
    written.write_text("title: x\n")
    assert is_watched(tmp_path, written)
    os.close(stranger)
    assert mark.renew() is None
    mark.release()
    assert [path.name for path in sorted(tmp_path.iterdir())] == [NAME, "pay.yaml"]
