"""The outbox read back: which files are looked at, in which order, and what is never opened."""

import json
import os
from pathlib import Path

import pytest
from tocsin.adapters.outbox.reader import FILE_MOST, OutboxReader

MAIL = b"From: i@example.com\r\nSubject: s\r\nContent-Type: text/html\r\n\r\n<p>words</p>"


def sms(body: str = "text") -> bytes:
    return json.dumps({"to": "", "from": "", "body": body, "segments": 1, "incident": "db", "kind": "page"}).encode()


def name(number: int, second: int = 0, suffix: str = "sms-ana.json") -> str:
    return f"20261123T1000{second:02}Z-{number}-{suffix}"


def test_the_newest_first(tmp_path: Path) -> None:
    """By the second and then by the number's value; no more than asked for; what is none of ours is left out."""
    for number, second in ((2, 0), (10, 0), (1, 1), (9, 0)):
        (tmp_path / name(number, second)).write_bytes(sms())
    (tmp_path / name(99)).write_text("no JSON")
    (tmp_path / ".1-2.tmp").write_text("x")
    newest = [message.name for message in OutboxReader(tmp_path).newest(10)]
    assert newest == [name(1, 1), name(10), name(9), name(2)]
    assert [message.name for message in OutboxReader(tmp_path).newest(1)] == [name(1, 1)]


def test_a_file_is_read_once_while_it_is_among_the_newest(tmp_path: Path) -> None:
    """Files never change once they are there; one that comes back among the newest is read again."""
    reader = OutboxReader(tmp_path)
    (tmp_path / name(1)).write_bytes(sms("first"))
    assert [message.text for message in reader.newest(1)] == ["first"]
    (tmp_path / name(1)).write_bytes(sms("changed"))
    assert [message.text for message in reader.newest(1)] == ["first"]
    (tmp_path / name(2)).write_bytes(sms("second"))
    assert [message.text for message in reader.newest(1)] == ["second"]
    assert [message.text for message in reader.newest(2)] == ["second", "changed"]


def test_strange_things_are_not_opened(tmp_path: Path) -> None:
    """Links, FIFOs and files over the limit are no messages; one as long as the limit is."""
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    (tmp_path / "secret").write_bytes(sms("secret"))
    (outbox / name(1)).symlink_to(tmp_path / "secret")
    os.mkfifo(outbox / name(2))
    (outbox / name(3)).write_bytes(sms().ljust(FILE_MOST + 1))
    (outbox / name(4)).write_bytes(sms().ljust(FILE_MOST))
    assert [message.name for message in OutboxReader(outbox).newest(10)] == [name(4)]


@pytest.mark.parametrize(
    ("asked", "html"),
    [
        (name(1, suffix="email-ana.eml"), "<p>words</p>"),
        (name(2, suffix="email-ana.eml"), None),
        (name(3), None),
        ("other.eml", None),
        ("../" + name(1, suffix="email-ana.eml"), None),
        (f"x/../{name(1, suffix='email-ana.eml')}", None),
    ],
)
def test_the_html_of_a_mail(tmp_path: Path, asked: str, html: str | None) -> None:
    """Only a mail of this folder has one, and nobody reads elsewhere by its name."""
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    for folder in (tmp_path, outbox):
        (folder / name(1, suffix="email-ana.eml")).write_bytes(MAIL)
    (outbox / name(2, suffix="email-ana.eml")).write_bytes(MAIL.replace(b"text/html", b"text/plain"))
    for other in (name(3), "other.eml"):
        (outbox / other).write_bytes(MAIL)
    assert OutboxReader(outbox).html(asked) == html


def test_the_mark_changes_with_the_folder(tmp_path: Path) -> None:
    """A new file changes it, an untouched folder does not; one that is not there has none, and no messages."""
    outbox = tmp_path / "outbox"
    reader = OutboxReader(outbox)
    assert (reader.mark(), reader.newest(10)) == ("", ())
    outbox.mkdir()
    before = reader.mark()
    assert before == reader.mark() != ""
    (outbox / name(1)).write_bytes(sms())
    os.utime(outbox, ns=(1, 1))
    assert reader.mark() != before
