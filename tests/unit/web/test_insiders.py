"""The pages for those who work on incidents: in their own time, with who is paged now and next, how to call them, what
is wrong with the file, and everything that the ledger has, found by words.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from tocsin.app.lifecycle.health import HEALTHY
from tocsin.app.reply_options import signed_links
from tocsin.domain.facts import Closed, Seen
from tocsin.domain.incident import Incident, Status
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.people import Session, session_digest
from tocsin.web.http.daemon_health import STALE_AFTER

from tests.builders.instants import MINUTE, T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import many_incidents
from tests.unit.web.lives import BEARER, KEY, WEB, Life, alive

BO = {"Cookie": "tocsin_session=a-random-id"}
SECOND = timedelta(seconds=1)
FAULTY = b"title: Card payments fail\nseverity: sev1\nstatus: fixing\neta: tomorrow\n"


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    async with alive(**WEB) as life:
        life.ledger.pages = await many_incidents()
        life.clock.go(71 * MINUTE)
        await life.ledger.claim_notice(HEALTHY, life.clock.now(), timedelta(0))
        await life.ledger.begin_session(Session(session_digest("a-random-id"), "bo", life.clock.now()))
        yield life


def words(page: str) -> str:
    """What a page says, without its tags, as one line."""
    told = " ".join(re.sub("<[^>]+>", " ", page.partition('<main id="main">')[2].partition("</main>")[0]).split())
    return re.sub(" ([.,;:])", r"\1", unescape(told))


async def test_times_are_the_readers_and_named_once(life: Life) -> None:
    """Bo reads Stockholm's time, UTC beside what others go by; in the timeline's words and drawing too. A machine reads
    UTC, and reads so with each of them.
    """
    status, _, page = await life.get("/incidents/card", **BO)
    said = words(page)
    assert status == 200
    assert "Next update by 12:28 (11:28 UTC)" in said
    assert "Expected to be over 12:30 (11:30 UTC)" in said
    assert "Declared 11:00 (10:00 UTC) by" in said
    assert "All times are yours: Europe/Stockholm (CET)." in said
    assert "ETA none → 2026-11-23 12:30:00 CET" in said
    assert re.search(r'class="axis"[^>]*>11:00<', page)
    assert "CET" not in said.replace("All times are yours: Europe/Stockholm (CET).", "").replace("12:30:00 CET", "")
    by_token = words((await life.get("/incidents/card", **BEARER))[2])
    assert "Next update by 11:28 UTC" in by_token
    assert "All times are UTC." in by_token
    assert "since 11:00" in words((await life.get("/incidents", **BO))[2])


async def test_who_is_paged_now_and_next_and_their_numbers(life: Life) -> None:
    """Everybody who is asked and since when, whoever has passed, and the next page as the plan has it; holders and
    whoever is asked can be called from the page.
    """
    page = (await life.get("/incidents/card", **BO))[2]
    said, people = words(page), shipped_policy().people
    chen = people["chen"].phone
    assert f"Technical Lead Not accepted yet Chen Wei {chen} asked 11:05" in said
    assert "passed: Fay Moreau Next 12:15: the last resort, Ana Souza and Bo Lindqvist" in said
    assert "Nobody has accepted Technical Lead and Scribe. The next page goes at 12:15 (11:15 UTC)." in said
    for person in ("dee", "chen", "bo"):
        assert f'href="tel:{people[person].phone}"' in page
    assert "tel:" not in (await life.get("/incidents/card"))[2]


async def test_where_to_meet_and_look(life: Life) -> None:
    """The bridge, the runbook and links of the services, each leading on."""
    page = (await life.get("/incidents/card", **BO))[2]
    for address in (
        "https://meet.example.com/incidents",
        "https://wiki.example.com/runbooks/checkout",
        "tel:+14155550110",
    ):
        assert f'<a href="{address}" rel="noreferrer">' in page


async def test_what_is_wrong_with_the_file(life: Life) -> None:
    """The problems of the version that counts, as `tocsin check` has them; nothing where there are none, nor once it is
    resolved.
    """
    assert "The file needs a hand" not in (await life.get("/incidents/card", **BO))[2]
    await life.ledger.keep_file("search", "search.yaml", "x", FAULTY)
    await life.ledger.keep_file("mail", "mail.yaml", "x", FAULTY)
    said = words((await life.get("/incidents/search", **BO))[2])
    assert 'search.yaml:3:9 error unknown status "fixing"' in said
    assert 'search.yaml:4:6 error eta: "tomorrow" is no instant' in said
    assert "The file needs a hand" not in (await life.get("/incidents/mail", **BO))[2]


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (f"{Trouble.FILE_UNREADABLE}:incidents/card.yaml:not-yaml", "card.yaml cannot be read."),
        (f"{Trouble.FILE_VANISHED}:/srv/a.yaml, /srv/card.yaml and 3 more", "card.yaml vanished."),
        (f"{Trouble.FILE_UNREADABLE}:incidents/my-card.yaml", ""),
        (f"{Trouble.FILE_FAULTY}:incidents/card.yaml", ""),
    ],
)
async def test_a_file_that_cannot_be_read_any_more(life: Life, cause: str, told: str) -> None:
    """That operators were told of it, and when, until a newer version is seen: the web side sees no folder."""
    await life.ledger.keep_file("card", "card.yaml", "g", b"title: Card\nseverity: sev1\n")
    at = life.clock.now() - MINUTE
    await life.ledger.claim_notice(cause, at, timedelta(0))
    said = words((await life.get("/incidents/card", **BO))[2])
    assert (told in said) is bool(told) if told else "needs a hand" not in said
    assert ("Operators were told at 12:10; no new version has come since" in said) is bool(told)
    card = next(fact for name, fact in reversed(life.ledger.pages.facts) if name == "card" and isinstance(fact, Seen))
    life.ledger.pages.facts.append(("card", replace(card, at=at + SECOND)))
    life.clock.go(5 * MINUTE)
    assert "needs a hand" not in (await life.get("/incidents/card", **BEARER))[2]


async def test_nobody_is_told_who_is_next_without_being_told_that_nobody_pages(life: Life) -> None:
    """Where the daemon has made no healthy pass for a minute the pages say so first of all; nothing is called quiet."""
    said = words((await life.get("/incidents/card", **BO))[2])
    assert "healthy pass" not in said
    life.clock.go(STALE_AFTER + SECOND)
    for path in ("/incidents/card", "/incidents"):
        assert "The daemon has made no healthy pass for 1 minute: it may be paging nobody." in words(
            (await life.get(path, **BO))[2]
        )


async def test_figures_stand_on_the_page(life: Life) -> None:
    """How quickly it was taken, told, and what was promised; for insiders alone."""
    said = words((await life.get("/incidents/card", **BO))[2])
    assert (
        "First accepted after 2 minutes Incident Commander Bo Lindqvist, after 2 minutes Technical Lead nobody yet"
        in said
    )
    assert "Promised updates in time 8 of 8, 2 with nothing new to say" in said
    assert "Promised updates" not in (await life.get("/incidents/card"))[2]


def ids(page: str) -> list[str]:
    """The incidents on a page, in order."""
    return re.findall(r'<h[23]><a href="/incidents/([^"]+)"', page)


async def test_incidents_are_found_by_words(life: Life) -> None:
    """By title, id, service, person, severity and status, all of the words in any order, whatever case and accents;
    only insiders search.
    """
    for query, wanted in (
        ("PAYMENTS", ["card"]),
        ("card", ["card"]),
        ("checkout+sev1", ["card"]),
        ("d%C3%A8e", ["card", "practice"]),
        ("sev1", ["card", "practice", "mail"]),
        ("resolved", ["mail"]),
        ("drill", ["practice"]),
        ("chen", ["card"]),
        ("sev1&show=closed", ["mail"]),
        ("sev1&show=open", ["card", "practice"]),
        ("&show=closed", ["mail"]),
        ("&show=nonsense", ["card", "practice", "search", "mail"]),
        ("nothing-like-this", []),
    ):
        status, _, page = await life.get(f"/incidents?q={query}", **BO)
        assert (status, ids(page)) == (200, wanted), query
    assert "Nothing was found." in words(page)
    assert 'role="search"' not in (await life.get("/incidents?q=card"))[2]
    assert (await life.get("/incidents?q=search"))[2] == (await life.get("/incidents"))[2]


async def test_closed_ones_are_listed_as_far_back_as_the_ledger_goes(life: Life) -> None:
    """Years back, the newest first, fifty a page; a page that is not there is the last."""
    for number in range(120):
        old = Incident(f"old-{number:03}", f"Old & grey {number}", "sev3", Status.RESOLVED)
        at = T0 - timedelta(days=900 - number)
        await life.ledger.record(old.id, [Seen(at, old, "d"), Closed(at + MINUTE)], [], [])
        await life.ledger.keep_file(old.id, f"{old.id}.yaml", "d", b"title: Old\n")
        await life.ledger.finish(old.id)
    await life.ledger.keep_file("mail", "mail.yaml", "r", b"title: Mail\n")
    _, _, page = await life.get("/incidents?show=closed", **BO)
    assert "121 closed, page 1 of 3." in words(page)
    assert ids(page)[:2] == ["mail", "old-119"]
    assert len(ids(page)) == 50
    older = re.findall(r'href="\?q=&amp;show=closed&amp;page=(\d)">(\w+)<', page)
    assert older == [("2", "Older")]
    for number in ("3", "9", "99999999999999999999"):
        last = (await life.get(f"/incidents?show=closed&page={number}", **BO))[2]
        assert ids(last)[-1] == ("old-000" if number != "99999999999999999999" else "old-071")
    assert "Old &amp; grey 119" in page
    assert ids((await life.get("/incidents?q=grey+17", **BO))[2]) == ["old-117", "old-017"]


async def test_who_came_by_a_signed_link_sees_one_incident(life: Life) -> None:
    """No search, no way to others; signed in as well, they read their own time."""
    path = signed_links.page([KEY], "card")
    page = (await life.get(path))[2]
    assert 'href="/incidents"' not in page
    assert "Signed in" not in page
    assert "12:28 (11:28 UTC)" in (await life.get(path, **BO))[2]


async def test_who_would_be_woken_role_by_role(life: Life) -> None:
    """For each severity and role, in the reader's time; what the reader would be paged for stands first, so that nobody
    is surprised.
    """
    page = (await life.get("/oncall", **BO))[2]
    said = words(page)
    assert (
        "You, Bo Lindqvist You would be paged for: Incident Commander, at once "
        "Technical Lead, if 2 levels do not answer Technical Lead for Website, at once The last resort, if nobody answers"
    ) in said
    phones = {name: person.phone for name, person in shipped_policy().people.items()}
    assert f"Communications SEV1 SEV2 Dee Okafor {phones['dee']} Eli Brandt {phones['eli']} Ana Souza" in said
    assert "on call in commanders, until Mon 30 Nov, 09:00, then Fay Moreau" in said
    assert "By SMS and email; the next level after 5 minutes, 3 times through the chain, then the last resort." in said
    assert f"Responders of Checkout Fay Moreau {phones['fay']} on call in engineers, until Thu 26 Nov, 10:00" in said
    by_token = words((await life.get("/oncall", **BEARER))[2])
    assert "You, " not in by_token
    assert "until Mon 30 Nov, 08:00 UTC, then Fay Moreau" in by_token
    life.clock.go(timedelta(days=6, hours=11))
    assert "Pages wait until Mon 30 Nov, 09:00. By email; the next level after 4 hours of open hours" in words(
        (await life.get("/oncall", **BEARER))[2]
    ).replace("08:00 UTC", "09:00")


async def test_what_the_reader_is_asked_stands_first(life: Life) -> None:
    """What waits for their answer, with its buttons; after the resolution whether it is healthy, not the role that they
    were asked to take before.
    """
    said = words((await life.get("/incidents/card", **BO))[2])
    assert said.index("You are asked to be Technical Lead and Scribe") < said.index("Next update by")
    page = (await life.get("/incidents/card", **BO))[2]
    assert 'href="/incidents/card/act/ok">Accept: I am Technical Lead and Scribe</a>' in page
    over = words((await life.get("/incidents/mail", **BO))[2])
    assert "Is it healthy? Healthy Not healthy" in over
    assert "You are asked to be" not in over
    assert "/act/" not in (await life.get("/incidents/card", **BEARER))[2]
