"""Opening what somebody else put into a folder: nothing but a regular file, no waiting, no more than a limit."""

import errno
import os
import socket
import stat
from pathlib import Path

import pytest
from tocsin.adapters.files.safe_open import NotRegularError, read_regular, read_with_status


@pytest.mark.parametrize(("limit", "data"), [(0, b""), (3, b"abc"), (6, b"abcdef"), (7, b"abcdef")])
def test_no_more_than_the_limit(tmp_path: Path, limit: int, data: bytes) -> None:
    """The first so many bytes are given, or all there are."""
    file = tmp_path / "a"
    file.write_bytes(b"abcdef")
    assert read_regular(file, limit) == data


def test_other_things_are_never_read(tmp_path: Path) -> None:
    """A FIFO with nobody at its other end, a socket, a directory, a device and a link are told by their kind, at once."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    kinds = {"fifo": stat.S_IFIFO, "folder": stat.S_IFDIR, "socket": stat.S_IFSOCK, "link": stat.S_IFLNK}
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket"))
        for name, kind in kinds.items():
            with pytest.raises(NotRegularError) as refusal:
                read_regular(tmp_path / name, 10)
            assert (refusal.value.kind, refusal.value.strerror) == (kind, "it is no regular file")
    with pytest.raises(NotRegularError):
        read_regular(Path("/dev/null"), 10)


def test_a_link_may_be_followed(tmp_path: Path) -> None:
    """Where that is allowed a link to a file is the file; one to a FIFO, to nowhere or to itself is refused."""
    (tmp_path / "file").write_bytes(b"x")
    os.mkfifo(tmp_path / "fifo")
    for name, target in (("a", "file"), ("b", "a"), ("pipe", "fifo"), ("gone", "nowhere"), ("round", "round")):
        (tmp_path / name).symlink_to(target)
    assert read_regular(tmp_path / "b", 10, follow=True) == b"x"
    for name, number in (("pipe", 0), ("gone", errno.ENOENT), ("round", errno.ELOOP)):
        with pytest.raises(OSError) as refusal:  # noqa: PT011 - its number says which
            read_regular(tmp_path / name, 10, follow=True)
        assert refusal.value.errno == number


def test_in_an_open_folder(tmp_path: Path) -> None:
    """A name in a folder that is held open is read there, though the folder was moved away meanwhile; its status is the
    file's own, from before its bytes were read.
    """
    (tmp_path / "before").mkdir()
    file = tmp_path / "before" / "a"
    file.write_bytes(b"abc")
    folder = os.open(tmp_path / "before", os.O_RDONLY | os.O_DIRECTORY)
    try:
        (tmp_path / "before").rename(tmp_path / "after")
        data, status = read_with_status("a", 10, folder)
        assert (data, status.st_size, status.st_ino) == (b"abc", 3, (tmp_path / "after" / "a").stat().st_ino)
        with pytest.raises(FileNotFoundError):
            read_with_status("b", 10, folder)
    finally:
        os.close(folder)


def test_nothing_stays_open(tmp_path: Path) -> None:
    """However it ends, no file descriptor is left behind."""
    (tmp_path / "file").write_bytes(b"x")
    os.mkfifo(tmp_path / "fifo")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        read_regular(tmp_path / "file", 10)
        with pytest.raises(NotRegularError):
            read_regular(tmp_path / "fifo", 10)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
