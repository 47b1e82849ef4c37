"""An SMS made to fit its segments (rule 42). In a page, and what else must fit one, there gives way what R42 says
(`one_segment`); in others the title gives way first, then the free texts.

Must not know how words become a text: it is given that.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tocsin.domain.notification import Kind
from tocsin.planning.history.fast_replace import replace
from tocsin.text.gsm import fold, segments
from tocsin.wording.message.one_segment import (
    DOTS,
    ORGANISATION_MOST,
    TAG_MOST,
    cut,
    cut_at_word,
    cut_words,
    fit_one_segment,
    latin,
    longest,
    narrow_title,
)
from tocsin.wording.message.update_words import News
from tocsin.wording.message.wording import Wording

SEGMENTS_MOST = 3
SEGMENTS_OF = dict.fromkeys((Kind.PAGE, Kind.STAND_DOWN, Kind.VERIFY, Kind.REMINDER, Kind.REVIEW), 1)
"""How many segments a message may take; those not named here, `SEGMENTS_MOST`."""
ONE_MORE = frozenset({Kind.REMINDER, Kind.REVIEW})
"""Kinds that may take a segment more in a language of whose letters only 70 fit, if they fit in no other way."""
AS_A_PAGE = frozenset({Kind.PAGE, Kind.STAND_DOWN, Kind.VERIFY})
"""Kinds in which there gives way what does in a page."""
TITLE_MIN = 16
"""A title is cut to so many characters before anything else is."""
ROLE_MOST = 24
WIDE_TITLE_MIN = 8
"""A title in letters of which only 70 fit a segment is cut to so many; they say about as much as twice as many of
the narrow alphabet.
"""
TITLE_ENOUGH = 48
"""Where there is room for texts, they are cut before a title gets shorter than this."""
TEXT_MOST = 500
"""More of a free text than an SMS can ever hold."""

Render = Callable[[Wording], str]
"""Makes a text of the words, as a template does."""
Fits = Callable[[Wording], bool]


def limit(words: Wording) -> int:
    """How many segments this message may take."""
    return SEGMENTS_OF.get(Kind(words.kind), SEGMENTS_MOST)


def shorten(words: Wording, render: Render) -> str | None:
    """The text that `render` makes of the words, shortened no more than it must be; None when nothing makes it fit."""
    within = _within(words, render, limit(words))
    if within is None and Kind(words.kind) in ONE_MORE:
        within = _within(words, render, limit(words) + 1)
    return within


def _within(words: Wording, render: Render, most: int) -> str | None:
    """The text in so many segments."""

    def line(candidate: Wording) -> str:
        return " ".join(render(candidate).split()).replace(f"{DOTS}.", DOTS)  # a cut name ends its sentence

    def text(candidate: Wording) -> str:
        return fold(line(candidate))

    def fits(candidate: Wording) -> bool:
        return segments(text(candidate)) <= most

    words = _brief(words)
    if words.kind in AS_A_PAGE:
        return fit_one_segment(words, line)
    words = replace(words, title=fold(words.title))
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
        title=cut(words.title, TEXT_MOST),
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
    yield words
    role = cut_at_word(words.roles[0], ROLE_MOST) if words.roles else ""
    words = replace(words, your_role=words.your_role_short or role)
    yield words
    words = replace(words, title=narrow_title(words), your_role=latin(role), groups="")
    yield words
    words = replace(words, organisation=cut_words(latin(words.organisation), ORGANISATION_MOST), otherwise="")
    yield words
    words = replace(words, unheard=cut(words.unheard, ROLE_MOST))
    yield words
    words = replace(words, review_file="")
    yield words
    yield from _least(words)
    words = replace(words, tag=cut(words.tag, TAG_MOST), answer_url="")
    yield words
    yield replace(words, unheard="", blocked="")


def _least(words: Wording) -> Iterator[Wording]:
    """The words without what else is true besides the change and the promise, for languages of whose letters only 70
    fit a segment; then the title alone tells which incident it is.
    """
    if words.kind in (Kind.UPDATE, Kind.CLOSING):
        yield replace(words, changes=(), reply_to="")
        yield replace(words, changes=(), reply_to="", expected="", impact_was="", impact="", organisation="")
    else:
        yield replace(words, organisation="", title=cut(words.title, WIDE_TITLE_MIN))


def _around(words: Wording) -> Iterator[Wording]:
    """The words, then without whom to call; and of a message to a group what is left of them without what its reader
    can best do without: who holds which role, what a new severity means, which services are affected, since when.
    """
    yield words
    if words.contacts:
        words = replace(words, contacts=())
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
