"""Asking to be taken off updates: by a page's button or a mail program's one click; the operators hear, nothing else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.app.reply_options import signed_links
from tocsin.domain.arrival import WishEntry
from tocsin.domain.people import StakeholderGroup, Unsubscribing
from tocsin.ports.inbox import InboxError
from tocsin.web.routes.unsubscribe import KEPT

from tests.unit.web.links import KEY, OLD_KEY, Door, door

READER = "o/hara{x}+eu@example.com"
LINK = signed_links.unsubscribe([KEY], "card", READER)
CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
async def site() -> AsyncIterator[Door]:
    async with door() as opened:
        group = StakeholderGroup("press", "Press", emails=(READER,), external=True, place="config/groups.yaml:7")
        groups = {**opened.force.now.stakeholders, "press": group}
        opened.force.now = replace(opened.force.now, stakeholders=groups)
        yield opened


async def test_looking_asks_for_nothing(site: Door) -> None:
    """The page says how things are and offers to ask; a look, by GET or HEAD, changes nothing."""
    status, page = await site.get(LINK)
    assert status == 200
    assert "o/hara{x}+eu@example.com" in page
    assert "Ask to be taken off" in page
    assert await site.get(LINK, "HEAD") == (200, "")
    assert site.inbox.left == []
    assert site.ledger.pages.notices == {}


async def test_the_page_speaks_for_the_organisation(site: Door) -> None:
    """Whoever opens it from a mail reads who writes, and whom to write to; of a pager they know nothing."""
    site.force.now = replace(site.force.now, organisation="Acme & Sons", reply_to="help@acme.example")
    pages = [(await site.get(LINK))[1], (await site.post(LINK, CLICK))[1]]
    for page in pages:
        assert "<title>Updates by email · Acme &amp; Sons</title>" in page
        assert "pager" not in page
        assert "tocsin" not in page
    assert "write to help@acme.example" in pages[1]


@pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "multipart/form-data"])
async def test_one_click_is_heard_by_the_operators(site: Door, form: str) -> None:
    """RFC 8058: a POST without cookies or origin, in either form, is enough, and is answered without a redirect. The
    operators hear who asks, and where the config names them.
    """
    body = "List-Unsubscribe=One-Click"
    if form.startswith("multipart"):
        body = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
        form += "; boundary=b"
    async with site.client.post(LINK, data=body, headers={"Content-Type": form}, allow_redirects=False) as answer:
        assert answer.status == 200
        assert "Your wish was passed on." in await answer.text()
    (notice,) = site.inbox.notices.take()
    assert notice.text == (
        f"{READER} asks to be taken off the updates, in one about card; the config names them in the stakeholders "
        "press (config/groups.yaml:7); nothing was changed"
    )


async def test_a_wish_is_told_once_a_day(site: Door) -> None:
    """Pressing again tells nobody anew, and the page says that it was passed on; a day later it may be asked again."""
    for _ in range(5):
        await site.post(LINK, CLICK)
    assert len(site.inbox.left) == 1
    assert len(site.inbox.notices.take()) == 1
    assert "Your wish was passed on." in (await site.get(LINK))[1]
    site.clock.go(timedelta(days=1))
    assert "Ask to be taken off" in (await site.get(LINK))[1]
    await site.post(LINK, CLICK)
    assert len(site.inbox.notices.take()) == 1


async def test_who_is_on_no_list_asks_for_nothing(site: Door) -> None:
    """Somebody taken off already is told so, and the operators are left alone."""
    gone = signed_links.unsubscribe([OLD_KEY], "card", "gone@example.com")
    for status, page in (await site.get(gone), await site.post(gone, CLICK)):
        assert status == 200
        assert "is on no list for updates any more" in page
    assert site.inbox.notices.take() == ()


async def test_nobody_asks_for_another(site: Door) -> None:
    """Other readers, incidents, purposes and keys, cut and flipped signatures, other sites' pages: 403; no wish: 400."""
    signature = LINK.rpartition("/")[2]
    wrong = [
        signed_links.unsubscribe(["another key altogether"], "card", READER),
        signed_links.answer([KEY], "card", READER).replace("/answer/", "/unsubscribe/"),
        f"/unsubscribe/card/support@example.com/{signature}",
        f"/unsubscribe/cart{LINK.removeprefix('/unsubscribe/card')}",
        LINK[:-1],
        LINK.rpartition("/")[0],
        LINK + "x",
        LINK.replace(signature, signature.swapcase()),
    ]
    for path in wrong:
        for status, said in (await site.get(path), await site.post(path, CLICK)):
            assert (status, said.partition(".")[0]) == (403, "This link is not valid"), path
    assert (await site.post(LINK, CLICK, Origin="https://evil.example"))[0] == 403
    assert (await site.post(LINK, CLICK, Sec_Fetch_Site="cross-site"))[0] == 403
    for data in (None, {"x": "y"}, {"List-Unsubscribe": "no"}):
        assert (await site.post(LINK, data))[0] == 400
    assert site.inbox.left == []


@pytest.fixture
async def letting_go(site: Door, monkeypatch: pytest.MonkeyPatch) -> Door:
    """The reader's group says that one click takes effect."""
    monkeypatch.setattr("tocsin.web.http.judged.WAITS", 0.1)
    monkeypatch.setattr("tocsin.web.http.judged.LOOKS_EVERY", 0.02)
    groups = site.force.now.stakeholders
    press = replace(groups["press"], unsubscribe=Unsubscribing.ONE_CLICK)
    site.force.now = replace(site.force.now, stakeholders={**groups, "press": press})
    return site


async def test_an_insider_does_not_read_that_they_are_off(letting_go: Door) -> None:
    """Their address is in an internal group as well: the page only passes the wish on."""
    staff = StakeholderGroup("insiders", "Insiders", emails=(READER,))
    groups = letting_go.force.now.stakeholders
    letting_go.force.now = replace(letting_go.force.now, stakeholders={**groups, "insiders": staff})
    assert "Ask to be taken off" in (await letting_go.get(LINK))[1]
    status, page = await letting_go.post(LINK, CLICK)
    assert (status, "Your wish was passed on." in page) == (200, True)
    assert await letting_go.ledger.opt_outs() == ()
    assert len(letting_go.inbox.notices.take()) == 1


async def test_a_mail_program_s_click_is_left_for_the_daemon(letting_go: Door) -> None:
    """A plain 200, and no more is left once they are off; the operators are left alone."""
    for _ in range(3):
        status, said = await letting_go.post(LINK, CLICK)
        assert (status, said.partition(":")[0]) == (200, "You are taken off") or "is taken off." in said
    (entry,) = letting_go.inbox.left
    assert isinstance(entry, WishEntry)
    assert (entry.reader, entry.incident) == (READER, "card")
    (opt_out,) = await letting_go.ledger.opt_outs()
    assert opt_out.address == READER
    assert letting_go.inbox.notices.take() == ()


async def test_a_click_is_kept_while_the_ledger_is_away(letting_go: Door) -> None:
    """P8: what comes in is on disk before the client gets its 200; a mail program asks once. Nothing else is said."""
    letting_go.inbox.away, letting_go.ledger.trouble = True, "away"
    assert await letting_go.post(LINK, CLICK) == (200, KEPT)
    (entry,) = letting_go.inbox.left
    assert isinstance(entry, WishEntry)
    letting_go.inbox.away, letting_go.ledger.trouble = False, ""
    await letting_go.inbox.judge(entry)
    (opt_out,) = await letting_go.ledger.opt_outs()
    assert opt_out.address == READER


async def test_the_page_says_what_is_true(letting_go: Door) -> None:
    """A look asks for nothing. Pressed while the daemon does not act it is not told as done; once it is, it is."""
    assert "Take me off" in (await letting_go.get(LINK))[1]
    assert letting_go.inbox.left == []
    letting_go.inbox.away = True
    status, page = await letting_go.post(LINK, {**CLICK, "page": "1"})
    assert (status, "does not count yet" in page) == (200, True)
    await letting_go.inbox.judge(letting_go.inbox.left[0])
    for _, page in (await letting_go.get(LINK), await letting_go.post(LINK, {**CLICK, "page": "1"})):
        assert "is taken off." in page
        assert "Take me off" not in page
        assert "pager" not in page
    assert len(letting_go.inbox.left) == 1


async def test_a_wish_that_nobody_passed_on_is_not_said_to_be(site: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept, and the page says so; one that cannot be kept is 503, so that a mail program asks again."""
    monkeypatch.setattr("tocsin.web.http.judged.WAITS", 0.05)
    site.inbox.away = True
    assert "was not passed on yet" in (await site.post(LINK, CLICK))[1]
    site.inbox.trouble = InboxError("the disk is full")
    assert (await site.post(LINK, CLICK))[0] == 503


async def test_a_click_needs_its_signature_here_too(letting_go: Door) -> None:
    """A forged link takes nobody off."""
    forged = signed_links.unsubscribe(["another key altogether"], "card", READER)
    assert (await letting_go.post(forged, CLICK))[0] == 403
    assert (await letting_go.post(LINK, CLICK, Origin="https://evil.example"))[0] == 403
    assert letting_go.inbox.left == []
