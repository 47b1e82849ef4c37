"""The incident pages: who sees what, and that outsiders see nothing but what they were told."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from tocsin.app.reply_options import signed_links
from tocsin.domain.delivery import Accepted, Bundle, Content, Deferred, Letter
from tocsin.domain.facts import Seen
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind
from tocsin.domain.people import SESSION_LASTS, Channel, session_digest

from tests.builders.instants import MINUTE
from tests.builders.policies import shipped_policy
from tests.builders.stories import many_incidents
from tests.unit.web.lives import BEARER, KEY, WEB, Life, alive, signed_in

NOWHERE = "/incidents/never-was"


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    async with alive(**WEB) as life:
        life.ledger.pages = await many_incidents()
        life.clock.go(71 * MINUTE)
        yield life


def words(page: str) -> str:
    """What a page says, with all its attributes and comments, as one line."""
    return " ".join(page.split())


def not_public() -> set[str]:
    """Everything in the shipped config that outsiders must not read: names, addresses, roles, severities, services."""
    policy = shipped_policy()
    people = [word for each in policy.people.values() for word in (each.name, each.email, each.phone) if word]
    titles = [each.title for table in (policy.roles, policy.severities, policy.stakeholders) for each in table.values()]
    return {
        *people,
        *titles,
        *(each.title for each in policy.services.values() if each.title != "Checkout"),
        "SEV1",
        "sev1",
    }


async def test_the_public_view_holds_what_was_told_and_nothing_else(life: Life) -> None:
    """Title, status, impact, ETA, public texts and the standing sentence; no name, severity, service or internal text."""
    status, headers, page = await life.get("/incidents/card")
    assert (status, headers["cache-control"]) == (200, "no-store")
    said = words(page)
    for wanted in (
        "Card payments fail at checkout",
        "About half of all card payments fail.",
        "We are investigating.",
        "We found the cause and are fixing it.",
        "A fix is in place; we are watching it.",
        "Most payments work again.",
        "Expected to be fixed by 11:30 UTC.",
        "Card payments fail at checkout: monitoring · Example</title>",
        "<dt>Since</dt>",
        '<dt>Next update by</dt><dd><time datetime="2026-11-23T11:28:00Z">11:28 UTC</time></dd>',
    ):
        assert wanted in said, wanted
    assert "tocsin" not in page
    assert "INTERNAL" not in page
    assert not [secret for secret in not_public() if secret in page]


async def test_outsiders_cannot_tell_an_incident_not_told_from_none(life: Life) -> None:
    """No external group, a drill, an unknown id, an impossible one: the same answer to the octet."""
    answers = [await life.get(path) for path in (NOWHERE, "/incidents/search", "/incidents/practice", "/incidents/.x")]
    assert {(status, body) for status, _, body in answers} == {(404, "There is nothing here.\n")}


async def test_the_list_for_outsiders(life: Life) -> None:
    """What they were told is open, and what is over; nothing else. No link tells an id, and each leads on."""
    status, _, page = await life.get("/incidents")
    assert status == 200
    paths = [signed_links.STATUS + signed_links.status_token(KEY, incident) for incident in ("card", "mail")]
    assert re.findall(r'href="(/(?:incidents|s)/\w+)"', page) == paths
    for path in paths:
        assert (await life.get(path))[0] == 200
    assert "INTERNAL" not in page
    assert not [secret for secret in not_public() if secret in page]


async def test_insiders_by_token_see_all(life: Life) -> None:
    """The token opens the internal view and list: the worst first, what nobody accepted said loudly."""
    status, _, page = await life.get("/incidents/card", **BEARER)
    assert status == 200
    for wanted in ("Nobody has accepted Technical Lead and Scribe.", "Bo Lindqvist", "SEV1", "INTERNAL-SUMMARY"):
        assert wanted in words(page), wanted
    _, _, listing = await life.get("/incidents", **BEARER)
    assert re.findall(r'href="/incidents/(\w+)"', listing) == ["card", "practice", "search", "mail"]
    _, _, public = await life.get("/incidents/card?view=public", **BEARER)
    assert "INTERNAL" not in public
    for wrong in ({"Authorization": "Bearer no"}, {"Authorization": "Bearer "}, {"Cookie": "tocsin_session=9.a"}):
        assert "INTERNAL" not in (await life.get("/incidents/card", **wrong))[2]


async def test_a_signed_link_opens_its_incident_only(life: Life) -> None:
    """The link of a message opens the internal view; on another incident, or with a letter changed, it opens nothing."""
    path = signed_links.page([KEY], "card")
    status, headers, page = await life.get(path)
    assert (status, headers["referrer-policy"]) == (200, "no-referrer")
    assert "INTERNAL-SUMMARY" in page
    assert "/incidents/search" not in page
    other = "A" if path[-1] != "A" else "B"
    for wrong in (path.replace("card", "search"), path[:-1] + other, path[:-1], path + "x", "/incidents/card/"):
        status, _, body = await life.get(wrong)
        assert status in (403, 404), wrong
        assert "INTERNAL" not in body


async def test_an_incident_is_shown_as_it_is_now(life: Life) -> None:
    """A page of something open loads itself anew; how it stands is no older than a moment; nothing can be posted."""
    _, _, page = await life.get("/incidents/card")
    assert '<noscript><meta http-equiv="refresh" content="30"></noscript>' in page
    _, _, over = await life.get("/incidents/mail", **BEARER)
    assert "http-equiv" not in over
    assert "INTERNAL-RESOLUTION" in over
    public = words((await life.get("/incidents/mail"))[2])
    assert "This incident is resolved. It lasted 40 minutes." in public
    assert (await life.get("/incidents/card", "POST"))[0] == 405
    assert (await life.get("/incidents/card", "HEAD"))[2] == ""


async def test_who_has_signed_in_sees_all(life: Life) -> None:
    """P8: until the session is over; then the browser is told to forget it."""
    session = await signed_in(life)
    page = (await life.get("/incidents/card", **session))[2]
    assert "INTERNAL-SUMMARY" in page
    assert "Signed in as <strong>Bo Lindqvist</strong>" in page
    assert (await life.get("/oncall", **session))[0] == 200
    life.clock.go(SESSION_LASTS)
    status, headers, body = await life.get("/incidents/card", **session)
    assert (status, headers["location"]) == (303, "/sign-in?to=/incidents/card&ended")
    assert "Max-Age=0" in headers["set-cookie"]
    assert not body


async def test_a_page_left_open_never_turns_into_that_for_outsiders(life: Life) -> None:
    """A wall board whose session ends (12 h, a sign-out elsewhere) leads to the sign-in: outsiders were told nothing of
    `search`, and "Nothing is known to be wrong" would be a lie. Of an id that is none it says just the same.
    """
    for path in ("/incidents", "/incidents/search"):
        session = await signed_in(life, id_="w" * 40)
        status, _, page = await life.get(path, **session)
        assert status == 200
        again = re.findall(r'http-equiv="refresh" content="30;url=([^"]+)"', page)
        assert [f'data-look="{address}"' in page for address in again] == [True]
        assert words((await life.get(path + again[0], **session))[2]) == words(page)
        asks = [await life.get(path + again[0])]  # the browser has forgotten the session
        await life.ledger.end_sessions([session_digest("w" * 40)])
        asks += [await life.get(path + query, **session) for query in ("", *again)]
        assert {(status, body) for status, _, body in asks} == {(303, "")}
        led = {headers["location"] for _, headers, _ in asks}
        assert led == {f"/sign-in?to={path}&ended", f"/sign-in?to={path}?view%3Dinternal&ended"}
    assert (await life.get(NOWHERE + "?view=internal"))[0] == 303
    said = (await life.get("/sign-in?to=/incidents&ended"))[2]
    assert "You are not signed in any more" in said
    signed = (await life.get(signed_links.page([KEY], "card")))[2]
    assert 'content="30"' in signed
    assert 'data-look=""' in signed


async def test_without_a_token_nothing_internal_is_open() -> None:
    """No token set: the public view works, and the internal pages lead to the sign-in, machines are told."""
    async with alive() as life:
        life.ledger.pages = await many_incidents()
        assert "INTERNAL" not in (await life.get("/incidents/card"))[2]
        status, headers, _ = await life.get("/oncall", Accept="text/html,*/*;q=0.8")
        assert (status, headers["location"]) == (303, "/sign-in?to=/oncall")
        assert (await life.get("/oncall"))[0] == 401
        assert (await life.get(signed_links.page([KEY], "card")))[0] == 404


async def test_calendars_by_secret_link(life: Life) -> None:
    """A person's and a rotation's calendar: read by applications, not fetched again unchanged, closed without the link."""
    _, _, page = await life.get("/oncall", **BEARER)
    found = [urlsplit(each) for each in re.findall(r'href="(https://[^"]+\.ics)"', page)]
    assert len(found) == len(shipped_policy().rotations) + len(shipped_policy().people)
    for each in (signed_links.calendar([KEY], "bo"), signed_links.calendar([KEY], "engineers")):
        path = f"{each}.ics"
        status, headers, body = await life.get(path)
        assert (status, headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        assert body.startswith("BEGIN:VCALENDAR\r\n")
        assert body.count("BEGIN:VEVENT") > 5
        assert {"X-WR-CALNAME:On call: Bo Lindqvist", "X-WR-CALNAME:On call: engineers"} & set(body.splitlines())
        life.clock.go(timedelta(hours=1))
        again = await life.get(path, If_None_Match=headers["etag"])
        assert (again[0], again[2]) == (304, "")
        assert (await life.get(path.replace("bo", "dee").replace("engineers", "commanders")))[0] == 403
    assert (await life.get(f"{signed_links.calendar([KEY], 'gone')}.ics"))[0] == 404


async def test_the_internal_view_tells_how_messages_went(life: Life) -> None:
    """P6: which provider carried a message where there is another, what left together with it, and until when a page
    waits for room at its address.
    """
    now, ledger = life.clock.now(), life.ledger
    tried = [record.notification for record in await ledger.records("card") if record.attempts]
    known = next(notification for notification in tried if notification.kind is Kind.PAGE)
    number = shipped_policy().people[known.to].phone
    pages = [
        replace(known, key=key, at=now, via=Channel.SMS, incident=name) for key, name in (("p1", "card"), ("p2", "db"))
    ]
    for page in (*pages, replace(pages[0], key="waits", at=now + timedelta(seconds=5))):
        await ledger.record(page.incident, (), [Letter(page, Content("words"))], ())
    for provider, outcome in (("main", Deferred("no capacity")), ("spare", Accepted("SM1"))):
        bundle = Bundle("b", Content("2 pages"))
        for attempt in await ledger.begin_bundle(bundle, ("p1", "p2"), Channel.SMS, number, now, {}, provider=provider):
            await ledger.end_attempt(attempt, outcome, now)
    for name in ("x", "y"):
        seen = Seen(now, Incident(name, name, "sev1"), "d")
        await ledger.record(name, [seen], [Letter(replace(pages[0], key=name, incident=name), Content("words"))], ())
        await ledger.begin_attempt(name, Channel.SMS, number, now)
    _, _, shown = await life.get("/incidents/card", **BEARER)
    told = words(re.sub("<[^>]+>", "", shown))
    assert "by spare, after main put off (no capacity), in one message with 1 other page" in told
    assert f"waiting for room at the address, until {now + timedelta(minutes=2):%H:%M:%S} at the latest" in told
