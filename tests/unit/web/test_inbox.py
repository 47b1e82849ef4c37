"""The inbox: messages of the outbox as their readers would see them, and nothing in them that runs or loads."""

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tocsin.adapters.outbox.reader import FILE_MOST, OutboxReader
from tocsin.domain.delivery import Content, Message
from tocsin.domain.people import Channel
from tocsin.web.routes.inbox import SHOWN_MOST, WATCHERS_MOST
from tocsin.wording.message.email import Letterhead, opaque_name

from tests.builders.instants import T0
from tests.unit.web.lives import alive

HTML = (
    "<!doctype html><html><head><style>p { color: red }</style></head><body>"
    '<p style="margin:0">Down</p><img src="https://example.com/pixel.png">'
    "<script>document.title = 'ran'</script></body></html>"
)


def drop(
    folder: Path,
    number: int,
    person: str = "ana",
    incident: str = "db",
    html: str = HTML,
    text: str = "Down",
    *,
    external: bool = False,
) -> str:
    """Write an email as the outbox does; its file's name."""
    content = Content(text, f"Database down <{number}>", html)
    message = Message("key", Channel.EMAIL, f"{person}@example.com", person, "", content, incident, 1, "page", T0)
    message = replace(message, external=external)
    name = f"20261123T100000Z-{number}-email-{person}.eml"
    (folder / f".{name}").write_bytes(Letterhead("Incidents <incidents@example.com>").compose(message))
    (folder / f".{name}").rename(folder / name)
    return name


def drop_sms(folder: Path, number: int, text: str, person: str = "ana") -> str:
    """Write an SMS as the outbox does; its file's name."""
    name = f"20261123T100000Z-{number}-sms-{person}.json"
    sheet = {
        "to": "+14155550101",
        "from": "+15005550006",
        "body": text,
        "segments": 2,
        "incident": "db",
        "kind": "page",
    }
    (folder / name).write_text(json.dumps(sheet))
    return name


async def test_every_message_newest_first(tmp_path: Path) -> None:
    """Mails with their heads and a frame, SMS as bubbles with their segments; what is in them is text, never markup."""
    drop(tmp_path, 9)
    drop_sms(tmp_path, 10, "SEV1 <script>alert(1)</script>")
    drop(tmp_path, 11, "bo", html="", text="plain <b>words</b>")
    async with alive(outbox=OutboxReader(tmp_path)) as life:
        status, headers, body = await life.get("/inbox")
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert body.index("11-email-bo") < body.index("10-sms-ana") < body.index("9-email-ana")
    assert "SEV1 &lt;script&gt;alert(1)&lt;/script&gt;" in body
    assert "2 segments" in body
    assert "Database down &lt;9&gt;" in body
    assert "plain &lt;b&gt;words&lt;/b&gt;" in body
    assert body.count("<iframe") == 1
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in body
    assert "No message yet" not in body
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in body


async def test_an_empty_inbox_tells_what_to_do(tmp_path: Path) -> None:
    """Before the first message a newcomer reads which four lines make one."""
    async with alive(outbox=OutboxReader(tmp_path / "not made yet")) as life:
        _, _, body = await life.get("/inbox")
    lines = body.partition('<pre class="code">')[2].partition("</pre>")[0].splitlines()
    assert len(lines) == 4
    assert lines[1:3] == ["title: Card payments fail at checkout", "severity: sev1"]


async def test_only_somebodys_or_an_incidents(tmp_path: Path) -> None:
    """The page can be narrowed to a person and to an incident, which mails to outsiders do not name."""
    drop(tmp_path, 1, "ana", "db")
    drop(tmp_path, 2, "ana", "web")
    drop(tmp_path, 3, "bo", "db", external=True)
    async with alive(outbox=OutboxReader(tmp_path)) as life:
        for query, shown in (
            ("person=ana", {1, 2}),
            ("incident=db", {1, 3}),
            ("person=ana&incident=db", {1}),
            ("person=x", set()),
        ):
            _, _, body = await life.get(f"/inbox?{query}")
            assert {number for number in (1, 2, 3) if f'id="20261123T100000Z-{number}-' in body} == shown
            assert opaque_name("db") not in body


async def test_a_full_outbox_is_not_shown_whole(tmp_path: Path) -> None:
    """Of very many messages the newest are shown."""
    for number in range(1, SHOWN_MOST + 30):
        drop_sms(tmp_path, number, "down")
    async with alive(outbox=OutboxReader(tmp_path)) as life:
        _, _, body = await life.get("/inbox")
    assert body.count("<article") == SHOWN_MOST
    assert f"-{SHOWN_MOST + 29}-sms" in body


async def test_a_mail_can_do_nothing(tmp_path: Path) -> None:
    """The frame's document may neither run, load nor send anything; only its own style sheet counts."""
    name = drop(tmp_path, 1)
    async with alive(outbox=OutboxReader(tmp_path)) as life:
        status, headers, body = await life.get(f"/inbox/{name}/html")
    policy = headers["content-security-policy"]
    assert status == 200
    assert body.startswith('<!doctype html><html><head><base target="_blank">')
    for wanted in ("sandbox allow-popups", "script-src 'none'", "img-src 'none'", "form-action 'none'", "'sha256-"):
        assert wanted in policy
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "SAMEORIGIN"


async def test_only_messages_are_read(tmp_path: Path) -> None:
    """Links, pipes, folders, other names, too big files and other people's files are never opened for anybody."""
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    secret = drop(outside, 1)
    (inside / "20261123T100000Z-2-email-link.eml").symlink_to(outside / secret)
    os.mkfifo(inside / "20261123T100000Z-3-email-pipe.eml")
    (inside / "20261123T100000Z-4-email-folder.eml").mkdir()
    (inside / "20261123T100000Z-5-email-big.eml").write_bytes(b"a" * (FILE_MOST + 1))
    (inside / "20261123T100000Z-6-sms-half.json").write_text("{")
    (inside / "notes.txt").write_text("private")
    asked = [path.name for path in inside.iterdir()] + [f"..%2foutside%2f{secret}", "%00", "..", "."]
    async with alive(outbox=OutboxReader(inside)) as life:
        _, _, body = await life.get("/inbox")
        assert "<article" not in body
        for name in asked:
            assert (await life.get(f"/inbox/{name}/html"))[0] == 404


async def test_no_inbox_where_messages_really_leave() -> None:
    """Without the outbox transport there is no inbox, and a sentence says why."""
    async with alive() as life:
        status, _, body = await life.get("/inbox")
        assert (status, body.count("\n")) == (404, 1)
        assert "really leave" in body


async def test_where_an_address_is_public_everybody_needs_the_token(tmp_path: Path) -> None:
    """A proxy on this machine that names nobody looks like somebody at it."""
    drop(tmp_path, 1)
    web = {"listen": "127.0.0.1:8765", "token": "a-long-token"}
    async with alive(outbox=OutboxReader(tmp_path), web=web, public_url="https://pager.example.com") as life:
        assert (await life.get("/inbox"))[0] == 401
        assert (await life.get("/inbox", Authorization="Bearer a-long-token"))[0] == 200


@pytest.mark.parametrize(
    ("listen", "given", "status"),
    [
        ("127.0.0.1:8765", {}, 200),
        ("127.0.0.1:8765", {"Host": "localhost:8765"}, 200),
        ("127.0.0.1:8765", {"Host": "[::1]:8765"}, 200),
        ("127.0.0.1:8765", {"Host": "rebound.example.com"}, 401),
        ("127.0.0.1:8765", {"X_Forwarded_For": "192.0.2.1"}, 401),
        ("0.0.0.0:8765", {}, 401),
        ("0.0.0.0:8765", {"Authorization": "Bearer wrong"}, 401),
        ("0.0.0.0:8765", {"Authorization": "Bearer a-long-token"}, 200),
        ("0.0.0.0:8765", {"Authorization": "Basic OmEtbG9uZy10b2tlbg=="}, 401),
        ("0.0.0.0:8765", {"Authorization": "Basic ?"}, 401),
    ],
)
async def test_only_this_machine_without_the_token(
    tmp_path: Path, listen: str, given: dict[str, str], status: int
) -> None:
    """Who is not at this machine needs the token, for the page, its events and every mail."""
    name = drop(tmp_path, 1)
    async with alive(outbox=OutboxReader(tmp_path), web={"listen": listen, "token": "a-long-token"}) as life:
        for path in ("/inbox", f"/inbox/{name}/html"):
            assert (await life.get(path, **given))[0] == status
        if status != 200:
            assert (await life.get("/inbox/events", **given))[0] == status


async def test_events_tell_of_each_change(tmp_path: Path) -> None:
    """Whoever watches hears the folder's mark at once and again when a message came; the stream ends with the site."""
    inbox = OutboxReader(tmp_path)
    async with alive(outbox=inbox) as life:
        reader, writer = await asyncio.open_connection("127.0.0.1", life.port)
        writer.write(b"GET /inbox/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(3):
            assert b"text/event-stream" in await reader.readuntil(b"\r\n\r\n")
            assert f"data: {inbox.mark()}".encode() in await reader.readuntil(b"\n\n")
            drop(tmp_path, 1)
            assert f"data: {inbox.mark()}".encode() in await reader.readuntil(b"\n\n")
        life.site.ending.set()
        async with asyncio.timeout(2):
            await reader.readuntil(b"0\r\n\r\n")
        writer.close()


async def test_only_so_many_watch(tmp_path: Path) -> None:
    """Beyond a number of browsers the next is told to come again; one that left makes room."""
    async with alive(outbox=OutboxReader(tmp_path)) as life:
        watching = []
        for _ in range(WATCHERS_MOST):
            reader, writer = await asyncio.open_connection("127.0.0.1", life.port)
            writer.write(b"GET /inbox/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            watching.append(writer)
        assert (await life.get("/inbox/events"))[0] == 503
        for writer in watching:
            writer.close()
        drop(tmp_path, 1)
        await asyncio.sleep(1)
        reader, writer = await asyncio.open_connection("127.0.0.1", life.port)
        writer.write(b"GET /inbox/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        writer.close()
        assert "fault" not in life.log.events
