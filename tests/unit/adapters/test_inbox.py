"""The inbox folder on a real disk: whole entries or none, and hostile things that lie there."""

import asyncio
import errno
import os
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from tocsin.adapters.files import rights
from tocsin.adapters.inbox import reader as inbox_reader
from tocsin.adapters.inbox import waiting, writer
from tocsin.adapters.inbox.reader import (
    HEARS_FOR,
    LEFT_OVER_AFTER,
    LISTS_AGAIN,
    LOOKS_EVERY,
    WAITS_FOR,
    WORDS_IN_VAIN,
    InboxReader,
    StayingInbox,
)
from tocsin.adapters.inbox.writer import STRANGERS_MOST, InboxWriter
from tocsin.domain.arrival import (
    CodeEntry,
    EntryKind,
    InboxEntry,
    ResubscribeEntry,
    SignInEntry,
    WebhookEntry,
    WebhookRoute,
    WordEntry,
)
from tocsin.domain.people import Channel
from tocsin.formats.inbox.entries import ENTRY_MOST, WAITING_MOST, read_entry
from tocsin.formats.inbox.names import read_entry_name
from tocsin.ports.inbox import InboxError, InboxFullError, InboxListing

from tests.fakes.clock import StillClock

linux = pytest.mark.skipif(sys.platform != "linux", reason="only there the kernel speaks so")
ENTRY = ResubscribeEntry("0123456789", "x@example.com")


def names(listing: InboxListing | str | None) -> list[str]:
    assert isinstance(listing, InboxListing), listing
    return sorted(listing.names)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_what_is_left_is_read_whole(tmp_path: Path) -> None:
    """The folder is made, for us alone; the name says when, what and which; nothing else lies there."""
    folder, clock = tmp_path / "var" / "inbox", StillClock()
    await InboxWriter(folder, clock).leave(ENTRY)
    (name,) = left(folder)
    known = read_entry_name(name)
    assert known is not None
    assert (known.left_at, known.kind, known.ref) == (clock.now(), EntryKind.RESUBSCRIBE, ENTRY.ref)
    writing = InboxWriter(folder, clock)
    assert await writing.waits(EntryKind.RESUBSCRIBE, ENTRY.ref)
    assert not await writing.waits(EntryKind.ANSWER, ENTRY.ref)
    reader = InboxReader(folder, tmp_path)
    assert names(reader.changed()) == [name]
    file = reader.read(name)
    assert file is not None
    assert (read_entry(file.data), file.of_web_side, file.fault) == (ENTRY, True, "")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / name)] == [0o700, 0o600]
    assert reader.remove(name) == ""
    assert not await writing.waits(EntryKind.RESUBSCRIBE, ENTRY.ref)
    assert (left(folder), reader.remove(name), reader.read(name)) == ([], "", None)


@pytest.mark.parametrize(
    ("mode", "folder_mode", "groups", "may"),
    [
        (0o640, 0o2770, [50, 7], True),
        (0o640, 0o2770, [50], False),  # only reads, in the group of the daemon
        (0o660, 0o2770, [50, 7], False),  # somebody of the group may have changed it
        (0o642, 0o2770, [50, 7], False),
        (0o600, 0o2750, [50, 7], False),
        (0o600, 0o777, [50], True),
    ],
)
def test_whose_entry_is_a_responders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, folder_mode: int, groups: list[int], may: bool
) -> None:
    """Who may write the folder of incident files, by its mode and the system's groups; and nobody else could have
    changed what they left.
    """
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "one").write_bytes(b"{}")
    (tmp_path / "inbox" / "one").chmod(mode)
    status = list(tmp_path.stat())
    status[stat.ST_MODE], status[stat.ST_UID], status[stat.ST_GID] = stat.S_IFDIR | folder_mode, 99, 7
    incidents = tmp_path / "incidents"
    asked, real = [], Path.stat
    monkeypatch.setattr(
        Path, "stat", lambda path, **how: os.stat_result(status) if path == incidents else real(path, **how)
    )
    monkeypatch.setattr(os, "getgrouplist", lambda name, _group: asked.append(name) or groups)
    monkeypatch.setattr(rights.pwd, "getpwuid", lambda _user: SimpleNamespace(pw_name="sam", pw_gid=50))
    monkeypatch.setattr(rights, "may_write", lambda _user, folder, real=rights.may_write: real(1234, folder))
    monkeypatch.setattr(inbox_reader, "may_write", rights.may_write)
    file = InboxReader(tmp_path / "inbox", incidents).read("one")
    assert file is not None
    assert file.of_responder is may
    assert set(asked) <= {"sam"}


def test_who_may_write_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner and root always; of a user whom nobody knows, or where there is no folder, it is not said."""
    assert rights.may_write(os.geteuid(), tmp_path)
    assert rights.may_write(0, tmp_path)
    tmp_path.chmod(0o770)
    monkeypatch.setattr(rights.pwd, "getpwuid", dict[int, object]().__getitem__)
    assert not rights.may_write(4_000_000, tmp_path)
    assert not rights.may_write(0, tmp_path / "nothing")


async def test_on_a_server_the_group_may_take_entries_away(tmp_path: Path) -> None:
    """The folder stands there, open to its group: so are the files, whatever the umask says. Beside a ledger that a
    group may read one that is missing is made so.
    """
    folder, state = tmp_path / "inbox", tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o2770)
    state.mkdir()
    state.chmod(0o750)
    before = os.umask(0o077)
    try:
        await InboxWriter(folder, StillClock()).leave(ENTRY)
        await InboxWriter(state / "inbox", StillClock()).leave(ENTRY)
    finally:
        os.umask(before)
    for made in (folder, state / "inbox"):
        assert stat.S_IMODE(made.stat().st_mode) == 0o2770
        assert stat.S_IMODE((made / left(made)[0]).stat().st_mode) == 0o640


@pytest.mark.parametrize("fails", ["write", "fsync", "rename"])
async def test_a_full_disk_leaves_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """Neither an entry nor a rest of one; who wanted to leave it learns why."""

    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writer.os, fails, full)
    with pytest.raises(InboxError, match="no space left on device"):
        await InboxWriter(tmp_path, StillClock()).leave(ENTRY)
    monkeypatch.undo()
    assert left(tmp_path) == []


async def test_no_more_than_a_thousand_wait(tmp_path: Path) -> None:
    """And strangers fill no more than half of the places."""
    inbox = InboxWriter(tmp_path, StillClock())
    webhook = WebhookEntry("webhook001", WebhookRoute.INBOUND, "/twilio/inbound", (("Body", "ok"),), "x")
    for number in range(STRANGERS_MOST):
        (tmp_path / f"20261126T101112.{number:06}Z-webhook-{number:08}.json").touch()
    asked = SignInEntry("sign000001", "ana", Channel.SMS, "0" * 64)
    for strange in (webhook, asked, CodeEntry("code000001", "sign000001", "123456", "p", "0" * 64)):
        with pytest.raises(InboxFullError, match="is it running"):
            await inbox.leave(strange)
    await inbox.leave(ENTRY)
    for number in range(WAITING_MOST - STRANGERS_MOST - 1):
        (tmp_path / f"20261126T101112.{number:06}Z-word-{number:08}.json").touch()
    with pytest.raises(InboxFullError):
        await inbox.leave(ENTRY)


async def test_what_is_too_big_is_not_left(tmp_path: Path) -> None:
    """Nothing is cut in silence."""
    with pytest.raises(InboxError, match="over 8 kB"):
        await InboxWriter(tmp_path, StillClock()).leave(WordEntry("0123456789", "pull", "é" * ENTRY_MOST))
    assert left(tmp_path) == []


async def test_places_that_are_no_inbox(tmp_path: Path) -> None:
    """One line each, that names the folder."""
    (tmp_path / "file").touch()
    with pytest.raises(InboxError, match="is no folder"):
        await InboxWriter(tmp_path / "file", StillClock()).leave(ENTRY)
    said = InboxReader(tmp_path / "file", tmp_path).changed()
    assert isinstance(said, str)
    assert str(tmp_path / "file") in said


async def test_a_disk_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who leaves an entry is told, and the loop goes on."""
    goes_on = threading.Event()
    monkeypatch.setattr(writer, "WRITTEN_WITHIN", 0.1)
    monkeypatch.setattr(writer.os, "fsync", lambda _file: goes_on.wait(10))
    try:
        async with asyncio.timeout(5):
            with pytest.raises(InboxError, match="does not answer"):
                await InboxWriter(tmp_path, StillClock()).leave(ENTRY)
    finally:
        goes_on.set()


def things(folder: Path) -> dict[str, str]:
    """Hostile things in a folder, each with what is said of it."""
    outside = folder.parent / "secret"
    outside.write_text("secret")
    (folder / "link").symlink_to(outside)
    (folder / "nowhere").symlink_to("/nonexistent")
    os.mkfifo(folder / "fifo")
    (folder / "folder").mkdir()
    (folder / "new\nline").symlink_to(outside)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
    os.link(outside, folder / "twice")
    return {
        "link": "it is a symbolic link",
        "nowhere": "it is a symbolic link",
        "fifo": "it is a FIFO",
        "folder": "it is a folder",
        "new\nline": "it is a symbolic link",
        "socket": "it is a socket",
        "twice": "it is also called otherwise elsewhere (a hard link)",
    }


def test_nothing_but_files_of_its_own_is_opened(tmp_path: Path) -> None:
    """Links, pipes, sockets, folders, a file that has another name elsewhere: said, and removed; what a link leads to
    stays.
    """
    folder = tmp_path / "inbox"
    folder.mkdir()
    expected, reader = things(folder), InboxReader(folder, tmp_path)
    assert names(reader.changed()) == sorted(expected)
    for name, said in expected.items():
        file = reader.read(name)
        assert file is not None
        assert (file.fault, file.data) == (said, b"")
        assert reader.remove(name) == ""
    assert (left(folder), (tmp_path / "secret").read_text()) == ([], "secret")


def test_a_folder_with_something_in_it_stays(tmp_path: Path) -> None:
    """What is below it is nobody's to remove."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").touch()
    assert InboxReader(tmp_path, tmp_path).remove("deep") == "directory not empty"


def test_no_more_is_read_than_an_entry_may_have(tmp_path: Path) -> None:
    """A megabyte costs no more than 8 kB."""
    (tmp_path / "big").write_bytes(b"x" * 1_000_000)
    file = InboxReader(tmp_path, tmp_path).read("big")
    assert file is not None
    assert len(file.data) == ENTRY_MOST + 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_whose_a_file_is(tmp_path: Path) -> None:
    """The inbox's own user, or ours: else its owner is named, a stranger by the number."""
    os.chown(tmp_path, 54321, -1)
    for name, owner in (("host", 54321), ("ours", 0), ("other", 54322)):
        (tmp_path / name).touch()
        os.chown(tmp_path / name, owner, -1)
    reader = InboxReader(tmp_path, tmp_path)
    files = {name: reader.read(name) for name in ("host", "ours", "other")}
    assert {name: (file.of_web_side, file.ours, file.owner) for name, file in files.items() if file} == {
        "host": (True, False, ""),
        "ours": (True, True, ""),
        "other": (False, False, "54322"),
    }


def test_a_folder_that_rests_is_not_listed(tmp_path: Path) -> None:
    """After a change it is listed for a while, as its time is coarse; then only when something was put there."""
    reader = InboxReader(tmp_path, tmp_path)
    listed = [reader.changed() for _ in range(LISTS_AGAIN + 5)]
    assert listed[LISTS_AGAIN:] == [None] * 5
    assert None not in listed[:LISTS_AGAIN]
    (tmp_path / "new").touch()
    os.utime(tmp_path, ns=(0, 1))  # whatever the tick says
    assert names(reader.changed()) == ["new"]
    assert names(reader.changed(anew=True)) == ["new"]


class Sleeps:
    """A clock that only sleeping moves; after so many sleeps something is put into the folder."""

    def __init__(self, folder: Path, puts_after: int) -> None:
        self._folder = folder
        self._puts_after = puts_after
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == self._puts_after:
            (self._folder / "one").touch()

    def boottime(self) -> float:
        return round(sum(self.slept), 3)


def test_who_waits_is_told_once_that_nothing_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel does not speak, the folder is looked at as often as ever meanwhile: what comes is told at the
    very next look.
    """
    many = round(WAITS_FOR / LOOKS_EVERY)
    reader, clock = InboxReader(tmp_path, tmp_path), Sleeps(tmp_path, puts_after=many + 2)
    monkeypatch.setattr(inbox_reader.time, "sleep", clock.sleep)
    monkeypatch.setattr(inbox_reader, "boottime", clock.boottime)
    monkeypatch.setattr(waiting, "kernel_changes", None)
    while reader.changed() is not None:
        pass
    assert reader.changed(waits=True) is None
    assert clock.slept == pytest.approx([LOOKS_EVERY] * many)
    assert names(reader.changed(waits=True)) == ["one"]
    assert reader.changed(waits=True, anew=True) is not None
    assert len(clock.slept) == many + 2


def at_rest(folder: Path) -> InboxReader:
    """A reader that listens to the kernel already and has nothing new to list."""
    reader = InboxReader(folder, folder)
    hear_all(reader)
    return reader


def hear_all(reader: InboxReader) -> None:
    """Until nothing is new for a second."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(inbox_reader, "WAITS_FOR", HEARS_FOR)
        while reader.changed(waits=True) is not None:
            pass


def put(folder: Path, name: str) -> threading.Timer:
    """Put something there in a moment."""
    timer = threading.Timer(0.2, (folder / name).touch)
    timer.start()
    return timer


@pytest.fixture
def sleepless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sleeps instead of listening."""
    monkeypatch.setattr(inbox_reader.time, "sleep", lambda _seconds: pytest.fail("it looks, and does not listen"))


@linux
@pytest.mark.usefixtures("sleepless")
def test_the_kernel_says_that_something_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits sleeps until then, and hears it at once; also what came while nobody waited."""
    reader = at_rest(tmp_path)
    monkeypatch.setattr(inbox_reader, "WAITS_FOR", 60.0)
    timer = put(tmp_path, "one")
    assert names(reader.changed(waits=True)) == ["one"]
    timer.join()
    while reader.changed() is not None:
        pass
    (tmp_path / "two").touch()
    assert names(reader.changed(waits=True)) == ["one", "two"]


@linux
@pytest.mark.usefixtures("sleepless")
@pytest.mark.parametrize("removed", [False, True])
def test_another_folder_in_its_place_is_heard(tmp_path: Path, removed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An inbox that was moved away, or removed, and made anew."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    reader = at_rest(folder)
    if removed:
        folder.rmdir()
    else:
        folder.rename(tmp_path / "old")
    folder.mkdir()
    hear_all(reader)
    monkeypatch.setattr(inbox_reader, "WAITS_FOR", 60.0)
    timer = put(folder, "one")
    assert names(reader.changed(waits=True)) == ["one"]
    timer.join()


def test_what_the_kernel_does_not_tell_is_found_within_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every change is told on every file system: whoever waits hears of it all the same, and is not woken before."""
    reader, clock = InboxReader(tmp_path, tmp_path), Sleeps(tmp_path, puts_after=3)

    def silent(_folder: Path, seconds: float) -> Iterator[frozenset[str]]:
        while True:
            clock.sleep(seconds)
            yield frozenset()

    while reader.changed() is not None:
        pass
    monkeypatch.setattr(inbox_reader, "boottime", clock.boottime)
    monkeypatch.setattr(waiting, "kernel_changes", silent)
    assert names(reader.changed(waits=True)) == ["one"]
    assert clock.slept == [HEARS_FOR] * 3


@linux
def test_a_thread_that_hangs_while_it_listens_keeps_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one looks, as where the kernel does not speak."""
    reader, hangs, listens = at_rest(tmp_path), threading.Event(), threading.Event()

    def hang(_folder: Path, _seconds: float) -> Iterator[frozenset[str]]:
        listens.set()
        hangs.wait(30)
        yield frozenset()

    reader._wait = waiting.InboxWait(tmp_path)
    monkeypatch.setattr(waiting, "kernel_changes", hang)
    thread = threading.Thread(target=reader.changed, kwargs={"waits": True})
    thread.start()
    assert listens.wait(10)
    timer = put(tmp_path, "one")
    assert names(reader.changed(waits=True)) == ["one"]
    hangs.set()
    thread.join()
    timer.join()


@linux
def test_who_makes_the_kernel_speak_without_end_wakes_nobody_more_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may write into the inbox could change what does not count all the time."""
    reader, looks, ends = at_rest(tmp_path), list[bool](), threading.Event()
    (tmp_path / ".a").touch()
    while reader.changed() is not None:
        pass
    real = reader._changed
    monkeypatch.setattr(reader, "_changed", lambda *, anew: looks.append(anew) or real(anew=anew))

    def speak() -> None:
        while not ends.wait(0.001):
            (tmp_path / ".a").chmod(0o600)

    thread = threading.Thread(target=speak)
    thread.start()
    assert reader.changed(waits=True) is None
    ends.set()
    thread.join()
    assert len(looks) <= WAITS_FOR / LOOKS_EVERY + (WORDS_IN_VAIN + 2) * WAITS_FOR / HEARS_FOR


@linux
def test_a_kernel_that_listens_to_nobody_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a limit of the kernel's the folder is looked at, and listening is tried again the next time."""
    tried = list[Path]()

    def refuse(folder: Path, _seconds: float) -> Iterator[frozenset[str]]:
        tried.append(folder)
        raise OSError(errno.EMFILE, "too many")
        yield

    reader = at_rest(tmp_path)
    reader._wait = waiting.InboxWait(tmp_path)
    monkeypatch.setattr(waiting, "kernel_changes", refuse)
    timer = put(tmp_path, "one")
    assert names(reader.changed(waits=True)) == ["one"]
    timer.join()
    assert len(tried) > 1


def test_what_was_never_finished_is_cleared_in_time(tmp_path: Path) -> None:
    """A file that is being written is left alone; one that somebody who was killed left behind is removed after a while."""
    reader = InboxReader(tmp_path, tmp_path)
    (tmp_path / ".half").touch()
    assert names(reader.changed()) == []
    old = tmp_path.stat().st_mtime - LEFT_OVER_AFTER - 1
    os.utime(tmp_path / ".half", (old, old))
    assert names(reader.changed(anew=True)) == [".half"]


@contextmanager
def many(folder: Path, number: int) -> Iterator[None]:
    for name in range(number):
        (folder / f"{name}").touch()
    yield


def test_a_listing_has_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of any number of names costs no more than a look at some of them."""
    monkeypatch.setattr("tocsin.adapters.inbox.reader.LISTED_MOST", 50)
    with many(tmp_path, 60):
        listing = InboxReader(tmp_path, tmp_path).changed()
    assert isinstance(listing, InboxListing)
    assert (len(listing.names), listing.more) == (50, True)


@pytest.mark.parametrize("entry", [ENTRY, WordEntry("0123456789", "pull", "\ud83d broken")])
async def test_nobody_sees_half_an_entry(tmp_path: Path, entry: InboxEntry) -> None:
    """While a hundred are left at once every listing shows whole ones only."""
    inbox, reader, seen = InboxWriter(tmp_path, StillClock()), InboxReader(tmp_path, tmp_path), 0
    async with asyncio.TaskGroup() as tasks:
        leaving = [
            tasks.create_task(
                inbox.leave(type(entry)(f"{number:010}", *[getattr(entry, n) for n in entry.__slots__[1:]]))
            )
            for number in range(100)
        ]
        while not (seen and all(task.done() for task in leaving)):
            await asyncio.sleep(0.005)
            for name in names(reader.changed(anew=True)):
                file = reader.read(name)
                assert file is not None
                assert not isinstance(read_entry(file.data), str)
                seen += 1
    assert len(left(tmp_path)) == 100


async def test_what_lies_there_is_read_once_and_stays_while_the_ledger_is_away(tmp_path: Path) -> None:
    """R54: it is judged in memory, and is there to be handed in; what comes later is read as well."""
    folder, clock = tmp_path / "inbox", StillClock()
    writing = InboxWriter(folder, clock)
    await writing.leave(ENTRY)
    reader = StayingInbox(folder, tmp_path)
    (name,) = names(reader.changed())
    assert reader.read(name)
    assert not reader.remove(name)
    assert left(folder) == [name]
    assert names(reader.changed(anew=True)) == []
    await writing.leave(ResubscribeEntry("9876543210", "y@example.com"))
    assert len(names(reader.changed(anew=True))) == 1
    assert len(names(InboxReader(folder, tmp_path).changed())) == 2
