"""Attacks on short links (P8 TOKEN) on the real daemon and web side: forged, replayed, rotated, from memory."""

import json
import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from tocsin.app.reply_options import signed_links
from tocsin.domain.arrival import AnswerEntry
from tocsin.domain.facts import Answer
from tocsin.formats.inbox.entries import write_entry

from tests.acceptance.test_links import KEY, World
from tests.fakes.pager import TOCSIN

OPEN = "title: Card payments fail\nseverity: sev1\n"

pytestmark = pytest.mark.attack


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.web.terminate()
    assert made.web.wait(15) == 0
    if made.pager.process is not None:
        assert made.pager.stop() == 0


def body(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def page_of(world: World, incident: str = "card", person: str = "ana") -> str:
    """Declare an incident; the text of somebody's page by email."""
    world.pager.write(f"{incident}.yaml", OPEN)

    def found() -> list[EmailMessage]:
        mails = world.pager.mails("page", f"{person}@")
        return [mail for mail in mails if mail["X-Tocsin-Incident"] == incident]

    return body(world.pager.until(found)[0])


def link_in(world: World, text: str) -> str:
    (link,) = re.findall(rf"{world.url}/a/[0-9A-Za-z]{{16}}(?![0-9A-Za-z])", text)
    return str(link)


def answers(world: World) -> list[str]:
    """Who has answered, as the ledger has it."""
    with closing(sqlite3.connect(world.pager.folder / "var" / "tocsin.db")) as ledger:
        rows = ledger.execute("SELECT body FROM facts WHERE kind = 'Answered' ORDER BY id").fetchall()
    return [json.loads(row[0])["person"] for row in rows]


def put(world: World, entry: AnswerEntry) -> None:
    """Leave an entry as a web side would that somebody took over."""
    inbox = world.pager.folder / "var" / "inbox"
    at = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    hidden = inbox / f".{entry.ref}"
    hidden.write_bytes(write_entry(entry))
    hidden.rename(inbox / f"{at}.000000Z-answer-{entry.ref}.json")


def restart(world: World, key: str) -> None:
    """Both processes anew, with these signing keys."""
    world.web.terminate()
    assert world.web.wait(15) == 0
    assert world.pager.stop() == 0
    world.pager.environ["TOCSIN_WEB__SIGNING_KEY"] = key
    world.pager.start()
    with (world.pager.folder / "web.log").open("ab") as log:
        world.web = subprocess.Popen(
            [TOCSIN, "web"], cwd=world.pager.folder, env=world.pager.environ, stderr=log, stdout=log
        )
    world.pager.until(lambda: world.ask(f"{world.url}/healthz")[0] in (200, 503))


def test_what_is_forged_or_replayed_counts_for_nothing(world: World) -> None:
    """Entries with the token of another person, episode, incident or key, cut, or in another case, and a press that is
    left again: one answer counts, once, and nobody's token stands in a log.
    """
    link = link_in(world, page_of(world))
    token = link.rpartition("/")[2]
    true = AnswerEntry("replayed01", "card", 1, "ana", Answer.OK, token)
    forged = [
        replace(true, person="bo"),
        replace(true, episode=2),
        replace(true, incident="db"),
        replace(true, signature=token[:-1]),
        replace(true, signature=token.swapcase()),
        replace(true, signature=signed_links.token("the key of another machine", "card", 1, "ana")),
        replace(true, signature=signed_links.token_digest(token)),
    ]
    for number, entry in enumerate(forged):
        put(world, replace(entry, ref=f"forged000{number}"))
    inbox = world.pager.folder / "var" / "inbox"
    world.pager.until(lambda: not list(inbox.iterdir()))
    assert answers(world) == []
    for _ in range(2):
        put(world, true)
        world.pager.until(lambda: not list(inbox.iterdir()))
    put(world, replace(true, ref="replayed02"))
    world.pager.until(lambda: not list(inbox.iterdir()))
    status, page = world.ask(link, answer="ok")
    assert (status, "You are Technical Lead, since" in page) == (200, True)
    assert answers(world) == ["ana"]
    logs = world.pager.log.read_text() + (world.pager.folder / "web.log").read_text()
    assert token not in logs
    assert KEY not in logs


def test_a_link_outlives_a_kill_and_a_rotation_and_dies_with_its_key(world: World) -> None:
    """The ledger learnt of it with the page: a killed daemon knows it again. With a new key before the old one it opens;
    without the old one it is as any that was never made, and a page after that has one of the new key.
    """
    link = link_in(world, page_of(world))
    world.pager.stop(9)
    world.pager.start()
    assert "You are asked to be Technical Lead." in world.ask(link)[1]
    restart(world, json.dumps(["a new key of more than sixteen", KEY]))
    assert "You are asked to be Technical Lead." in world.ask(link)[1]
    newer = link_in(world, page_of(world, "db"))
    restart(world, "a new key of more than sixteen")
    status, said = world.ask(link)
    assert (status, said.startswith("This link is not valid.")) == (403, True)
    assert world.ask(link, answer="ok")[0] == 403
    assert "You are Technical Lead, since" in world.ask(newer, answer="ok")[1]
    assert answers(world) == ["ana"]


def test_from_memory_no_link_is_promised(world: World) -> None:
    """Rule 44: while another program holds the ledger a page names the command, and no link that nobody would know; the
    next incident's page has its link again, which opens.
    """
    ledger = world.pager.folder / "var" / "tocsin.db"
    link_in(world, page_of(world))
    with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        text = page_of(world, "db")
        other.execute("ROLLBACK")
    assert "http" not in text
    assert "tocsin ack db --as ana" in text
    world.pager.until(lambda: world.pager.said("trouble over"), 60)
    link = link_in(world, page_of(world, "web"))
    assert "You are asked to be Technical Lead." in world.ask(link)[1]


def test_in_memory_a_long_link_is_answered(world: World) -> None:
    """Rule 64: a daemon whose ledger is in memory promises links that need nobody to look them up: the web side cannot
    see the incident, says so, and what is pressed counts.
    """
    assert world.pager.stop() == 0
    ledger = world.pager.folder / "var" / "tocsin.db"
    with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        world.pager.start()
        text = page_of(world)
        (link,) = re.findall(rf"{world.url}/answer/\S+", text)
        status, page = world.ask(link)
        assert (status, "You can answer all the same" in page) == (503, True)
        status, page = world.ask(link, answer="ok")
        assert (status, "NOT" in page) == (503, True)
        world.pager.until(lambda: world.pager.mails("stand_down", "bo@"))
        other.execute("ROLLBACK")
    world.pager.until(lambda: "You are Technical Lead, since" in world.ask(link)[1], 60)
