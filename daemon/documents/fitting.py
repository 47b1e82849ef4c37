"""Fitting: words shortened until a message fits (timeline.md rule 42): the title first, then what was said, and never
the way to acknowledge. Must not know how a message is rendered or counted: it asks.
"""

from collections.abc import Callable
from dataclasses import replace

from daemon.documents.wording import Wording
from daemon.domain.notification import Kind

TITLE_MIN = 16
"""A title is cut to so many characters before anything else is."""

Fits = Callable[[Wording], bool]


def shortened(words: Wording, fits: Fits) -> Wording | None:
    """The words, as short as they must be to fit and no shorter; None when nothing makes them fit."""
    fitted = (_fit(each, fits) for each in _ways(words))
    return next((each for each in fitted if each is not None), None)


def _ways(words: Wording) -> list[Wording]:
    """The words, then with less and less around what must stay."""
    bare = replace(words, why="")
    brief = replace(bare, acknowledge=words.acknowledge_short)
    return [words, bare, brief] if words.kind == Kind.PAGE else [words]


def _fit(words: Wording, fits: Fits) -> Wording | None:
    """The words with a title, and then news, just short enough; None when that is not enough."""
    if fits(words):
        return words
    titled = _longest(lambda length: replace(words, title=_cut(words.title, length)), len(words.title), TITLE_MIN, fits)
    if titled is not None or words.kind == Kind.PAGE:
        return titled
    least = replace(words, title=_cut(words.title, TITLE_MIN))
    said = " ".join((*words.changes, *words.news)) or words.resolution

    def said_in(length: int) -> Wording:
        if words.kind == Kind.CLOSING:
            return replace(least, resolution=_cut(said, length))
        return replace(least, changes=(), news=(_cut(said, length),))

    return _longest(said_in, len(said), 0, fits) if said else None


def _longest(made: Callable[[int], Wording], most: int, least: int, fits: Fits) -> Wording | None:
    """The longest that fits, found by halving; None when even the shortest does not."""
    if most < least or not fits(made(least)):
        return None
    low, high = least, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(made(middle)) else (low, middle - 1)
    return made(low)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(length - 3, 0)].rstrip() + "..."
