"""Attacks on edits from the browser, on the real process: how soon they are in the file, under kill -9 and floods, and
what a web side that was taken over cannot have written.
"""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tocsin.app.reply_options import signed_links
from tocsin.domain.arrival import AnswerEntry, EditEntry, InboxEntry
from tocsin.domain.facts import Answer
from tocsin.domain.incident import Edit, TimelineNote, UpdateEntry
from tocsin.formats.inbox.entries import write_entry

from tests.fakes.pager import Pager

KEY = "a signing key of more than sixteen"
TEXT = "# the night shift\ntitle: Card payments fail # as seen\nseverity: sev1\n"
pytestmark = pytest.mark.attack


@pytest.fixture
def pager(tmp_path: Path) -> Iterator[Pager]:
    made = Pager(tmp_path, TOCSIN_WEB__SIGNING_KEY=KEY, TOCSIN_PUBLIC_URL="https://pager.example.com")
    made.start()
    made.write("card.yaml", TEXT)
    made.until(lambda: made.said("version"))
    yield made
    if made.process is not None:
        assert made.stop() == 0


def put(pager: Pager, entry: InboxEntry, number: int = 0) -> None:
    """Leave an entry as the web side does."""
    put_raw(pager, f"{entry.kind.value}-{entry.ref}", write_entry(entry), number)


def put_raw(pager: Pager, name: str, data: bytes, number: int = 0) -> None:
    at = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    inbox = pager.folder / "var" / "inbox"
    (inbox / f".{name}").write_bytes(data)
    (inbox / f".{name}").rename(inbox / f"{at}.{number:06}Z-{name}.json")


def edit(ref: str, change: Edit, person: str = "ana", **values: Any) -> EditEntry:
    signature = signed_links.token(KEY, "card", 1, person)
    fields: dict[str, Any] = {"incident": "card", "episode": 1, "signature": signature, "session": "", "version": ""}
    return EditEntry(ref, person=person, edit=change, **(fields | values))


def note(number: int, person: str = "ana") -> EditEntry:
    return edit(f"reference{number:06}", Edit(note=TimelineNote(f"note {number};")), person)


def text(pager: Pager) -> str:
    return (pager.folder / "incidents" / "card.yaml").read_text()


def judged(pager: Pager, kind: str) -> int:
    return pager.log.read_text().count(f'"kind": "{kind}", "result": ') if pager.log.exists() else 0


def test_an_edit_is_in_the_file_within_a_second(pager: Pager) -> None:
    """P8: twelve of them, one after the other; comments are kept, and each is judged once it was seen."""
    took = []
    for number in range(12):
        began = time.monotonic()
        put(pager, note(number))
        pager.until(lambda number=number: f"note {number};" in text(pager))
        took.append(time.monotonic() - began)
        pager.until(lambda number=number: judged(pager, "edit") > number)
    assert sorted(took)[len(took) // 2] < 0.5, took
    assert max(took) < 1, took
    assert "# the night shift" in text(pager)
    assert "# as seen" in text(pager)


def test_kills_make_it_neither_twice_nor_not(pager: Pager) -> None:
    """P3: killed at whatever moment, each update stands in the file once, and each is judged."""
    for number in range(6):
        update = Edit(entry=UpdateEntry(f"update {number};"))
        put(pager, edit(f"reference{number:06}", update))
        time.sleep(0.05 * number)
        pager.stop(signal.SIGKILL)
        pager.start()
        pager.until(lambda number=number: judged(pager, "edit") > number)
        assert text(pager).count(f"update {number};") == 1
    assert judged(pager, "edit") == 6


def test_a_flood_of_edits_delays_no_answer(pager: Pager) -> None:
    """P8: 120 edits of three people lie there; an answer that comes last is judged within two seconds, and no letter is
    lost on the way.
    """
    for number in range(120):
        put(pager, note(number, ("ana", "bo", "olga")[number % 3]), number)
    signature = signed_links.token(KEY, "card", 1, "ana")
    began = time.monotonic()
    put(pager, AnswerEntry("answer000001", "card", 1, "ana", Answer.OK, signature), 999_999)
    pager.until(lambda: judged(pager, "answer"))
    assert time.monotonic() - began < 2
    pager.until(lambda: judged(pager, "edit") == 120, 90)
    assert [number for number in range(120) if f"note {number};" not in text(pager)] == []


def test_names_of_another_time_evade_no_limit(pager: Pager) -> None:
    """P8: 300 notes in two people's names, whose files are named by the year 2020 or the year 1: of each 60 are done, and
    dated by the daemon's clock; an act of somebody else does not wait for the rest.
    """
    inbox, year = pager.folder / "var" / "inbox", time.strftime("%Y")
    for number in range(300):
        entry = note(number, ("ana", "bo")[number % 2])
        name = f"{('2020', '0001')[number % 3 == 0]}0101T000000.{number:06}Z-edit-{entry.ref}.json"
        (inbox / f".{name}").write_bytes(write_entry(entry))
        (inbox / f".{name}").rename(inbox / name)
    pager.until(lambda: judged(pager, "edit") > 3)
    put(pager, edit("another000001", Edit(note=TimelineNote("a word of Olga's;")), "olga"))
    pager.until(lambda: "a word of Olga's;" in text(pager), 20)
    pager.until(lambda: judged(pager, "edit") == 301, 180)
    assert text(pager).count("note ") == 120
    assert {line.split("at: ")[1][:4] for line in text(pager).splitlines() if "{at: " in line} == {year}
    assert "more than 60 times within 10 minutes" in pager.log.read_text() + "".join(pager.texts())


def test_what_a_captured_web_side_cannot_have_written(pager: Pager) -> None:
    """P8: no file but that of the incident, no other author, time or key, nothing without a proof, nothing public by a
    link; whatever it tries, the file stays as it was, and the daemon goes on.
    """
    good = json.loads(write_entry(edit("reference000000", Edit(note=TimelineNote("bad")))))
    tries: list[dict[str, Any]] = [
        {"incident": "../../escaped"},
        {"incident": "../config/all"},
        {"incident": "card.yaml\u0000"},
        {"person": "bo"},
        {"person": "mallory"},
        {"signature": ""},
        {"signature": "", "session": "guessed", "episode": 0},
        {"signature": "", "episode": 0},
        {"episode": 2},
        {"file": "card.yaml"},
        {"at": "2020-01-01T00:00:00Z"},
        {"by": "bo"},
        {"edit": {"note": "bad", "by": "bo"}},
        {"edit": {"update": {"text": "bad", "by": "bo"}}},
        {"edit": {"title": "bad"}},
        {"edit": {"acknowledged": ["bo"]}},
        {"edit": {"acknowledgment": {"by": "bo"}}},
        {"edit": {"summary": "bad"}},
        {"edit": {"bridge": "https://bad.example.com"}},
        {"edit": {"links": {"bad": "https://bad.example.com"}}},
        {"edit": {"update": {"text": "bad", "public": "bad"}}},
        {"edit": {"status": "resolved"}},
        {"edit": {"severity": "sev2"}},
        {"edit": {"role": ["technical_lead", "bo"]}},
        {"edit": {}, "not_healthy": True},
    ]
    before = text(pager)
    for number, change in enumerate(tries):
        entry = {**good, "ref": f"reference{number:06}", **change}
        put_raw(pager, f"edit-reference{number:06}", json.dumps(entry).encode(), number)
    pager.until(lambda: not list((pager.folder / "var" / "inbox").glob("*.json")))
    put(pager, note(500))
    pager.until(lambda: "note 500;" in text(pager))
    assert text(pager).startswith(before)
    assert "bad" not in text(pager)
    assert sorted(path.name for path in (pager.folder / "incidents").iterdir() if not path.name.startswith(".")) == [
        "card.yaml"
    ]
    assert not list(pager.folder.rglob("escaped*"))
    assert "guessed" not in pager.log.read_text()
    assert signed_links.token(KEY, "card", 1, "ana") not in pager.log.read_text()


def test_an_editor_that_was_open_wipes_nothing_out(pager: Pager) -> None:
    """P9: the older text, saved at several moments after a note by phone, with a change of its own: both stand there,
    the comments too, and the daemon never saw the incident without the note.
    """
    for number, pause in enumerate((0.0, 0.05, 1.0, 4.0)):
        opened = text(pager)
        put(pager, note(number))
        pager.until(lambda number=number: f"note {number};" in text(pager))
        time.sleep(pause)
        (pager.folder / "incidents" / "card.yaml").write_text(f"{opened}# change {number}\n")
        pager.until(lambda number=number: f"note {number};" in text(pager) and f"# change {number}" in text(pager))
        pager.until(lambda number=number: judged(pager, "edit") > number)
        time.sleep(1)
    lines = text(pager)
    assert [lines.count(f'note {number};"') for number in range(4)] == [1, 1, 1, 1]
    assert "# the night shift" in lines
    assert "# as seen" in lines
    assert "Put back, as a save of an older text lacked it: note by" in lines
