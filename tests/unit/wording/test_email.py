"""Mails written by hand, read back by Python's own parser."""

import email.policy
import re
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tocsin.domain.delivery import Content, Message
from tocsin.domain.notification import UNSUBSCRIBE_LINK
from tocsin.domain.people import Channel
from tocsin.wording.message.email import Letterhead

AT = datetime(2026, 11, 23, 10, 5, 7, tzinfo=UTC)
HOUSE = Letterhead("Störung, Dienst <incidents@example.com>")
LETTERS = st.characters(exclude_categories=["Cs"])
LINES = st.text(st.one_of(LETTERS, st.sampled_from("\r\n. =?\t\x00é🔥")), max_size=300)


def message(
    content: Content, name: str = "Ana", address: str = "ana@example.com", incident: str = "pay", reference: str = "r1"
) -> Message:
    return Message(reference, Channel.EMAIL, address, "ana", name, content, incident, 1, "page", AT)


def parsed(data: bytes) -> EmailMessage:
    read = BytesParser(policy=email.policy.default).parsebytes(data)
    assert isinstance(read, EmailMessage)
    return read


def body(read: EmailMessage, kind: str) -> str:
    part = read.get_body((kind,))
    assert part is not None
    assert not part.defects
    return str(part.get_content()).replace("\r\n", "\n")


def breaks(text: str) -> str:
    return re.sub("\r\n?", "\n", text)


def one_line(text: str) -> str:
    return re.sub("[\x00-\x20\x7f-\xa0\u2028\u2029]+", " ", text).strip()


def same_name(read: str, written: str) -> bool:
    """Equal, but for a blank that Python 3.11 puts where a long name goes from one encoded word to the next."""
    return read == written or (len(written.encode()) > 45 and read.replace(" ", "") == written.replace(" ", ""))


@given(LINES, LINES, LINES, LINES)
@example("=?utf-8?q?no?=", ".\n..\nx \n", "<p>" + "é" * 2000, "=?utf-8?q?no?=")
@example("a" * 200, "a" * 5000, " ", 'A "quoted" \\ name, Ltd.')
@example("x\r\nBcc: eve@example.net", "From me\n.\nx", "y", "Ana\r\nBcc: eve@example.net")
def test_python_reads_what_we_wrote(subject: str, text: str, html: str, name: str) -> None:
    """Whatever the texts, the parser finds the same ones, one recipient, and no other header than ours."""
    data = HOUSE.compose(message(Content(text, subject, html), name))
    read = parsed(data)
    assert not read.defects
    assert read["Subject"] == one_line(subject)[:500].rstrip()
    (reader,) = read["To"].addresses
    assert reader.addr_spec == "ana@example.com"
    assert same_name(reader.display_name, one_line(name)[:100].rstrip())
    assert read["From"].addresses == (Address("Störung, Dienst", addr_spec="incidents@example.com"),)
    assert body(read, "plain") == breaks(text)
    if html:
        assert body(read, "html") == breaks(html)
    assert set(read.keys()) <= {
        *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version", "Auto-Submitted"),
        *(
            "X-Auto-Response-Suppress",
            "Content-Language",
            "X-Tocsin-Incident",
            "X-Tocsin-Kind",
            "Content-Type",
            "Content-Transfer-Encoding",
        ),
    }
    assert "Bcc" not in read


@given(LINES, LINES, LINES)
def test_every_line_can_travel(subject: str, text: str, html: str) -> None:
    """ASCII only, CRLF at each end, no lone CR or LF or NUL, headers under 78 (but for a word that is longer) and bodies
    under 998 characters.
    """
    data = HOUSE.compose(message(Content(text, subject, html), name=subject))
    assert data.isascii()
    assert b"\x00" not in data
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", data)
    head, _, rest = data.partition(b"\r\n\r\n")
    assert all(len(line) <= 78 or max(map(len, line.split())) > 60 for line in head.split(b"\r\n"))
    assert max(map(len, rest.split(b"\r\n"))) <= 998


def test_headers_of_a_page() -> None:
    """A mail says that a machine sent it and wants no answer from one, for which incident, of which kind, in which
    language; of a page there is no list, and where nobody reads answers there is nowhere for them to go.
    """
    read = parsed(HOUSE.compose(message(Content("text", "subject", "<p>html</p>"))))
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["X-Auto-Response-Suppress"] == "All"
    assert read["Content-Language"] == "en"
    assert (read["List-Id"], read["Reply-To"], read["Precedence"]) == (None, None, None)
    assert (read["X-Tocsin-Incident"], read["X-Tocsin-Kind"]) == ("pay", "page")
    assert read["Date"].datetime == AT
    assert read["List-Unsubscribe"] is None
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]


def test_ids_and_threads() -> None:
    """A second try is the same bytes; each reference has its own id; all mails of an incident share their thread."""
    content = Content("text", "subject", "html")
    first, other = (HOUSE.compose(message(content, reference=reference)) for reference in ("r1", "r2"))
    assert first == HOUSE.compose(message(Content("text", "subject", "html"), reference="r1"))
    one, two = parsed(first), parsed(other)
    assert one["Message-ID"] != two["Message-ID"]
    assert one["References"] == two["References"] == one["In-Reply-To"]
    assert all(len(read[header]) < 60 for read in (one, two) for header in ("Message-ID", "References"))
    elsewhere = parsed(HOUSE.compose(message(content, incident="other")))
    assert elsewhere["References"] != one["References"]
    long = Letterhead(f"x@{'long.' * 20}example.com")
    assert len(long.id_for("r1")) < 60
    assert len(Letterhead(f"x@{'x' * 20}.example.com").id_for("r1")) < 60


def test_a_copy_by_another_sender_is_the_same_mail() -> None:
    """Rule 40: a fallback in a domain of its own has the ids of the first provider's mails, and so their thread."""
    mail = replace(message(Content("text", "subject", "html")), mailing_list="support")
    first = parsed(HOUSE.compose(mail))
    spare = Letterhead("Spare <spare@backup.example.org>", "Störung, Dienst <incidents@example.com>")
    copy = parsed(spare.compose(mail))
    assert copy["From"] == "Spare <spare@backup.example.org>"
    assert [copy[name] == first[name] for name in ("Message-ID", "References", "In-Reply-To", "List-Id")] == [True] * 4


def test_a_thread_is_the_incidents_alone() -> None:
    """Every mail of an incident, of whatever kind, reader and episode, refers to one id, which no mail of it has and no
    other incident shares; a mail's own id is its reference's.
    """
    page = message(Content("text", "subject"))
    mails = [page, replace(page, reference="r2", kind="closing", episode=2, address="bo@example.com", person="bo")]
    read = [parsed(HOUSE.compose(mail)) for mail in mails]
    threads = {header["References"] for header in read} | {header["In-Reply-To"] for header in read}
    assert len(threads) == 1
    assert [header["Message-ID"] for header in read] == [HOUSE.id_for("r1"), HOUSE.id_for("r2")]
    assert not threads & {header["Message-ID"] for header in read}
    assert HOUSE.id_for("r1").endswith("@example.com>")
    assert read[1]["X-Tocsin-Kind"] == "closing"


def test_a_mail_of_several_pages_has_a_header_for_each_and_is_no_thread() -> None:
    """Rule 47: one X-Tocsin-Incident a page; it is no reply to what was written of the worst one."""
    read = parsed(HOUSE.compose(replace(message(Content("a", "b")), incidents=("pay", "d\r\nb"))))
    assert read.get_all("X-Tocsin-Incident") == ["pay", "d_b"]
    assert read["In-Reply-To"] is None
    assert read["References"] is None


def test_a_second_copy_is_the_first() -> None:
    """Whatever a second try knows more (its number, how long it holds), the bytes are those of the first: readers see one."""
    page = message(Content("text", "subject", "html"))
    again = replace(page, attempt="7", valid_for=timedelta(minutes=5))
    assert HOUSE.compose(again) == HOUSE.compose(page)


@pytest.mark.parametrize(
    ("subject", "lines"),
    [
        ("Cards fail", ["Subject: Cards fail"]),
        ("word " * 20, ["Subject: " + "word " * 12 + "word", " word" * 7]),
        ("a " + "x" * 120 + " b", ["Subject: a", " " + "x" * 120, " b"]),
        ("x" * 490, ["Subject: " + "x" * 490]),
        (
            "is =?utf-8?q?no?= word",
            ["Subject: =?us-ascii?q?is_=3D=3Futf=2D8=3Fq=3Fno=3F=3D_?=", " =?us-ascii?q?word?="],
        ),
        ("", ["Subject: "]),
    ],
)
def test_a_plain_subject_stays_plain(subject: str, lines: list[str]) -> None:
    """Folded at its blanks, a long word whole; never base64, even where it must be written as an encoded word."""
    data = HOUSE.compose(message(Content("text", subject)))
    head = data.partition(b"\r\n\r\n")[0].decode()
    assert head[head.index("Subject: ") :].partition("\r\nContent-")[0].split("\r\n") == lines
    assert parsed(data)["Subject"] == subject.strip()


def test_other_letters_are_never_cut() -> None:
    """Each encoded word of a long subject holds whole letters, so that a program which shows them apart shows them."""
    title = "支付失败：结账页面对欧洲客户不可用 🔥 " * 6
    raw = HOUSE.compose(message(Content("text", title))).partition(b"Subject: ")[2].partition(b"\r\nContent-")[0]
    words = [b64decode(word.removeprefix(b"=?utf-8?b?").removesuffix(b"?=")).decode() for word in raw.split()]
    assert len(words) > 3
    assert "".join(words) == one_line(title)


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("Customers", "Customers <customers.example.com>"),
        ("Kunden, Größe", "=?utf-8?b?S3VuZGVuLCBHcsO2w59l?= <customers.example.com>"),
        ("\r\nBcc: eve@example.net", '"Bcc: eve@example.net" <customers.example.com>'),
        ("", "<customers.example.com>"),
    ],
)
def test_a_group_is_a_list(title: str, written: str) -> None:
    """RFC 2919: one id a group, its title as the phrase."""
    data = HOUSE.compose(replace(message(Content("text", "subject")), mailing_list="customers", list_title=title))
    assert f"\r\nList-Id: {written}\r\n".encode() in data
    assert not parsed(data).defects


def test_answers_go_where_the_settings_say() -> None:
    """And only there; the domain in ASCII."""
    data = HOUSE.compose(replace(message(Content("text", "subject")), reply_to="desk@bücher.example"))
    assert b"\r\nReply-To: desk@xn--bcher-kva.example\r\n" in data


@pytest.mark.parametrize(("language", "header"), [("pt-BR", "pt-BR"), ("de\r\nBcc: x", None), ("", None)])
def test_a_mail_names_its_language(language: str, header: str | None) -> None:
    """As its words name theirs; what is no code of a language is not written."""
    assert parsed(HOUSE.compose(message(Content("text", "s", "", language))))["Content-Language"] == header


def test_each_readers_own_link_takes_its_place() -> None:
    """Readers share one text; where it has the place of a link, each mail has its reader's, in both bodies, whole."""
    place = f'<a href="{UNSUBSCRIBE_LINK}">Größe</a>'
    content = Content(f"Unsubscribe: {UNSUBSCRIBE_LINK}\n", "subject", place)
    for reader in ("ana", "bo"):
        url = f"https://tocsin.example.com/unsubscribe/pay/{reader}@example.com/q1w2e3r4t5z6u7i8o9p0a1"
        read = parsed(HOUSE.compose(replace(message(content), unsubscribe_url=url, one_click=True)))
        assert body(read, "plain") == f"Unsubscribe: {url}\n"
        assert body(read, "html") == f'<a href="{url}">Größe</a>'
    read = parsed(HOUSE.compose(message(content)))
    assert UNSUBSCRIBE_LINK not in body(read, "plain") + body(read, "html")


URL = "https://tocsin.example.com/unsubscribe/pay/support@example.com/q1w2e3r4t5z6u7i8o9p0a1"


def test_an_update_names_where_to_be_taken_off() -> None:
    """RFC 2369: the address on one line; RFC 8058: that one click is enough only where it is; all else stays."""
    content = Content("text", "subject", "<p>html</p>")
    without = HOUSE.compose(message(content))
    by_hand = HOUSE.compose(replace(message(content), unsubscribe_url=URL))
    assert by_hand.replace(f"List-Unsubscribe: <{URL}>\r\n".encode(), b"") == without
    assert parsed(by_hand)["List-Unsubscribe-Post"] is None
    data = HOUSE.compose(replace(message(content), unsubscribe_url=URL, one_click=True))
    lines = f"List-Unsubscribe: <{URL}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n".encode()
    assert data.count(lines) == 1
    assert data.replace(lines, b"") == without
    read = parsed(data)
    assert not read.defects
    assert (read["List-Unsubscribe"], read["List-Unsubscribe-Post"]) == (f"<{URL}>", "List-Unsubscribe=One-Click")


@pytest.mark.parametrize("url", [f"{URL}\r\nBcc: eve@example.net", f"{URL}>", f"{URL}ü", URL + "x" * 900, " "])
def test_no_address_breaks_its_line(url: str) -> None:
    """What a header line cannot hold is left out."""
    content = Content("text", "subject")
    assert HOUSE.compose(replace(message(content), unsubscribe_url=url)) == HOUSE.compose(message(content))


def test_without_an_incident() -> None:
    """A notice to operators belongs to no incident (rule 44) and no thread."""
    read = parsed(HOUSE.compose(message(Content("text", "subject"), incident="-")))
    assert read["X-Tocsin-Incident"] == "-"
    assert read["References"] is None
    assert read.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@example.com\r\nBcc: eve@example.net", "ana@example.comBcc:eve@example.net"),
        ("änne@example.com", "änne@example.com"),
    ],
)
def test_addresses(address: str, written: str) -> None:
    """Domains are written in ASCII, a local part as it is (RFC 6532), and no address breaks its line."""
    data = HOUSE.compose(message(Content("text", "subject"), name="", address=address))
    assert f"\r\nTo: {written}\r\n".encode() in data


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("incidents@example.com", ""),
        ("<incidents@example.com>", ""),
        ("Störung, Dienst <incidents@example.com>", "Störung, Dienst"),
        ('"Incidents \\"prod\\", Ltd." <incidents@example.com>', 'Incidents "prod", Ltd.'),
        ("=?utf-8?b?U3TDtnJ1bmc=?= <incidents@example.com>", "Störung"),
    ],
)
def test_senders(sender: str, name: str) -> None:
    """A sender may be bare, named, quoted or encoded."""
    house = Letterhead(sender)
    assert house.address == "incidents@example.com"
    written = parsed(house.compose(message(Content("text", "subject"))))["From"]
    assert written.addresses == (Address(name, addr_spec="incidents@example.com"),)
