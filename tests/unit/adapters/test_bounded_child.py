"""Work in a process of its own: it ends, whatever it does, and nothing of ours goes with it."""

import ctypes
import fcntl
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tocsin import __version__
from tocsin.adapters import bounded_child
from tocsin.adapters.bounded_child import BoundedChild
from tocsin.adapters.child import RESULT_MOST, note_stage
from tocsin.ports.bounded_work import Overrun, OverrunCause

from tests.fakes.patience import Patience

BRIEF, QUICK, AMPLE, ROOM = 0.05, 0.2, 20.0, 128
"""Seconds and megabytes that are enough here. `AMPLE` is for what must meet another bound than that of time first: a
machine may take half a second of the processor to hand out the memory.
"""


PREPARED: list[int] = []


def prepared() -> list[int]:
    return PREPARED


def double(number: int) -> int:
    return number * 2


def spin(stage: str) -> None:
    note_stage(stage)
    while True:
        pass


def spin_in_c() -> bool:
    return pow(3, 10**9) > 0


def nearly_spin_then_wait() -> None:
    while time.process_time() < BRIEF * 0.7:
        pass
    time.sleep(1000)


def spend(first: float) -> None:
    note_stage("a.ics")
    while time.process_time() < first:
        pass
    spin("b.ics")


def wait_for_ever() -> None:
    time.sleep(1000)


def eat() -> int:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def break_down() -> None:
    note_stage("the third line")
    raise LookupError("no such\nthing")


def leave() -> None:
    sys.exit(3)


def crash() -> None:
    ctypes.string_at(0)


def make_much() -> bytes:
    return b"x" * (RESULT_MOST + 1)


def make_lambda() -> Callable[[], None]:
    return lambda: None


def be_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leads_to(number: int) -> str:
    """What a descriptor leads to, empty for one that is closed."""
    try:
        return str(Path(f"/proc/self/fd/{number}").readlink())
    except OSError:
        return ""


def look_around() -> dict[str, Any]:
    os.write(1, b"out")
    os.write(2, b"err")
    sys.stderr.write("written")
    return {
        "open": [where for number in range(100) if (where := leads_to(number))],
        "score": int(Path("/proc/self/oom_score_adj").read_text()),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "session": os.getsid(0) == os.getpid(),
    }


def spin_with_a_child(path: str) -> None:
    child = subprocess.Popen(["sleep", "1000"])
    note_stage(str(child.pid))
    while True:
        pass


def write_file(path: str) -> None:
    Path(path).write_text("x" * 10)


@pytest.fixture(params=["forked", "server"])
def bounded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[BoundedChild]:
    """In both ways: forked from the test itself, and from a server. What runs the tests may have a thread of its own,
    which no fork of ours needs.
    """
    monkeypatch.setattr(bounded_child, "alone", lambda: True)
    work = BoundedChild()
    if request.param == "server":
        work.keep_ready()
        assert work._server
    yield work
    work.close()


def run(bounded: BoundedChild, function: Callable[..., Any], *args: Any, seconds: float = AMPLE) -> Any:
    return bounded.run(function, *args, seconds=seconds, megabytes=ROOM)


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_what_it_gives_comes_back(bounded: BoundedChild) -> None:
    """One after the other."""
    assert [run(bounded, double, number) for number in (1, 2)] == [2, 4]


@pytest.mark.parametrize(
    ("work", "cause", "why"),
    [
        (spin_in_c, OverrunCause.TIME, "takes over 0.2 s"),
        (eat, OverrunCause.MEMORY, "takes over 128 MB of memory"),
        (break_down, OverrunCause.FAULT, "fails (LookupError: no such thing)"),
        (leave, OverrunCause.FAULT, "fails (SystemExit: 3)"),
        (crash, OverrunCause.CRASH, "ends its process with SIGSEGV"),
        (make_much, OverrunCause.SIZE, "comes to over 32 MB"),
        (be_killed, OverrunCause.MACHINE, "was killed from outside, as happens where memory is short"),
    ],
)
def test_what_gives_nothing_is_a_value(
    bounded: BoundedChild, work: Callable[[], Any], cause: OverrunCause, why: str
) -> None:
    """Whatever it does, it is told, and the next one goes well."""
    overrun = run(bounded, work, seconds=QUICK if cause is OverrunCause.TIME else AMPLE)
    assert isinstance(overrun, Overrun)
    assert (overrun.cause, overrun.why) == (cause, why)
    assert run(bounded, double, 3) == 6


def test_what_cannot_be_handed_back_is_told(bounded: BoundedChild) -> None:
    """A result must be picklable."""
    overrun = run(bounded, make_lambda)
    assert overrun.cause is OverrunCause.FAULT
    assert "pickle" in overrun.why


def test_the_stage_is_told(bounded: BoundedChild) -> None:
    """What it was at when its time was over, and when it broke."""
    assert run(bounded, spin, "pay.ics", seconds=QUICK).stage == "pay.ics"
    assert run(bounded, break_down).stage == "the third line"


def test_whoever_gets_no_processor_is_not_to_blame(bounded: BoundedChild) -> None:
    """A machine that is busy, or a disk that hangs: it may go well another time, also for one that had most of it."""
    for work in (wait_for_ever, nearly_spin_then_wait):
        overrun = bounded.run(work, seconds=BRIEF, megabytes=ROOM)
        assert isinstance(overrun, Overrun)
        assert overrun.cause is OverrunCause.MACHINE
        assert "within 0.45 s" in overrun.why


def test_the_dearest_stages_are_told(bounded: BoundedChild) -> None:
    """What it was at last need not be what took its time."""
    overrun = run(bounded, spend, QUICK * 0.7, seconds=QUICK)
    assert (overrun.cause, overrun.stage) == (OverrunCause.TIME, "b.ics")
    assert [stage for stage, _ in overrun.dearest] == ["a.ics", "b.ics"]
    assert [cost for _, cost in overrun.dearest] == pytest.approx([QUICK * 0.7, QUICK * 0.3], abs=0.05)


def test_nothing_of_ours_goes_with_it(bounded: BoundedChild, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No file, no lock, no socket and no standard stream; and the kernel takes it before us."""
    with (tmp_path / "lock").open("w") as lock, socket.socket(socket.AF_UNIX), sqlite3.connect(tmp_path / "l.db"):
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)
        seen = run(bounded, look_around)
    assert [name for name in seen["open"] if name != "/dev/null" and not name.startswith("pipe:")] == []
    assert (seen["score"], seen["session"]) == (1000, True)
    assert seen["nice"] > os.getpriority(os.PRIO_PROCESS, 0)
    assert capfd.readouterr() == ("", "")


def test_what_it_begins_ends_with_it(bounded: BoundedChild, tmp_path: Path) -> None:
    """Its own children are ended too; who is not root cannot even begin one."""
    overrun = run(bounded, spin_with_a_child, "", seconds=QUICK)
    if overrun.cause is OverrunCause.FAULT:
        assert os.getuid()
        return
    end = time.monotonic() + 30
    while alive(int(overrun.stage)):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_writes_no_files(bounded: BoundedChild, tmp_path: Path) -> None:
    """Whatever it works on, nothing on the disk is changed by it."""
    overrun = run(bounded, write_file, str(tmp_path / "x"))
    assert overrun.cause is OverrunCause.FAULT
    assert "OSError" in overrun.why


def test_a_process_with_threads_takes_a_fresh_interpreter() -> None:
    """A fork of it would not be whole. It finds our modules, knows the stages, and is used again."""
    bounded, over = BoundedChild(), threading.Event()
    thread = threading.Thread(target=over.wait, daemon=True)
    thread.start()
    try:
        assert run(bounded, double, 3) == 6
        server = bounded._server
        assert server
        slow = run(bounded, spin, "pay.ics", seconds=QUICK)
        assert (slow.cause, slow.why, slow.stage) == (OverrunCause.TIME, "takes over 0.2 s", "pay.ics")
        assert run(bounded, eat).cause is OverrunCause.MEMORY
        seen = run(bounded, look_around)
        assert [name for name in seen["open"] if name != "/dev/null" and not name.startswith("pipe:")] == []
        assert bounded._server is server
    finally:
        over.set()
        thread.join()
        bounded.close()


def test_a_server_without_a_job_goes_and_has_a_follower() -> None:
    """Its libraries cost a third of a daemon's memory, and a config changes seldom."""
    bounded = BoundedChild()
    bounded.keep_ready(rests_after=0.2)
    with ThreadPoolExecutor(1) as thread:
        pids = []
        for _ in range(2):
            assert thread.submit(run, bounded, double, 3).result() == 6
            assert bounded._server
            pids.append(bounded._server._pid)
            patience = Patience(AMPLE)
            while bounded._server is not None and patience.nap():
                pass
    assert len(set(pids)) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)  # not even as a dead one


def test_a_server_of_an_upgrade_judges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one version pickles another may not know: that is no fault of the work, and told as what it is."""
    monkeypatch.setattr(bounded_child, "__version__", "0.0.1")  # runs, and what is installed is newer
    monkeypatch.setattr(bounded_child, "alone", lambda: False)
    bounded = BoundedChild()
    overrun = run(bounded, double, 3)
    bounded.close()
    assert overrun.cause is OverrunCause.MACHINE
    assert overrun.why == f"waits for a restart: 0.0.1 is running, and {__version__} is installed"


def test_a_server_that_was_killed_has_a_follower(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next job begins a new one."""
    monkeypatch.setattr(bounded_child, "alone", lambda: True)
    bounded = BoundedChild()
    bounded.keep_ready()
    assert bounded._server
    os.kill(bounded._server._pid, signal.SIGKILL)
    assert run(bounded, double, 4) == 8
    bounded.close()


def test_a_server_prepares_itself_beside_us_and_we_do_something_else_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """It prepares before its first job, in its own process; what is done meanwhile is done here, once."""
    monkeypatch.setattr(bounded_child, "alone", lambda: True)
    monkeypatch.setattr(sys.modules[__name__], "PREPARED", [])
    bounded, done = BoundedChild(), list[int]()
    bounded.keep_ready(lambda: PREPARED.append(os.getpid()))
    assert bounded._server
    bounded.meanwhile(lambda: done.append(os.getpid()))
    assert run(bounded, prepared) == [bounded._server._pid]
    assert (PREPARED, done) == ([], [os.getpid()])
    assert run(bounded, double, 4) == 8
    assert done == [os.getpid()]
    bounded.close()


def test_a_server_that_cannot_prepare_itself_has_a_follower(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends, and the job is done all the same; what is done meanwhile is not done twice."""
    monkeypatch.setattr(bounded_child, "alone", lambda: True)
    bounded, done = BoundedChild(), list[int]()
    bounded.keep_ready(lambda: 1 // 0)
    bounded.meanwhile(lambda: done.append(1))
    assert run(bounded, double, 4) == 8
    assert len(done) <= 1
    bounded.close()


def test_who_ends_does_not_wait_for_what_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may have a job done, or do something meanwhile that never ends (a disk): the server goes at once,
    and has no follower.
    """
    monkeypatch.setattr(bounded_child, "alone", lambda: True)
    bounded, hangs, goes_on = BoundedChild(), threading.Event(), threading.Event()
    bounded.keep_ready()
    assert bounded._server
    pid, ended = bounded._server._pid, list[object]()
    bounded.meanwhile(lambda: (hangs.set(), goes_on.wait(30)))
    thread = threading.Thread(target=lambda: ended.append(run(bounded, double, 4)))
    thread.start()
    assert hangs.wait(10)
    began = time.monotonic()
    bounded.abandon()
    assert time.monotonic() - began < 5
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    goes_on.set()
    thread.join(10)
    assert [type(one) for one in ended] == [Overrun]
    assert bounded._server is None


def test_no_signal_for_us_ends_it(bounded: BoundedChild) -> None:
    """A Ctrl-C and a stop of the whole service are for whoever asked."""
    bounded.run(double, 1, seconds=QUICK, megabytes=ROOM)
    if bounded._server:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(bounded._server._pid, number)
        server = bounded._server
        assert run(bounded, double, 5) == 10
        assert bounded._server is server


def ticks(pid: int) -> int:
    """What a process has had of the processor."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[11])


@pytest.mark.parametrize(
    ("number", "stopped"), [(signal.SIGKILL, False), (signal.SIGTERM, False), (signal.SIGTERM, True)]
)
def test_it_ends_with_whoever_asked(number: signal.Signals, stopped: bool, tmp_path: Path) -> None:
    """The server and the work it does are gone with the process that asked, also when that is killed, or when they
    were stopped.
    """
    script = (
        "import sys, threading; from pathlib import Path; from tocsin.adapters.bounded_child import BoundedChild\n"
        "from tests.unit.adapters import test_bounded_child as t\n"
        "b = BoundedChild(); b.keep_ready(); Path(sys.argv[1]).write_text(str(b._server._pid))\n"
        "b.run(t.spin, 'x', seconds=600, megabytes=64)"
    )
    running = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "pid")], cwd=Path(__file__).parents[3])
    end = time.monotonic() + 60
    children: list[int] = []
    while not children:
        assert time.monotonic() < end
        time.sleep(0.02)
        if (tmp_path / "pid").exists() and (text := (tmp_path / "pid").read_text()):
            children = [int(pid) for pid in Path(f"/proc/{text}/task/{text}/children").read_text().split()]
    while not all(map(ticks, children)):  # it is at its work, so what it does first of all is done
        assert time.monotonic() < end
        time.sleep(0.02)
    for pid in (int(text), *children) if stopped else ():
        os.kill(pid, signal.SIGSTOP)
    running.send_signal(number)
    running.wait(30)
    end = time.monotonic() + 20  # the work itself would take longer
    while any(map(alive, (int(text), *children))):
        assert time.monotonic() < end
        time.sleep(0.02)
