"""Answers by link: looking changes nothing, pressing does what the daemon would do, and nobody else gets in."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.app.reply_options import signed_links
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.facts import Answer, Answered, Closed, Coded, StillThereAsked, VerifyAsked
from tocsin.domain.incident import Status
from tocsin.ports.inbox import InboxError
from tocsin.web.http import judged

from tests.builders.instants import MINUTE
from tests.builders.policies import shipped_policy
from tests.builders.stories import on_duty, pass_time
from tests.unit.web.links import CARD, KEY, OLD_KEY, PUBLIC, Door, door

LEAD = on_duty("engineers")
NAME = shipped_policy().people[LEAD].name


@pytest.fixture
async def site() -> AsyncIterator[Door]:
    async with door() as opened:
        yield opened


async def test_a_scanner_changes_nothing(site: Door) -> None:
    """A hundred looks, by GET and HEAD, in a row: the same page, and the ledger as it was."""
    before = list(site.ledger.pages.facts)
    _, first = await site.get(site.link(LEAD))
    for _ in range(50):
        assert (await site.get(site.link(LEAD)))[1] == first
        assert await site.get(site.link(LEAD), "HEAD") == (200, "")
        site.clock.go(timedelta(seconds=0.1))
    assert site.ledger.pages.facts == before
    assert site.answers == []


async def test_one_is_shown_what_is_asked(site: Door) -> None:
    """Severity, title, status, the roles asked for with their duties, who else is asked, and both buttons."""
    status, page = await site.get(site.link(LEAD))
    assert status == 200
    for said in (
        "SEV1",
        "Critical",
        "investigating",
        CARD.title,
        CARD.impact,
        "asked to be Technical Lead and responder",
    ):
        assert said in page
    assert "Directs the investigation" in page
    assert "nobody yet; Dee Okafor is asked" in page
    assert re.findall(r'<button[^>]*value="(\w+)"[^>]*>([^<]*)', page) == [
        ("ok", "Accept: I am Technical Lead and responder"),
        ("pass", "Pass: page Chen Wei"),
    ]
    assert "If you accept: Tells 1 group: Customers (outside). Pages nobody." in page
    assert "If you pass: Pages Chen Wei (Technical Lead) now." in page
    assert f"{PUBLIC}/incidents/card/" in page


async def test_taking_is_true_at_once(site: Door) -> None:
    """The page after the press says who holds it and since when; a second press changes nothing."""
    page = await site.take(LEAD)
    assert "You are Technical Lead, since 11:00 CET." in page
    assert "Accept:" not in page
    assert site.answers == [(LEAD, "ok")]
    assert await site.take(LEAD) == page
    assert site.answers == [(LEAD, "ok")]


async def test_a_press_is_told_where_to_look(site: Door) -> None:
    """The answer to a press is 303 to the page itself, so that a reload presses nothing."""
    async with site.client.post(site.link(LEAD) + "?x=1", data={"answer": "ok"}, allow_redirects=False) as told:
        assert (told.status, told.headers["Location"]) == (303, site.link(LEAD))
        assert told.headers["Cache-Control"] == "no-store"


async def test_late_comers_learn_who_has_it(site: Door) -> None:
    """Whoever was paged and presses after another is told who and when, and nothing is recorded."""
    site.clock.go(timedelta(minutes=6))
    await site.seen(impact="more")
    history = [fact for _, fact in site.ledger.pages.facts]
    other = next(
        p
        for fact in history
        if getattr(fact, "role", "") == "technical_lead"
        for p in getattr(fact, "people", ())
        if p != LEAD
    )
    await site.heard(LEAD)
    site.clock.go(timedelta(minutes=2))
    page = await site.take(other)
    assert f"{NAME} is Technical Lead, since" in page
    assert (other, "ok") not in site.answers


async def test_all_who_are_asked_are_named(site: Door) -> None:
    """Not the first of them alone: whoever opens the page is to know who else may come. Who passed is not asked."""
    site.clock.go(timedelta(minutes=6))
    await site.seen(impact="more")
    _, page = await site.get(site.link("dee"))
    assert f"<dt>Technical Lead</dt><dd>nobody yet; {NAME} and Chen Wei are asked</dd>" in page
    await site.heard(LEAD, Answer.PASS)
    _, page = await site.get(site.link("dee"))
    assert f"{NAME} and" not in page


async def test_passing_is_told_and_can_be_taken_back(site: Door) -> None:
    """A pass is recorded once; the page says so, and still lets one take it."""
    page = await site.take("dee", "pass")
    assert "You passed Communications." in page
    assert "Accept: I am Communications<" in page
    assert await site.take("dee", "pass") == page
    assert site.answers == [("dee", "pass")]
    assert "You are Communications, since" in await site.take("dee")
    assert site.answers == [("dee", "pass"), ("dee", "ok")]


async def test_a_responder_may_change_their_mind(site: Door) -> None:
    """The page says what they said last."""
    assert "You passed responder." in await site.take(LEAD, "pass")
    assert "You are responder." in await site.take(LEAD)
    assert "You passed responder." in await site.take(LEAD, "pass")


async def test_a_holder_may_give_it_up(site: Door) -> None:
    """The page warns what a pass gives up, and does it."""
    await site.take("dee")
    _, page = await site.get(site.link("dee"))
    assert "you give up what you hold" in page
    assert "You passed Communications." in await site.take("dee", "pass")


async def test_who_was_paged_for_a_role_that_is_not_needed_any_more(site: Door) -> None:
    """Rule 18: who holds the page in their hand is not told that they were never paged."""
    site.clock.go(MINUTE)
    await site.seen(severity="sev3")
    _, page = await site.get(site.link("bo"))
    assert "You are not needed as Incident Commander any more, since 11:01 CET (it is SEV3 now)." in page
    assert "There is nothing for you to do." in page
    assert "You were not paged" not in page


async def test_who_was_never_asked_accepts_nothing(site: Door) -> None:
    """Nothing is recorded, in either way; the page says why and what to do instead."""
    for answer in ("ok", "pass"):
        page = await site.take("gus", answer)
        assert "You were not paged for this incident" in page
        assert f'<a href="{site.link("gus")}/act/assign?person=gus">give it to yourself</a>' in page
        assert "<button" not in page
    assert site.answers == []


async def test_who_is_assigned_may_take_it_before_any_page(site: Door) -> None:
    """An assignment in the file is being asked."""
    await site.seen(roles=(("scribe", "gus"),))
    assert "You are Scribe, since" in await site.take("gus")


async def test_a_holder_confirms_to_be_there(site: Door) -> None:
    """`still there` is asked on the page, and an answer ends the question; a later one restarts the count."""
    await site.take(LEAD)
    await site.ledger.record("card", [StillThereAsked(site.now, "technical_lead", LEAD)], [], [])
    _, page = await site.get(site.link(LEAD))
    assert "Are you still on it?" in page
    assert "I am still on it" in page
    assert "Are you still on it?" not in await site.take(LEAD)
    site.clock.go(timedelta(minutes=2))
    await site.take(LEAD)
    assert site.answers == [(LEAD, "ok")] * 3


async def test_health_is_confirmed_by_whoever_was_asked(site: Door) -> None:
    """After the resolution only who got a verify may press, once, and the page says that it is confirmed."""
    await site.take(LEAD)
    await site.heard(LEAD)
    await site.seen(status=Status.RESOLVED)
    _, page = await site.get(site.link("dee"))
    assert "Resolved at" in page
    assert "<button" not in page
    site.clock.go(timedelta(minutes=30))
    await site.seen(status=Status.RESOLVED, summary="x")
    _, page = await site.get(site.link(LEAD))
    assert re.findall(r'<button[^>]*value="(\w+)"[^>]*>([^<]*)', page) == [("ok", "Healthy")]
    assert f'href="{site.link(LEAD)}/act/unhealthy">Not healthy</a>' in page
    assert re.search(r'opens it again: you see first whom that pages. Or call .+ \(.+\), <a href="tel:\+[0-9]+">', page)
    before = len(site.answers)
    assert "confirmed that the system is healthy" in await site.take(LEAD)
    await site.take(LEAD)
    await site.take(LEAD, "pass")
    await site.take("dee")
    assert site.answers[before:] == [(LEAD, "ok")]


async def test_a_link_dies_a_week_after_the_resolution(site: Door) -> None:
    """A second before it still shows the end; from then on it leads to what outsiders were told, and nothing can be
    pressed; a link of a reopening is good again.
    """
    await site.heard(LEAD)
    await pass_time(site.ledger, "card", site.now)
    await site.seen(status=Status.RESOLVED)
    site.clock.go(timedelta(days=7, seconds=-1))
    assert "Resolved at" in (await site.get(site.link(LEAD)))[1]
    site.clock.go(timedelta(seconds=1))
    for method in ("GET", "HEAD"):
        async with site.client.request(method, site.link(LEAD), allow_redirects=False) as told:
            assert (told.status, told.headers["Location"]) == (303, "/incidents/card")
            assert told.headers["Cache-Control"] == "no-store"
    status, page = await site.get(site.link(LEAD))
    assert (status, CARD.title in page, CARD.summary in page, "<button" in page) == (200, True, False, False)
    over = "This incident was resolved more than a week ago. Its links no longer lead anywhere."
    assert await site.post(site.link(LEAD), {"answer": "ok"}) == (410, over)
    await site.seen(status=Status.INVESTIGATING)
    assert (await site.get(site.link(LEAD, episode=2)))[0] == 200
    assert site.answers == [(LEAD, "ok")]


async def test_a_link_is_of_one_episode(site: Door) -> None:
    """W6: reopened, the links of before lead nowhere, to look and to press, and say what to do; a new one does. No
    signature fits another episode, and none that says the first.
    """
    await site.seen(status=Status.RESOLVED)
    await site.seen(status=Status.INVESTIGATING)
    for status, said in (await site.get(site.link(LEAD)), await site.post(site.link(LEAD), {"answer": "ok"})):
        assert (status, "use the link of the newest page" in said) == (410, True)
    assert site.answers == []
    second = site.link(LEAD, episode=2)
    signature = second.rpartition("/")[2]
    old = site.link(LEAD).rpartition("/")[2]
    for forged in (
        second.replace("/2/", "/3/"),
        second.replace("/2/", "/1/"),
        f"/answer/card/{LEAD}/{signature}",
        f"/answer/card/{LEAD}/2/{old}",
        f"/answer/card/{LEAD}/02/{signature}",
        f"/answer/card/{LEAD}/-2/{signature}",
    ):
        assert (await site.post(forged, {"answer": "ok"}))[0] == 403, forged
    assert "You are Technical Lead" in (await site.post(second, {"answer": "ok"}))[1]
    assert site.answers == [(LEAD, "ok")]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait for the daemon for a moment only."""
    monkeypatch.setattr(judged, "LOOKS_EVERY", 0.01)
    monkeypatch.setattr(judged, "WAITS", 0.05)


@pytest.mark.usefixtures("impatient")
async def test_an_answer_that_nobody_confirms_is_not_said_to_count(site: Door) -> None:
    """P8: 503, in plain words; it looks again by itself, without scripts, and says so once the daemon has judged it."""
    site.inbox.away = True
    async with site.client.post(site.link(LEAD), data={"answer": "ok"}, allow_redirects=False) as told:
        page = await told.text()
    assert told.status == 503
    assert "NOT yet accepted: nobody has confirmed it." in page
    assert 'Call Ana Souza (Last resort), <a href="tel:+14155550101">+14155550101</a> or Bo Lindqvist' in page
    assert "You are Technical Lead" not in page
    again = re.search(r'http-equiv="refresh" content="5;url=([^"]+)"', page)
    assert again is not None
    assert (await site.get(again[1]))[0] == 503
    assert site.answers == []
    await site.inbox.judge(site.inbox.left[0])
    status, page = await site.get(again[1])
    assert (status, "You are Technical Lead, since" in page) == (200, True)
    assert site.answers == [(LEAD, "ok")]


@pytest.mark.usefixtures("impatient")
async def test_an_answer_that_was_refused_is_not_said_to_wait(site: Door) -> None:
    """The daemon took the entry away and recorded nothing (another signing key, another owner of the inbox): nobody is
    left to wait for ever. An outcome that comes to be seen after all is shown.
    """
    site.inbox.away = True
    status, page = await site.post(site.link(LEAD), {"answer": "ok"})
    assert (status, "It counts as soon as it does" in page) == (503, True)
    site.inbox.taken.add(site.inbox.left[0].ref)
    status, page = await site.get(f"{site.link(LEAD)}?left={site.inbox.left[0].ref}")
    assert (status, "NOT accepted: nobody has confirmed it, and it waits no more." in page) == (503, True)
    assert "It counts as soon as it does" not in page
    await site.inbox.judge(site.inbox.left[0])
    status, page = await site.get(f"{site.link(LEAD)}?left={site.inbox.left[0].ref}")
    assert (status, "You are Technical Lead, since" in page) == (200, True)


@pytest.mark.usefixtures("impatient")
async def test_an_answer_that_a_standby_has_handed_in_waits(site: Door) -> None:
    """P8, P9: it is no more in the inbox, and in the ledger nobody has judged it: the machine that takes the lead will."""
    site.inbox.away = True
    await site.post(site.link(LEAD), {"answer": "ok"})
    ref = site.inbox.left[0].ref
    site.inbox.taken.add(ref)
    await site.ledger.record_arrival(Arrival(ArrivalKind.ANSWER, ref, LEAD, "ok", site.now))
    status, page = await site.get(f"{site.link(LEAD)}?left={ref}")
    assert (status, "NOT yet accepted: nobody has confirmed it." in page) == (503, True)
    assert "It counts as soon as it does" in page
    site.ledger.trouble = "it does not answer"
    assert "waits no more" in (await site.get(f"{site.link(LEAD)}?left={ref}"))[1]


@pytest.mark.usefixtures("impatient")
async def test_a_page_that_waits_says_what_else_to_do() -> None:
    """The code by which the person may answer instead, if they have one for this incident; else by SMS, or a call."""
    async with door(sms=True) as site:
        site.inbox.away = True
        assert "Reply <code>ok</code>" in (await site.post(site.link(LEAD), {"answer": "ok"}))[1]
        await site.ledger.record("card", [Coded(site.now, LEAD, "+14155550101", "K7")], [], [])
        assert "Reply <code>ok K7</code>" in (await site.post(site.link(LEAD), {"answer": "ok"}))[1]
        await site.seen(status=Status.RESOLVED)
        await site.ledger.record("card", [Closed(site.now), VerifyAsked(site.now, 1, (LEAD,))], [], [])
        site.clock.go(timedelta(hours=1))
        _, page = await site.post(site.link(LEAD), {"answer": "ok"})
        assert "Reply <code>ok K7</code> by SMS" in page  # the question whether all is healthy, which no pass answers
        site.ledger.trouble = "full"
        assert (await site.post(site.link(LEAD), {"answer": "ok"}))[0] == 503
        assert len(site.inbox.left) == 4


@pytest.mark.usefixtures("impatient")
async def test_whom_to_call_is_said_without_the_ledger() -> None:
    """P8: by the policy last known, when the page that waits is needed most. A config in force that cannot be read here
    takes away nothing that can: the code, and whether all that is asked is whether it is healthy.
    """
    async with door(sms=True) as site:
        site.inbox.away, site.ledger.trouble = True, "it does not answer"
        _, page = await site.post(site.link(LEAD), {"answer": "ok"})
        assert 'or call Ana Souza (Last resort), <a href="tel:+14155550101">+14155550101</a>' in page
        site.ledger.trouble, site.force.trouble = "", "the config in force cannot be read here"
        await site.ledger.record("card", [Coded(site.now, LEAD, "+14155550101", "K7")], [], [])
        _, page = await site.post(site.link(LEAD), {"answer": "ok"})
        assert "Reply <code>ok K7</code> (or <code>pass K7</code>) by SMS, or call Ana Souza (Last resort)" in page


async def test_an_answer_that_cannot_be_kept_is_told(site: Door) -> None:
    """503; nothing is lost in silence, and the log has why."""
    site.inbox.trouble = InboxError("the disk is full")
    status, page = await site.post(site.link(LEAD), {"answer": "ok"})
    assert (status, "NOT accepted: your answer could not be kept." in page) == (503, True)
    assert "refresh" not in page
    assert site.inbox.left == []
    assert ("entry not left", {"kind": "answer", "trouble": "the disk is full"}) in site.log.lines


async def test_who_left_the_config_is_out(site: Door) -> None:
    """The policy in force decides: 403, with a sentence, and nothing is recorded."""
    people = {name: person for name, person in site.force.now.people.items() if name != LEAD}
    site.force.now = replace(site.force.now, people=people)
    for status, said in (await site.get(site.link(LEAD)), await site.post(site.link(LEAD), {"answer": "ok"})):
        assert (status, said) == (403, "You are no longer in the config, so you cannot answer for this incident.")
    assert site.answers == []


async def test_an_incident_that_cannot_be_seen_can_be_answered_all_the_same(site: Door) -> None:
    """Rule 64: a link that a key of ours has signed, to an incident that the ledger's file does not have: the daemon may
    know it. Who presses hears what it says.
    """
    status, page = await site.get(site.link(LEAD, "other"))
    assert (status, "You can answer all the same" in page, "I take it" in page) == (503, True, True)
    assert await site.post(site.link(LEAD, "other"), {"answer": "ok"}) == (410, "This incident is not known here.")
    assert [entry.incident for entry in site.inbox.left] == ["other"]  # type: ignore[union-attr]
    assert site.answers == []


async def test_hundreds_of_forgeries_are_refused(site: Door) -> None:
    """Every flipped character of a path, every cut, other people, incidents, purposes and keys: 403 or 404, never a page,
    and pressing changes nothing.
    """
    good = site.link(LEAD)
    signature = good.rpartition("/")[2]
    wrong = [good[:at] + ("x" if good[at] != "x" else "y") + good[at + 1 :] for at in range(len("/answer/"), len(good))]
    wrong += [good[:at] for at in range(len("/answer/"), len(good))]
    wrong += [f"/answer/card/{person}/{signature}" for person in shipped_policy().people if person != LEAD]
    wrong += [site.link(LEAD, key="another key altogether"), f"/answer/car/d{LEAD}/{signature}", good + "=", good + "/"]
    wrong += [
        signed_links.unsubscribe([KEY], "card", LEAD).replace("unsubscribe", "answer"),
        f"/answer/card/{LEAD}/%FF%FE",
    ]
    wrong += [
        f"/answer/card/{LEAD}/{'é' * 22}",
        f"/answer/card/{LEAD}/{'A' * 3000}",
        f"/answer/card%00/{LEAD}/{signature}",
    ]
    for path in wrong:
        for status, said in (await site.get(path), await site.post(path, {"answer": "ok"})):
            assert status in (403, 404), (path, status)
            assert said == (
                "This link is not valid. Open it from the message as it stands there, whole. If it is whole, it is "
                "from before a change of our keys; a page is then answered by SMS (ok and its code) or by a call."
            )
    assert site.answers == []
    assert set(site.log.events) == {"refused"}


async def test_nothing_else_is_done_to_a_link(site: Door) -> None:
    """Other methods are refused, and change nothing."""
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await site.get(site.link(LEAD), method))[0] == 405
    assert site.answers == []


async def test_every_key_opens_the_first_signs(site: Door) -> None:
    """Links of the key before still work; those of a key that is gone don't."""
    assert (await site.get(site.link(LEAD, key=OLD_KEY)))[0] == 200
    async with door([KEY]) as rotated:
        assert (await rotated.get(site.link(LEAD, key=OLD_KEY)))[0] == 403


@pytest.mark.parametrize(("keys", "public"), [([], PUBLIC), ([KEY], None)])
async def test_without_key_or_address_there_are_no_links(keys: list[str], public: str | None) -> None:
    """Both routes answer 404, whatever is asked."""
    async with door(keys, public) as shut:
        for path in (
            shut.link(LEAD),
            "/answer/x",
            signed_links.unsubscribe([KEY], "card", "support@example.com"),
            "/unsubscribe/x",
        ):
            assert await shut.get(path) == (404, "There is nothing here.")
            assert (await shut.post(path, {"answer": "ok"}))[0] == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": PUBLIC}, 200),
        ({"Origin": PUBLIC, "Sec_Fetch_Site": "same-origin"}, 200),
        ({"Origin": "null", "Sec_Fetch_Site": "same-origin"}, 200),
        ({"Sec_Fetch_Site": "none"}, 200),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://tocsin.example.com.evil.example"}, 403),
        ({"Origin": "https://["}, 403),
        ({"Origin": ""}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Origin": PUBLIC, "Sec_Fetch_Site": "cross-site"}, 403),
        ({"Origin": "https://evil.example", "Sec_Fetch_Site": "same-origin"}, 403),
    ],
)
async def test_only_our_own_page_may_press(site: Door, headers: dict[str, str], status: int) -> None:
    """A form from another site's page is refused, and changes nothing."""
    assert (await site.post(site.link(LEAD), {"answer": "ok"}, **headers))[0] == status
    assert len(site.answers) == (status == 200)


async def test_browsers_tell_us_where_a_form_comes_from(site: Door) -> None:
    """The page lets the origin through to us alone; it is kept nowhere, framed nowhere, and runs nothing."""
    async with site.client.get(site.link(LEAD)) as page:
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert page.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in page.headers
        assert "<script" not in await page.text()


@pytest.mark.parametrize(
    "data",
    [None, b"", {"answer": "yes"}, {"answer": ""}, {"answer": "OK"}, [("answer", "ok"), ("answer", "pass")], {"x": "ok"}],
)  # fmt: skip
async def test_what_says_no_answer_is_none(site: Door, data: object) -> None:
    """An empty, doubled or unknown answer is 400, and changes nothing."""
    assert await site.post(site.link(LEAD), data) == (400, "An answer is either ok or pass. Nothing was changed.")
    assert site.answers == []


async def test_an_answer_in_another_form_is_none(site: Door) -> None:
    """W4: only what our own page sends is read."""
    assert await site.post(site.link(LEAD), b'{"answer": "ok"}') == (415, "This kind of content is not taken here.")
    assert site.answers == []


async def test_strangers_text_is_data(site: Door) -> None:
    """Markup in an incident is shown, never read."""
    await site.seen(title="<script>alert(1)</script>", impact='"><img src=x>', summary="{{ 7 * 7 }}")
    _, page = await site.get(site.link(LEAD))
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "{{ 7 * 7 }}" in page


@pytest.mark.usefixtures("impatient")
async def test_the_ledgers_trouble_is_told(site: Door) -> None:
    """Without the ledger nobody is told anything wrong: 503, and one may answer all the same. What is answered so is
    kept, and not said to count.
    """
    site.ledger.trouble = "full"
    status, page = await site.get(site.link(LEAD))
    assert (status, "What is true now cannot be seen from here." in page) == (503, True)
    assert re.findall(r'<button[^>]*value="(\w+)"', page) == ["ok", "pass"]
    site.inbox.away = True
    status, page = await site.post(site.link(LEAD), {"answer": "ok"})
    assert (status, "NOT yet accepted" in page) == (503, True)
    site.ledger.trouble = ""
    await site.inbox.judge(site.inbox.left[0])
    assert site.answers == [(LEAD, "ok")]


async def test_a_file_that_cannot_be_read_is_taken_too() -> None:
    """Rule 32: whoever is paged for it may take it, or pass and leave it to the others."""
    async with door() as site:
        await site.seen(id="broken", unreadable=True, summary="title: [")
        person = shipped_policy().last_resort[0]
        link = signed_links.answer([KEY], "broken", person)
        _, page = await site.get(link)
        assert "cannot be read. Somebody must look at it." in page
        assert re.findall(r'<button[^>]*value="(\w+)"[^>]*>([^<]*)', page) == [
            ("ok", "Accept: I look at it"),
            ("pass", "Pass"),
        ]
        _, page = await site.post(link, {"answer": "pass"})
        assert "You passed on it: you are paged again only if everybody else passes too." in page
        assert "somebody is looking at it" not in page
        _, page = await site.post(link, {"answer": "ok"})
        assert "somebody is looking at it" in page
        assert site.answers == [(person, "pass"), (person, "ok")]


async def test_the_daemon_agrees(site: Door) -> None:
    """What the page said after a press is what the plan makes of the same facts: the ladder stops."""
    await site.take(LEAD)
    recorded = [fact for _, fact in site.ledger.pages.facts if isinstance(fact, Answered)]
    assert recorded == [Answered(site.now, LEAD, Answer.OK, site.inbox.left[0].ref)]
    site.clock.go(timedelta(minutes=30))
    await site.seen(impact="more")
    paged = {
        fact.person
        for _, fact in site.ledger.pages.facts
        if type(fact).__name__ == "Paged" and "technical_lead" in fact.roles
    }
    assert paged == {LEAD}


async def test_who_only_responds_gives_nothing_up(site: Door) -> None:
    """Whoever responds while all roles are others' holds nothing: the page does not warn of giving it up."""
    others = dict(zip(shipped_policy().roles, ("gus", "chen", "dee", "eli"), strict=False))
    await site.seen(roles=tuple(others.items()))
    for person in others.values():
        await site.heard(person)
    page = await site.take(LEAD)
    assert "You are responder." in page
    assert "If you pass: nobody is paged because of it." in page
    assert "you give up what you hold" not in page
