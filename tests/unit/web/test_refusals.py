"""A request that leads to nothing: a browser gets a small page in our frame, everything else the sentence alone."""

from collections.abc import AsyncIterator

import pytest

from tests.builders.stories import many_incidents
from tests.unit.web.lives import WEB, Life, alive

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    async with alive(**WEB) as life:
        life.ledger.pages = await many_incidents()
        yield life


@pytest.mark.parametrize(
    ("path", "method", "status", "heading", "sentence"),
    [
        ("/nothing", "GET", 404, "Nothing here", "There is nothing here."),
        ("/incidents/search", "GET", 404, "Nothing here", "There is nothing here."),
        ("/s/wrong", "GET", 403, "Not allowed", "This link "),
        ("/a/wrong", "GET", 403, "Not allowed", "This link "),
        ("/incidents", "DELETE", 405, "Not possible", "This cannot be done here."),
    ],
)
async def test_a_browser_gets_a_page(
    life: Life, path: str, method: str, status: int, heading: str, sentence: str
) -> None:
    """With whose site it is, the sentence, and a way on; the status and the headers are the same."""
    found, headers, page = await life.get(path, method, **BROWSER)
    assert (found, headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert headers["cache-control"] == "no-store"
    assert f"<h1>{heading}</h1>" in page
    assert f'<p class="lead">{sentence}' in page
    assert f"<title>{heading} · Example</title>" in page
    assert '<a href="/incidents">All incidents</a>' in page
    assert '<html lang="en">' in page
    plain, others, line = await life.get(path, method)
    assert (plain, others["content-type"]) == (status, "text/plain; charset=utf-8")
    assert line.startswith(sentence)
    assert line.count("\n") == 1
    assert headers.get("allow") == others.get("allow")


async def test_a_browser_cannot_tell_what_is_hidden_from_what_never_was(life: Life) -> None:
    """A drill, an incident that outsiders were told nothing of, none at all: one page, to the octet."""
    paths = ("/incidents/search", "/incidents/practice", "/incidents/never-was", "/incidents/.x")
    assert len({(await life.get(path, **BROWSER))[2] for path in paths}) == 1


async def test_a_page_says_so_while_the_ledger_is_away(life: Life) -> None:
    """Also while nobody can say whose site it is."""
    life.ledger.trouble = "disk full"
    status, headers, page = await life.get("/incidents", **BROWSER)
    assert (status, headers["retry-after"]) == (503, "60")
    assert "<h1>Not now</h1>" in page


async def test_words_of_a_request_are_in_no_page(life: Life) -> None:
    """Nothing of what was asked for comes back."""
    for path in ("/%3Cscript%3Ealert(1)%3C/script%3E", "/s/%3Cb%3E"):
        page = (await life.get(path, **BROWSER))[2]
        assert "<b>" not in page
        assert "alert(1)" not in page
