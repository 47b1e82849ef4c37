"""The folders at a start: none is waited for when it hangs, and which of them refuses a start (rules 62, 72)."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.adapters.files.disk_threads import DiskThreads, in_time
from tocsin.adapters.files.watch_mark import FolderWatchedError
from tocsin.app.configuration.config_judge import ConfigJudge
from tocsin.app.lifecycle import folders
from tocsin.app.lifecycle.folders import ConfigOnDisk, ledger_of, prepare_folders, read_config
from tocsin.app.lifecycle.startup import Started, StartError
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.ports.bounded_work import Overrun, OverrunCause

from tests.builders.active_config import settings
from tests.builders.policies import small_policy
from tests.fakes.bounded_work import JUDGE, SameProcess
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger
from tests.fakes.pager import CONFIG, SETTINGS

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def hung() -> Iterator[DiskThreads]:
    """Threads of a folder that answers nobody."""
    threads, answers = DiskThreads("hung"), threading.Event()
    threads.submit(answers.wait, 30)
    yield threads
    answers.set()


class Incidents:
    """The folder of incidents as a start takes it: it says why it cannot be made, or that another daemon has it."""

    def __init__(self, threads: Executor | None = None, why: str = "", other: str = "") -> None:
        self.threads = threads
        self.why, self.other = why, other
        self.made = 0

    def make(self) -> str:
        self.made += 1
        if self.other:
            raise FolderWatchedError(self.other)
        return self.why


def started(tmp_path: Path, *, first: bool = False) -> Started:
    places = settings(reviews=str(tmp_path / "reviews"), outbox=str(tmp_path / "outbox"))
    return Started(small_policy(), places, "", first=first)


async def test_what_hangs_is_not_waited_for(hung: DiskThreads) -> None:
    """Rule 62: after its time there is nothing; what comes in time is given, errors too."""
    began = time.monotonic()
    assert await in_time(0.1, hung, len, "abc") is None
    assert time.monotonic() - began < 5
    threads = DiskThreads("well")
    assert await in_time(5, threads, len, "abc") == 3
    with pytest.raises(ZeroDivisionError):
        await in_time(5, threads, divmod, 1, 0)


async def test_a_config_folder_that_hangs(tmp_path: Path, hung: DiskThreads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules 62, 73: it counts as not read, and the ledger is looked for where the environment says."""
    monkeypatch.setattr(folders, "CONFIG_WITHIN", 0.1)
    before, reading = await read_config(tmp_path, {"TOCSIN_LEDGER": "sqlite:////x/y.db"}, NOW, hung, JUDGE)
    assert (before, reading.policy, reading.ledger) == (frozenset(), None, LedgerAddress(Path("/x/y.db")))
    (fault,) = reading.unread
    assert "does not answer" in fault.message


async def test_the_ledger_of_a_config_that_cannot_be_read(tmp_path: Path) -> None:
    """Rule 43: the first place at which one lies; without one there is nothing to go on with."""
    environ = {"STATE_DIRECTORY": str(tmp_path)}
    _, reading = await read_config(tmp_path / "config", environ, NOW, DiskThreads("x"), JUDGE)
    assert await ledger_of(reading, DiskThreads("x")) is None
    (tmp_path / "tocsin.db").touch()
    assert await ledger_of(reading, DiskThreads("x")) == LedgerAddress(tmp_path / "tocsin.db")


async def test_a_config_folder_that_answers(tmp_path: Path) -> None:
    """It is read, with its fingerprint from before."""
    (tmp_path / "all.yaml").write_text(CONFIG)
    (tmp_path / "tocsin.yaml").write_text(SETTINGS)
    before, reading = await read_config(tmp_path, {}, NOW, DiskThreads("x"), JUDGE)
    assert len(before) == 2
    assert reading.policy is not None
    assert reading.unread == ()


async def test_a_config_that_is_not_judged_soon(tmp_path: Path) -> None:
    """It counts as unread, and is waited for only where no last good one counts."""
    (tmp_path / "all.yaml").write_text(CONFIG)
    (tmp_path / "tocsin.yaml").write_text(SETTINGS)
    busy = Overrun(OverrunCause.MACHINE, "got 3.9 s of the processor within 4 s, and was not over")
    ledger, work = MemoryLedger(), SameProcess(busy)
    on_disk = ConfigOnDisk(tmp_path, {}, StillClock(), DiskThreads("x"), ConfigJudge(work))
    await on_disk.read()
    assert work.patience == [4.0]
    assert [fault.code for fault in on_disk.reading.unread] == ["not-judged"]
    started_first = await on_disk.started(ledger)
    assert started_first.first
    assert work.patience == [4.0, None]
    work.overruns = [busy]
    (tmp_path / "all.yaml").write_text(f"{CONFIG}\n# changed\n")
    await on_disk.read()
    started_again = await on_disk.started(ledger)
    assert [fault.code for fault in started_again.unread] == ["not-judged"]
    assert started_again.digest == started_first.digest


async def test_a_ledger_is_made_only_by_a_config_that_was_judged(tmp_path: Path) -> None:
    """Where there is no ledger, there is no last good config: the one on disk is waited for."""
    (tmp_path / "all.yaml").write_text(CONFIG)
    (tmp_path / "tocsin.yaml").write_text(SETTINGS)
    work = SameProcess(Overrun(OverrunCause.MACHINE, "got 3.9 s of the processor within 4 s, and was not over"))
    on_disk = ConfigOnDisk(tmp_path, {}, StillClock(), DiskThreads("x"), ConfigJudge(work))
    await on_disk.read()
    assert str(await on_disk.ledger(DiskThreads("x"))).endswith("/tocsin.db")
    assert on_disk.reading.policy is not None


async def test_folders_are_made(tmp_path: Path) -> None:
    """The incidents' by itself, which keeps other daemons away; reviews and outbox."""
    incidents = Incidents()
    await prepare_folders(started(tmp_path), incidents, DiskThreads("x", 2))
    assert incidents.made == 1
    assert (tmp_path / "reviews").is_dir()
    assert (tmp_path / "outbox").is_dir()


async def test_a_hung_folder_does_not_refuse_a_start(tmp_path: Path, hung: DiskThreads) -> None:
    """Rules 62, 72: neither that of the incidents nor the others, at a first start neither."""
    began = time.monotonic()
    await prepare_folders(started(tmp_path, first=True), Incidents(hung), hung)
    assert time.monotonic() - began < 10


async def test_a_folder_that_cannot_be_made_refuses_a_first_start_only(tmp_path: Path) -> None:
    """At a first start it is a slip of whoever set it up; later open incidents must go on, and its users tell of it."""
    (tmp_path / "reviews").write_text("a file in its place")
    threads = DiskThreads("x", 2)
    with pytest.raises(StartError) as refused:
        await prepare_folders(started(tmp_path, first=True), Incidents(why="the folder x cannot be made: y"), threads)
    assert refused.value.reasons[0] == "the folder x cannot be made: y"
    assert f"the folder {tmp_path}/reviews cannot be made" in refused.value.reasons[1]
    await prepare_folders(started(tmp_path), Incidents(why="the folder x cannot be made: y"), threads)


async def test_a_folder_of_another_daemon_refuses_every_start(tmp_path: Path) -> None:
    """Rule 72: in one line."""
    with pytest.raises(StartError) as refused:
        await prepare_folders(started(tmp_path), Incidents(other="another tocsin watches x"), DiskThreads("x", 2))
    assert refused.value.reasons == ("another tocsin watches x",)
