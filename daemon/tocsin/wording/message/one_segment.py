"""An SMS that must fit one segment (rule 42, R42): in which letters it is written, and what gives way in which order.

In the order of R42 these give way: the link where a code can be answered, further roles, since when, the organisation,
the title down to 45 letters, the role, the title below; never the severity, why it comes now, or how to answer. A title
in a script that the narrow alphabet lacks goes in its own letters, of which 70 fit, where that carries more of it than
what is left in Latin ones. Must not know how words become a text: it is given that.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from tocsin.planning.history.fast_replace import replace
from tocsin.text.cleaning import clean
from tocsin.text.gsm import fold, is_narrow, segments
from tocsin.wording.message.wording import Wording

TITLE_KEPT = 45
"""A title keeps so many letters while anything else can give way."""
TITLE_MIN = 8
WIDE_TITLE_KEPT = 20
"""Where 70 letters fit, a title is cut to so many for why it comes now; before it gets shorter, that gives way."""
WHOLE = 10_000
"""More letters than a title has."""
ORGANISATION_MOST = 12
NAMES_MOST = (24, 16)
"""Characters that names may have, in ever less room."""
DOTS = "..."
TAG_MOST = 16
CARRIES_MORE = 0.2
"""By how much of the title its own letters must carry more than Latin ones: they cost the other words their room."""
REWRITTEN = 0.75
"""What a letter of another script is worth in Latin letters (`Platezhi`), beside itself."""
SYLLABLES = 3
"""Letters of ours that one of a script of syllables or words says as much as."""
COMMAND_LEFT = "tocsin ack, or acknowledged: in the file"

T = TypeVar("T")
Text = Callable[[Wording], str]
"""The words as one line, in whatever letters they are."""


@dataclass(frozen=True, slots=True)
class _Fitting:
    """A text in one segment, and how much of the title it carries, of 1."""

    text: str
    carries: float


def fit_one_segment(words: Wording, line: Text) -> str | None:
    """The text that `line` makes of the words, in one segment, with no less in it than must be; None when nothing makes
    it fit.
    """
    sense = latin_sense(words.title)
    if sense == 1:  # without its pictures; where it has nothing else, by its name
        words = replace(words, title=latin(words.title) or _by_id(words))
    whole = fold(line(words))
    if sense == 1 and segments(whole) == 1:
        return whole
    narrow = _narrow(words, line, sense)
    if sense == 1 and narrow is not None:
        return narrow.text
    wide = _wide(words, line)
    if narrow is None or (wide is not None and wide.carries > narrow.carries + CARRIES_MORE):
        return wide.text if wide else None
    return narrow.text


def latin_sense(title: str) -> float:
    """How much of a title the narrow alphabet carries, of 1: accents count for nothing, a letter of another script that
    is rewritten for less than itself, one that is lost for nothing.
    """
    if title.isascii():  # as a rule, and it spares looking at each letter
        return 1.0
    worth = whole = 0.0
    for letter in title:
        weight = _weight(letter)
        whole += weight
        if is_narrow(letter) or unicodedata.name(letter, "").startswith(("LATIN", "DIGIT")):
            worth += weight
        elif is_narrow(fold(letter)):
            worth += weight * REWRITTEN
    return worth / whole if whole else 1.0


def _weight(letter: str) -> int:
    """How much a letter says; marks, blanks and pictures nothing."""
    if not letter.isalnum():
        return 0
    name = unicodedata.name(letter, "")
    return SYLLABLES if name.startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL")) else 1


def _narrow(words: Wording, line: Text, sense: float) -> _Fitting | None:
    """The words in the narrow alphabet; what has no letters in it is left out."""
    title = narrow_title(words)
    plain = replace(
        words,
        title=title,
        organisation=latin(words.organisation),
        roles=tuple(map(latin, words.roles)),
        your_role=latin(words.your_role),
        your_role_short=latin(words.your_role_short),
        accepted_by=latin(words.accepted_by),
        held=tuple(map(latin, words.held)),
        still_asked=tuple(map(latin, words.still_asked)),
        contacts=tuple((latin(role), latin(name), phone) for role, name, phone in words.contacts),
    )

    def fits(candidate: Wording) -> bool:
        return segments(fold(line(candidate))) == 1

    fitted = _first_that_fits(plain, fits)
    if fitted is None:
        return None
    carries = sense * len(fitted.title) / len(title) if title != _by_id(words) else 0.0
    return _Fitting(fold(line(fitted)), min(carries, 1.0))


def _wide(words: Wording, line: Text) -> _Fitting | None:
    """The words in their own letters, of which 70 fit: severity, title and answer (R42), and of the rest what there is
    room for beside the whole title; why it comes now also beside a title that is cut.
    """

    def text(candidate: Wording) -> str:
        return " ".join(clean(line(candidate)).split())

    def fits(candidate: Wording) -> bool:
        return segments(text(candidate)) == 1

    *shorter, briefest = _giving_way(words)
    fewer = tuple(_with_fewer_names(replace(briefest, organisation="")))
    bare = replace(fewer[-1], why_short="")
    least = TITLE_MIN // max(1, *map(_weight, words.title))
    steps = (
        *((candidate, WHOLE) for candidate in (*shorter, *fewer)),
        (fewer[-1], WIDE_TITLE_KEPT),
        *((bare, length) for length in (WHOLE, least)),
    )
    fitted = (_longest_title(candidate, WHOLE, least, fits) for candidate, least in steps)
    return next((_Fitting(text(one), len(one.title) / len(words.title)) for one in fitted if one), None)


def _first_that_fits(words: Wording, fits: Callable[[Wording], bool]) -> Wording | None:
    """The words without what must give way, in the order of R42."""
    shorter = tuple(_giving_way(words))
    fewer = tuple(_with_fewer_names(shorter[-1]))
    bare = fewer[-1]
    unlinked = replace(bare, answer_url="", tag=cut(bare.tag, TAG_MOST))  # a long link, of which there is none but
    last = replace(unlinked, acknowledge=COMMAND_LEFT)  # while the ledger is away
    steps = (
        *((candidate, WHOLE, WHOLE) for candidate in shorter),
        (shorter[-1], WHOLE, TITLE_KEPT),
        *((candidate, TITLE_KEPT, TITLE_KEPT) for candidate in fewer),
        *((candidate, TITLE_KEPT, TITLE_MIN) for candidate in (bare, unlinked, last)),
    )
    fitted = (_longest_title(candidate, most, least, fits) for candidate, most, least in steps)
    return next((candidate for candidate in fitted if candidate), None)


def _giving_way(words: Wording) -> Iterator[Wording]:
    """The words, then with ever less beside the title: the link where a code answers, further roles, since when, and
    of the organisation all but so many letters.
    """
    yield words
    if words.code and words.answer_url:
        words = replace(words, answer_url="")
        yield words
    if words.why != words.why_short:
        words = replace(words, why=words.why_short)  # for templates that name the whole sentence
        yield words
    if words.your_role_short:
        words = replace(words, your_role=words.your_role_short)
        yield words
    if words.since_short:
        words = replace(words, since_short="")
        yield words
    yield from (replace(words, organisation=name) for name in shorter_names(words.organisation))


def _with_fewer_names(words: Wording) -> Iterator[Wording]:
    """The words with ever shorter names, then without a role, and without whom to call."""
    role = words.roles[0] if words.roles else words.your_role
    for most in NAMES_MOST:
        words = replace(
            words,
            your_role=cut_at_word(role, most) if words.your_role else "",
            accepted_by=cut_at_word(words.accepted_by, most),
            held=tuple(cut_at_word(title, most) for title in words.held),
            still_asked=tuple(cut_at_word(title, most) for title in words.still_asked),
        )
        yield words
    yield replace(words, your_role="", contacts=())


def _longest_title(words: Wording, most: int, least: int, fits: Callable[[Wording], bool]) -> Wording | None:
    """The words with as much of the title as fits, of at least so many letters, and in whole words if that leaves as
    many; None when they don't fit.
    """
    title = words.title

    def titled(kept: int) -> Wording:
        return replace(words, title=title if len(title) <= kept + len(DOTS) else title[:kept].rstrip() + DOTS)

    least = min(least, len(title))
    kept = longest(lambda length: length, min(most, len(title)), least, lambda length: fits(titled(length)))
    if kept is None or len(title) <= kept + len(DOTS):
        return None if kept is None else titled(kept)
    whole_words = title.rfind(" ", 0, kept + 1)
    return titled(whole_words if whole_words >= min(least, TITLE_KEPT) else kept)


def narrow_title(words: Wording) -> str:
    """What of a title is in the narrow alphabet, if that is a word at least or all of it; else which incident it is. A
    number that stood behind a title in other letters would be read as the whole of it.
    """
    rest = latin(words.title)
    whole = rest and rest == " ".join(fold(words.title).split())
    return rest if whole or re.search(r"[^\W\d_]{3}", rest) else _by_id(words)


def _by_id(words: Wording) -> str:
    return latin(f"incident {words.id}")


def latin(text: str) -> str:
    """What of a text is in the narrow alphabet of SMS."""
    folded = fold(text)
    return " ".join((folded if is_narrow(folded) else "".join(filter(is_narrow, folded))).split())


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
    return text if len(text) <= length else text[: max(length - 3, 0)].rstrip() + DOTS[: max(length, 0)]


def cut_at_word(text: str, length: int) -> str:
    """The text in at most so many characters, cut behind a word where it has one, and three dots behind that: half a
    name would be read as another one.
    """
    return text if len(text) <= length else cut_words(text, length - len(DOTS)) + DOTS


def shorter_names(name: str) -> Iterator[str]:
    """An organisation's name shorter and shorter: the words that have room, its first word, and so many letters."""
    words = cut_words(name, ORGANISATION_MOST)
    first = name.partition(" ")[0]
    if len(first) > ORGANISATION_MOST:
        yield first
    yield words


def cut_words(text: str, length: int) -> str:
    """As many whole words as are at most so many characters, without dots; of a first word that is longer so many."""
    if len(text) <= length:
        return text
    return text[:length].rpartition(" ")[0].rstrip(" ,;:&-") or text[:length]
