"""Files of the outbox as their readers would see them."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.adapters.outbox import file as outbox_file
from tocsin.adapters.outbox.file import OutboxFile
from tocsin.domain.delivery import Content, Message
from tocsin.domain.people import Channel
from tocsin.wording.message.email import Letterhead

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).map(str.strip).filter(bool)


def _mail(content: Content, incident: str = "db") -> bytes:
    message = Message(
        "key", Channel.EMAIL, "ana@example.com", "ana", "Ana Souza", content, incident, 1, "page", T0
    )  # fmt: skip
    return Letterhead("Incidents <incidents@example.com>").compose(message)


@given(WORDS, WORDS)
def test_what_was_written_is_read(text: str, html: str) -> None:
    """The words of a mail come out of its file as they went in, whatever letters they are of."""
    data = _mail(Content(text, "Database down", html))
    read = outbox_file.read("20261123T100000Z-12-email-ana.eml", data)
    assert read is not None
    assert (read.at, read.via, read.person, read.kind, read.incident) == (T0, Channel.EMAIL, "ana", "page", "db")
    assert (read.sender, read.to) == ("Incidents <incidents@example.com>", "Ana Souza <ana@example.com>")
    assert (read.subject, read.text.rstrip("\r\n"), read.html) == ("Database down", text, True)
    assert (outbox_file.html_of(data) or "").rstrip("\n") == html


@pytest.mark.parametrize(
    "subject", ["Card payments fail " * 12, "a " + "x" * 150 + " b", "is =?utf-8?q?no?= word " * 5, "支付失败 🔥 " * 30]
)
def test_a_long_subject_is_shown_as_it_was_meant(subject: str) -> None:
    """Folded, or written in several encoded words: the inbox shows what mail programs show."""
    read = outbox_file.read("20261123T100000Z-12-email-ana.eml", _mail(Content("text", subject)))
    assert read is not None
    assert read.subject == subject.strip()


def test_an_sms_is_read() -> None:
    """An SMS has its number, its text and its segments."""
    sheet = {
        "to": "+14155550101",
        "from": "+15005550006",
        "body": "Down\n🙂",
        "segments": 1,
        "incident": "db",
        "kind": "page",
    }
    read = outbox_file.read("20261123T100000Z-3-sms-ana.json", json.dumps(sheet).encode())
    assert read == OutboxFile(
        "20261123T100000Z-3-sms-ana.json", T0, Channel.SMS, "ana", "+15005550006", "+14155550101", "", "Down\n🙂",
        "db", "page", 1, incidents=("db",),
    )  # fmt: skip


def test_a_bundle_is_about_several_incidents() -> None:
    """Rule 47: an SMS names them all, the worst first; one that names nonsense is read all the same."""
    sheet = {"to": "+1", "from": "+2", "body": "2 pages", "segments": 1, "incident": "db", "kind": "page"}
    name = "20261123T100000Z-3-sms-ana.json"
    for listed, read_as in ((["db", "net"], ("db", "net")), ([], ("db",)), ([7], ("7",))):
        read = outbox_file.read(name, json.dumps({**sheet, "incidents": listed}).encode())
        assert read is not None
        assert (read.incident, read.incidents) == ("db", read_as)
    assert outbox_file.read(name, json.dumps({**sheet, "incidents": 7}).encode()) is None
    assert outbox_file.read(name, json.dumps({**sheet, "segments": 1e400}).encode()) is None


@pytest.mark.parametrize(
    "name",
    ["", ".1-2.tmp", "x.eml", "20261123T100000Z-1-fax-ana.eml", "../20261123T100000Z-1-sms-ana.json",
     "20261123T100000Z-1-email-a/b.eml", "20261123T100000Z-1-email-.eml", "20261399T100000Z-1-sms-ana.json"],
)  # fmt: skip
def test_other_files_are_none_of_ours(name: str) -> None:
    """Only names that the outbox gives are messages; nothing with a slash in it is."""
    assert outbox_file.read(name, b"{}") is None


@given(st.binary(max_size=300) | st.lists(st.sampled_from(
    [b"From: ", b"=?utf-8?q?\xff?=", b"<a@", b"\r\n", b"\r\n\r\n", b"Content-Type: ", b"multipart/mixed", b"; boundary=x",
     b"--x", b"text/html", b"; charset=klingon", b"Content-Transfer-Encoding: base64", b"To: ", b"(((", b'"', b",", b"Subject: "]
), max_size=30).map(b"".join))  # fmt: skip
def test_no_file_is_too_broken(data: bytes) -> None:
    """Whatever is in a file, it is read or it is none of ours; nothing is raised."""
    for name in ("20261123T100000Z-1-email-ana.eml", "20261123T100000Z-1-sms-ana.json"):
        outbox_file.read(name, data)
    outbox_file.html_of(data)


@pytest.mark.parametrize("charset", [b"klingon", b"utf-8\0", b"zlib", b"=?"])
def test_unknown_letters_are_left_out(charset: bytes) -> None:
    """A body in letters that nobody knows is shown as none, and the heads all the same."""
    data = b"From: i@example.com\r\nContent-Type: text/plain; charset=" + charset + b"\r\n\r\nwords"
    read = outbox_file.read("20261123T100000Z-1-email-ana.eml", data)
    assert read is not None
    assert (read.sender, read.text) == ("i@example.com", "")
