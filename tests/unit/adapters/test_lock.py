"""The ledger's lock, as those see it who only ask."""

import threading
import time
from pathlib import Path

import pytest
from tocsin.adapters.ledger.lock import LedgerLockedError, Lock, is_locked


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
