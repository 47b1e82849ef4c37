"""Short links (P8 TOKEN): the same page as by the long one, for whom the ledger says, and nothing for anybody else."""

import random
import string
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.app.reply_options import signed_links
from tocsin.domain.incident import Status
from tocsin.domain.notification import AnswerLink
from tocsin.web.access.answer_links import CANNOT_SEE
from tocsin.web.access.link_guard import WRONG
from tocsin.web.http import judged
from tocsin.web.http.rate_limit import BURST

from tests.builders.policies import shipped_policy
from tests.builders.stories import on_duty, pass_time
from tests.unit.web.links import CARD, KEY, OLD_KEY, PUBLIC, Door, door

LEAD = on_duty("engineers")
OK = {"answer": "ok"}


@pytest.fixture
async def site() -> AsyncIterator[Door]:
    async with door() as opened:
        yield opened


async def test_it_is_the_page_of_the_long_link(site: Door) -> None:
    """By GET and HEAD, as often as scanners like: nothing changes, nobody may keep it, and no address of ours is told to
    anybody else.
    """
    short = site.short(LEAD)
    status, page = await site.get(short)
    assert (status, page) == await _with(site.link(LEAD), short, site)
    before = list(site.ledger.pages.facts)
    for _ in range(20):
        assert (await site.get(short))[0] == 200
        assert await site.get(short, "HEAD") == (200, "")
    async with site.client.get(short) as told:
        assert told.headers["Cache-Control"] == "no-store"
        assert told.headers["Referrer-Policy"] == "same-origin"
        assert "Set-Cookie" not in told.headers
    assert (site.ledger.pages.facts, site.answers, site.inbox.left) == (before, [], [])


async def test_pressing_is_answered_at_the_short_address(site: Door) -> None:
    """303 to itself, so that a reload presses nothing; what is left for the daemon names whom the link is for and the
    token, which the daemon checks with each of its keys.
    """
    short = site.short(LEAD)
    async with site.client.post(short, data=OK, allow_redirects=False) as told:
        assert (told.status, told.headers["Location"]) == (303, short)
    assert "You are Technical Lead, since" in (await site.get(short))[1]
    assert site.answers == [(LEAD, "ok")]
    (entry,) = site.inbox.left
    assert (entry.incident, entry.episode, entry.person) == ("card", 1, LEAD)  # type: ignore[union-attr]
    assert signed_links.SHORT + entry.signature == short  # type: ignore[union-attr]


async def test_what_is_not_known_is_told_in_one_way(site: Door) -> None:
    """Never made, made but in no message, cut, longer, in another case, of another incident, episode, person or key, the
    signature of a long link, no token at all: one and the same answer, to look and to press, and nothing is left.
    """
    good = site.short(LEAD)
    token = good.removeprefix("/a/")
    unsent = [signed_links.token(KEY, *of) for of in (("card", 2, LEAD), ("card", 1, "dee"), ("other", 1, LEAD))]
    long = site.link(LEAD).rpartition("/")[2]
    cut = [token[:at] for at in range(16)] + [token[at:] for at in range(1, 16)]
    flips = [token[:at] + ("x" if token[at] != "x" else "y") + token[at + 1 :] for at in range(16)]
    odd = [token + "A", token + "/", token + "/x", token + "%0A", "%00" + token[1:], "é" * 16, "A" * 5000, long]
    wrong = [*unsent, *cut, *flips, *odd, token.swapcase(), token.lower(), token.upper(), long[:16], token + "%20"]
    for letters in wrong:
        for told in (await site.get("/a/" + letters), await site.post("/a/" + letters, OK)):
            assert told == (403, WRONG), letters
    assert (await site.get("/a"))[0] == 404
    assert (site.answers, site.inbox.left) == ([], [])


async def test_a_row_that_no_key_of_ours_has_signed_opens_nothing(site: Door) -> None:
    """Whoever could write the ledger alone still makes no links."""
    token = "0123456789abcdef"
    digest = signed_links.token_digest(token)
    site.ledger.pages.links[digest] = AnswerLink(digest, "card", 1, LEAD)
    swapped = site.short("dee").removeprefix("/a/")
    digest = signed_links.token_digest(swapped)
    site.ledger.pages.links[digest] = AnswerLink(digest, "card", 1, LEAD)
    for letters in (token, swapped):
        assert await site.post("/a/" + letters, OK) == (403, WRONG)
    assert site.inbox.left == []


async def test_every_key_opens_it_until_it_is_gone(site: Door) -> None:
    """Keys are rotated: the link of the key before opens, one of a key that was taken out of the list does not."""
    assert (await site.get(site.short(LEAD, key=OLD_KEY)))[0] == 200
    assert "You are Technical Lead" in (await site.post(site.short(LEAD, key=OLD_KEY), OK))[1]
    async with door([KEY]) as rotated:
        assert await rotated.get(rotated.short(LEAD, key=OLD_KEY)) == (403, WRONG)
        assert (await rotated.get(rotated.short(LEAD)))[0] == 200


async def test_a_machine_with_other_keys_lets_nobody_in(site: Door) -> None:
    """The web side knows the link, the daemon signs with another key: nothing counts, and the page says so."""
    judged_by = site.inbox
    short = site.short(LEAD)
    async with door(["the key of another machine"]) as other:
        other.ledger.pages.links.update(site.ledger.pages.links)
        assert await other.get(short) == (403, WRONG)
    assert judged_by.left == []


async def test_it_is_for_that_person_while_in_the_config(site: Door) -> None:
    """Removed from the config it says so, and lets nothing be pressed; back in it, it is good again."""
    short, policy = site.short(LEAD), site.force.now
    site.force.now = replace(policy, people={name: person for name, person in policy.people.items() if name != LEAD})
    for status, said in (await site.get(short), await site.post(short, OK)):
        assert (status, said) == (403, "You are no longer in the config, so you cannot answer for this incident.")
    assert (await site.get(site.short("dee")))[0] == 200
    site.force.now = policy
    assert "You are Technical Lead" in (await site.post(short, OK))[1]
    assert site.answers == [(LEAD, "ok")]


async def test_it_is_of_its_episode(site: Door) -> None:
    """Reopened, it says that a newer page has another; that one works."""
    first, second = site.short(LEAD), site.short(LEAD, episode=2)
    await site.seen(status=Status.RESOLVED)
    await site.seen(status=Status.INVESTIGATING)
    for status, said in (await site.get(first), await site.post(first, OK)):
        assert (status, "use the link of the newest page" in said) == (410, True)
    assert "You are Technical Lead" in (await site.post(second, OK))[1]


async def test_after_a_week_it_leads_to_what_outsiders_were_told(site: Door) -> None:
    """And to nothing where they were told nothing, as of a drill; never to what insiders read."""
    short = site.short(LEAD)
    await site.heard(LEAD)
    await pass_time(site.ledger, "card", site.now)
    await site.seen(status=Status.RESOLVED)
    site.clock.go(timedelta(days=7))
    async with site.client.get(short, allow_redirects=False) as told:
        assert (told.status, told.headers["Location"]) == (303, "/incidents/card")
    status, page = await site.get(short)
    assert (status, CARD.title in page, CARD.summary in page, "Technical Lead" in page) == (200, True, False, False)
    assert (await site.post(short, OK))[0] == 410
    async with door() as practising:
        await practising.seen(drill=True)
        await practising.seen(drill=True, status=Status.RESOLVED)
        practising.clock.go(timedelta(days=7))
        status, said = await practising.get(practising.short(LEAD))
        assert (status, "Its links no longer lead anywhere" in said) == (410, True)


@pytest.mark.parametrize("guesses", [1_100, pytest.param(10_000, marks=pytest.mark.attack)])
async def test_guesses_find_nothing_and_are_held_back(site: Door, guesses: int) -> None:
    """One client's guesses meet the rate of all requests; none is told anything, none is left, and somebody else's link
    opens meanwhile.
    """
    short, dice = site.short(LEAD), random.Random(62)
    letters = string.ascii_letters + string.digits
    statuses = []
    for _ in range(guesses):
        guess = "".join(dice.choices(letters, k=16))
        async with site.client.get("/a/" + guess, headers={"X-Forwarded-For": "203.0.113.9"}) as told:
            statuses.append(told.status)
    assert set(statuses) == {403, 429}
    assert statuses.count(403) <= BURST + 1
    async with site.client.get(short, headers={"X-Forwarded-For": "198.51.100.7"}) as told:
        assert told.status == 200
    assert site.inbox.left == []


async def test_no_token_stands_in_the_log(site: Door) -> None:
    """Neither of a link that opens, nor of one that does not, nor while the ledger is away."""
    short = site.short(LEAD)
    await site.post(short, OK)
    await site.get("/a/" + "A" * 16)
    site.ledger.trouble = "disk full"
    await site.get(short)
    lines = repr(site.log.lines)
    assert "refused" in lines
    assert short.removeprefix("/a/") not in lines
    assert "A" * 16 not in lines
    assert signed_links.token_digest(short.removeprefix("/a/")) not in lines


async def test_without_the_ledger_it_says_what_else_to_do(site: Door) -> None:
    """503: whom it is for is not known; nothing counts, and the same press counts when the ledger is back."""
    short = site.short(LEAD)
    site.ledger.trouble = "locked"
    assert await site.get(short) == (503, CANNOT_SEE)
    assert await site.post(short, OK) == (503, CANNOT_SEE)
    site.ledger.trouble = ""
    assert "You are Technical Lead" in (await site.post(short, OK))[1]
    assert site.answers == [(LEAD, "ok")]


async def test_a_press_that_nobody_confirms_waits_at_the_short_address(
    site: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P8: NOT yet accepted; the page looks again by itself at the short address, and pressing twice counts once."""
    monkeypatch.setattr(judged, "LOOKS_EVERY", 0.01)
    monkeypatch.setattr(judged, "WAITS", 0.05)
    short = site.short(LEAD)
    site.inbox.away = True
    status, page = await site.post(short, OK)
    assert (status, "NOT yet accepted: nobody has confirmed it." in page) == (503, True)
    entry = site.inbox.left[0]
    assert f"{short}?left={entry.ref}" in page
    await site.inbox.judge(entry)
    status, page = await site.get(f"{short}?left={entry.ref}")
    assert (status, "You are Technical Lead, since" in page) == (200, True)
    site.inbox.away = False
    await site.post(short, OK)
    assert site.answers == [(LEAD, "ok")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Origin": PUBLIC}, 200), ({"Sec_Fetch_Site": "cross-site"}, 403), ({"Origin": "https://evil.example"}, 403)],
)
async def test_another_sites_form_presses_nothing(site: Door, headers: dict[str, str], status: int) -> None:
    """As with long links."""
    assert (await site.post(site.short(LEAD), OK, **headers))[0] == status
    assert site.answers == ([(LEAD, "ok")] if status == 200 else [])


async def test_nothing_but_an_answer_is_taken(site: Door) -> None:
    """Other methods, other words, two answers at once."""
    short = site.short(LEAD)
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await site.get(short, method))[0] == 405
    for form in ({}, {"answer": "resolve"}, [("answer", "ok"), ("answer", "pass")]):
        assert (await site.post(short, form))[0] == 400
    assert site.answers == []


@pytest.mark.parametrize(("keys", "public"), [([], PUBLIC), ([KEY], None)])
async def test_without_key_or_address_there_are_no_links(keys: list[str], public: str | None) -> None:
    """404, whatever is asked."""
    async with door(keys, public) as shut:
        for path in (shut.short(LEAD), "/a/x"):
            assert await shut.get(path) == (404, "There is nothing here.")
            assert (await shut.post(path, OK))[0] == 404


async def test_every_person_has_their_own(site: Door) -> None:
    """Nobody's link opens anybody else's page."""
    people = list(shipped_policy().people)
    paths = {person: site.short(person) for person in people}
    assert len(set(paths.values())) == len(people)
    for person, path in paths.items():
        _, page = await site.get(path)
        assert f"This page is {shipped_policy().people[person].name}" in page.replace("&#39;", "'")


async def _with(long: str, short: str, site: Door) -> tuple[int, str]:
    """The long link's page, which leads on by its own address."""
    status, page = await site.get(long)
    return status, page.replace(long, short)
