"""The outbox's files, as `docs/behaviour.md` promises them."""

import asyncio
import json
import os
import re
import stat
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest
from tocsin.adapters.outbox import file as outbox_file
from tocsin.adapters.outbox.reader import OutboxReader
from tocsin.adapters.outbox.transport import Outbox
from tocsin.domain.delivery import Accepted, Content, Deferred, Message, Receipt
from tocsin.domain.people import Channel
from tocsin.ports.transport import CutShortError

from tests.fakes.clock import StillClock


def opened(folder: Path, clock: StillClock | None = None) -> Outbox:
    return Outbox(
        folder=folder, email_sender="I <i@example.com>", sms_sender="+15005550006", clock=clock or StillClock()
    )


def page(via: Channel, person: str = "ana", words: str = "text", incident: str = "pay", number: int = 1) -> Message:
    address = "ana@example.com" if via is Channel.EMAIL else "+14155550101"
    at = datetime(2026, 11, 23, 10, tzinfo=UTC)
    return Message(f"r{number}", via, address, person, "Ana", Content(words, "subject"), incident, 1, "page", at)


def files(folder: Path, pattern: str = "*") -> list[Path]:
    return sorted(folder.glob(pattern))


async def test_an_sms(tmp_path: Path) -> None:
    """A file of JSON with exactly six keys, named by time, number, channel and person."""
    assert isinstance(await opened(tmp_path / "a" / "b").send(page(Channel.SMS, words="é" * 161)), Accepted)
    (file,) = files(tmp_path / "a" / "b")
    assert file.name == "20261123T100000Z-1-sms-ana.json"
    assert json.loads(file.read_bytes()) == {
        "to": "+14155550101",
        "from": "+15005550006",
        "body": "é" * 161,
        "segments": 2,
        "incident": "pay",
        "kind": "page",
    }


async def test_an_email(tmp_path: Path) -> None:
    """A complete RFC 5322 message that says its incident and kind; `-` without an incident."""
    box = opened(tmp_path)
    await box.send(page(Channel.EMAIL))
    await box.send(page(Channel.EMAIL, incident="-"))
    read = BytesParser(policy=policy.default).parsebytes
    mails = [read(file.read_bytes()) for file in files(tmp_path, "*-email-ana.eml")]
    assert [mail["X-Tocsin-Incident"] for mail in mails] == ["pay", "-"]
    assert {mail["X-Tocsin-Kind"] for mail in mails} == {"page"}
    assert {mail["To"] for mail in mails} == {"Ana <ana@example.com>"}


async def test_several_pages_in_one_message(tmp_path: Path) -> None:
    """Rule 47: `incident` is the worst, `incidents` are all; a mail has a header for each."""
    outbox = opened(tmp_path)
    for via in Channel:
        await outbox.send(replace(page(via), incidents=("pay", "db")))
    sms, mail = (outbox_file.read(path.name, path.read_bytes()) for path in files(tmp_path))
    assert sms is not None
    assert mail is not None
    assert (sms.incident, sms.incidents) == (mail.incident, mail.incidents) == ("pay", ("pay", "db"))


@pytest.mark.parametrize(
    "person", ["../../etc/passwd", "a/b", "ä ö", "a\x00b", ".", "x" * 300, "status@lists.example.com"]
)
async def test_names_are_safe(tmp_path: Path, person: str) -> None:
    """Whoever a message is for, its file is in the folder and has a tame name."""
    box = tmp_path / "box"
    assert isinstance(await opened(box).send(page(Channel.SMS, person)), Accepted)
    assert [path.name for path in files(tmp_path)] == ["box"]
    (file,) = files(box)
    assert re.fullmatch(r"20261123T100000Z-1-sms-[A-Za-z0-9@.+_-]+\.json", file.name)


async def test_numbers_go_on(tmp_path: Path) -> None:
    """No number comes twice, not for another channel, not side by side, not after a restart."""
    for _ in range(2):
        box = opened(tmp_path)
        await asyncio.gather(*(box.send(page(via)) for via in list(Channel) * 10))
    numbers = [int(path.name.split("-")[1]) for path in files(tmp_path)]
    assert sorted(numbers) == list(range(1, 41))


async def test_files_appear_whole(tmp_path: Path) -> None:
    """Whoever watches the folder sees finished files only: all that is ever visible parses."""
    box, seen = opened(tmp_path), set()

    async def watch() -> None:
        while True:
            for path in files(tmp_path, "[!.]*"):
                assert len(json.loads(path.read_bytes())["body"]) == 100_000
                seen.add(path.name)
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(box.send(page(Channel.SMS, words="x" * 100_000)) for _ in range(30)))
    await asyncio.sleep(0.01)
    watching.cancel()
    assert (await asyncio.gather(watching, return_exceptions=True))[0].__class__ is asyncio.CancelledError
    assert seen == {path.name for path in files(tmp_path)}
    assert len(seen) == 30


async def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the disk does not take is deferred, leaves nothing behind, and goes out once there is room."""
    box = opened(tmp_path)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        outcome = await box.send(page(Channel.SMS))
    assert outcome == Deferred("the outbox cannot be written: No space left on device", "28")
    assert files(tmp_path) == []
    assert isinstance(await box.send(page(Channel.SMS)), Accepted)


async def test_a_removed_folder_comes_back(tmp_path: Path) -> None:
    """An outbox that somebody cleared away is made anew, and its numbers go on."""
    box = opened(tmp_path / "box")
    await box.send(page(Channel.SMS))
    for path in files(tmp_path / "box"):
        path.unlink()
    (tmp_path / "box").rmdir()
    outcome = await box.send(page(Channel.SMS))
    assert outcome == Accepted("20261123T100000Z-2-sms-ana.json")


async def test_looking_up_after_a_restart(tmp_path: Path) -> None:
    """A message written just before the daemon was killed is found by the next one, and only that one."""
    clock = StillClock()
    await opened(tmp_path, clock).send(page(Channel.EMAIL))
    again = opened(tmp_path, clock)
    assert isinstance(await again.find(page(Channel.EMAIL), clock.now()), Accepted)
    assert isinstance(await again.find(page(Channel.EMAIL, number=2), clock.now()), Deferred)
    assert isinstance(await again.find(page(Channel.SMS), clock.now()), Deferred)
    assert isinstance(await again.find(page(Channel.EMAIL), clock.now() + timedelta(minutes=1)), Deferred)


@pytest.mark.parametrize(("later", "is_it"), [(0, True), (2, True), (3, False)])
async def test_names_hold_whole_seconds(tmp_path: Path, later: int, is_it: bool) -> None:
    """A file named two seconds before the try may be that try's, an older one is another message with the same words."""
    clock = StillClock()
    box = opened(tmp_path, clock)
    await box.send(page(Channel.SMS))
    outcome = await box.find(page(Channel.SMS), clock.now() + timedelta(seconds=later))
    assert isinstance(outcome, Accepted if is_it else Deferred)


async def test_looking_up_among_strange_things(tmp_path: Path) -> None:
    """A FIFO, a folder and a link under a message's name are never waited for, and hide no message."""
    clock = StillClock()
    box = opened(tmp_path, clock)
    os.mkfifo(tmp_path / "20261123T100000Z-1-sms-ana.json")
    (tmp_path / "20261123T100000Z-2-sms-ana.json").mkdir()
    (tmp_path / "20261123T100000Z-3-sms-ana.json").symlink_to("nowhere")
    assert isinstance(await box.find(page(Channel.SMS), clock.now()), Deferred)
    assert await box.send(page(Channel.SMS)) == Accepted("20261123T100000Z-4-sms-ana.json")
    assert await box.find(page(Channel.SMS), clock.now()) == Accepted("20261123T100000Z-4-sms-ana.json")


async def test_looking_up_where_there_is_no_folder(tmp_path: Path) -> None:
    """An outbox that was never written to holds nothing; one that is no folder cannot be read, which says why."""
    gone = await opened(tmp_path / "box").find(page(Channel.SMS), StillClock().now())
    assert gone == Deferred("the outbox does not hold it")
    (tmp_path / "file").write_text("x")
    box = opened(tmp_path / "file")
    assert await box.find(page(Channel.SMS), StillClock().now()) == Deferred(
        "the outbox cannot be read: Not a directory", "20"
    )
    assert await box.send(page(Channel.SMS)) == Deferred("the outbox cannot be written: File exists", "17")


async def test_a_file_survives_a_power_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes are on the disk before it can be seen, and its name is before it counts as sent."""
    seen: list[tuple[bool, int]] = []
    flush = os.fsync

    def noting(descriptor: int) -> None:
        seen.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), len(files(tmp_path, "[!.]*"))))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    assert isinstance(await opened(tmp_path).send(page(Channel.SMS)), Accepted)
    assert seen == [(False, 0), (True, 1)]


async def test_cancelling_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that is under way is ended before the cancelled try is: nothing appears after we have stopped."""
    flush = os.fsync

    def slow(descriptor: int) -> None:
        time.sleep(0.2)
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    sending = asyncio.create_task(opened(tmp_path).send(page(Channel.SMS)))
    await asyncio.sleep(0.05)
    sending.cancel()
    with pytest.raises(CutShortError) as ended:
        await sending
    assert ended.value.outcome == Accepted("20261123T100000Z-1-sms-ana.json"), "what it did is known"
    assert [path.name for path in files(tmp_path)] == ["20261123T100000Z-1-sms-ana.json"]


async def test_numbers_go_on_from_the_highest(tmp_path: Path) -> None:
    """After a restart the next number is above all, by value, whatever else lies in the folder."""
    for name in (
        "20261123T100000Z-9-sms-ana.json",
        "20261123T100000Z-10-email-bo.eml",
        "20261123T100000Z-99-x",
        "12.json",
    ):
        (tmp_path / name).write_text("x")
    assert await opened(tmp_path).send(page(Channel.SMS)) == Accepted("20261123T100000Z-11-sms-ana.json")


async def test_any_text_is_written(tmp_path: Path) -> None:
    """Half a pair of surrogates, which no file can hold, does not keep a message back."""
    assert isinstance(await opened(tmp_path).send(page(Channel.SMS, words="half \ud800 支払い")), Accepted)
    (file,) = files(tmp_path)
    assert json.loads(file.read_bytes())["body"] == "half ? 支払い"


async def test_what_became_of_it(tmp_path: Path) -> None:
    """The written file is the receipt; without a name nothing was written."""
    box = opened(tmp_path)
    assert ((await box.fate("20261123T100000Z-1-sms-ana.json")).receipt, (await box.fate("")).receipt) == (
        Receipt.DELIVERED,
        Receipt.UNKNOWN,
    )


@pytest.mark.parametrize("person", ["ana", "status@lists.example.com", "x" * 300, "ä/ö", "a b"])
@pytest.mark.parametrize("via", Channel)
async def test_what_is_written_is_read(tmp_path: Path, person: str, via: Channel) -> None:
    """Whoever a message is for, the reader finds its file and the words in it."""
    assert isinstance(await opened(tmp_path).send(page(via, person, "Down 支払い")), Accepted)
    (message,) = OutboxReader(tmp_path).newest(10)
    assert (message.via, message.text.strip(), message.incident) == (via, "Down 支払い", "pay")


async def test_a_file_that_says_more_is_not_the_one(tmp_path: Path) -> None:
    """Only the very same bytes are the message that is looked for."""
    clock = StillClock()
    box = opened(tmp_path, clock)
    await box.send(page(Channel.EMAIL))
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes() + b"more")
    assert isinstance(await box.find(page(Channel.EMAIL), clock.now()), Deferred)
