"""The inbox in a real headless Chromium: messages appear by themselves, and nothing in a mail runs or loads.

Skipped, saying so, where there is no `chromium`.
"""

from pathlib import Path

from playwright.async_api import Browser
from tocsin.adapters.outbox.reader import OutboxReader

from tests.browser.test_pages import emptied, opened, pytestmark
from tests.unit.web.lives import alive
from tests.unit.web.test_inbox import drop, drop_sms

__all__ = ["pytestmark"]

LINK = "https://example.com/answer"
HOSTILE = (
    "<!doctype html><html><head><style>.own { color: rgb(1, 2, 3) }</style><title>mail</title>"
    "<link rel='stylesheet' href='/static/site.css'></head><body><p class='own' style='font-size: 21px'>Down</p>"
    f"<a href='{LINK}'>Acknowledge</a><img src='/static/icon.svg'><form action='/inbox'><button>send</button></form>"
    "<script>parent.document.title = 'ran'; document.body.textContent = 'ran'</script></body></html>"
)


async def test_messages_appear_by_themselves(tmp_path: Path, chromium: Browser) -> None:
    """Whoever looks on sees each new message at the top without a reload, and the first one ends the advice."""
    async with alive(outbox=OutboxReader(tmp_path)) as life, emptied(chromium):
        page, said = await opened(await chromium.new_context(), life, "/inbox")
        assert await page.get_by_text("No message yet").is_visible()
        await page.get_by_text("Live: new messages").wait_for()
        drop_sms(tmp_path, 1, "SEV1 Database down")
        await page.get_by_text("SEV1 Database down").wait_for(timeout=5000)
        assert not await page.get_by_text("No message yet").is_visible()
        drop(tmp_path, 2, "bo", html="<p>Down</p>")
        await page.get_by_text("Database down <2>").first.wait_for(timeout=5000)
        ids = await page.locator("article").evaluate_all("all => all.map(each => each.id)")
        assert [name.split("-")[1] for name in ids] == ["2", "1"]
        assert await page.evaluate("performance.getEntriesByType('navigation').length") == 1
        assert said == []


async def test_a_mail_looks_as_it_would_and_does_nothing(tmp_path: Path, chromium: Browser) -> None:
    """In its frame a mail has its own style; its script does not run, and it loads neither pictures nor style sheets; a
    link opens beside the inbox.
    """
    drop(tmp_path, 1, html=HOSTILE)
    async with alive(outbox=OutboxReader(tmp_path)) as life, emptied(chromium):
        context = await chromium.new_context()
        await context.route("https://example.com/**", lambda route: route.fulfill(body="answered"))
        page, _ = await opened(context, life, "/inbox")
        asked: list[str] = []
        page.on("requestfinished", lambda request: asked.append(request.url))
        await page.reload()
        mail = page.frame_locator("iframe")
        words = mail.get_by_text("Down", exact=True)
        await words.wait_for()
        looks = await words.evaluate("p => [getComputedStyle(p).fontSize, getComputedStyle(p).color]")
        assert looks == ["21px", "rgb(1, 2, 3)"]
        assert await page.title() == "Inbox · tocsin"
        assert await mail.locator("img").evaluate("img => img.naturalWidth") == 0
        assert await mail.locator("body").evaluate("body => getComputedStyle(body).maxWidth") == "none"
        assert sum(url.endswith("site.css") for url in asked) <= 1
        async with context.expect_page() as opening:
            await mail.get_by_text("Acknowledge").click()
        assert (await opening.value).url == LINK
        assert page.url.endswith("/inbox")
