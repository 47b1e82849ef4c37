"""Rule 64: the mark beside the ledger, and what an older copy of the ledger lacks by it."""

import asyncio
import errno
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.repetitions import OLDER_COPY, REPEATED_WITHIN, hash_of
from tocsin.adapters.ledger.sqlite import sent_mark
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.adapters.ledger.sqlite.sent_mark import KEPT_FOR, Sent, SentMark
from tocsin.domain.delivery import Bundle, Content, Letter, numbered_attempt
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ANA = "+14155550101"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tocsin.db"


def key(number: int, kind: str = "page", incident: str = "db") -> str:
    """As the plan makes them."""
    return f"{incident}/1/{kind}/20261123T10{number:02}00.000000Z/ana/sms"


async def send(ledger: SqlLedger, name: str, at: datetime, address: str = ANA) -> str:
    """Decide a message and begin an attempt; why it may be a second copy."""
    incident = name.split("/", maxsplit=1)[0]
    notification = Notification(name, incident, 1, Kind.PAGE, Reason.DECLARED, at, "ana", Channel.SMS)
    await ledger.record(incident, (), [Letter(notification, Content("x"))], ())
    return (await ledger.begin_attempt(name, Channel.SMS, address, at)).possible_duplicate


async def opened(path: Path, now: datetime) -> tuple[SqlLedger, sent_mark.LedgerLack]:
    """A start."""
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    return ledger, await ledger.store.compare_with_mark(now)


async def older_copy(path: Path) -> None:
    """One message, a backup, two more messages of two sorts; then the backup is put back."""
    ledger, _ = await opened(path, T0)
    await send(ledger, key(0), T0)
    await ledger.close()
    shutil.copy(path, path.with_name("backup"))
    ledger, lack = await opened(path, T0)
    assert (lack.count, lack.news) == (0, False)
    await send(ledger, key(1), T0 + MINUTE)
    await send(ledger, key(1, "update"), T0 + MINUTE)
    await ledger.begin_attempt(key(1), Channel.SMS, ANA, T0 + 2 * MINUTE)
    await ledger.begin_attempt("-/0/operator/now/olga/sms", Channel.SMS, ANA, T0)
    await ledger.close()
    path.with_name("backup").rename(path)


async def test_pages_in_one_message_are_marked_each(path: Path) -> None:
    """Rules 47, 64: of a bundle that an older copy lacks each page is known to have been sent, and what repeats it is
    marked, together or alone.
    """
    ledger, _ = await opened(path, T0)
    await ledger.close()
    shutil.copy(path, path.with_name("backup"))
    ledger, _ = await opened(path, T0)
    keys, bundle = [key(number) for number in range(3)], Bundle("b", Content("3 pages"))
    await ledger.begin_bundle(bundle, keys, Channel.SMS, ANA, T0, {})
    await ledger.close()
    path.with_name("backup").rename(path)
    now = T0 + 5 * MINUTE
    ledger, lack = await opened(path, now)
    assert lack.count == 3
    again = await ledger.begin_bundle(bundle, keys[:2], Channel.SMS, ANA, now, {keys[0]: "a kill"})
    assert [attempt.possible_duplicate for attempt in again] == ["a kill", OLDER_COPY]
    assert await send(ledger, key(7), now) == OLDER_COPY
    await ledger.close()


async def test_what_an_older_copy_lacks_is_marked_when_it_is_sent_again(path: Path) -> None:
    """Rule 64: as many messages of a sort as are lacking, whatever instant they have now; one that is new is not."""
    await older_copy(path)
    now = T0 + 5 * MINUTE
    ledger, lack = await opened(path, now)
    assert (lack.count, lack.news, lack.since) == (2, True, T0 + MINUTE)
    assert await send(ledger, key(9, incident="web"), now) == ""
    assert await send(ledger, key(8), now, "+14155550199") == ""
    assert await send(ledger, key(5), now) == OLDER_COPY
    assert await send(ledger, key(6), now) == ""
    assert await send(ledger, key(6, "update"), now + REPEATED_WITHIN) == ""
    assert await send(ledger, key(7, "update"), now) == OLDER_COPY
    await ledger.close()


async def test_it_is_news_once(path: Path) -> None:
    """Rule 64: a second start within the hour still marks, and does not tell; later the past is past."""
    await older_copy(path)
    now = T0 + 5 * MINUTE
    ledger, lack = await opened(path, now)
    await ledger.close()
    ledger, lack = await opened(path, now + MINUTE)
    assert (lack.count, lack.news) == (2, False)
    assert await send(ledger, key(7), now + MINUTE) == OLDER_COPY
    await ledger.close()
    ledger, lack = await opened(path, now + REPEATED_WITHIN)
    assert (lack.count, lack.news) == (0, False)
    await ledger.close()


async def test_another_ledger_lacks_everything(path: Path) -> None:
    """Rule 64: a ledger that was deleted while stopped is known by its mark, too."""
    await older_copy(path)
    path.unlink()  # noqa: ASYNC240 - a test
    ledger, lack = await opened(path, T0 + 5 * MINUTE)
    assert (lack.count, lack.news) == (3, True)
    await ledger.close()


async def test_only_what_was_sent_lately_is_kept(path: Path) -> None:
    """Rule 64: a day of it; what a later start no longer needs goes."""
    ledger, _ = await opened(path, T0)
    await send(ledger, key(0), T0)
    await send(ledger, key(1), T0 + KEPT_FOR)
    await ledger.close()
    ledger, _ = await opened(path, T0 + KEPT_FOR)
    await ledger.close()
    mark = SentMark(path)
    assert [line.key for line in mark.read() if isinstance(line, Sent)] == [hash_of(key(1))]
    mark.close()


async def test_a_mark_of_the_version_before_is_read(path: Path) -> None:
    """Rule 64: its lines name attempts by their numbers; a ledger that was brought up to date lacks none of them, one
    that is older still does.
    """
    noted = [f"{T0.isoformat()} {number} {hash_of(f'k{number}')} {'0' * 16}\n" for number in (7, 8)]
    path.with_name("tocsin.db.sent").write_text("".join(noted))
    mark = SentMark(path)
    keys = {numbered_attempt(7): "k7", numbered_attempt(8): "k8"}
    lines = mark.read()
    assert sent_mark.first_id(lines) == numbered_attempt(7)
    assert mark.lack(lines, keys, T0 + MINUTE).count == 0
    assert mark.lack(mark.read(), {numbered_attempt(7): "k7"}, T0 + MINUTE).count == 1
    mark.close()


def test_a_line_is_whole_however_little_the_disk_takes_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 64: what it does not take at all is told."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, bytes(data)[:7]))
    mark = SentMark(path)
    mark.note(numbered_attempt(1), key(0), "sms", ANA, T0)
    mark.close()
    assert [line.id for line in mark.read() if isinstance(line, Sent)] == [numbered_attempt(1)]
    assert not mark.trouble

    def full(_file: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    mark = SentMark(path)
    mark.note(numbered_attempt(2), key(1), "sms", ANA, T0)
    mark.close()
    assert mark.trouble == "No space left on device"


async def test_a_mark_that_cannot_be_written_stops_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 64: it is told, and over once it can be written again."""
    ledger, _ = await opened(path, T0)
    real = os.open

    def refuse(name: str | Path, flags: int, mode: int = 0o777) -> int:
        if str(name).endswith(".sent"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(name, flags, mode)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        assert await send(ledger, key(0), T0) == ""
        await until(ledger, "No space left on device")
    await send(ledger, key(1), T0)
    await until(ledger, "")
    await ledger.close()


async def until(ledger: SqlLedger, trouble: str) -> None:
    """The mark is written beside the loop."""
    async with asyncio.timeout(60):
        while ledger.store.mark_trouble != trouble:  # noqa: ASYNC110 - the thread tells nobody
            await asyncio.sleep(0.02)


async def test_nonsense_in_the_mark_is_left_out(path: Path) -> None:
    """Rule 63 holds for the mark as well: one bad line is one line."""
    await older_copy(path)
    mark = path.with_name("tocsin.db.sent")
    mark.write_bytes(b"\xff\xfe nonsense\n\nnoticed\nnoticed 2026\n1 2 3\n" + mark.read_bytes())
    ledger, lack = await opened(path, T0 + 5 * MINUTE)
    assert lack.count == 2
    await ledger.close()


async def test_a_mark_that_says_it_all_is_not_written_anew(path: Path) -> None:
    """A start leaves it as it is; one that ends in the midst of a line, or has what cannot be read, is written anew, so
    that nothing is noted behind half a line.
    """
    ledger, _ = await opened(path, T0)
    await send(ledger, key(0), T0)
    await ledger.close()
    mark = path.with_name("tocsin.db.sent")
    sound, file = mark.read_bytes(), mark.stat().st_ino
    ledger, _ = await opened(path, T0 + MINUTE)
    await ledger.close()
    assert (mark.read_bytes(), mark.stat().st_ino) == (sound, file)
    for torn in (sound + sound[:50], sound.rstrip(), b"what is that?\n" + sound):
        mark.write_bytes(torn)
        ledger, _ = await opened(path, T0 + MINUTE)
        assert mark.read_bytes() == sound
        await send(ledger, key(1), T0 + MINUTE)
        await ledger.close()
        assert len(SentMark(path).read()) == 2
        mark.write_bytes(sound)


@pytest.mark.parametrize("kind", ["link", "unreadable link", "folder"])
async def test_a_mark_that_is_no_file_of_ours_is_replaced_at_a_start_or_told(path: Path, kind: str) -> None:
    """Rule 64: nothing is noted where no start finds it. What a link leads to is read, and left as it is; what cannot be
    read is put aside.
    """
    ledger, _ = await opened(path, T0)
    await send(ledger, key(0), T0)
    await ledger.close()
    mark, elsewhere = path.with_name("tocsin.db.sent"), path.with_name("elsewhere")
    mark.rename(elsewhere)
    sound = elsewhere.read_bytes()
    if kind == "folder":
        mark.mkdir()
    else:
        mark.symlink_to(elsewhere if kind == "link" else path.parent)
    ledger, lack = await opened(path, T0 + MINUTE)
    assert lack.count == 0
    await send(ledger, key(1), T0 + MINUTE)
    await ledger.close()
    assert ledger.store.mark_trouble == ""
    assert elsewhere.read_bytes() == sound
    noted = [line.key for line in SentMark(path).read() if isinstance(line, Sent)]
    assert noted == [hash_of(key(number)) for number in ((0, 1) if kind == "link" else (1,))]
    assert not mark.is_symlink()
    aside = path.with_name("tocsin.db.sent.unread")
    assert (aside.is_symlink() or aside.is_dir()) == (kind != "link")


async def test_a_mark_that_cannot_be_read_once_is_there_at_the_next_start(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 64: a disk that fails for a moment takes no mark with it."""
    ledger, _ = await opened(path, T0)
    await send(ledger, key(0), T0)
    await ledger.close()

    def fail(_: Path, *_args: object) -> str:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "read_text", fail)
        ledger, lack = await opened(path, T0 + MINUTE)
    assert lack.count == 0
    await send(ledger, key(1), T0 + MINUTE)
    await ledger.close()
    noted = [line.key for line in SentMark(path).read() if isinstance(line, Sent)]
    assert noted == [hash_of(key(0)), hash_of(key(1))]
