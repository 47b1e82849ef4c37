"""Attacks on the way in: what strangers, and a web side that somebody took over, can do through the inbox folder."""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tocsin.app.arrivals.inbox_feed import WEBHOOKS_FLOOD
from tocsin.app.reply_options import signed_links
from tocsin.domain.arrival import (
    AnswerEntry,
    InboxEntry,
    ResubscribeEntry,
    WebhookEntry,
    WebhookRoute,
    WordEntry,
)
from tocsin.domain.facts import Answer
from tocsin.formats.inbox.entries import write_entry

from tests.acceptance.test_links import KEY, World
from tests.fakes.sick_disk import SickDisk

OPEN = "title: Card payments fail\nseverity: sev1\n"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can do this")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.web.terminate()
    assert made.web.wait(15) == 0
    if made.pager.process is not None:
        assert made.pager.stop() == 0


def inbox(world: World) -> Path:
    return world.pager.folder / "var" / "inbox"


def put(world: World, entry: InboxEntry, number: int = 0, name: str = "") -> Path:
    """Leave an entry as a web side would that does not ask."""
    at = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    path = inbox(world) / (name or f"{at}.{number:06}Z-{entry.kind.value}-{entry.ref}.json")
    hidden = inbox(world) / f".{entry.ref}"
    hidden.write_bytes(write_entry(entry))
    hidden.rename(path)
    return path


def answer(person: str = "ana", key: str = KEY, ref: str = "0123456789", incident: str = "card") -> AnswerEntry:
    signature = signed_links.answer([key], incident, person).rpartition("/")[2]
    return AnswerEntry(ref, incident, 1, person, Answer.OK, signature)


def told(world: World) -> str:
    """What operators read."""
    mails = world.pager.mails("operator", "olga@")
    return "\n".join(str(mail.get_body(("plain",)).get_content()) for mail in mails)  # type: ignore[union-attr]


def page_link(world: World, person: str = "ana") -> str:
    """Declare an incident; the link of somebody's page."""
    world.pager.write("card.yaml", OPEN)
    (mail,) = world.pager.until(lambda: world.pager.mails("page", f"{person}@"))
    body: Any = mail.get_body(("plain",))
    (link,) = re.findall(rf"{world.url}/a/\S+", body.get_content())
    return str(link)


def test_what_lies_in_the_inbox_holds_up_no_answer(world: World) -> None:
    """Links to secrets, pipes, sockets, folders, megabytes, names with newlines, forged and misnamed entries: none of it
    counts or is read, operators hear of it once, and an answer beside all that counts within seconds.
    """
    link = page_link(world)
    folder = inbox(world)
    secret = world.pager.folder / "secret"
    secret.write_text("open sesame")
    (folder / "20261126T101112.000001Z-answer-linked0001.json").symlink_to(secret)
    (folder / "environ").symlink_to("/proc/self/environ")
    os.mkfifo(folder / "20261126T101112.000001Z-answer-piped00001.json")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
    (folder / "folder" / "deep").mkdir(parents=True)
    (folder / "20261126T101112.000001Z-answer-big0000001.json").write_bytes(b"[" * 1_000_000)
    (folder / "two\nlines\x1b[31m").write_text("x")
    put(world, answer(key="another key altogether", ref="forged0001"))
    put(world, answer(ref="misnamed01"), name="20261126T101112.000001Z-word-misnamed01.json")
    status, page = world.ask(link, answer="ok")
    assert (status, "You are Technical Lead, since" in page) == (200, True)
    world.pager.until(lambda: [path.name for path in folder.iterdir()] == ["folder"])
    text = world.pager.until(lambda: told(world))
    assert "inbox" in text
    assert len(world.pager.mails("operator", "olga@")) <= 2
    log = world.pager.log.read_text()
    assert not any(word in text + log for word in ("open sesame", KEY, "\x1b", "PATH="))
    answers = [line for line in log.splitlines() if '"arrival"' in line]
    assert len(answers) == 1


@pytest.mark.attack
def test_a_flood_holds_up_neither_pages_nor_answers(world: World) -> None:
    """5,000 entries: a new incident is paged at once, an answer counts within 5 s, operators hear of the flood and of its
    end, and at last nothing lies there.
    """
    link = page_link(world)
    for number in range(5000):
        put(world, ResubscribeEntry(f"again{number:05}", "x@example.com"), number)
    began = time.monotonic()
    world.pager.write("db.yaml", OPEN.replace("Card payments fail", "Database down"))
    world.pager.until(lambda: len(world.pager.mails("page", "ana@")) == 2, 5)
    assert time.monotonic() - began < 3
    assert world.ask(link, answer="ok")[0] == 503  # the web side leaves no more where over 1,000 wait
    put(world, answer())
    world.pager.until(lambda: world.pager.mails("stand_down"), 5)
    world.pager.until(lambda: not list(inbox(world).iterdir()), 60)
    world.pager.until(lambda: "The inbox is not flooded any more" in told(world), 90)
    assert "The inbox is flooded" in told(world)


@pytest.mark.attack
def test_strangers_webhooks_leave_no_trace(world: World) -> None:
    """Whatever is posted to the provider's addresses is answered 204, costs its share alone, and neither the ledger nor
    operators hear of it, as long as it is no flood; answers by link go on.
    """
    link = page_link(world)
    for number in range(WEBHOOKS_FLOOD - 20):
        put(world, WebhookEntry(f"hook{number:06}", WebhookRoute.INBOUND, "/twilio/inbound", (("Body", "ok"),), "x"))
    assert "You are Technical Lead, since" in world.ask(link, answer="ok")[1]
    world.pager.until(lambda: not list(inbox(world).iterdir()), 40)
    assert told(world) == ""
    assert 1 <= world.pager.said("webhook refused") <= 15


@pytest.mark.attack
def test_an_answer_while_the_daemon_is_away(world: World) -> None:
    """Pressed while it is stopped, the page says that nobody has confirmed it, and what to do besides; it counts at the
    start, before a step that is due, and the page that looks again says so.
    """
    config = world.pager.folder / "config" / "all.yaml"
    config.write_text(config.read_text().replace("acknowledge_within: 5m", "acknowledge_within: 6s"))
    config.write_text(config.read_text().replace("chain: [[ana, bo]]", "chain: [ana, bo]"))
    world.pager.until(lambda: world.pager.said("config") >= 1)
    link = page_link(world)
    assert world.pager.stop() == 0
    status, page = world.ask(link, answer="ok")
    assert (status, "NOT yet accepted: nobody has confirmed it." in page) == (503, True)
    again = re.search(r'content="5;url=([^"]+)"', page)
    assert again is not None
    assert len(list(inbox(world).iterdir())) == 1
    time.sleep(2)
    world.pager.start()
    world.pager.until(lambda: world.accepted() is not None)
    status, page = world.ask(world.url + again[1])
    assert (status, "You are Technical Lead, since" in page) == (200, True)
    time.sleep(7)
    assert world.pager.mails("page", "bo@") == []
    assert list(inbox(world).iterdir()) == []


@pytest.mark.attack
def test_the_same_entry_again_and_again(world: World) -> None:
    """A file that is put back (a kill between the record and the removal, or somebody replays it) counts once: whoever
    passed since does not hold the role again.
    """
    link = page_link(world)
    path = put(world, answer())
    data = write_entry(answer())
    world.pager.until(lambda: world.accepted() is not None)
    world.pager.until(lambda: not path.exists())
    assert "You passed Technical Lead" in world.ask(link, answer="pass")[1]
    assert world.pager.stop(9) == -9
    for number in range(3):
        path.with_name(path.name.replace("Z-", f"{number}Z-", 1).replace("0Z-", "Z-", 1)).write_bytes(data)
    world.pager.start()
    world.pager.until(lambda: not list(inbox(world).iterdir()))
    time.sleep(1)
    assert "You passed Technical Lead" in world.ask(link)[1]


@pytest.mark.attack
@needs_root
def test_the_inboxs_disk_is_full(world: World) -> None:
    """What cannot be kept is not said to be: 503, in plain words, and once there is room again the same press counts."""
    link = page_link(world)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=4", "tmpfs", inbox(world)], check=False)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        inbox(world).chmod(0o700)
        (inbox(world) / ".full").write_bytes(b"x" * 4096)
        status, page = world.ask(link, answer="ok")
        assert (status, "NOT accepted: your answer could not be kept." in page) == (503, True)
        (inbox(world) / ".full").unlink()
        assert "You are Technical Lead, since" in world.ask(link, answer="ok")[1]
    finally:
        subprocess.run(["umount", "-l", inbox(world)], check=True)


@pytest.mark.attack
def test_an_inbox_that_hangs(tmp_path: Path) -> None:
    """The daemon starts and pages, operators hear of the inbox, and what was left there counts when it answers again."""
    (tmp_path / "config").mkdir()
    disk = SickDisk(tmp_path, tmp_path / "var" / "inbox")
    world = World(tmp_path)
    try:
        link = page_link(world)
        assert world.pager.stop() == 0
        world.pager.environ |= disk.environ
        disk.hang()
        put(world, answer())
        began = time.monotonic()
        world.pager.start()
        world.pager.write("db.yaml", OPEN.replace("Card payments fail", "Database down"))
        world.pager.until(lambda: len(world.pager.mails("page", "ana@")) == 2)
        assert time.monotonic() - began < 12
        world.pager.until(lambda: "The inbox cannot be read" in told(world), 60)
        assert "You are asked to be Technical Lead" in world.ask(link)[1]
        disk.heal()
        world.pager.until(lambda: "You are Technical Lead" in world.ask(link)[1], 40)
        world.pager.until(lambda: "The inbox is read again" in told(world), 90)
    finally:
        world.web.terminate()
        assert world.web.wait(15) == 0
        if world.pager.process is not None:
            world.pager.stop()


@pytest.mark.attack
@needs_root
def test_whose_entry_it_is(world: World) -> None:
    """What the web side leaves counts from the inbox's own user alone, though its signature be good; commands of others
    may leave words, which the web side's user may not be feared for.
    """
    page_link(world)
    folder = inbox(world)
    folder.chmod(0o2770)
    strangers = put(world, answer(), name=".early")
    os.chown(strangers, 54321, 54321)
    strangers.rename(folder / "20261126T101112.000001Z-answer-0123456789.json")
    world.pager.until(lambda: "54321 has left it" in told(world), 70)
    assert world.accepted() is None
    word = put(world, WordEntry("word000001", "pull", "the pull was refused: config/all.yaml:1"), name=".word")
    os.chown(word, 54321, 54321)
    word.rename(folder / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.000001Z-word-word000001.json")
    world.pager.until(lambda: "the pull was refused: config/all.yaml:1" in told(world), 70)
    assert json.loads(world.pager.run("status", "--format", "json").stdout)["incidents"]
