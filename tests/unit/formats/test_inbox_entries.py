"""Entries of the inbox: what is written is read again, and whatever else lies there is no entry."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.domain.arrival import (
    AnswerEntry,
    DeclareEntry,
    EditEntry,
    EntryKind,
    InboxEntry,
    PruneEntry,
    ResubscribeEntry,
    WebhookEntry,
    WebhookRoute,
    WishEntry,
    WordEntry,
)
from tocsin.domain.facts import Answer
from tocsin.domain.incident import Acknowledgment, Edit, Status, TimelineNote, UpdateEntry
from tocsin.formats.inbox.entries import ENTRY_MOST, read_entry, write_entry
from tocsin.formats.inbox.names import EntryName, entry_name, read_entry_name

REF = "0123456789abcdef"
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
MAYBE_EMPTY = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
TEXT = st.none() | MAYBE_EMPTY
EDITS = st.builds(
    Edit,
    entry=st.none() | st.builds(UpdateEntry, MAYBE_EMPTY, MAYBE_EMPTY),
    role=st.none() | st.tuples(TEXTS, TEXTS),
    status=st.none() | st.sampled_from(Status),
    eta=st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),
    no_eta=st.booleans(),
    resolution=TEXT,
    public_resolution=TEXT,
    severity=st.none() | TEXTS,
    note=st.none() | st.builds(TimelineNote, MAYBE_EMPTY),
    impact=TEXT,
    public_title=TEXT,
    review=st.none() | TEXTS,
    verified_by=st.none() | st.just(""),
)
ENTRIES = st.one_of(
    st.builds(
        AnswerEntry,
        st.just(REF),
        TEXTS,
        st.integers(1, 1_000_000),
        TEXTS,
        st.sampled_from(Answer),
        st.text("aZ-_9", max_size=128),
    ),
    st.builds(
        WebhookEntry,
        st.just(REF),
        st.sampled_from(WebhookRoute),
        TEXTS,
        st.lists(st.tuples(TEXTS, TEXTS), max_size=5).map(tuple),
        st.text("aZ+/=", max_size=128),
    ),
    st.builds(WishEntry, st.just(REF), TEXTS, TEXTS, st.text("aZ-_9", max_size=128)),
    st.builds(WordEntry, st.just(REF), st.text("ab:", min_size=1, max_size=100), TEXTS),
    st.builds(ResubscribeEntry, st.just(REF), TEXTS),
    st.builds(PruneEntry, st.just(REF), INSTANTS, TEXTS, st.lists(TEXTS, max_size=3).map(tuple)),
    st.builds(
        EditEntry,
        st.just(REF),
        TEXTS,
        TEXTS,
        st.integers(0, 1_000_000),
        st.text("aZ-_9", max_size=128),
        st.text("aZ-_9", max_size=128),
        st.text("09af", max_size=64),
        EDITS,
        st.booleans(),
    ),
    st.builds(
        DeclareEntry,
        st.just(REF),
        TEXTS,
        st.text("aZ-_9", max_size=128),
        TEXTS,
        TEXTS,
        st.lists(TEXTS, max_size=5).map(tuple),
        MAYBE_EMPTY,
        MAYBE_EMPTY,
        MAYBE_EMPTY,
    ),
)
GOOD: dict[str, Any] = {
    "kind": "answer", "ref": REF, "incident": "pay", "episode": 1, "person": "ana", "answer": "ok", "signature": "x",
}  # fmt: skip


@given(ENTRIES)
def test_what_is_written_is_read(entry: InboxEntry) -> None:
    """Every kind, with whatever text."""
    assert read_entry(write_entry(entry)) == entry


def test_the_longest_sms_fits() -> None:
    """1,600 letters of whatever script, with all that Twilio says besides."""
    values = [("Body", "漢" * 1600), *((f"Parameter{number}", "x" * 40) for number in range(30))]
    entry = WebhookEntry(REF, WebhookRoute.INBOUND, "/twilio/inbound", tuple(values), "x" * 28)
    assert len(write_entry(entry)) < ENTRY_MOST


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "spell"}, "an unknown kind"),
        ({"kind": None}, "kind"),
        ({"more": 1}, "an unknown key"),
        ({"person": None}, "person"),
        ({"person": 1}, "person"),
        ({"person": ""}, "person"),
        ({"person": "x" * 256}, "person: too long"),
        ({"episode": "1"}, "episode"),
        ({"episode": 1.0}, "episode"),
        ({"episode": True}, "episode"),
        ({"episode": -1}, "episode"),
        ({"answer": "OK"}, "answer"),
        ({"ref": "../../etc"}, "ref"),
        ({"ref": "short"}, "ref"),
        ({"ref": REF + "\n"}, "ref"),
        ({"signature": ["x"]}, "signature"),
    ],
)
def test_what_is_strange_is_no_entry(change: dict[str, Any], why: str) -> None:
    """Nothing is converted, nothing unknown passed over; the reason names the key, and nothing of what stood there."""
    said = read_entry(json.dumps(GOOD | change).encode())
    assert isinstance(said, str)
    assert why in said
    assert not any(word in said for word in ("spell", "more", "etc"))


EDIT: dict[str, Any] = {
    "kind": "edit", "ref": REF, "incident": "pay", "person": "ana", "episode": 0, "signature": "", "session": "s",
    "version": "00", "edit": {"note": "x"}, "not_healthy": False,
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"by": "bo"},
        {"at": "2026-11-23T10:00:00Z"},
        {"acknowledgment": {"by": "bo"}},
        {"summary": "x"},
        {"services": ["checkout"]},
        {"title": "x"},
        {"file": "../../etc/passwd"},
        {"note": {"text": "x", "by": "bo"}},
        {"update": {"text": "x", "by": "bo"}},
        {"update": {"text": "x", "at": "2026-11-23T10:00:00Z"}},
        {"verified_by": "bo"},
        {"verified": "bo"},
        {"status": "closed"},
        {"status": "RESOLVED"},
        {"eta": "2026-11-23T10:00:00"},
        {"eta": "0001-01-01T00:00:00Z"},
        {"eta": 5},
        {"role": ["technical_lead"]},
        {"note": "x" * 4001},
    ],
)
def test_an_edit_says_nothing_of_its_author_or_its_place(change: dict[str, Any]) -> None:
    """Who, when, which file, and what is not for the browser: such an entry is none (P8)."""
    assert not isinstance(read_entry(json.dumps(EDIT).encode()), str)
    assert isinstance(read_entry(json.dumps(EDIT | {"edit": change}).encode()), str)


def test_what_an_edit_claims_of_its_author_is_not_written() -> None:
    """Only the texts go into the entry."""
    at = datetime(2026, 11, 23, tzinfo=UTC)
    edit = Edit(
        entry=UpdateEntry("a", "b", at, "bo"),
        note=TimelineNote("c", at, "bo"),
        verified_by="bo",
        acknowledgment=Acknowledgment("bo", at),
    )
    written = EditEntry(REF, "pay", "ana", 0, "", "s", "", edit)
    bare = Edit(entry=UpdateEntry("a", "b"), note=TimelineNote("c"), verified_by="")
    assert read_entry(write_entry(written)) == EditEntry(REF, "pay", "ana", 0, "", "s", "", bare)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x00", b"{", b"[]", b"null", b'"x"', b"1e999", b"[" * 4000, b'{"kind":"answer"', b"\xff\xfe",
        json.dumps(GOOD).encode() + b"x", json.dumps(GOOD).encode("utf-16"), json.dumps([GOOD]).encode(),
        json.dumps(GOOD).encode() + b" " * ENTRY_MOST,
        json.dumps(GOOD).encode().replace(b'"pay"', b'"\\ud800"'),
    ],
)  # fmt: skip
def test_what_is_no_json_is_no_entry(data: bytes) -> None:
    """However deep, long, cut or encoded; quickly, and without an exception."""
    assert isinstance(read_entry(data), str)


@given(st.binary(max_size=300))
def test_no_octets_break_it(data: bytes) -> None:
    """Whatever lies there."""
    assert isinstance(read_entry(data), str)


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1)), st.sampled_from(EntryKind), st.text("aZ9", min_size=8, max_size=40))  # fmt: skip
def test_names_say_when_what_and_which(at: datetime, kind: EntryKind, ref: str) -> None:
    """And are read again."""
    name = EntryName(at.replace(tzinfo=UTC), kind, ref)
    assert read_entry_name(entry_name(name)) == name


@pytest.mark.parametrize(
    "name",
    [
        "", ".json", "20261126T101112.123456Z-answer-.json", "20261126T101112.123456Z-spell-0123456789.json",
        "20261326T101112.123456Z-answer-0123456789.json", "20261126T101112.123456Z-answer-0123456789.json\n",
        "20261126T101112.123456Z-answer-0123456789.json.tmp", "../20261126T101112.123456Z-answer-0123456789.json",
        "٢0261126T101112.123456Z-answer-0123456789.json",
    ],
)  # fmt: skip
def test_other_names_are_none(name: str) -> None:
    """Nothing else is called so."""
    assert read_entry_name(name) is None
