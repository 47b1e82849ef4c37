"""Where log lines leave: a queue and a thread, whatever stands at the other end (rule 61)."""

import fcntl
import os
import select
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from tocsin.adapters import log_stream
from tocsin.adapters.log_stream import LogStream

LINE = b"a line\n"


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


class Pipe:
    """A pipe of 4 kB whose reader reads when it is told to."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, 4096)
        self.stream = LogStream(self.writer, "{} lines lost\n".format)

    def read(self) -> bytes:
        return os.read(self.reader, 65536)

    def read_slowly(self) -> None:
        """What is there after a moment, if anything: what was read last may not be counted yet, and nothing follows."""
        if select.select([self.reader], [], [], 0.01)[0]:
            self.read()

    def fill(self) -> None:
        """As much as the pipe takes, and one line that does not fit."""
        self.stream.write(b"." * 4095 + b"\n")
        until(lambda: self.stream.written == 1)
        self.stream.write(LINE)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    os.close(made.reader)
    made.stream.drain(5)
    os.close(made.writer)


def test_lines_arrive_in_their_order(pipe: Pipe) -> None:
    """What is written comes out, whole and in order; print() and tracebacks may use it like any stream."""
    for number in range(100):
        pipe.stream.write(b"%d\n" % number)
    until(lambda: pipe.stream.written == 100)
    assert pipe.read().split() == [b"%d" % number for number in range(100)]
    assert (pipe.stream.lost, pipe.stream.waiting) == (0, 0)


def test_a_stuck_reader_blocks_nobody(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 61: nobody reads: writing returns at once, what does not fit is lost and counted; and when somebody reads
    again, they learn how many lines they will never see.
    """
    pipe.fill()
    monkeypatch.setattr(log_stream, "WAITING_LIMIT", 10 * len(LINE))
    until(lambda: pipe.stream.waiting == len(LINE))
    began = time.monotonic()
    for _ in range(1000):
        pipe.stream.write(LINE)
    assert time.monotonic() - began < 1
    assert pipe.stream.lost == 991
    pipe.read()
    until(lambda: pipe.stream.waiting == 0)
    read = pipe.read()
    assert (read.count(LINE), read.count(b"991 lines lost\n")) == (10, 1)
    pipe.stream.write(LINE)
    until(lambda: pipe.stream.written == 12)
    assert pipe.read() == LINE, "it is told once"


def test_a_reader_that_left_ends_nobody() -> None:
    """Rule 61: `tocsin run 2>&1 | head`: the lines are lost and counted, with what the system says."""
    reader, writer = os.pipe()
    os.close(reader)
    stream = LogStream(writer, str)
    stream.write(LINE)
    until(lambda: stream.lost == 1)
    assert (stream.fault, stream.waiting) == ("broken pipe", 0)
    stream.drain(5)
    os.close(writer)


def test_a_full_disk_that_is_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 61: a line that was torn by a full disk ends where the next begins, after the word of what was lost."""
    disk, room = bytearray(), 10

    def write(_descriptor: int, data: bytes) -> int:
        part = data[: room - len(disk)]
        if data and not part:
            raise OSError(28, "No space left on device")
        disk.extend(part)
        return len(part)

    monkeypatch.setattr(log_stream.os, "write", write)
    stream = LogStream(99, "{} lost\n".format)
    for _ in range(3):
        stream.write(LINE)
    until(lambda: stream.lost == 2)
    assert stream.fault == "no space left on device"
    room = 1000
    stream.write(b"again\n")
    until(lambda: stream.written == 2)
    assert bytes(disk) == b"a line\na l\n2 lost\nagain\n"
    assert stream.fault == ""
    stream.drain(5)


def test_lines_that_come_together_leave_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many lines of one moment are few writes, in their order; of those that a disk takes in part the rest is lost."""
    writes, disk, room = list[bytes](), bytearray(), 100_000

    def write(_descriptor: int, data: bytes) -> int:
        writes.append(data)
        part = data[: room - len(disk)]
        if not part:
            raise OSError(28, "No space left on device")
        disk.extend(part)
        return len(part)

    monkeypatch.setattr(log_stream.os, "write", write)
    monkeypatch.setattr(log_stream, "GATHERED_FOR", 0.3)
    stream = LogStream(99, "{} lost\n".format)
    for number in range(500):
        stream.write(b"%d\n" % number)
    until(lambda: stream.written == 500)
    assert bytes(disk).split() == [b"%d" % number for number in range(500)]
    assert len(writes) == 1
    room = len(disk) + 2 * len(LINE)
    for _ in range(5):
        stream.write(LINE)
    until(lambda: stream.written + stream.lost == 505)
    assert (stream.written, stream.lost, stream.waiting) == (502, 3, 0)
    room = 100_000
    stream.write(LINE)
    until(lambda: stream.written == 503)
    assert bytes(disk).endswith(LINE * 2 + b"3 lost\n" + LINE)
    stream.drain(5)


def test_a_non_blocking_output_is_waited_for(pipe: Pipe) -> None:
    """Somebody who shares the terminal made it non-blocking: what it does not take at once is not lost."""
    os.set_blocking(pipe.writer, False)
    pipe.fill()
    time.sleep(0.02)
    assert pipe.stream.lost == 0
    pipe.read()
    until(lambda: pipe.stream.written == 2)
    assert pipe.read() == LINE


def test_the_end_does_not_wait_for_a_stuck_reader(pipe: Pipe) -> None:
    """Rule 61: a process that ends waits for its last lines a moment, not for ever."""
    pipe.fill()
    began = time.monotonic()
    pipe.stream.drain(0.05)
    assert time.monotonic() - began < 1


def test_a_line_may_be_written_in_the_midst_of_another(pipe: Pipe) -> None:
    """The garbage collector logs wherever it pleases, also while this very thread holds the lock."""
    within = threading.Thread(target=lambda: _write_while_locked(pipe.stream), daemon=True)
    within.start()
    within.join(5)
    assert not within.is_alive()


def _write_while_locked(stream: LogStream) -> None:
    with stream._lock:
        stream.write(LINE)


def test_what_a_slow_reader_has_taken_is_counted_as_it_goes(pipe: Pipe) -> None:
    """Rule 61: a reader that is merely slow takes lines all the while, and room comes free with them."""
    for _ in range(10):
        pipe.stream.write(LINE * 4096)
    waiting = pipe.stream.waiting
    while not pipe.stream.written:
        pipe.read_slowly()
    assert 0 < pipe.stream.waiting < waiting
    while pipe.stream.written < 10 * 4096:
        pipe.read_slowly()
    assert (pipe.stream.lost, pipe.stream.waiting) == (0, 0)


def test_a_line_behind_the_end_keeps_nobody(pipe: Pipe) -> None:
    """A thread that logs while the daemon ends does not make it wait for the log's last words."""
    pipe.stream.write(LINE)
    drained = threading.Thread(target=pipe.stream.drain, args=(10,))
    drained.start()
    pipe.stream.write(LINE)
    drained.join(5)
    assert not drained.is_alive()
