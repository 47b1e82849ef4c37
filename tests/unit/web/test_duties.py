"""What a person's page says besides the buttons: by when to answer, the next update, the review, and that it is a drill."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.app.reply_options import signed_links
from tocsin.domain.incident import Status, UpdateEntry
from tocsin.ports.inbox import InboxError

from tests.builders.instants import T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import on_duty, pass_time
from tests.unit.web.links import CARD, KEY, Door, door

LEAD = on_duty("engineers")
MINUTE = timedelta(minutes=1)
BANNER = '<p class="drill">DRILL: this is an exercise</p>'


@pytest.fixture
async def site() -> AsyncIterator[Door]:
    async with door() as opened:
        yield opened


async def page_of(site: Door, person: str) -> str:
    """What a person's short link shows."""
    status, page = await site.get(site.short(person))
    assert status == 200
    return page


async def test_who_is_asked_reads_by_when_to_answer_and_who_is_next(site: Door) -> None:
    """In their own time, as the plan will do it; once they have taken it nobody is next."""
    page = await page_of(site, LEAD)
    assert "You are asked to be" in page
    assert "Please answer by <strong>11:05 CET</strong>; then the next page goes to " in page
    assert "<dt>Since</dt><dd>11:00 CET</dd>" in page
    page = await site.take(LEAD)
    assert "Please answer by" not in page
    assert "You are Technical Lead, since" in page
    site.clock.go(4 * MINUTE)
    assert "Please answer by <strong>" in await page_of(site, "dee")
    policy = shipped_policy()
    people = [person.name for person in policy.people.values()]
    page = await page_of(site, "dee")
    assert any(f"then the next page goes to {name}" in page for name in ["you again", "the last resort", *people])


async def test_since_when_is_what_the_file_says(site: Door) -> None:
    """`started_at` counts: it began before anybody declared it."""
    await site.seen(started_at=T0 - 30 * MINUTE)
    assert "<dt>Since</dt><dd>10:30 CET</dd>" in await page_of(site, LEAD)


async def test_communications_reads_what_outsiders_read_and_how_to_write_more(site: Door) -> None:
    """Who is asked for Communications or holds it, and nobody else: what outsiders read last and when, by when the next
    update is promised, and the way to the form; not once it is resolved.
    """
    await site.heard(LEAD)
    await pass_time(site.ledger, "card", site.now)
    page = await page_of(site, "dee")
    assert "The next update" in page
    assert "What outsiders read last, 10:00 GMT:" in page
    assert "<blockquote" in page
    assert "It is promised by <strong>" in page
    assert f'<a class="button" href="{site.short("dee")}/act/update">Write the update</a>' in page
    assert "The next update" not in await page_of(site, LEAD)
    site.clock.go(2 * MINUTE)
    entry = UpdateEntry("Disk full on db-7.", "We found the cause.", None, "dee")
    await site.seen(updates=(entry,))
    await pass_time(site.ledger, "card", site.now + MINUTE)
    site.clock.go(MINUTE)
    page = await page_of(site, "dee")
    assert '<blockquote class="words">We found the cause.</blockquote>' in page
    await site.seen(status=Status.RESOLVED, updates=(entry,))
    assert "The next update" not in await page_of(site, "dee")


async def test_a_promise_that_passed_is_said_as_such(site: Door) -> None:
    """An update that is overdue, an ETA that has passed; then the way to a new one is beside it."""
    await site.seen(eta=T0 + 10 * MINUTE)
    page = await page_of(site, "dee")
    assert 'class="button plain" href="' + site.short("dee") + '/act/eta"' not in page.partition("What you can do")[0]
    site.clock.go(5 * 60 * MINUTE)
    page = await page_of(site, "dee")
    assert "It was promised for <strong>" in page
    assert "The time it was expected to be fixed by, 10:10 GMT, has passed: say what you expect now." in page
    assert 'class="button plain" href="' + site.short("dee") + '/act/eta"' in page.partition("What you can do")[0]


async def test_who_was_asked_for_the_review_reads_what_is_left_to_do(site: Door) -> None:
    """The draft, the date, the button that ends it; until it is done, and nobody else. Then that it is overdue."""
    await site.heard(LEAD)
    await site.seen(status=Status.RESOLVED)
    asked = [name for name in shipped_policy().people if 'id="review"' in await page_of(site, name)]
    assert asked
    assert LEAD not in asked
    page = await page_of(site, asked[0])
    assert "You are asked to finish the post-incident review by Sat 28 Nov, 11:00 CET." in page
    assert "<code>reviews/card.md</code>" in page
    assert f'<a class="button" href="{site.short(asked[0])}/act/reviewed">The review is done</a>' in page
    assert "Nothing is asked of you any more." not in page
    assert "<button" not in page
    site.clock.go(timedelta(days=5, hours=1))
    assert "The post-incident review was due by 11:00 CET." in await page_of(site, asked[0])
    await site.seen(status=Status.RESOLVED, review="done")
    page = await page_of(site, asked[0])
    assert "The review" not in page
    assert "Nothing is asked of you any more." in page


async def test_a_drill_says_so_first_of_all(site: Door) -> None:
    """On the answer page, on the page that waits, on the incident's and in the list: a banner before all else, and in the
    title; of a real incident nothing of it.
    """
    real = await page_of(site, LEAD)
    assert "DRILL" not in real
    await site.seen(drill=True)
    page = await page_of(site, LEAD)
    assert f'<header class="top"> {BANNER}' in page
    assert f"<title>DRILL: SEV1: {CARD.title}</title>" in page
    assert page.index("DRILL: this is an exercise") < page.index("<h1")
    site.inbox.trouble = InboxError("full")
    status, waiting = await site.post(site.short(LEAD), {"answer": "ok"})
    assert (status, BANNER in waiting, "<title>DRILL: NOT accepted</title>" in waiting) == (503, True, True)
    _, incident = await site.get(f"/incidents/card/{page_signature()}")
    assert f'<header class="top"> {BANNER}' in incident
    assert "<title>DRILL: " in incident


def page_signature() -> str:
    return signed_links.page([KEY], "card").rpartition("/")[2]


async def test_the_last_resort_of_a_drill_reads_it_too(site: Door) -> None:
    """Whoever it is, also when they were never paged."""
    await site.seen(drill=True)
    for person in shipped_policy().people:
        assert BANNER in await page_of(site, person)
    await site.seen(drill=False)
    assert replace(CARD, drill=False).title in await page_of(site, LEAD)
    assert BANNER not in await page_of(site, LEAD)


async def test_it_says_where_to_meet_and_whom_to_call(site: Door) -> None:
    """While it is open: the place, the runbook, what else helps, as links that tell nobody where one came from; the
    numbers of those who have accepted something. Words stay words, and nothing of it can be made to lead elsewhere.
    """
    services = dict(site.force.now.services)
    services["checkout"] = replace(
        services["checkout"],
        runbook="https://wiki.example.com/checkout",
        links=(("<b>Graphs</b>", "tel:+4930"),),
        bridge="",
    )
    site.force.now = replace(site.force.now, services=services)
    bo = site.force.now.people["bo"]
    await site.heard("bo")
    places = {
        "+49 30 1234": '<dd><a href="tel:+49301234" rel="noreferrer">+49 30 1234</a></dd>',
        "https://meet.example.com/x": '<dd><a href="https://meet.example.com/x" rel="noreferrer">https://meet.example.com/x</a></dd>',
        "javascript:alert(1)": "<dd>javascript:alert(1)</dd>",
        "Room 5, <i>second floor</i>": "<dd>Room 5, &lt;i&gt;second floor&lt;/i&gt;</dd>",
    }
    for place, shown in places.items():
        await site.seen(bridge=place)
        assert f"<dt>Meet</dt>{shown}" in (await page_of(site, LEAD)).replace("</dt> <dd>", "</dt><dd>")
    page = await page_of(site, LEAD)
    assert '<a href="https://wiki.example.com/checkout" rel="noreferrer">https://wiki.example.com/checkout</a>' in page
    assert '<a href="tel:+4930" rel="noreferrer">&lt;b&gt;Graphs&lt;/b&gt;</a>' in page
    assert f'{bo.name}, <a href="tel:{bo.phone}">{bo.phone}</a>, since' in page
    assert "tel:" + bo.phone not in await page_of(site, "bo")
    await site.seen(status=Status.RESOLVED)
    page = await page_of(site, LEAD)
    assert "Runbook" not in page
    assert "tel:" not in page
