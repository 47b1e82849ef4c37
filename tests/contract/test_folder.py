"""The folder port: the real directory and its fake list the same, and the real one survives what happens to folders."""

import asyncio
import errno
import os
import random
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from tocsin.adapters.clock import SystemClock
from tocsin.adapters.files.incident_folder.kernel import EVENTS_GATHERED, kernel_changes
from tocsin.adapters.files.incident_folder.pokes import ANYTHING
from tocsin.adapters.files.incident_folder.portable import portable_changes
from tocsin.adapters.files.incident_folder.watched_folder import WatchedFolder
from tocsin.ports.folder import Folder, Listed
from tocsin.text.decoding import FILE_LIMIT

from tests.fakes.clock import StillClock
from tests.fakes.folder import FakeFolder

POKES = "tocsin.adapters.files.incident_folder.pokes"
KERNEL = "tocsin.adapters.files.incident_folder.kernel"
GOOD = "title: x\nseverity: sev1\n"


class Real:
    """A directory and the adapter on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.folder = WatchedFolder(path, SystemClock())

    def write(self, name: str, content: str | bytes) -> None:
        hidden = self.path / ".new"
        hidden.write_bytes(content.encode() if isinstance(content, str) else content)
        hidden.rename(self.path / name)

    def remove(self, name: str) -> None:
        (self.path / name).unlink()

    def scan(self) -> list[Listed]:
        return listed(self.folder)


def listed(folder: Folder) -> list[Listed]:
    found = folder.scan()
    assert not isinstance(found, str), found
    return list(found)


@pytest.fixture
def real(tmp_path: Path) -> Real:
    return Real(tmp_path / "incidents")


@pytest.fixture(params=["real", "fake"])
def any_folder(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Folder, Real | FakeFolder]:
    if request.param == "fake":
        fake = FakeFolder()
        return fake, fake
    folder = Real(tmp_path / "incidents")
    return folder.folder, folder


def test_it_lists_what_counts_by_name(any_folder: tuple[Folder, Real | FakeFolder]) -> None:
    """Incident files with their bytes and digest, in the order of their names; nothing else."""
    folder, desk = any_folder
    for name in ("b.yml", "a.yaml", ".c.yaml", "_d.yaml", "e.yaml~", "f.txt"):
        desk.write(name, GOOD + name)
    found = listed(folder)
    assert [(each.name, each.data, each.trouble) for each in found] == [
        ("a.yaml", (GOOD + "a.yaml").encode(), ""),
        ("b.yml", (GOOD + "b.yml").encode(), ""),
    ]
    assert len({each.digest for each in found}) == 2


def test_the_digest_follows_the_content(any_folder: tuple[Folder, Real | FakeFolder]) -> None:
    """Same bytes, same digest; other bytes of the same length, another one."""
    folder, desk = any_folder
    desk.write("a.yaml", "title: x")
    (before,) = listed(folder)
    desk.write("a.yaml", "title: y")
    (after,) = listed(folder)
    desk.write("a.yaml", "title: x")
    (again,) = listed(folder)
    assert before.digest == again.digest != after.digest


def test_some_files_are_looked_at_alone(any_folder: tuple[Folder, Real | FakeFolder]) -> None:
    """Those of the names that count and are there, as a scan gives them; a later scan has what was found so."""
    folder, desk = any_folder
    for name in ("a.yaml", "b.yaml", "c.txt"):
        desk.write(name, GOOD + name)
    before = {file.name: file for file in listed(folder)}
    desk.write("b.yaml", GOOD)
    desk.write("d.yaml", GOOD)
    found = folder.look_at(["a.yaml", "b.yaml", "c.txt", "d.yaml", "never.yaml"])
    assert found is not None
    assert {name: file.data for name, file in found.items()} == {
        "a.yaml": before["a.yaml"].data,
        "b.yaml": GOOD.encode(),
        "d.yaml": GOOD.encode(),
    }
    assert {file.name: file for file in listed(folder)} == found
    desk.remove("d.yaml")
    assert folder.look_at(["d.yaml"]) == {}
    assert [file.name for file in listed(folder)] == ["a.yaml", "b.yaml"]


def test_a_look_at_some_files_asks_for_no_other(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a hundred files there, what one of them holds costs one look."""
    for number in range(100):
        real.write(f"{number}.yaml", f"{GOOD}impact: {number}")
    real.scan()
    real.write("7.yaml", GOOD)
    asked: list[Any] = []
    look, scandir = os.stat, os.scandir
    monkeypatch.setattr(os, "stat", lambda path, **options: asked.append(path) or look(path, **options))
    monkeypatch.setattr(os, "scandir", lambda path: asked.append(path) or scandir(path))
    assert real.folder.look_at(["7.yaml"])
    assert asked == ["7.yaml"]


def test_an_unchanged_folder_gives_the_same_listing(real: Real) -> None:
    """The very same sequence, until something in it changes, comes or goes, also if that was seen by a look at it alone."""
    folder = WatchedFolder(real.path, SystemClock(wall=lambda: time.time() + 60))
    for name in ("a.yaml", "b.yaml"):
        real.write(name, GOOD)
    first = folder.scan()
    assert folder.scan() is first
    time.sleep(0.02)
    real.write("a.yaml", "title: y")
    assert folder.look_at(["a.yaml"])
    second = folder.scan()
    assert [file.data for file in second if not isinstance(file, str)] == [b"title: y", GOOD.encode()]
    assert folder.scan() is second
    real.remove("b.yaml")
    assert len(folder.scan()) == 1


def test_a_folder_that_is_gone_is_not_looked_at_alone(any_folder: tuple[Folder, Real | FakeFolder]) -> None:
    """Nothing is said of any file; the scan says why."""
    folder, desk = any_folder
    desk.write("a.yaml", GOOD)
    if isinstance(desk, FakeFolder):
        desk.away = "the incident folder is gone"
    else:
        shutil.rmtree(desk.path)
    assert folder.look_at(["a.yaml"]) is None


def test_a_large_file_is_cut(any_folder: tuple[Folder, Real | FakeFolder]) -> None:
    """Over 256 KiB one byte more than the limit is given, and why (rule 41)."""
    folder, desk = any_folder
    desk.write("a.yaml", b"x" * FILE_LIMIT)
    desk.write("b.yaml", b"x" * (FILE_LIMIT + 9))
    whole, cut = listed(folder)
    assert (whole.data, whole.trouble) == (b"x" * FILE_LIMIT, "")
    assert cut.data is not None
    assert len(cut.data) == FILE_LIMIT + 1
    assert "256 KiB" in cut.trouble


async def test_a_change_pokes(any_folder: tuple[Folder, Real | FakeFolder]) -> None:
    """Soon after a file came there is a poke."""
    folder, desk = any_folder
    async with asyncio.timeout(10):
        pokes = folder.pokes()
        first = asyncio.ensure_future(anext(pokes))
        await asyncio.sleep(0.05)
        desk.write("a.yaml", GOOD)
        await first
    await closed(pokes)


def test_what_is_no_file_is_never_opened(real: Real) -> None:
    """Rule 41: links (also to nowhere), FIFOs and sockets have no bytes and a reason; a directory is left alone."""
    secret = real.path.parent / "secret"
    secret.write_text(GOOD)
    (real.path / "link.yaml").symlink_to(secret)
    (real.path / "nowhere.yaml").symlink_to("nowhere")
    os.mkfifo(real.path / "pipe.yaml")
    (real.path / "folder.yaml").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(real.path / "socket.yaml"))
        found = real.scan()
    assert [(each.name, each.data) for each in found] == [
        ("link.yaml", None),
        ("nowhere.yaml", None),
        ("pipe.yaml", None),
        ("socket.yaml", None),
    ]
    assert ["symbolic link" in found[0].trouble, "FIFO" in found[2].trouble, "socket" in found[3].trouble] == [True] * 3


def test_a_hundred_megabytes_of_nothing(real: Real) -> None:
    """A huge sparse file costs no more than the limit."""
    with (real.path / "a.yaml").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    (found,) = real.scan()
    assert found.data is not None
    assert len(found.data) == FILE_LIMIT + 1


def test_a_file_without_the_right_to_read() -> None:
    """It is listed, empty, with what to do."""
    with tempfile.TemporaryDirectory() as name, ordinary_user(Path(name)):
        (Path(name) / "a.yaml").touch(mode=0)
        (found,) = listed(WatchedFolder(Path(name), SystemClock()))
    assert found.data == b""
    assert "may not be read by the daemon's user; chmod g+r it" in found.trouble


@contextmanager
def ordinary_user(folder: Path) -> Iterator[None]:
    """Somebody who is not root, and owns the folder: root would read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(folder, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_odd_names(real: Real) -> None:
    """Names with newlines, wrong bytes or 255 bytes are listed like any other."""
    names = [b"a\nb.yaml", b"\xff\xfe.yaml", b"x" * 250 + b".yaml", "\u202eb.yaml".encode()]
    for name in names:
        (real.path / os.fsdecode(name)).write_text(GOOD)
    assert sorted(os.fsencode(each.name) for each in real.scan()) == sorted(names)


def test_an_unchanged_file_is_not_read_again(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives the very same value, until its content changes; same size and times do not hide that."""
    real.write("a.yaml", "title: x")
    (before,) = real.scan()
    status = (real.path / "a.yaml").stat()
    assert real.scan()[0] is before
    (real.path / "a.yaml").write_text("title: y")
    os.utime(real.path / "a.yaml", ns=(status.st_atime_ns, status.st_mtime_ns))
    (after,) = real.scan()
    assert after.data == b"title: y"


def test_old_files_are_opened_once(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a file's times are old enough to be believed, it is not opened again."""
    real.write("a.yaml", GOOD)
    later = SystemClock(wall=lambda: real.path.stat().st_ctime + 60)
    folder = WatchedFolder(real.path, later)
    (before,) = listed(folder)
    opened: list[object] = []
    monkeypatch.setattr(os, "read", lambda *arguments: opened.append(arguments))
    assert listed(folder)[0] is before
    assert opened == []


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.rmdir(), "is gone"),
        (lambda path: (path.rmdir(), path.write_text("x")), "is no directory"),
    ],
)
def test_a_folder_that_cannot_be_listed_says_why(real: Real, spoil: Callable[[Path], object], says: str) -> None:
    """A sentence, not an exception."""
    spoil(real.path)
    found = real.folder.scan()
    assert isinstance(found, str)
    assert says in found


async def test_pokes_survive_the_folder(tmp_path: Path) -> None:
    """Missing at the start, made, removed, made again: each time a new file pokes within seconds."""
    path = tmp_path / "incidents"
    folder = WatchedFolder(path, SystemClock())
    pokes = folder.pokes()
    async with asyncio.timeout(30):
        for number in range(2):
            path.mkdir()
            (path / f"{number}.yaml").write_text(GOOD)
            await anext(pokes)
            while [each.name for each in _scanned(folder)] != [f"{number}.yaml"]:
                await anext(pokes)
            shutil.rmtree(path)
            await anext(pokes)
            while not isinstance(folder.scan(), str):
                await anext(pokes)
    await closed(pokes)


def refused(*_: object, **__: object) -> Generator[frozenset[str] | None]:
    """A watch that cannot be had."""
    raise OSError(errno.ENOSPC, "inotify watch limit reached")
    yield None


async def test_without_inotify_it_still_pokes(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the folder cannot be watched at all, there is a poke each second."""
    monkeypatch.setattr(f"{POKES}.changes_in", refused)
    pokes = real.folder.pokes()
    async with asyncio.timeout(5):
        assert [await anext(pokes), await anext(pokes)] == [ANYTHING, ANYTHING]
    await closed(pokes)


@pytest.fixture(params=["kernel", "portable"])
def watched(request: pytest.FixtureRequest, real: Real, monkeypatch: pytest.MonkeyPatch) -> Real:
    """A folder that is watched by the one or by the other."""
    changes = kernel_changes if request.param == "kernel" else portable_changes
    monkeypatch.setattr(f"{POKES}.changes_in", changes)
    return real


async def test_a_poke_names_what_changed(watched: Real) -> None:
    """What was written, renamed and removed, by its names; and nothing of files that are left alone."""
    pokes = watched.folder.pokes()
    async with asyncio.timeout(10):
        assert await anext(pokes) == ANYTHING
        await asyncio.sleep(0.3)  # the portable watch has begun by then
        watched.write("a.yaml", GOOD)
        watched.write("b.txt", GOOD)
        assert await anext(pokes) == {"a.yaml"}
        (watched.path / "a.yaml").rename(watched.path / "c.yaml")
        names = await anext(pokes)
        while names != {"a.yaml", "c.yaml"}:
            names |= await anext(pokes)
        watched.remove("c.yaml")
        while await anext(pokes) != {"c.yaml"}:
            pass
    await closed(pokes)


def test_more_than_the_kernel_keeps(real: Real) -> None:
    """When the kernel had to drop what it had to say, anything may have changed, and what follows is named again."""
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    files = [real.path / "a.yaml", real.path / "b.yaml"]
    for file in files:
        file.touch()
    with closing(kernel_changes(real.path, 0.1)) as changes:
        assert next(changes) == frozenset()
        for number in range(most + 1):
            os.utime(files[number % 2])
        while next(changes) is not None:
            pass
        while next(changes) != frozenset():
            pass
        real.write("b.yaml", GOOD)
        assert next(changes) == {".new", "b.yaml"}


def test_who_never_stops_writing_keeps_no_word_back(real: Real) -> None:
    """A log or an upload beside the incidents, quicker than anybody reads: the kernel's words come in pieces."""
    files = [real.path / "a.yaml", real.path / "b.yaml"]
    for file in files:
        file.touch()
    with closing(kernel_changes(real.path, 0.1)) as changes:
        assert next(changes) == frozenset()
        for number in range(3 * EVENTS_GATHERED):
            os.utime(files[number % 2])
        assert [next(changes) for _ in range(3)] == [{"a.yaml", "b.yaml"}] * 3


def test_a_file_is_named_once_it_is_closed(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that writes a new file line by line is heard when it is done: half a file would page somebody else. One
    that takes its time, or a link that nobody closes, is named all the same.
    """
    monkeypatch.setattr(f"{KERNEL}.WRITTEN_WITHIN", 0.5)
    with closing(kernel_changes(real.path, 5)) as changes:
        assert next(changes) == frozenset()
        with (real.path / "a.yaml").open("w") as file:
            file.write("title: x\n")
            file.flush()
            real.write("b.yaml", GOOD)
            assert next(changes) == {".new", "b.yaml"}
            assert next(changes) == {"a.yaml"}
            file.write("severity: SEV1\n")
            file.flush()
        assert next(changes) == {"a.yaml"}
        os.link(real.path / "a.yaml", real.path / "c.yaml")
        assert next(changes) == {"c.yaml"}


def test_the_kernel_says_that_the_folder_went_away(real: Real) -> None:
    """Moved: anything may have changed. Removed: likewise, and there is nothing more to be said."""
    with closing(kernel_changes(real.path, 0.1)) as changes:
        assert next(changes) == frozenset()
        moved = real.path.rename(real.path.parent / "moved")
        assert next(changes) is None
        moved.rmdir()
        assert set(changes) <= {None}


@pytest.mark.parametrize("keep_time", [False, True])
def test_an_old_file_that_changes_is_read_again(real: Real, keep_time: bool) -> None:
    """Written in place, with as many bytes: its times tell, and the one of its change even where the other is put back."""
    real.write("a.yaml", "title: x")
    folder = WatchedFolder(real.path, SystemClock(wall=lambda: time.time() + 60))
    assert [file.data for file in listed(folder)] == [b"title: x"]
    status = (real.path / "a.yaml").stat()
    time.sleep(0.02)
    (real.path / "a.yaml").write_text("title: y")
    if keep_time:
        os.utime(real.path / "a.yaml", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert [file.data for file in listed(folder)] == [b"title: y"]


def test_times_may_be_too_coarse(real: Real) -> None:
    """Two changes within one tick of the file system's clock look like one: a file that changed a moment ago is read
    again, however alike its status is.
    """
    path = real.path / "a.yaml"
    path.write_text("title: 000")
    for number in range(1, 100):
        real.scan()
        path.write_text(f"title: {number:03}")
        assert [file.data for file in real.scan()] == [f"title: {number:03}".encode()]


def test_a_fresh_file_is_opened_again(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """For two seconds after its change a file's times prove nothing, whatever they say; once they are old it is read a
    last time.
    """
    real.write("a.yaml", GOOD)
    changed_at = (real.path / "a.yaml").stat().st_ctime
    clock = StillClock(datetime.fromtimestamp(changed_at, UTC) + timedelta(seconds=1))
    folder = WatchedFolder(real.path, clock)
    reads: list[int] = []
    read = os.read

    def reading(descriptor: int, size: int) -> bytes:
        reads.append(size)
        return read(descriptor, size)

    monkeypatch.setattr(os, "read", reading)
    opened = []
    for seconds in (0, 0, 1.5, 0, 0):
        clock.go(timedelta(seconds=seconds))
        reads.clear()
        folder.scan()
        opened.append(bool(reads))
    assert opened == [True, True, True, False, False]


def test_changed_while_it_is_read(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that somebody writes to while it is read is read again at the next scan, though its times are believed."""
    real.write("a.yaml", "title: x")
    folder = WatchedFolder(real.path, SystemClock(wall=lambda: time.time() + 60))
    read = os.read

    def reading(descriptor: int, size: int) -> bytes:
        data = read(descriptor, size)
        monkeypatch.setattr(os, "read", read)
        (real.path / "a.yaml").write_text("title: longer")
        return data

    monkeypatch.setattr(os, "read", reading)
    folder.scan()
    assert [file.data for file in listed(folder)] == [b"title: longer"]


def test_gone_while_it_is_listed(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that goes away between the listing and its opening is not there; the others are."""
    for name in ("a.yaml", "b.yaml"):
        real.write(name, GOOD)
    open_file = os.open

    def opening(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        if path == "a.yaml":
            real.remove("a.yaml")
        return open_file(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", opening)
    assert [file.name for file in real.scan()] == ["b.yaml"]


def test_swapped_while_it_is_listed(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that becomes a link or a FIFO between the listing and its opening is not followed and not waited for."""
    secret = real.path.parent / "secret"
    secret.write_text("secret")
    for name in ("a.yaml", "b.yaml"):
        real.write(name, GOOD)
    open_file = os.open

    def opening(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        if path in ("a.yaml", "b.yaml"):
            real.remove(path)
            (real.path / path).symlink_to(secret) if path == "a.yaml" else os.mkfifo(real.path / path)
        return open_file(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", opening)
    link, pipe = real.scan()
    assert (link.data, pipe.data) == (None, None)
    assert ("a symbolic link" in link.trouble, "a FIFO" in pipe.trouble) == (True, True)


def test_written_while_it_is_scanned(real: Real) -> None:
    """Somebody replaces and removes files all the time: each scan gives whole files, and the last one what is there."""
    versions = {f"title: {'x' * size}\n".encode() for size in (1, 100, 20_000)}
    stop = threading.Event()

    def writing() -> None:
        while not stop.is_set():
            for version in versions:
                real.write("a.yaml", version)
            real.remove("a.yaml")

    writer = threading.Thread(target=writing)
    writer.start()
    try:
        for _ in range(300):
            assert {file.data for file in real.scan()} <= versions
    finally:
        stop.set()
        writer.join()
    real.write("a.yaml", "title: last")
    assert [file.data for file in real.scan()] == [b"title: last"]


def test_large_files_are_not_kept_in_memory(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file over 16 KiB is read at each scan; one of that size is kept, however many there are."""
    real.write("a.yaml", b"x" * 16 * 1024)
    real.write("b.yaml", b"x" * (16 * 1024 + 1))
    folder = WatchedFolder(real.path, SystemClock(wall=lambda: time.time() + 60))
    first = listed(folder)
    again = listed(folder)
    assert [before is after for before, after in zip(first, again, strict=True)] == [True, False]
    assert first == again


def test_a_file_that_went_away_is_forgotten(real: Real) -> None:
    """Removed and written again it is what it is now; nothing is remembered of what it was."""
    folder = WatchedFolder(real.path, SystemClock(wall=lambda: time.time() + 60))
    real.write("a.yaml", "title: x")
    assert len(listed(folder)) == 1
    real.remove("a.yaml")
    assert listed(folder) == []
    real.write("a.yaml", "title: y")
    assert [file.data for file in listed(folder)] == [b"title: y"]


@pytest.mark.parametrize("seed", range(5))
def test_in_whatever_order_a_folder_lists_its_files(real: Real, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Files come, go, change and stay, and each scan lists them in another order, or in the same one: it says what
    stands there, and of what stays the same as before.
    """
    dice, standing, scandir = random.Random(seed), dict[str, str](), os.scandir

    @contextmanager
    def shuffled(root: int) -> Iterator[list["os.DirEntry[str]"]]:
        with scandir(root) as entries:
            found = sorted(entries, key=attrgetter("name"))
        dice.choice([dice.shuffle, lambda _listed: None])(found)
        yield found

    monkeypatch.setattr(os, "scandir", shuffled)
    folder, last = WatchedFolder(real.path, SystemClock(wall=lambda: time.time() + 60)), dict[str, Listed]()
    for number in range(60):
        changed = dice.sample(range(12), dice.choice([0, 0, 1, 3]))
        for which in changed:
            name = f"i{which}.yaml"
            if name in standing and dice.random() < 0.5:
                real.remove(name)
                del standing[name]
            else:
                standing[name] = f"title: {number}\nseverity: sev1\n"
                real.write(name, standing[name])
            if dice.random() < 0.3:
                folder.look_at({name})
        found = {file.name: file for file in listed(folder)}
        assert {name: (file.data or b"").decode() for name, file in found.items()} == standing
        assert all(found[name] is file for name, file in last.items() if found.get(name) == file)
        last = found


async def test_a_folder_at_rest_wakes_nobody(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a first poke at once, and none after it while nothing changes, however often it is looked whether the
    path still leads there.
    """
    monkeypatch.setattr(f"{POKES}.POLL_EVERY", timedelta(seconds=0.05))
    pokes = real.folder.pokes()
    async with asyncio.timeout(5):
        assert await anext(pokes) == ANYTHING
    second = asyncio.ensure_future(anext(pokes))
    await asyncio.sleep(1)
    assert not second.done()
    real.write("a.yaml", GOOD)
    async with asyncio.timeout(5):
        assert await second == {"a.yaml"}
    await closed(pokes)


async def test_another_folder_in_its_place(real: Real) -> None:
    """When another folder is put in its place, that one is watched."""
    pokes = real.folder.pokes()
    async with asyncio.timeout(20):
        await anext(pokes)
        real.path.rename(real.path.parent / "before")
        real.path.mkdir()
        await anext(pokes)
        real.write("a.yaml", GOOD)
        while await anext(pokes) != {"a.yaml"}:  # until the new one is watched: then a change is named at once
            real.write("a.yaml", GOOD)
    await closed(pokes)


def _scanned(folder: Folder) -> list[Listed]:
    found = folder.scan()
    return [] if isinstance(found, str) else list(found)


async def closed(pokes: AsyncIterator[frozenset[str]]) -> None:
    """Let go of a watch."""
    await pokes.aclose()  # type: ignore[attr-defined]  # both are generators
