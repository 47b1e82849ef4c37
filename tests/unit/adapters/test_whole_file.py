"""Files that are written whole: by names that nobody can guess, never through a link, with the mode that was meant."""

import asyncio
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.adapters.files.rights import make_private
from tocsin.adapters.files.whole_file import temporary_file, write_whole
from tocsin.adapters.ledger.sqlite.ballast import Ballast
from tocsin.adapters.ledger.sqlite.sent_mark import SentMark
from tocsin.adapters.outbox.transport import Outbox
from tocsin.domain.delivery import Accepted, Content, Message
from tocsin.domain.people import Channel

from tests.fakes.clock import StillClock


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o077])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever the umask."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def send(folder: Path) -> str:
    """A message goes into the outbox; the name of its file."""
    outbox = Outbox(folder=folder, email_sender="t@example.com", sms_sender="+14155550106", clock=StillClock())
    outcome = asyncio.run(outbox.send(message()))
    assert isinstance(outcome, Accepted)
    return outcome.provider_id


def message() -> Message:
    content = Content("Reply ok K7")
    return Message("key", Channel.SMS, "+14155550101", "ana", "Ana", content, "pay", 1, "page", StillClock().now())


@pytest.mark.usefixtures("_umask")
def test_an_outbox_is_private(tmp_path: Path) -> None:
    """F1: made by us, and where an earlier version left it open to everybody; its files too."""
    for folder in (tmp_path / "var" / "new", tmp_path / "open"):
        if folder.name == "open":
            folder.mkdir()
            folder.chmod(0o755)
        send(folder)
        (file,) = folder.iterdir()
        assert (mode(folder), mode(file)) == (0o700, 0o600)


@pytest.mark.usefixtures("_umask")
def test_an_outbox_is_open_to_the_group_that_its_folder_names(tmp_path: Path) -> None:
    """As on an installed server, where the web side reads it."""
    tmp_path.chmod(0o750)
    send(tmp_path)
    assert [mode(file) for file in tmp_path.iterdir()] == [0o640]
    assert mode(tmp_path) == 0o750


@pytest.mark.usefixtures("_umask")
@pytest.mark.parametrize(
    ("folder_mode", "file_mode"),
    [(None, 0o600), (0o700, 0o600), (0o755, 0o600), (0o750, 0o640), (0o2770, 0o660), (0o2775, 0o664)],
)
def test_reviews_are_for_whom_their_folder_is(tmp_path: Path, folder_mode: int | None, file_mode: int) -> None:
    """F1: private where we make it; a folder that hands on its group is that group's."""
    folder = tmp_path / "reviews"
    if folder_mode is not None:
        folder.mkdir()
        folder.chmod(folder_mode)
    assert IncidentFiles(folder, private=True).create("pay.md", b"# Review\n")
    assert mode(folder / "pay.md") == file_mode
    assert mode(folder) == (folder_mode or 0o700)


@pytest.mark.usefixtures("_umask")
def test_what_lies_beside_the_ledger_is_private(tmp_path: Path) -> None:
    """The mark of what was sent, also when it is written anew, and the ballast."""
    tmp_path.chmod(0o755)
    mark = SentMark(tmp_path / "tocsin.db")
    mark.note(1, "pay/1/page", "sms", "+14155550101", StillClock().now())
    mark.close()
    mark.lack(mark.read(), {}, StillClock().now())
    ballast = Ballast(tmp_path / "tocsin.db")
    assert ballast.hold()
    assert (mode(mark.path), mode(ballast.path)) == (0o600, 0o600)


def test_nothing_is_written_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F2: links at every name that could be guessed lead nobody anywhere; one at the guessed random name is refused."""
    target = tmp_path / "precious"
    target.write_text("mine")
    folder = tmp_path / "outbox"
    folder.mkdir(mode=0o700)
    for number in range(1, 5):
        (folder / f".{os.getpid()}-{number}.tmp").symlink_to(target)
    name = send(tmp_path / "dry")
    (folder / name).symlink_to(target)
    send(folder)
    for path in (tmp_path / "tocsin.db.sent.part", tmp_path / "tocsin.db.ballast.part"):
        path.symlink_to(target)
    Ballast(tmp_path / "tocsin.db").hold()
    assert target.read_text() == "mine"
    monkeypatch.setattr(secrets, "token_hex", lambda _bytes: "known")
    (folder / ".new.known.tmp").symlink_to(target)
    with pytest.raises(FileExistsError):
        write_whole(folder / "new", b"theirs", 0o600)
    assert target.read_text() == "mine"
    assert (folder / ".new.known.tmp").is_symlink()


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    """Neither half a file, nor a changed one; a long name has room."""
    path = tmp_path / ("n" * 255)
    write_whole(path, b"before", 0o600)
    with suppress(RuntimeError), temporary_file(path, 0o600) as (_, opened):
        opened.write(b"half")
        raise RuntimeError
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"before"


def test_a_file_is_no_private_folder(tmp_path: Path) -> None:
    """Where a file stands in its place there is an error, and a folder that is not open is left as it is."""
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        make_private(tmp_path / "file")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o770)
    make_private(tmp_path / "shared")
    assert mode(tmp_path / "shared") == 0o770
