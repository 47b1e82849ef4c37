"""The public list and what programs read of it: who may keep it, that it is what it says, and that it tells no id."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tocsin.app.reply_options import signed_links
from tocsin.domain.facts import Seen
from tocsin.domain.incident import Status, UpdateEntry
from tocsin.web.http import cache
from tocsin.wording.report.public.view import PublicView

from tests.builders.instants import MINUTE, T0
from tests.builders.stories import CARD, DRILL, happen, know_config, many_incidents, pass_time, see
from tests.unit.web.lives import BEARER, KEY, TOKEN, WEB, Life, alive
from tests.unit.web.test_incident_pages import not_public

ATOM = "{http://www.w3.org/2005/Atom}"
XHTML = "{http://www.w3.org/1999/xhtml}"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NAME = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CARD_PATH = signed_links.STATUS + signed_links.status_token(KEY, "card")
FEEDS = ("/incidents.json", "/incidents.atom", f"{CARD_PATH}.json", f"{CARD_PATH}.atom")


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question is asked anew."""
    monkeypatch.setattr(cache, "AT_LEAST", 0.0)
    monkeypatch.setattr(cache, "TIMES", 0)


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    async with alive(**WEB) as life:
        life.ledger.pages = await many_incidents()
        life.clock.go(71 * MINUTE)
        yield life


async def document(life: Life, path: str) -> Any:
    status, headers, body = await life.get(path)
    assert (status, headers["content-type"]) == (200, "application/json; charset=utf-8")
    return json.loads(body)


async def feed(life: Life, path: str) -> ET.Element:
    """A feed that holds what RFC 4287 asks for, and nothing that it does not know."""
    status, headers, body = await life.get(path)
    assert (status, headers["content-type"]) == (200, "application/atom+xml; charset=utf-8")
    root = ET.fromstring(body)
    assert root.tag == f"{ATOM}feed"
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    names = {"id", "title", "updated", "author", "link"}
    assert {child.tag.removeprefix(ATOM) for child in root} - {"entry"} == names
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "Example"
    assert [link.get("rel") for link in root.findall(f"{ATOM}link")] == ["alternate", "self"]
    for holder in (root, *root.findall(f"{ATOM}entry")):
        assert [len(holder.findall(ATOM + name)) for name in ("id", "title", "updated")] == [1, 1, 1]
        assert NAME.fullmatch(holder.findtext(f"{ATOM}id") or "")
        for name in ("updated", "published"):
            assert all(RFC3339.fullmatch(element.text or "") for element in holder.findall(ATOM + name))
        assert all(
            str(link.get("href")).startswith("https://pager.example.com/") for link in holder.findall(f"{ATOM}link")
        )
    for entry in root.findall(f"{ATOM}entry"):
        known = {"id", "title", "updated", "published", "link", "category", "content"}
        assert {child.tag.removeprefix(ATOM) for child in entry} == known
        (content,) = entry.findall(f"{ATOM}content")
        assert (content.get("type"), [child.tag for child in content]) == ("xhtml", [f"{XHTML}div"])
    ids = [element.text for element in root.iter(f"{ATOM}id")]
    assert len(set(ids)) == len(ids)
    newest = [entry.findtext(f"{ATOM}updated") or "" for entry in root.findall(f"{ATOM}entry")]
    assert newest == sorted(newest, reverse=True)
    assert root.findtext(f"{ATOM}updated") == max(newest, default="1970-01-01T00:00:00Z")
    return root


async def test_programs_read_what_outsiders_were_told(life: Life) -> None:
    """Who tells it, what goes on and what is over, each with its whole history; nothing that outsiders were not told."""
    told = await document(life, "/incidents.json")
    assert (told["organisation"], told["url"]) == ("Example", "https://pager.example.com/incidents")
    card, mail = told["incidents"]
    assert card | {"updates": (), "id": ""} == {
        "id": "",
        "url": f"https://pager.example.com{CARD_PATH}",
        "title": "Card payments fail at checkout",
        "status": "monitoring",
        "impact": "About half of all card payments fail.",
        "since": "2026-11-23T10:00:00Z",
        "first_told_at": card["updates"][-1]["at"],
        "next_update": "2026-11-23T11:28:00Z",
        "eta": "2026-11-23T11:30:00Z",
        "resolved_at": None,
        "updates": (),
        "left_out": 0,
    }
    assert {
        "at": "2026-11-23T10:48:00Z",
        "status": "monitoring",
        "texts": ["A fix is in place; we are watching it.", "Most payments work again."],
        "impact": None,
    } in card["updates"]
    assert (mail["status"], mail["resolved_at"]) == ("resolved", "2026-11-23T00:40:00Z")
    one = await document(life, f"{CARD_PATH}.json")
    assert one == {"organisation": "Example", "support": told["support"], **card}
    for path in FEEDS:
        body = (await life.get(path))[2]
        assert "INTERNAL" not in body
        assert not [secret for secret in not_public() if secret in body]
        assert "practice" not in body
        assert "/incidents/" not in body


async def test_a_feed_has_an_entry_an_incident_and_one_an_entry_an_update(life: Life) -> None:
    """Their names stay, whatever is told later; what is told changes when it was told last."""
    before, alone = await feed(life, "/incidents.atom"), await feed(life, f"{CARD_PATH}.atom")
    assert [entry.findtext(f"{ATOM}title") for entry in before.findall(f"{ATOM}entry")] == [
        "Card payments fail at checkout",
        "Mail is delayed",
    ]
    ids = [entry.findtext(f"{ATOM}id") for entry in alone.findall(f"{ATOM}entry")]
    assert len(ids) == len((await document(life, f"{CARD_PATH}.json"))["updates"])
    await pass_time(life.ledger, "card", T0 + 100 * MINUTE)
    life.clock.go(30 * MINUTE)
    after, longer = await feed(life, "/incidents.atom"), await feed(life, f"{CARD_PATH}.atom")
    names = [[entry.findtext(f"{ATOM}id") for entry in root.findall(f"{ATOM}entry")] for root in (before, after)]
    assert names[0] == names[1]
    assert (before.findtext(f"{ATOM}updated") or "") < (after.findtext(f"{ATOM}updated") or "")
    assert before.findtext(f"{ATOM}id") == after.findtext(f"{ATOM}id")
    assert [entry.findtext(f"{ATOM}id") for entry in longer.findall(f"{ATOM}entry")][-len(ids) :] == ids


@pytest.mark.parametrize("path", FEEDS)
async def test_a_feed_may_be_kept_and_asked_for_anew(life: Life, path: str) -> None:
    """For some seconds by anybody; asked whether it has changed, the answer is 304 until it has. HEAD says the same."""
    _, headers, body = await life.get(path)
    assert headers["cache-control"] == "public, max-age=15"
    assert headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in headers
    tag = headers["etag"]
    for known in (tag, f'"x", {tag}', f"W/{tag}"):
        status, same, nothing = await life.get(path, If_None_Match=known)
        assert (status, same["etag"], nothing) == (304, tag, "")
    assert (await life.get(path, If_None_Match='"x"'))[0] == 200
    status, head, nothing = await life.get(path, "HEAD")
    assert (status, head["etag"], head["content-length"], nothing) == (200, tag, str(len(body.encode())), "")
    assert (await life.get(path, "POST"))[0] in (403, 405)
    assert (await life.get(path, **BEARER))[2] == body


async def test_what_insiders_may_see_under_the_same_address_is_kept_by_nobody(life: Life) -> None:
    """The list and an incident by its id; the page behind a link for outsiders may be kept."""
    for path in ("/incidents", "/incidents/card", "/incidents/card?view=public"):
        assert (await life.get(path))[1]["cache-control"] == "no-store"
    assert (await life.get(CARD_PATH))[1]["cache-control"] == "public, max-age=15"
    assert (await life.get(CARD_PATH, "HEAD"))[0] == 200


async def test_the_pages_say_where_the_feeds_are(life: Life) -> None:
    """To programs in the head, to people at the foot; and whom to write to."""
    for path, feeds in (("/incidents", FEEDS[:2]), (CARD_PATH, FEEDS[2:])):
        page = (await life.get(path))[2]
        links = re.findall(
            r'<link rel="alternate" type="application/(?:atom\+xml|json)" title="[^"]+" href="([^"]+)">', page
        )
        assert links == [feeds[1], feeds[0]]
        for each in feeds:
            assert f'<a href="{each}">' in page
            assert (await life.get(each))[0] == 200
        assert '<html lang="en">' in page


async def test_a_new_key_leads_to_what_is_listed(life: Life) -> None:
    """No message has carried its token yet; one that stands for nothing that is listed is told as any other."""
    assert (await life.get(CARD_PATH))[0] == 200
    for wrong in (CARD_PATH[:-1], f"{CARD_PATH}x", signed_links.STATUS + signed_links.status_token(KEY, "practice")):
        assert (await life.get(wrong))[0] == 403
        assert (await life.get(f"{wrong}.json"))[0] == 403
    async with alive(**{**WEB, "web": {"token": TOKEN, "signing_key": ["another-key-that-signs", KEY]}}) as other:
        other.ledger.pages = life.ledger.pages
        other.clock.go(71 * MINUTE)
        (card, _) = (await document(other, "/incidents.json"))["incidents"]
        assert card["url"] != f"https://pager.example.com{CARD_PATH}"
        assert (await other.get(card["url"].removeprefix("https://pager.example.com")))[0] == 200
        assert (await other.get(CARD_PATH))[0] == 200
        assert card["id"] == (await document(life, "/incidents.json"))["incidents"][0]["id"]


async def test_nothing_is_a_feed_too() -> None:
    """Without an incident, and without links: empty, valid, and addresses as far as they are known."""
    async with alive(**WEB) as life:
        await know_config(life.ledger)
        assert (await document(life, "/incidents.json"))["incidents"] == []
        assert (await feed(life, "/incidents.atom")).findall(f"{ATOM}entry") == []
    async with alive() as life:
        life.ledger.pages = await many_incidents()
        life.clock.go(71 * MINUTE)
        (card, _) = (await document(life, "/incidents.json"))["incidents"]
        assert card["url"] == "/incidents/card"


async def test_no_letter_breaks_a_feed() -> None:
    """Whatever somebody wrote: markup, ends of sections, letters that XML cannot hold."""
    words = "<b>&amp; ]]> \ufffe\uffff \U0001f642 \"quoted\" 'single'"
    async with alive(**WEB) as life:
        await know_config(life.ledger)
        hostile = replace(CARD, public_title=words, impact=words, updates=(UpdateEntry("x", words),))
        await see(life.ledger, hostile)
        await see(life.ledger, DRILL)
        root = await feed(life, "/incidents.atom")
        (entry,) = root.findall(f"{ATOM}entry")
        assert entry.findtext(f"{ATOM}title") == "<b>&amp; ]]> \U0001f642 \"quoted\" 'single'"
        assert [element.tag for element in entry.iter() if element.tag.startswith(XHTML)].count(f"{XHTML}b") == 0
        (told,) = (await document(life, "/incidents.json"))["incidents"]
        assert told["updates"][0]["texts"][-1] == words.replace("\ufffe\uffff", "")


async def test_what_is_over_is_listed_for_ninety_days() -> None:
    """Then it is found by its link alone. What somebody changes in its file later counts."""
    async with alive(**WEB) as life:
        await know_config(life.ledger)
        await see(life.ledger, CARD)
        over = replace(CARD, status=Status.RESOLVED)
        await pass_time(life.ledger, "card", T0 + 20 * MINUTE)
        await happen(life.ledger, "card", Seen(T0 + 20 * MINUTE, over, "r"))
        await pass_time(life.ledger, "card", T0 + timedelta(days=30))
        life.clock.go(timedelta(days=89))
        assert len((await document(life, "/incidents.json"))["incidents"]) == 1
        await happen(life.ledger, "card", Seen(T0 + timedelta(days=89), replace(over, public_title="Untold"), "s"))
        (told,) = (await document(life, "/incidents.json"))["incidents"]
        assert told["title"] == "Service disruption"
        life.clock.go(timedelta(days=2))
        assert (await document(life, "/incidents.json"))["incidents"] == []
        assert (await life.get(CARD_PATH))[0] == 403


def test_every_field_of_the_view_is_for_outsiders() -> None:
    """A field that it gets in future has to be put here, and into the feeds or not."""
    assert set(PublicView.__slots__) == {
        "id", "key", "title", "status", "impact", "eta", "updates", "next_update_at", "resolved_at", "since",
        "reopened", "last_news",
    }  # fmt: skip
