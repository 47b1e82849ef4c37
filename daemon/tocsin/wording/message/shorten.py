"""An SMS made to fit its segments (rule 42): the title gives way first, then the free texts, then the reason and the
roles' titles; then a link that is too long, for the command; the way to acknowledge last, and never wholly.

Must not know how words become a text: it is given that.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from tocsin.domain.notification import Kind
from tocsin.text.gsm import fold, segments
from tocsin.wording.message.update_words import News
from tocsin.wording.message.wording import Wording

SEGMENTS_MOST = 3
SEGMENTS_OF = {Kind.PAGE: 1, Kind.STAND_DOWN: 1, Kind.REMINDER: 1, Kind.REVIEW: 1}
"""How many segments a message may take; those not named here, `SEGMENTS_MOST`."""
TITLE_MIN = 16
"""A title is cut to so many characters before anything else is."""
TITLE_ENOUGH = 48
"""Where there is room for texts, they are cut before a title gets shorter than this."""
ROLE_MOST = 24
TAG_MOST = 16
ORGANISATION_MOST = 12
TEXT_MOST = 500
"""More of a free text than an SMS can ever hold."""

T = TypeVar("T")
Render = Callable[[Wording], str]
"""Makes a text of the words, as a template does."""
Fits = Callable[[Wording], bool]


def limit(words: Wording) -> int:
    """How many segments this message may take."""
    return SEGMENTS_OF.get(Kind(words.kind), SEGMENTS_MOST)


def shorten(words: Wording, render: Render) -> str | None:
    """The text that `render` makes of the words, shortened no more than it must be; None when nothing makes it fit."""
    most = limit(words)

    def text(candidate: Wording) -> str:
        return fold(" ".join(render(candidate).split()))

    def fits(candidate: Wording) -> bool:
        return segments(text(candidate)) <= most

    words = _brief(words)
    for whole in _around(words):
        if fits(whole):
            return text(whole)
        words = whole
    for candidate in _ever_less(words):
        fitting = _cut_to_fit(candidate, fits)
        if fitting is not None:
            return text(fitting)
    return None


def _brief(words: Wording) -> Wording:
    """The words with free texts no longer than an SMS could hold."""
    return replace(
        words,
        title=cut(fold(words.title), TEXT_MOST),
        summary=cut(words.summary, TEXT_MOST),
        impact=cut(words.impact, TEXT_MOST),
        impact_was=cut(words.impact_was, TEXT_MOST),
        severity_means=cut(words.severity_means, TEXT_MOST),
        resolution=cut(words.resolution, TEXT_MOST),
        last_news=words.last_news and replace(words.last_news, text=cut(words.last_news.text, TEXT_MOST)),
        news=tuple(News(cut(entry.text, TEXT_MOST), entry.by, entry.at) for entry in words.news[-3:]),
    )


def _ever_less(words: Wording) -> Iterator[Wording]:
    """The words, then with less and less around what must stay."""
    if words.answer_url and not words.code:
        yield from _briefer(words)
        words = replace(words, answer_url="")
    yield from _briefer(words)
    *_, words = _briefer(words)
    words = replace(
        words,
        title=narrow_title(words),
        your_role=latin(words.your_role) or "responder" if words.your_role else "",
        accepted_by=latin(words.accepted_by),
        groups="",
    )
    yield words
    words = replace(words, organisation=cut(latin(words.organisation), ORGANISATION_MOST), otherwise="", unheard="")
    yield words
    yield replace(words, review_file="")
    yield replace(words, tag=cut(words.tag, TAG_MOST), acknowledge="tocsin ack, or acknowledged: in the file")


def _around(words: Wording) -> Iterator[Wording]:
    """The words, and of a message to a group what is left of them without what its reader can best do without: who
    holds which role, what a new severity means, which services are affected, since when.
    """
    yield words
    if words.kind in (Kind.UPDATE, Kind.CLOSING):
        fewer: tuple[dict[str, Any], ...] = (
            {"holders": ()},
            {"severity_means": ""},
            {"services": ()},
            {"since_short": ""},
        )
        for less in fewer:
            words = replace(words, **less)
            yield words


def _briefer(words: Wording) -> Iterator[Wording]:
    """The words, then without the reason, then with fewer and shorter names."""
    yield words
    if words.why:
        words = replace(words, why="")
        yield words
    role = cut(words.roles[0], ROLE_MOST) if words.roles else ""
    more = f" +{len(words.roles) - 1}" if len(words.roles) > 1 else ""
    yield replace(words, your_role=role + more, accepted_by=cut(words.accepted_by, ROLE_MOST))


def _cut_to_fit(words: Wording, fits: Fits) -> Wording | None:
    """The words with a title, and then texts, just short enough; None when that is not enough."""
    if fits(words):
        return words
    for shortest in (TITLE_MIN,) if limit(words) == 1 else (TITLE_ENOUGH, TITLE_MIN):
        least = replace(words, title=cut(words.title, shortest))
        if fits(least):
            return longest(partial(_titled, words), len(words.title), shortest, fits)
        fitting = longest(partial(_with_texts, least), max(map(len, _texts(words))), 0, fits)
        if fitting is not None:
            return fitting
    return None


def _texts(words: Wording) -> tuple[str, ...]:
    """The free texts, which people wrote."""
    news = " ".join(entry.text for entry in words.news)
    last = words.last_news.text if words.last_news else ""
    return (words.summary, words.impact, words.impact_was, words.severity_means, words.resolution, news, last)


def _titled(words: Wording, length: int) -> Wording:
    return replace(words, title=cut(words.title, length))


def _with_texts(words: Wording, length: int) -> Wording:
    """The words with no free text longer than that."""
    news = cut(" ".join(entry.text for entry in words.news), length)
    return replace(
        words,
        summary=cut(words.summary, length),
        impact=cut(words.impact, length),
        impact_was=cut(words.impact_was, length),
        severity_means=cut(words.severity_means, length),
        resolution=cut(words.resolution, length),
        last_news=words.last_news and replace(words.last_news, text=cut(words.last_news.text, length)),
        news=(News(news),) if words.news else (),
    )


def longest(shortened: Callable[[int], T], most: int, least: int, fits: Callable[[T], bool]) -> T | None:
    """The longest that fits, found by halving; None when even the shortest does not."""
    if most < least or not fits(shortened(least)):
        return None
    low, high = least, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(shortened(middle)) else (low, middle - 1)
    return shortened(low)


def cut(text: str, length: int) -> str:
    """The text in at most `length` characters; one that is cut ends in three dots."""
    return text if len(text) <= length else text[: max(length - 3, 0)].rstrip() + "..."[: max(length, 0)]


def narrow_title(words: Wording) -> str:
    """What of a title is in the narrow alphabet, if that is a word at least; else which incident it is. A number that
    stood behind a title in other letters would be read as the whole of it.
    """
    rest = latin(words.title)
    return rest if re.search(r"[^\W\d_]{3}", rest) else latin(f"incident {words.id}")


def latin(text: str) -> str:
    """What of a text is in the narrow alphabet of SMS: 71 of such a letter fit one segment."""
    return " ".join("".join(letter for letter in fold(text) if segments(letter * 71) == 1).split())
