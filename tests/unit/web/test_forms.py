"""W4: what a form may be; whatever else comes, by any route and method, is a plain sentence and never a fault."""

import random
from collections.abc import AsyncIterator

import pytest
from tocsin.formats.settings.settings import AlertmanagerSettings
from tocsin.web.http.responses import SENTENCES

from tests.unit.alerts import alert, notification
from tests.unit.web.lives import KEY, TOKEN, Life, alive, parsed
from tests.unit.web.test_access import purposes, stocked

PLAIN = "application/x-www-form-urlencoded"


@pytest.fixture
async def life(tmp_path: object) -> AsyncIterator[Life]:
    """A site with every route."""
    web = {"token": TOKEN, "signing_key": [KEY], "alertmanager": AlertmanagerSettings()}
    async with alive(web=web, public_url="https://pager.example.com", incidents=tmp_path) as life:
        yield await stocked(life)


async def send(life: Life, method: str, path: str, body: bytes, *lines: str) -> tuple[int, str]:
    """A request with these header lines: its status and its sentence."""
    head = [f"{method} {path} HTTP/1.1", "Host: pager.example.com", "Connection: close", *lines]
    length = (
        [] if any(line.lower().startswith("transfer-encoding") for line in lines) else [f"Content-Length: {len(body)}"]
    )
    octets = "\r\n".join([*head, *length, "", ""]).encode("utf-8", "surrogateescape") + body
    status, _, text = parsed(await life.ask(octets))
    return status, text


@pytest.mark.parametrize(
    "kind",
    [
        f"{PLAIN}; charset=hex",
        f"{PLAIN}; charset=utf-16",
        f"{PLAIN}; charset=utf-7",
        f"{PLAIN}; charset=idna",
        f"{PLAIN}; charset=",
        f"{PLAIN}; charset*=utf-8''hex",
        f'{PLAIN}; x="; charset=hex"',
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "multipart/mixed; boundary=x",
        "application/json",
        "text/plain",
        "text/plain; charset=rot13",
        "",
        "/",
        ";",
        "\udcff",
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/answer"])
async def test_another_form_is_not_taken(life: Life, path: str, kind: str) -> None:
    """In other letters, in parts, compressed, or of no kind: 415, and nothing stands in the log but that."""
    path = purposes(KEY)["answer"] if path == "/answer" else path
    answer = await send(life, "POST", path, b"answer=ok&token=x", f"Content-Type: {kind}")
    assert answer == (415, SENTENCES[415] + "\n")
    assert "fault" not in life.log.events
    assert (await send(life, "POST", path, b"x", f"Content-Type: {PLAIN}", "Content-Encoding: gzip"))[0] == 415


@pytest.mark.parametrize("letters", ["", "; charset=utf-8", '; charset="UTF-8"', "; charset=us-ascii", "; x=y"])
async def test_a_plain_form_is_taken(life: Life, letters: str) -> None:
    """However it says that it is UTF-8."""
    status, _ = await send(life, "POST", "/sign-in", b"who=bo", f"Content-Type: {PLAIN}{letters}")
    assert status == 303


@pytest.mark.parametrize("body", [b"token=\xff", b"token=%ff", b"&".join([b"a=b"] * 51), b"token=%ed%a0%80"])
async def test_a_form_that_cannot_be_read_is_400(life: Life, body: bytes) -> None:
    """No letters, or more fields than any form of ours has."""
    assert await send(life, "POST", "/sign-in", body, f"Content-Type: {PLAIN}") == (400, SENTENCES[400] + "\n")


CLICK = 'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click'


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("boundary=b", f"--b\r\n{CLICK}\r\n--b--\r\n", 200),
        ('charset=utf-8; boundary="a b"', f"preamble\r\n--a b\r\n{CLICK}\r\n--a b--", 200),
        ("boundary=b", f"--b\r\nContent-Type: text/plain\r\n{CLICK}\r\n--b--\r\n", 200),
        ("boundary=b", "", 400),
        ("boundary=b", f"--b\r\n{CLICK}\r\n", 400),
        ("boundary=b", f"--b\r\n{CLICK}\r\n--b\r\n{CLICK}\r\n--b--\r\n", 400),
        ("boundary=b", "--b\r\n\r\nOne-Click\r\n--b--\r\n", 400),
        ("boundary=b", f"--b\r\n{CLICK[:40]}\r\n--b--\r\n", 400),
        ("boundary=b", f"--b\r\n{CLICK}\xff\r\n--b--\r\n", 400),
        ("boundary=b", "--b\r\n\r\n" * 60 + "--b--", 400),
        ("boundary=", f"--\r\n{CLICK}\r\n----\r\n", 400),
        ("x=y", f"--b\r\n{CLICK}\r\n--b--\r\n", 400),
        ("boundary=" + "b" * 71, f"--{'b' * 71}\r\n{CLICK}\r\n--{'b' * 71}--\r\n", 400),
    ],
)
async def test_one_click_may_come_in_parts(life: Life, kind: str, body: str, status: int) -> None:
    """RFC 8058 wants mail programs to send it so; what is no such form is 400."""
    path = purposes(KEY)["unsubscribe"]
    kind = f"Content-Type: multipart/form-data; {kind}"
    got, _ = await send(life, "POST", path, body.encode("latin-1"), kind)
    assert got == status
    assert "fault" not in life.log.events


METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW")
KINDS = (
    "", PLAIN, f"{PLAIN}; charset=hex", "multipart/form-data", "multipart/form-data; boundary=b", "multipart/form-data; boundary=",
    "application/json", "application/json; charset=utf-8", "text/plain; charset=\udcff", "application/json; charset=zlib", "a/b/c;;;=",
)  # fmt: skip
HEADERS = (
    "Content-Encoding: gzip", "Content-Encoding: deflate", "Content-Encoding: br", "Transfer-Encoding: gzip, chunked", "Expect: 100-continue",
    "Expect: x", "Range: bytes=1-2", "If-None-Match: \udcff", "If-None-Match: *", "Accept: \udcff", "Accept: a/b;q=x", "Cookie: \udcff=\udcff",
    "Cookie: tocsin_session=\udcff", "Cookie: =;;=", "Origin: http://[", "Origin: null", "Sec-Fetch-Site: cross-site", "Referer: http://[",
    "Authorization: Basic \udcff", "Authorization: Bearer " + TOKEN, "Authorization: ", "Authorization: Digest x", "X-Forwarded-For: \udcff",
    "X-Forwarded-For: ,,,", "X-Forwarded-For: [::1", "Upgrade: websocket", "Accept-Encoding: gzip;q=x", "If-Modified-Since: x", "X-Twilio-Signature: \udcff",
)  # fmt: skip
BODIES = (
    b"", b"answer=ok", b"token=x", b"\xff\xfe\x00", b"a" * 70_000, b"%ff=%ff", b"--b\r\n\r\n\r\n--b--", b"[" * 60_000, b"\x1f\x8b\x08\x00", b"=&=&;",
    notification([alert()]), b"Body=x&From=%2B1&MessageSid=SM" + b"0" * 32,
)  # fmt: skip
QUERIES = ("", "?", "?to=//x", "?view=public", "?try=1", "?%ff=%ff", "?bodySHA256=x", "?person=%00", "?a" * 50)


def paths(life: Life) -> list[str]:
    """Every route, as it stands and with odd parts."""
    odd = ("%ff", "%00", "..", "a%2Fb", "\u00e9", "x" * 300, "%ED%A0%80", "1e9", "-")
    known = list(purposes(KEY).values())
    plain = [
        "/healthz",
        "/metrics",
        "/incidents",
        "/incidents/card",
        "/oncall",
        "/inbox",
        "/login",
        "/sign-in",
        "/sign-in/abcdefgh12",
        "/sign-out",
        "/alertmanager",
        "/",
        "/*",
    ]
    plain += ["/twilio/inbound", "/twilio/status", "/static/site.css", "/inbox/events", "/oncall/bo/x.ics"]
    made = [f"/{name}/{part}/{part}/{part}" for name in ("answer", "unsubscribe") for part in odd]
    made += [f"/{name}/{part}" for name in ("incidents", "static", "inbox", "oncall", "answer") for part in odd]
    return [*known, *plain, *made]


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_that_is_sent_is_a_fault(life: Life, seed: int) -> None:
    """Any method, kind, header, body and address at any route: an answer of ours, never 500, never a traceback."""
    chance, addresses = random.Random(seed), paths(life)
    for number in range(250):
        lines = chance.sample(HEADERS, chance.randrange(4))
        if kind := chance.choice(KINDS):
            lines.append(f"Content-Type: {kind}")
        method, path = chance.choice(METHODS), chance.choice(addresses) + chance.choice(QUERIES)
        lines += (
            []
            if any(line.startswith("X-Forwarded-For") for line in lines)
            else [f"X-Forwarded-For: 10.{seed}.{number}.1"]
        )
        life.site.ending.set()
        status, text = await send(life, method, path, chance.choice(BODIES), *lines)
        assert status != 500, (method, path, lines)
        assert "Traceback" not in text
    assert "fault" not in life.log.events, [fields for event, fields in life.log.lines if event == "fault"]
