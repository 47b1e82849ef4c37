"""Alertmanager's notifications: what is understood, the words made of it, and what a file remembers of it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.app.alerts import memory
from tocsin.app.alerts.links import incident_links
from tocsin.app.alerts.memory import AlertMemory, read_memory, with_memory
from tocsin.app.alerts.payload import AlertGroup, read_notification
from tocsin.app.alerts.words import ended_by_alerts_at, incident_summary, incident_title, resolution_text
from tocsin.formats.schema.patterns import LINKS_MOST
from tocsin.text.decoding import FILE_LIMIT
from tocsin.text.yaml import read_yaml

from tests.builders.examples import some
from tests.unit.alerts import T0, alert, firing, group, notification


def test_a_notification_is_read() -> None:
    """Instants with nanoseconds, Go's zero time, and keys that no version of today has."""
    found = group(alert("b", 1), alert("a"), alert("c", ended=2), somethingNew={"x": [1]})
    assert [each.labels["instance"] for each in found.firing] == ["a", "b"]
    assert found.firing[0].starts_at == T0 + timedelta(microseconds=123456)
    assert found.firing[0].ended_at is None
    assert found.ended_at == T0 + timedelta(minutes=2)


def test_a_group_has_one_key() -> None:
    """The same from each peer and in each repetition; another for another receiver or group."""
    key = group(alert()).key
    assert group(alert("b", 3), externalURL="http://peer.example.com").key == key
    assert len({key, group(alert(), receiver="other").key, group(alert(), groupKey="{}:{}").key}) == 3


def test_an_alert_has_one_mark_for_each_time_it_fires() -> None:
    """Also without a fingerprint; once it has ended and fires again, another one."""
    marks = [group(each).firing[0].mark for each in (alert(), alert(severity="x"), alert(began=1), alert("b"))]
    assert (marks[0] == marks[1], len(set(marks))) == (True, 3)
    bare = [{name: value for name, value in each.items() if name != "fingerprint"} for each in (alert(), alert("b"))]
    assert len({each.mark for each in group(*bare).firing}) == 2


BAD: list[tuple[bytes, str]] = [
    (b"", "no JSON"),
    (b"{", "no JSON"),
    (b"[" * 100_000, "no JSON"),
    (notification([alert()]).replace(b"Errors", b"\\ud800"), "no JSON"),
    (notification([alert()])[:-40], "no JSON"),
    (b"[]", "the whole"),
    (b"null", "the whole"),
    (b"{}", "is missing"),
    (notification([alert()], version="3"), "version"),
    (notification([alert()], groupKey=""), "groupKey"),
    (notification([alert()], status="pending"), "status"),
    (notification([]), "alerts"),
    (notification([alert() | {"labels": {"a": 1}}], commonLabels={}), "alerts[0].labels"),
    (notification([alert(), alert() | {"status": "?"}]), "alerts[1].status"),
    (notification([alert() | {"startsAt": "2026-11-23T10:00:00"}]), "alerts[0].startsAt"),
    (notification([alert() | {"startsAt": "0001-01-01T00:00:00+14:00"}]), "alerts[0].startsAt"),
    (notification([alert() | {"startsAt": None}]), "alerts[0].startsAt"),
]


@pytest.mark.parametrize(("data", "said"), BAD)
def test_what_is_wrong_is_said_in_a_sentence(data: bytes, said: str) -> None:
    """One line that names the place, whatever was sent."""
    found = read_notification(data)
    assert isinstance(found, str)
    assert said in found
    assert found.endswith(".")
    assert len(found) < 200


@settings(max_examples=some(80), deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(alert())), inner, max_size=4),
        max_leaves=8,
    ),
    st.sampled_from(list(json.loads(notification([alert()])))),
)
def test_nothing_raises(value: Any, key: str) -> None:
    """Any value at any key is understood or said to be wrong; what is understood can be told."""
    body = json.loads(notification([alert()])) | {key: value}
    found = read_notification(json.dumps(body).encode())
    if not isinstance(found, str):
        assert incident_title(found)
        assert incident_summary(found)


@pytest.mark.parametrize(
    ("made", "title"),
    [
        (group(alert()), "Errors on a"),
        (group(alert(), alert("b")), "HighErrorRate"),
        (group(alert(), alert("b"), groupLabels={"alertname": "x", "job": "api"}), "HighErrorRate (job api)"),
        (group(alert(), alert("b", alertname="Y"), groupLabels={"job": "api"}), "Alerts (job api)"),
        (group(alert(), alert("b", alertname="Y"), groupLabels={}), "Errors on a and 1 more"),
        (group(alert("\x1b[31mred\u202e\nx")), "Errors on red x"),
    ],
)
def test_a_title_says_what_is_wrong(made: AlertGroup, title: str) -> None:
    """What all alerts share, else what the group is called; clean, on one line."""
    assert incident_title(made) == title


def test_a_summary_lists_what_fires() -> None:
    """What is shared once, then a line for each firing alert, at most twenty."""
    many = [alert(f"i{number}", number) for number in range(25)]
    for each in many:
        each["annotations"] |= {"description": "Too many\nerrors.", "runbook_url": "https://example.com/runbook"}
    lines = incident_summary(group(*many)).splitlines()
    assert lines[:6] == [
        "Too many",
        "errors.",
        "Runbook: https://example.com/runbook",
        "All alerts: HighErrorRate job=api",
        "25 alerts firing:",
        "- instance=i0, since 2026-11-23 10:00:00 UTC: Errors on i0",
    ]
    assert lines[-2:] == ["- instance=i19, since 2026-11-23 10:19:00 UTC: Errors on i19", "- and 5 more"]


def test_a_runbook_survives_an_alert_that_has_none() -> None:
    """Several are listed once each, at most three; also once all have ended."""
    alerts = [alert(name) for name in "abcdefghi"]
    for number, one in enumerate(alerts[1:]):
        one["annotations"]["runbook_url"] = f"https://example.com/{number // 2}"
    assert "Runbook" not in incident_summary(group(alerts[0]))
    told = group(*alerts)
    listed = ["Runbook: https://example.com/0", "Runbook: https://example.com/1", "Runbook: https://example.com/2"]
    assert [line for line in incident_summary(told).splitlines() if line.startswith("Runbook")] == listed
    assert [link for link in incident_links(told) if link[0].startswith("Runbook")] == [
        ("Runbook", "https://example.com/0"),
        ("Runbook 2", "https://example.com/1"),
        ("Runbook 3", "https://example.com/2"),
    ]
    ended = group(*(one | {"status": "resolved", "endsAt": "2026-11-23T11:00:00Z"} for one in alerts))
    assert listed[2] in incident_summary(ended)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "ftp://example.com/x",
        "https://user:secret@example.com/",
        "https://example.com/a b",
        "https://example.com/a\nb",
        "https://",
        "https://example.com:99999/",
        "https://example.com/" + "x" * 700,
        "",
        None,
        5,
        ["https://example.com/"],
    ],
)
def test_what_is_no_link_stops_no_alert(address: object) -> None:
    """It is left out, wherever it stands, and the alert is told as ever."""
    told = alert() | {"generatorURL": address}
    told["annotations"]["runbook_url"] = str(address)
    made = group(told, externalURL=address)
    assert incident_links(made) == ()
    assert incident_title(made) == "Errors on a"


def test_links_have_their_limits() -> None:
    """Two hundred alerts of two hundred rules: so many links as fit, the runbook and Alertmanager first."""
    alerts = [alert(f"{number}", alertname=f"Rule{number}") for number in range(200)]
    for number, one in enumerate(alerts):
        one |= {"generatorURL": f"https://prometheus.example.com/graph?g0.expr={number}&" + "x" * 200}
        one["annotations"]["runbook_url"] = "https://wiki.example.com/r"
    links = incident_links(group(*alerts))
    assert [title for title, _ in links[:3]] == ["Runbook", "Alertmanager", "Source of Rule0"]
    assert 4 <= len(links) <= LINKS_MOST
    assert len(json.dumps(links)) < 1500


def test_words_have_their_limits() -> None:
    """However long and many the labels and annotations are."""
    long = alert("x" * 5000, **{f"label{number}": "y" * 500 for number in range(50)})
    long["annotations"] = dict.fromkeys(("summary", "description", "runbook_url"), "word " * 5000)
    made = group(*[long | {"fingerprint": f"{number}"} for number in range(50)])
    assert len(incident_title(made)) <= 120
    assert len(incident_summary(made)) < 10_000


def test_its_own_end_is_known_again() -> None:
    """The sentence that ends an incident says when; a person's words are nobody's but theirs."""
    at = T0 + timedelta(seconds=7)
    assert ended_by_alerts_at(resolution_text(at)) == at
    assert ended_by_alerts_at("Rolled back.") is None
    assert ended_by_alerts_at(resolution_text(at) + " By hand.") is None
    assert ended_by_alerts_at("All alerts have stopped firing (Alertmanager, 2026-13-45 10:00:00 UTC).") is None


FILES = [
    "title: x\nseverity: sev1\n",
    "title: x\r\nseverity: sev1\r\n",
    "title: x\nseverity: sev1",
    "title: x\nsummary: |+\n  one\n\n",
    "# a\ntitle: x\nupdates:\n  - text: one\n# b\n",
    "",
]


@pytest.mark.parametrize("text", FILES)
def test_a_file_remembers(text: str) -> None:
    """What is written is read again, says nothing else, is replaced whole, and goes with the file."""
    first = AlertMemory().with_alerts(firing(*(alert(f"{n}", n) for n in range(25))), T0).with_summary("s")
    once = with_memory(text.encode(), first)
    assert read_memory(once) == first
    assert read_yaml(once, "").value == read_yaml(text.encode(), "").value
    second = first.with_alerts(firing(alert("new", 3)), T0 + timedelta(hours=1))
    twice = with_memory(once, second)
    assert read_memory(twice) == second
    assert twice.count(b"newest") == 1
    assert read_memory(text.encode()) == AlertMemory()


def test_newest_is_never_in_the_future() -> None:
    """An alert that says it begins tomorrow has begun when it was told."""
    heard = AlertMemory().with_alerts(firing(alert(began=999)), T0)
    assert heard.newest_at == T0


def test_no_bytes_confuse_the_memory() -> None:
    """Lines that look like ours but are not, are no memory."""
    for line in (b"# alertmanager: newest x summary y z", b"# alertmanager a b", b"# alertmanager \xff\xfe"):
        found = read_memory(b"title: x\n" + line + b"\n")
        assert (found.marks, found.newest_at) == ((), None)
    assert read_memory(b"# alertmanager: newest 2026-11-23T10:00:00+00:00 summary abc (\n") == AlertMemory(
        (), datetime(2026, 11, 23, 10, tzinfo=UTC), "abc"
    )


def test_the_newest_alerts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more alerts than a file may remember, the oldest are forgotten."""
    monkeypatch.setattr(memory, "KNOWN_MOST", 3)
    old, new = firing(alert("a"), alert("b")), firing(alert("c", 1), alert("d", 1))
    remembered = AlertMemory().with_alerts(old, T0).with_alerts(new, T0)
    assert len(remembered.marks) == 3
    assert remembered.new(new) == ()
    assert [len(some.all_marks) for some in remembered.new(old)] == [1]


def test_a_file_never_grows_beyond_what_is_read() -> None:
    """One that has no room for the memory stays as it is: better an alert told twice than an incident unread."""
    full = b"title: x\n#" + b"x" * (FILE_LIMIT - 20) + b"\n"
    remembered = AlertMemory().with_alerts(firing(alert()), T0)
    assert with_memory(full, remembered) == full
