"""What a log line looks like: words in 80 columns for people, JSON for machines."""

import ast
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from tocsin.app.lifecycle.log_words import WIDTH, WORDS, TextShape, sentence
from tocsin.app.lifecycle.logs import LogForm, lost_line, start_logging
from tocsin.app.lifecycle.run import log

from tests.house.code import modules

AT = "21:21:05"
TRIED = {"event": "tried", "kind": "closing", "to": "dee", "via": "email", "outcome": "accepted", "number": 1}


def shown(shape: TextShape | None = None, **line: Any) -> str:
    return (shape or TextShape())(None, "info", {"timestamp": AT, "level": "info"} | line)


def events() -> Iterator[str]:
    """Every event that the package logs."""
    for module in modules("app", "web", "cli"):
        for node in module.nodes:
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
                continue
            logger = ast.unparse(node.func.value)
            if logger.split(".")[-1] in {"log", "site"} and node.func.attr in {
                "info", "warning", "warn", "error", "exception", "fault",
            }:  # fmt: skip
                for part in ast.walk(node.args[0]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value


def test_every_event_has_words() -> None:
    """A new event needs a sentence for whoever watches a terminal."""
    known = set(events())
    assert len(known) > 20
    assert known - set(WORDS) == set()


def test_a_message_that_left() -> None:
    """Who got what by which channel, and how it went, without any address."""
    assert shown(**TRIED, shown_reader="Dee Okafor") == (
        "21:21:05    closing → Dee Okafor, email               accepted"
    )
    again = shown(**TRIED | {"kind": "operator", "outcome": "deferred", "number": 3}, shown_reader="Ana Souza")
    assert again == "21:21:05    notice → Ana Souza, email                 not taken yet (try 3)"
    assert len(again) <= WIDTH
    long = shown(**TRIED, shown_reader="Maximiliane von und zu Hohenlohe-Langenburg auf Schloss Weikersheim")
    assert all(len(line) <= WIDTH for line in long.splitlines())
    assert long.endswith("accepted")


def test_the_incident_is_named_where_it_changes() -> None:
    """A line with the id stands before the lines of another incident, once."""
    shape = TextShape()
    first = shown(
        shape, event="version", incident="card", severity="sev1", status="investigating", shown_title="Card fails"
    )
    assert first == f"{AT}  card\n{AT}  SEV1 Card fails: investigating"
    assert shown(shape, **TRIED, incident="card").count("\n") == 0
    assert shown(shape, event="config", revision="abc") == f"{AT}  a new config is in force: abc"
    assert shown(shape, **TRIED, incident="-").count("\n") == 0
    assert shown(shape, **TRIED, incident="other").startswith(f"{AT}  other\n")


def test_what_is_wrong_is_marked_and_fits() -> None:
    """Trouble begins with a mark; long sentences go on below the time, and so do several lines."""
    text = "incidents/broken.yaml:1:8: error: title is a list; write a text instead, for people read it\nand another"
    lines = shown(event="trouble", level="warning", text=text).splitlines()
    assert lines[0].startswith(f"{AT}  ! incidents/broken.yaml:1:8: error: title")
    assert all(line.startswith("          ") and len(line) <= WIDTH for line in lines[1:])
    assert lines[-1] == "          and another (the operators are told)"


def test_paths_are_short_and_never_torn() -> None:
    """What lies below the folder that people stand in is named from there; a longer path is not cut in two."""
    shape = TextShape("/srv/pager")
    ready = {"event": "ready", "open": 0, "email": "outbox", "sms": "outbox", "revision": "abc"}
    assert "watching incidents, no open incidents" in shown(shape, **ready, incidents="/srv/pager/incidents")
    long = "/var/lib/" + "x" * 90
    assert long in shown(shape, **ready, incidents=long)
    assert "at /srv/x" in shown(TextShape(), event="poll", trouble="at /srv/x")


def test_an_error_of_our_own_is_shown_whole() -> None:
    """The traceback stands below the sentence, as it is."""
    trace = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\nKeyError: 1'
    assert shown(event="broken", level="error", exception=trace).endswith("tried again:\n" + trace)


@pytest.mark.parametrize("held_back", [{}, {"held_back": 7, "within": 60.0}])
def test_an_event_without_words_is_told_with_its_fields(held_back: dict[str, Any]) -> None:
    """Lines of libraries, and the count of a limited event, are never empty."""
    assert sentence({"event": "odd", "level": "info", "size": 3, "shown_title": "x"}) == "odd: size 3"
    assert sentence({"event": "something of a library", "logger": "x"}) == "something of a library"
    if held_back:
        assert sentence({"event": "too slow"} | held_back) == "too slow: held_back 7, within 60.0"


def test_no_event_raises_for_want_of_a_field() -> None:
    """Rule 61: whatever fields an event comes without or with, there is a line."""
    for event in WORDS:
        for line in ({"event": event}, {"event": event, "severity": None, "number": "x", "stale": 3, "problems": None}):
            assert shown(**line)


class Lines:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, data: bytes, /) -> int:
        self.written.append(data.decode())
        return len(data)


def test_json_leaves_out_what_only_people_read() -> None:
    """People are named by id, no line holds an address, and half a surrogate pair stops nothing."""
    lines = Lines()
    start_logging(lines, LogForm.JSON)
    log.bind().info("tried", to="dee", shown_reader="Dee Okafor", why="mail to dee@example.com or +14155550101 \ud800")
    line = json.loads(lines.written[0])
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert (line["to"], line["why"].split()[:3]) == ("dee", ["mail", "to", "[address]"])
    assert "shown_reader" not in line


def test_a_library_that_cannot_word_its_line_stops_nothing() -> None:
    """Rule 61: no log call raises, whoever made it."""
    lines = Lines()
    start_logging(lines, LogForm.JSON)
    logging.getLogger("somebody").warning("%d files", "many")
    logging.getLogger("somebody").warning("%d files", 3)
    assert "a line of somebody cannot be worded" in lines.written[0]
    assert json.loads(lines.written[1])["event"] == "3 files"


@pytest.mark.parametrize("form", LogForm)
def test_lost_lines_are_counted_in_words(form: LogForm) -> None:
    """Rule 61: the line that says how many were lost is a line like any other."""
    line = lost_line(form, 7)
    assert line.endswith("\n")
    if form is LogForm.JSON:
        assert json.loads(line)["lines"] == 7
    else:
        assert line[8:] == "  ! 7 log lines could not be written and are lost\n"
