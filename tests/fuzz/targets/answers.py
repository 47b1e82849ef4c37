"""What comes from people and providers: replies, webhooks, links, sessions, and our own outbox read back."""

import json
import unicodedata
from itertools import pairwise
from urllib.parse import unquote

from tocsin.adapters.outbox import file as outbox_file
from tocsin.app.replies import sms_grammar
from tocsin.app.replies.sms_grammar import Verb
from tocsin.app.reply_options import signed_links
from tocsin.app.state.open_sessions import OpenSessions
from tocsin.domain.delivery import Content, Message
from tocsin.domain.people import Channel, Session, session_digest
from tocsin.wording.message.email import Letterhead

from tests.builders.instants import T0
from tests.fuzz.fuzzer import Fuzzer

REPLIES = tuple(
    text.encode()
    for text in (
        "ok", "OK K7", "ack k12", "K7 ok", "#K7", "pass K7", "no", "ok all", "ok all K7", "status", "status K7",
        "note K7 Failover begins.", "K7 note: Failover\nbegins.", "note the cause is known", "STOP", "start", "yes",
        "help", "“Ok.”", "ｏｋ　Ｋ７", "ok\n\nSent from my phone", "> page\nok", "okK7", "Ok, K7!", "okay", "ok but wait", "K 7", "okall",
        "not5", "b4no", "y 5",
    )
)  # fmt: skip
GRAMMAR = (b"ok", b"pass", b"all", b"K7", b"note", b"status", b"stop", b"not", b"\xe2\x80\x8b", b"\xcc\x81", b"\n> ")

_MAIL = Message(
    "key", Channel.EMAIL, "ana@example.com", "ana", "Ana Souzä",
    Content("Card payments fail.\nÜber 40 %.", "Database down – sev1", "<p>Card payments <b>fail</b>.</p>"),
    "db", 1, "page", T0,
)  # fmt: skip
_SMS = {"to": "+14155550101", "from": "+15005550006", "body": "Down", "segments": 1, "incident": "db", "kind": "page"}
OUTBOX = (
    Letterhead("Incidents <incidents@example.com>").compose(_MAIL),
    b"From: a@b\nSubject: =?utf-8?b?w5w=?=\nContent-Type: text/plain; charset=latin-1\n"
    b"Content-Transfer-Encoding: base64\n\nw5xi\n",
    b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/html; charset="utf-16"\n\n<p>\n--b--\n',
    json.dumps(_SMS).encode(),
    json.dumps({**_SMS, "incidents": ["db", "net"]}, indent=1).encode(),
)
MAIL_WORDS = (
    *(b"Content-Type: ", b"charset=", b"charset*0*=", b"base64", b"quoted-printable", b"x-uuencode", b"multipart/mixed"),
    *(b"boundary=", b"message/rfc822", b"text/html", b"X-Tocsin-Incident: ", b"idna", b"punycode", b"utf-7", b"unicode_escape"),
    *(b"rot13", b"zlib", b"hex", b"undefined", b"mbcs", b"=?", b"?=", b"\r\n\r\n", b"\r\n "),
)  # fmt: skip
OUTBOX_NAMES = ("20261123T100000Z-12-email-ana.eml", "20261123T100000Z-3-sms-ana.json")


UNSEEN = {"Cf", "Mn", "Me", "Cc", "Pi", "Pf", "Po", "Ps", "Pe", "Sk"}
"""Letters that play no part in an answer: marks that nobody sees, quotes and the like."""

KEYS = ("the newest key of all, long enough", "an older key, which still verifies")
INCIDENTS = ("checkout", "checkout-2", "Zahlung äöü", "a/b", "..", "answer")
READERS = ("ana", "bo", "status@lists.example.com", "incidents")
LINKS = (
    *(signed_links.answer(KEYS, incident, reader) for incident in INCIDENTS for reader in READERS[:2]),
    *(signed_links.unsubscribe(KEYS[1:], incident, READERS[2]) for incident in INCIDENTS),
    *(signed_links.page(KEYS, incident) for incident in INCIDENTS),
    *(signed_links.calendar(KEYS[1:], reader) for reader in READERS),
)
TOKEN = "the token of the web side"
BEGUN_SESSIONS = 3


def reply(data: bytes) -> None:
    """Nothing that says neither `ok` nor `pass`, nor a code, is an answer."""
    text = data.decode("utf-8", "surrogatepass" if data.isascii() else "replace")
    said = sms_grammar.read(text)
    assert len(said.text) <= sms_grammar.NOTE_MOST
    assert len(said.whole) <= sms_grammar.NOTE_MOST
    if said.verb in {Verb.OK, Verb.PASS}:
        plain = unicodedata.normalize("NFKC", text).lower()
        plain = "".join(letter for letter in plain if unicodedata.category(letter) not in UNSEEN).replace(" ", "")
        assert said.code or any(word in plain for word in sms_grammar.WORDS)
    if said.code:
        assert said.code.isascii()
        assert said.code[0].isupper()
        assert said.code[1:].isdigit()


def outbox(data: bytes) -> None:
    """Whatever lies there under one of our names is shown, or left out."""
    for name in OUTBOX_NAMES:
        read = outbox_file.read(name, data)
        if read:
            assert len(read.text) <= outbox_file.TEXT_MOST
            assert "\n" not in read.subject + read.to + read.sender
    html = outbox_file.html_of(data)
    assert html is None or len(html) <= outbox_file.HTML_MOST


def link(data: bytes) -> None:
    """Only what we signed is verified, whole and for what it was signed for."""
    path = data.decode("utf-8", "replace")
    *parts, signature = (unquote(part) for part in path.removeprefix("/").split("/"))
    if signed_links.verified(KEYS, signature, *parts):
        assert "/".join((*parts, signature)) in {"/".join(map(unquote, known[1:].split("/"))) for known in LINKS}
    assert not signed_links.verified((), signature, *parts)
    for left, right in pairwise(parts):  # a slash that moves makes other parts
        assert not signed_links.verified(KEYS, signature, left + "/" + right)


def fuzzers() -> list[Fuzzer]:
    """All of them."""
    values = [f"{number:032}{TOKEN}"[:43].encode() for number in range(BEGUN_SESSIONS)]
    sessions = OpenSessions(Session(session_digest(value.decode()), "ana", T0) for value in values)

    def session(data: bytes) -> None:
        value = data.decode("utf-8", "replace")
        assert (sessions.person_of(value, T0) == "ana") is (value.encode() in values)
        assert sessions.person_of(session_digest(value), T0) is None

    return [
        Fuzzer("reply", REPLIES, reply, GRAMMAR, sample=300),
        Fuzzer("link", [known.encode() for known in LINKS], link, (b"/", b"%2F", b"answer", b"ana", b"=="), sample=300),
        Fuzzer("session", values, session, (b".", b"-", b"_"), sample=300),
        Fuzzer("outbox", OUTBOX, outbox, MAIL_WORDS, sample=150),
    ]
