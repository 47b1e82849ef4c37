"""Incident files as commands write them: whole or not at all, never over somebody else's work."""

import fcntl
import os
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.adapters.files import incident_writer
from tocsin.adapters.files.incident_writer import FileError, IncidentFiles
from tocsin.adapters.files.watch_mark import WatchMark

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> Iterator[IncidentFiles]:
    """A folder, at whose end nothing temporary is left."""
    folder = IncidentFiles(tmp_path / "incidents")
    yield folder
    if folder.folder.is_dir():
        assert not list(folder.folder.glob(".*.tmp"))


def test_a_new_file(files: IncidentFiles) -> None:
    """The folder is made; the file may be read by the daemon whatever our umask; a second one of the name is not made."""
    umask = os.umask(0o077)
    try:
        assert files.create("a.yaml", b"one")
        assert not files.create("a.yaml", b"two")
    finally:
        os.umask(umask)
    assert (files.folder / "a.yaml").read_bytes() == b"one"
    assert stat.S_IMODE((files.folder / "a.yaml").stat().st_mode) == 0o644


def test_names_and_ids(files: IncidentFiles) -> None:
    """Those that count, in order; none where there is no folder; by its id a regular file is found before a link."""
    assert (files.names(), files.find("a")) == ([], None)
    for name in ("b.yaml", "a.yml", ".c.yaml"):
        files.create(name, b"x")
    (files.folder / "a.yaml").symlink_to("nowhere")
    assert files.names() == ["a.yaml", "a.yml", "b.yaml"]
    assert files.ids() == ["a", "a", "b"]
    assert [files.find(incident) for incident in ("a", "b", "c")] == ["a.yml", "b.yaml", None]
    (files.folder / "a.yml").unlink()
    assert files.find("a") == "a.yaml"
    files.put("a.yaml", b"x")
    files.create("a.yml", b"x")
    assert files.find("a") == "a.yaml"


def test_what_makes_it_moot(files: IncidentFiles) -> None:
    """Whoever asks by the names that are there writes nothing when they speak against it."""
    files.create("a.yaml", b"x")
    assert not files.create_unless("b.yaml", b"x", lambda names: "a.yaml" in names)
    assert files.create_unless("c.yaml", b"x", lambda names: "b.yaml" in names)
    assert files.names() == ["a.yaml", "c.yaml"]


def test_an_edit(files: IncidentFiles) -> None:
    """The file is replaced by what the edit makes of it, with its mode kept; an edit that gives nothing changes nothing,
    and what is no file is not edited.
    """
    files.create("a.yaml", b"one")
    (files.folder / "a.yaml").chmod(0o640)
    assert files.change("a.yaml", lambda data: data + b" two")
    assert (files.folder / "a.yaml").read_bytes() == b"one two"
    assert stat.S_IMODE((files.folder / "a.yaml").stat().st_mode) == 0o640
    assert not files.change("a.yaml", lambda data: None)
    os.mkfifo(files.folder / "b.yaml")
    assert not files.change("b.yaml", lambda data: b"x")
    assert not files.change("c.yaml", lambda data: b"x")
    assert (files.folder / "a.yaml").read_bytes() == b"one two"


def test_an_edit_under_way_meets_another(files: IncidentFiles) -> None:
    """What an editor saved meanwhile is edited in its turn; when it never holds still, nothing is written and it says so."""
    files.create("a.yaml", b"one")
    others = iter([b"other"])

    def once(data: bytes) -> bytes:
        for other in others:
            (files.folder / "a.yaml").write_bytes(other)
        return data + b" edited"

    assert files.change("a.yaml", once)
    assert (files.folder / "a.yaml").read_bytes() == b"other edited"

    def always(data: bytes) -> bytes:
        (files.folder / "a.yaml").write_bytes(data + b"!")
        return b"edited"

    with pytest.raises(FileError, match="keeps changing"):
        files.change("a.yaml", always)
    assert (files.folder / "a.yaml").read_bytes() == b"other edited" + b"!" * incident_writer.RETRIES


@pytest.mark.parametrize("kind", ["file", "link", "dangling"])
def test_what_is_in_the_way_is_kept(files: IncidentFiles, kind: str) -> None:
    """What cannot be read stays beside the new file, as it is: a link as a link, whatever it leads to."""
    files.create("other.yaml", b"other")
    path = files.folder / "a.yaml"
    path.write_bytes(b"bad") if kind == "file" else path.symlink_to("other.yaml" if kind == "link" else "nowhere")
    copy = files.put("a.yaml", b"good", aside=AT)
    assert copy.startswith(".a.yaml.unread-20261123T100000Z-")
    assert (path.is_symlink(), path.read_bytes()) == (False, b"good")
    assert (files.folder / copy).is_symlink() is (kind != "file")
    assert (files.folder / "other.yaml").read_bytes() == b"other"
    assert files.put("b.yaml", b"x", aside=AT) == ""
    assert files.put("a.yaml", b"better") == ""


def test_names_of_any_length(files: IncidentFiles) -> None:
    """The longest name that counts can be written, edited and kept aside."""
    name = "x" * 250 + ".yaml"
    assert files.create(name, b"one")
    assert files.change(name, lambda data: b"two")
    assert len(files.put(name, b"three", aside=AT)) <= 255


def test_what_cannot_be_written_says_why(tmp_path: Path) -> None:
    """A folder that is a file, for each way of writing: a sentence, nothing else."""
    (tmp_path / "file").write_text("x")
    files = IncidentFiles(tmp_path / "file")
    for write in (
        lambda: files.create("a.yaml", b"x"),
        lambda: files.create_unless("a.yaml", b"x", lambda names: False),
        lambda: files.put("a.yaml", b"x"),
        files.names,
    ):
        with pytest.raises(FileError, match=r"cannot be written: (file exists|not a directory)"):
            write()


def test_it_lasts(files: IncidentFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes are on the disk before the name leads to them, and the name is before we say so."""
    files.create("a.yaml", b"one")
    seen: list[tuple[bool, bytes]] = []
    flush = os.fsync

    def noting(descriptor: int) -> None:
        seen.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), (files.folder / "a.yaml").read_bytes()))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    files.change("a.yaml", lambda data: b"two")
    assert seen == [(False, b"one"), (True, b"two")]


def test_a_full_disk(files: IncidentFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the disk does not take leaves the file as it was, and nothing behind."""
    files.create("a.yaml", b"one")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="cannot be written: no space left on device"):
        files.change("a.yaml", lambda data: b"two")
    assert (files.folder / "a.yaml").read_bytes() == b"one"


def test_one_writes_at_a_time(files: IncidentFiles) -> None:
    """Edits by many at once all count, and one that waits too long goes on all the same."""
    files.create("a.yaml", b"")
    threads = [threading.Thread(target=files.change, args=("a.yaml", lambda data: data + b"x")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (files.folder / "a.yaml").read_bytes() == b"x" * 8


def test_somebody_holds_the_lock(files: IncidentFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, exclusively, but not for ever."""
    monkeypatch.setattr(incident_writer, "LOCK_TRIES", 3)
    monkeypatch.setattr(incident_writer, "LOCK_PAUSE", 0.001)
    files.create("a.yaml", b"one")
    lock = os.open(files.folder / incident_writer.EDITS, os.O_RDONLY | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert files.change("a.yaml", lambda data: b"two")
        fcntl.flock(lock, fcntl.LOCK_UN)

        def edit(_data: bytes) -> bytes:
            with pytest.raises(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return b"three"

        assert files.change("a.yaml", edit)
    finally:
        os.close(lock)


def test_the_daemons_lock_holds_no_command_up(files: IncidentFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 72: the daemon has the folder locked for as long as it runs; commands write, one at a time, all the same."""

    def wait(_seconds: float) -> None:
        pytest.fail("a command waits for the daemon's lock")

    files.create("a.yaml", b"one")
    mark = WatchMark(files.folder)
    assert mark.claim() is None
    monkeypatch.setattr("time.sleep", wait)
    try:
        assert files.change("a.yaml", lambda data: b"two")
    finally:
        mark.release()
    assert {path.name for path in files.folder.iterdir()} == {"a.yaml", ".tocsin-watched"}, "the lock leaves nothing"


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    """It is the folder that is missing, not a right to write one file."""
    (tmp_path / "blocked").touch()
    with pytest.raises(
        FileError, match=r"the incident folder .*incidents is not there and cannot be made \(.*; make it"
    ):
        IncidentFiles(tmp_path / "blocked" / "incidents").create("a.yaml", b"title: x\n")
