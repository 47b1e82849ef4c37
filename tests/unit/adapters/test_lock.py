"""The ledger's lock, as those see it who only ask."""

import fcntl
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from tocsin.adapters.ledger.sqlite.lock import LedgerLockedError, Lock, is_locked


def test_asking_takes_nothing(tmp_path: Path) -> None:
    """Whether a daemon works is known while it does, and asking makes no file and stops no daemon."""
    ledger = tmp_path / "tocsin.db"
    assert not is_locked(ledger)
    assert list(tmp_path.iterdir()) == []
    lock = Lock(ledger)
    assert is_locked(ledger)
    lock.release()
    assert not is_locked(ledger)
    Lock(ledger).release()


def test_who_only_asks_stops_no_start(tmp_path: Path) -> None:
    """A daemon that starts while somebody asks gets the lock all the same; one that finds another does not."""
    ledger = tmp_path / "tocsin.db"
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            is_locked(ledger)
            time.sleep(0.001)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for _ in range(50):
            Lock(ledger).release()
    finally:
        stop.set()
        asking.join()
    lock = Lock(ledger)
    with pytest.raises(LedgerLockedError):
        Lock(ledger)
    lock.release()


def test_the_lock_names_its_holder(tmp_path: Path) -> None:
    """The lock's file holds the pid and the machine of whoever has it, nothing of who had it before, for nobody else."""
    ledger = tmp_path / "tocsin.db"
    file = tmp_path / "tocsin.db.lock"
    file.write_text("1234567890\n")
    lock = Lock(ledger)
    assert file.read_text() == f"{os.getpid()}\n{socket.gethostname()}\n"
    with pytest.raises(LedgerLockedError, match=rf"\(pid {os.getpid()}\); stop it first") as refused:
        Lock(ledger)
    assert refused.value.pid == str(os.getpid())
    lock.release()
    file.unlink()
    Lock(ledger).release()
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_unreadable_pid_is_unknown(tmp_path: Path) -> None:
    """Who finds the lock taken by nobody that can be named says so."""
    ledger = tmp_path / "tocsin.db"
    lock = Lock(ledger)
    (tmp_path / "tocsin.db.lock").write_text("")
    with pytest.raises(LedgerLockedError, match=r"\(pid unknown\)") as refused:
        Lock(ledger)
    assert refused.value.pid == ""
    lock.release()


def test_who_may_not_know_counts_it_as_locked(tmp_path: Path) -> None:
    """Where the lock cannot be looked at, a daemon is taken to run; and a lock is not inherited by a child's commands."""
    ledger = tmp_path / "tocsin.db"
    (tmp_path / "tocsin.db.lock").symlink_to("tocsin.db.lock")
    assert is_locked(ledger)
    (tmp_path / "tocsin.db.lock").unlink()
    lock = Lock(ledger)
    child = subprocess.Popen(["sleep", "30"], close_fds=False)
    try:
        lock.release()
        assert not is_locked(ledger)
    finally:
        child.kill()
        child.wait()


def test_two_may_ask_at_once(tmp_path: Path) -> None:
    """Whoever asks does not take another who asks for a daemon."""
    ledger = tmp_path / "tocsin.db"
    Lock(ledger).release()
    file = os.open(tmp_path / "tocsin.db.lock", os.O_RDONLY)
    fcntl.flock(file, fcntl.LOCK_SH)
    assert not is_locked(ledger)
    os.close(file)


def test_a_start_waits_for_who_asks(tmp_path: Path) -> None:
    """A daemon that starts while somebody looks at the lock waits a moment and has it."""
    ledger = tmp_path / "tocsin.db"
    Lock(ledger).release()
    file = os.open(tmp_path / "tocsin.db.lock", os.O_RDONLY)
    fcntl.flock(file, fcntl.LOCK_SH)
    done = threading.Timer(0.15, os.close, [file])
    done.start()
    Lock(ledger).release()
    done.join()


def opened(folder: Path) -> list[Path]:
    """What is open below a folder in this process, whatever else it holds."""
    links = list(Path("/proc/self/fd").iterdir())
    return sorted(link.readlink() for link in links if link.is_symlink() and link.readlink().is_relative_to(folder))


def test_who_is_refused_keeps_nothing_open(tmp_path: Path) -> None:
    """A daemon that is refused, and whoever asks, leave no file open."""
    ledger = tmp_path / "tocsin.db"
    lock = Lock(ledger)
    before = opened(tmp_path)
    with pytest.raises(LedgerLockedError):
        Lock(ledger)
    assert is_locked(ledger)
    assert before
    assert opened(tmp_path) == before
    lock.release()
