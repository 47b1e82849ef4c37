"""The HTML bodies of every kind, wording and language, as programs and people read them who cannot see them well."""

import re

import pytest
from tocsin.domain.delivery import Content

from tests.builders.mail_bodies import RIGHT_TO_LEFT, bodies, contrast, faults, preview


def test_no_body_has_a_fault() -> None:
    """Language, direction, tables, title, headings, links, sizes, contrast in light and dark; whole and not too large."""
    wrong = {}
    for name, content in bodies().items():
        code = name.split()[0]
        found = faults(content.html, code, "rtl" if code == RIGHT_TO_LEFT else "ltr")
        wrong |= {name: found} if found else {}
    assert wrong == {}


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<table></table>", "table"),
        ('<img src="x">', "image"),
        ('<a href="https://x.example">here</a>', "does not say"),
        ('<a href="#">The incident</a>', "nowhere"),
        ("<h3>Title</h3>", "under nothing"),
        ('<p style="font-size:11px;">x</p>', "letters of 11px"),
        ('<p style="color:#999999;">x</p>', "light: 'x' has 2.8"),
        ("<p>", "not closed"),
    ],
)
def test_each_fault_is_found(html: str, fault: str) -> None:
    """So that the test above can fail."""
    page = f'<html lang="en" dir="ltr"><head><title>t</title></head><body lang="en" dir="ltr"><h1>t</h1>{html}</body></html>'
    assert faults(page.replace("<h1>t</h1>", "") if "<h3>" in html else page, "en", "ltr")
    assert any(
        fault in found for found in faults(page.replace("<h1>t</h1>", "") if "<h3>" in html else page, "en", "ltr")
    )


def test_contrast_is_reckoned_as_it_is_everywhere() -> None:
    """Black on white is 21, a colour on itself 1."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#5b6472", "#5b6472") == pytest.approx(1)


def test_the_preview_is_the_news_and_nothing_of_the_end_follows_it() -> None:
    """The first text of each body is a sentence, and not the kicker; behind it a hundred characters hide the rest, from
    which no screen reader reads it twice.
    """
    for name, content in bodies().items():
        text = preview(content.html)
        assert text.endswith((".", "?", "!")) or "operator" in name, (name, text)
        assert len(text) > 15, name
        badge = re.search(r"\b(SEV\d)</span> ", content.html)
        assert not badge or text.startswith(f"{badge[1]}: "), (name, text)
        assert content.html.count("&zwnj;") >= 100, name
        first = re.sub(r"<style.*?</style>|<[^>]*>", " ", content.html.partition("<body")[2].partition(">")[2])
        shown = " ".join(re.sub(r"&(#847|zwnj|nbsp);", " ", first).split())
        before = shown.partition(text)[0]
        assert not before or (before.startswith("DRILL") and len(before) < 60), (name, shown[:120])


def test_words_never_run_together() -> None:
    """A severity stands apart from what follows it, for who reads the text without its colours."""
    for name, content in bodies().items():
        assert not re.search(r"SEV\d</span>\S", content.html), name


def both(content: Content) -> tuple[str, str]:
    return content.text, content.html


def test_the_first_line_says_who_writes() -> None:
    """Where the organisation is known it stands before all else that is to be seen, in both bodies; and the last lines
    say whether answers are read.
    """
    page = bodies()["en 0 page"]
    assert page.text.startswith("Acme · SEV1 · ")
    assert re.search(r"<p class=\"quiet\"[^>]*><b>Acme</b> &middot; <span[^>]*>SEV1</span> ", page.html)
    assert all("Answers go to incidents@example.com." in body for body in both(page))
    assert all("Nobody reads answers to this address." in body for body in both(bodies()["en 1 page"]))
