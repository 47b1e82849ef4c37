"""The SMTP dialogue without sockets: replies however they are cut, and mails as they are written."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.adapters.smtp.dialogue import (
    DOT,
    REPLY_MOST,
    ReplyReader,
    SmtpReply,
    after_command,
    after_mail,
    dot_stuffed,
    envelope_commands,
    not_carried,
    our_name,
    while_connecting,
)
from tocsin.domain.delivery import Accepted, Deferred, Fault, Outcome, Refused, Uncertain

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
    written = dot_stuffed(mail) + DOT
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


PROVIDER, PASSING = Fault.PROVIDER, Fault.PASSING


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (200, None),
        (250, None),
        (251, None),
        (354, None),
        (399, None),
        (400, Deferred("400 x", "400")),
        (421, Deferred("421 x", "421")),
        (499, Deferred("499 x", "499")),
        (500, Deferred("500 x", "500", PROVIDER)),
        (599, Deferred("599 x", "599", PROVIDER)),
        (600, None),
        *((code, Deferred(f"{code} x", str(code), PROVIDER)) for code in (530, 534, 535, 538)),
    ],
)
def test_replies_by_their_number(code: int, outcome: Outcome | None) -> None:
    """4xx is for now, 5xx the provider's where nothing says more (`tests/unit/wording/test_verdicts.py` has the table).
    What is neither is good where it is expected; elsewhere it makes no sense, and then nothing has left before the dot
    and nobody knows after it. From RCPT on what the provider denies may hold for that recipient alone.
    """
    reply = SmtpReply(code, "x")
    assert reply.refuses is (outcome is not None)
    nonsense = Deferred(f"a reply that makes no sense: {code} x", str(code))
    for command in (b"RSET\r\n", b"MAIL FROM:<i@example.com>\r\n"):
        assert after_command(command, reply) == (None if code in (250, 251) else outcome or nonsense)
    if isinstance(outcome, Deferred):
        outcome = replace(outcome, recipient=outcome.fault is PROVIDER)
    assert after_command(b"RCPT TO:<a@example.com>\r\n", reply) == (None if code in (250, 251) else outcome or nonsense)
    assert after_command(b"DATA\r\n", reply) == (None if code == 354 else outcome or nonsense)
    if 200 <= code < 300:
        assert after_mail(reply) == Accepted()
    else:
        unclear = Uncertain(f"a reply to the mail that makes no sense: {code} x", str(code))
        assert after_mail(reply) == (outcome or unclear)


@pytest.mark.parametrize(
    ("code", "fault"),
    [(0, PASSING), (250, PASSING), (421, PASSING), (499, PASSING), (500, PROVIDER), (535, PROVIDER), (599, PROVIDER), (600, PASSING)],
)  # fmt: skip
def test_a_refusal_before_any_address(code: int, fault: Fault) -> None:
    """At the greeting, EHLO, STARTTLS or AUTH nobody's address is at fault: 5xx is the settings', the rest passes."""
    reply = SmtpReply(code, "x")
    assert while_connecting(reply) == Deferred(str(reply), str(code), fault)


def test_whose_letters_are_not_carried() -> None:
    """Where both addresses have letters beyond ASCII the sender's come first: no reader is to blame for that."""
    assert not_carried("i@example.com", "änne@example.com") == Refused(
        "the relay offers no SMTPUTF8, which the address änne@example.com needs", fault=Fault.MESSAGE
    )
    outcome = not_carried("störung@example.com", "änne@example.com")
    assert isinstance(outcome, Deferred)
    assert outcome.fault is PROVIDER


def test_a_plain_envelope() -> None:
    """Nothing is announced that nobody needs, and nothing is taken back that was not begun."""
    assert envelope_commands("i@example.com", "a@example.com", again=False) == (
        b"MAIL FROM:<i@example.com>\r\n",
        b"RCPT TO:<a@example.com>\r\n",
        b"DATA\r\n",
    )


def test_a_long_reply_is_shortened() -> None:
    """What is told on is one line of bounded length; a reply of many lines is one text."""
    reader = ReplyReader()
    (reply,) = reader.feed(b"550-" + b"a" * 150 + b"\r\n550-  b\t c \r\n550 " + b"d" * 150 + b"\r\n")
    assert str(reply) == ("550 " + "a" * 150 + " b c " + "d" * 150)[:200]
    assert str(SmtpReply(0, " hello  you ")) == "hello you"


def test_one_connections_replies_do_not_add_up() -> None:
    """Each reply has the limit of its length to itself: thousands of mails by one connection are no endless reply."""
    reader = ReplyReader()
    line = b"250 " + b"x" * 400 + b"\r\n"
    replies = [reply for _ in range(2 * REPLY_MOST // len(line)) for reply in reader.feed(line)]
    assert {reply.code for reply in replies} == {250}


@pytest.mark.parametrize(
    ("text", "queued"),
    [
        ("2.0.0 Ok: queued as 4XyZ12.", "4XyZ12"),
        ("OK QUEUED AS a-b_c.d", "a-b_c.d"),
        ("unqueued as x", ""),
        ("queued as <x>", ""),
        ("queued as " + "x" * 90, "x" * 64),
    ],
)
def test_the_queues_id(text: str, queued: str) -> None:
    """It is the word after `queued as`, in however large letters, without the end of the sentence."""
    assert after_mail(SmtpReply(250, text)) == Accepted(queued)


def test_a_domain_of_any_letters_is_not_our_name() -> None:
    """EHLO takes ASCII only."""
    assert our_name("pager", "i@störung.example") == "localhost"


def test_what_came_too_late_is_dropped() -> None:
    """Of a line without an end no more than the limit is ever held, however much of it comes."""
    reader = ReplyReader()
    for _ in range(3 * REPLY_MOST // 100):
        reader.feed(b"x" * 100)
    (reply,) = reader.feed(b"\r\n")
    assert len(reply.text) <= REPLY_MOST + 100


def test_a_reply_of_a_number_only() -> None:
    """A reply needs no text to be one."""
    assert ReplyReader().feed(b"250\r\n") == [SmtpReply(250, "")]


@pytest.mark.parametrize("mail", [b"a: b\r\n\r\nx", b"a: b\r\n\r\nx\n", b"a: b\r\n\r\nx\r\n"])
def test_the_dot_stands_alone(mail: bytes) -> None:
    """However a mail ends, its dot is a line of its own, or the relay would wait for ever."""
    assert (dot_stuffed(mail) + DOT).endswith(b"\r\n.\r\n")
