"""The SMTP dialogue without sockets: replies however they are cut, and mails as they are written."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.adapters.smtp.dialogue import (
    REPLY_MOST,
    ReplyReader,
    SmtpReply,
    after_mail,
    dot_stuffed,
    envelope_commands,
    our_name,
)
from tocsin.domain.delivery import Accepted, Uncertain

WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
REPLIES = st.lists(st.tuples(st.integers(200, 599), st.lists(WORDS, min_size=1, max_size=3)), max_size=5)


@given(REPLIES, st.lists(st.integers(0, 400), max_size=10), st.sampled_from([b"\r\n", b"\n"]))
def test_replies_however_cut(said: list[tuple[int, list[str]]], cuts: list[int], end: bytes) -> None:
    """Replies of one line or several come out whole, wherever the network cuts them."""
    data = b"".join(
        f"{code}{' ' if number == len(lines) else '-'}{line}".encode() + end
        for code, lines in said
        for number, line in enumerate(lines, 1)
    )
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    replies = ReplyReader()
    heard = [reply for start, stop in pairwise(places) for reply in replies.feed(data[start:stop])]
    assert heard == [SmtpReply(code, " ".join(lines)) for code, lines in said]


@given(st.binary(max_size=200))
def test_nonsense_is_survived(data: bytes) -> None:
    """Whatever bytes come, they are replies with a number or nonsense with number 0."""
    for reply in ReplyReader().feed(data):
        assert 0 <= reply.code <= 999
        assert "\n" not in str(reply)


def test_a_reply_without_an_end_is_cut_off() -> None:
    """A server that never ends its reply does not fill the memory, and is told apart from a real answer."""
    replies = ReplyReader()
    heard = [reply for _ in range(REPLY_MOST // 100 + 1) for reply in replies.feed(b"250-" + b"x" * 100)]
    assert [reply.code for reply in heard] == [0]


@given(st.lists(st.sampled_from(["", ".", "..", ".x", "x"]), max_size=6))
def test_dots_are_stuffed(lines: list[str]) -> None:
    """A server that undoes the stuffing finds the mail, and its end nowhere before the end."""
    mail = ("Subject: s\r\n\r\n" + "\r\n".join(lines)).encode()
    written = dot_stuffed(mail)
    assert written.endswith(b"\r\n.\r\n")
    assert written.find(b"\r\n.\r\n") == len(written) - 5
    read = b"\r\n".join(line.removeprefix(b".") for line in written[:-3].split(b"\r\n"))
    assert read.removesuffix(b"\r\n") == mail.removesuffix(b"\r\n")


def test_an_envelope_of_any_letters() -> None:
    """Letters beyond ASCII are announced as such; a mail that was begun before is taken back first."""
    assert envelope_commands("i@example.com", "änne@example.com", again=True) == (
        b"RSET\r\n",
        b"MAIL FROM:<i@example.com> SMTPUTF8 BODY=8BITMIME\r\n",
        "RCPT TO:<änne@example.com>\r\n".encode(),
        b"DATA\r\n",
    )


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (SmtpReply(250, "2.0.0 Ok: queued as 4XyZ12"), Accepted("4XyZ12")),
        (SmtpReply(250, "2.0.0 Ok"), Accepted()),
        (SmtpReply(0, "hello"), Uncertain("a reply to the mail that makes no sense: hello", "0")),
    ],
)
def test_the_last_reply(reply: SmtpReply, outcome: object) -> None:
    """A queue's id is kept where the server tells it; nonsense leaves the mail uncertain."""
    assert after_mail(reply) == outcome


def test_our_name() -> None:
    """A full machine name, else the sender's domain."""
    assert our_name("pager.example.net", "i@example.com") == "pager.example.net"
    assert our_name("pager", "i@example.com") == "example.com"
    assert our_name("my_box.local", "") == "localhost"
