"""Several pages to one address as one message (rule 47): what it says, and how its SMS fits one segment.

Decides the words: how many pages there are, how many of each severity, the worst one, and how to answer. Must not know
templates, nor why the pages leave together.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from tocsin.planning.history.fast_replace import replace
from tocsin.text.gsm import fold, segments
from tocsin.wording.language.language import ENGLISH, Language
from tocsin.wording.message.one_segment import (
    TAG_MOST,
    TITLE_KEPT,
    cut,
    latin,
    longest,
    narrow_title,
    shorter_names,
)
from tocsin.wording.message.shorten import TITLE_MIN, WIDE_TITLE_MIN
from tocsin.wording.message.wording import Wording

KIND = "bundle"
"""What the templates' names begin with."""
TALLIED_MOST = 3
"""Severities that are counted one by one where there is no room for more."""


@dataclass(frozen=True, slots=True)
class BundleWording:
    """Everything a template of a bundle may say. `pages` are the words of each page, the worst first (`worst`); an SMS
    has those of the worst only. `count` is how many there are, `tally` how many of each severity, in words: `2 SEV1,
    7 SEV3`. `replies` tells whether an SMS with `answer_all` (`ok all`, with a code where one is needed) answers them,
    `brief` that there is no room to say that its code answers the worst alone. `bridge` is where people meet for all of
    them; where they meet in several places it is empty, and each page has its own.
    """

    drill: bool
    person: str
    name: str
    count: int
    tally: str
    worst: Wording
    pages: tuple[Wording, ...]
    replies: bool
    brief: bool = False
    answer_all: str = "ok all"
    kind: str = KIND
    organisation: str = ""
    reply_to: str = ""
    language: str = "en"
    direction: str = "ltr"
    bridge: str = ""


def bundle_wording(pages: Sequence[Wording], tags: Sequence[str], *, replies: bool, code: str = "") -> BundleWording:
    """The words for pages of one reader, the worst first; `tags` are the severities of all of them, `code` what must
    stand in an answer, if anything must.
    """
    worst, bridges = pages[0], {page.bridge for page in pages if page.bridge}
    return BundleWording(
        drill=worst.drill,
        person=worst.person,
        name=worst.name,
        count=len(tags),
        tally=_tally(tags),
        worst=worst,
        pages=tuple(pages),
        replies=replies,
        answer_all=f"ok all {code}".rstrip(),
        organisation=worst.organisation,
        reply_to=worst.reply_to,
        language=worst.language,
        direction=worst.direction,
        bridge=bridges.pop() if len(bridges) == 1 else "",
    )


def shorten_bundle(words: BundleWording, render: Callable[[BundleWording], str]) -> str | None:
    """The text that `render` makes of the words, in one segment: the title gives way first, but while the organisation
    stands only to 45 letters; then the tally, at last a long link for the command, never how to answer. A title in
    letters of which only 70 fit keeps them as long as the rest can be said shorter. None when nothing makes it fit.
    """
    words = _titled(words, fold(words.worst.title))

    def text(candidate: BundleWording) -> str:
        return fold(" ".join(render(candidate).split()))

    def fits(candidate: BundleWording) -> bool:
        return segments(text(candidate)) == 1

    for candidate in _ever_less(words):
        title = candidate.worst.title
        if candidate.organisation:
            least = len(title) if _is_wide(title) else TITLE_KEPT
        else:
            least = WIDE_TITLE_MIN if _is_wide(title) else TITLE_MIN
        cut_to = longest(partial(_cut_title, candidate), len(title), min(least, len(title)), fits)
        if cut_to is not None:
            return text(cut_to)
    return None


def builtin_bundle(words: BundleWording, *, short: bool, language: Language = ENGLISH) -> tuple[str, str]:
    """The built-in subject and text, sent when a template is broken (P2)."""
    worst, drill = words.worst, "DRILL " if words.drill else ""
    if short:
        text = shorten_bundle(words, partial(_sms, language))
        return "", text or fold(f"{drill}{worst.tag} +{words.count - 1}. {_answer(words, language)}")
    lines = [f"{page.tag} {page.title}\n{page.answer_url or page.acknowledge}" for page in words.pages]
    head = f"{drill}{words.organisation} {_counted(words, language)}".replace("  ", " ").lstrip()
    title = f"{worst.tag} {worst.title}"
    subject = language.count("{number} page: {title}", "{number} pages: {title}, and others", words.count, title=title)
    return f"{drill}{subject}", "\n\n".join([head, *lines]) + "\n"


def _counted(words: BundleWording, language: Language) -> str:
    return language.count("{number} page: {tally}.", "{number} pages: {tally}.", words.count, tally=words.tally)


def _sms(language: Language, words: BundleWording) -> str:
    code = f" ({words.worst.code})" if words.worst.code else ""
    drill = "DRILL " if words.drill else ""
    worst = f"{language.say('Worst:')} {words.worst.tag} {words.worst.title}{code}."
    return f"{drill}{words.organisation} {_counted(words, language)} {worst} {_answer(words, language)}"


def _answer(words: BundleWording, language: Language) -> str:
    if not words.replies:
        return f"{language.say('Accept it:')} {words.worst.answer_url or words.worst.acknowledge}"
    if words.worst.code and not words.brief:
        return language.say("Reply {all}, or {one} for one", all=words.answer_all, one=f"ok {words.worst.code}")
    return language.say("Reply {all}", all=words.answer_all)


def _tally(tags: Sequence[str]) -> str:
    """How many of each severity, the worst first as they come."""
    return ", ".join(f"{number} {tag}" for tag, number in Counter(tags).items())


def _ever_less(words: BundleWording) -> Iterator[BundleWording]:
    """The words, then with less and less around what must stay."""
    yield words
    for name in shorter_names(words.organisation):
        words = replace(words, organisation=name)
        yield words
    words = replace(words, organisation="")
    yield words
    worst = replace(words.worst, tag=cut(words.worst.tag, TAG_MOST))
    words = replace(words, worst=worst, tally=_briefly(words, TALLIED_MOST))
    yield words
    tally = _briefly(words, 1)
    if _is_wide(worst.title):
        words = replace(words, brief=True)
        yield words
        yield replace(words, tally=tally)
        words = replace(words, worst=replace(worst, title=narrow_title(worst)), brief=False)
        yield words
    words = replace(words, tally=tally)
    yield words
    words = replace(words, worst=replace(words.worst, answer_url=""))
    yield words
    yield replace(words, worst=replace(words.worst, acknowledge="tocsin status, tocsin ack"))
    shortest = replace(words.worst, acknowledge="tocsin ack", title=cut(words.worst.title, WIDE_TITLE_MIN))
    yield replace(words, brief=True, worst=shortest)  # in a language of whose letters only 70 fit


def _briefly(words: BundleWording, most: int) -> str:
    """How many there are of so many severities, and how many more."""
    parts = words.tally.split(", ")
    counts = [part.partition(" ")[0] for part in parts[:most]]
    others = words.count - sum(int(count) for count in counts if count.isdecimal())
    return ", ".join(cut(part, TAG_MOST + 4) for part in parts[:most]) + (f" +{others}" if others else "")


def _is_wide(title: str) -> bool:
    """Whether it makes the whole SMS one of 70 letters."""
    return latin(title) != " ".join(title.split())


def _titled(words: BundleWording, title: str) -> BundleWording:
    return replace(words, worst=replace(words.worst, title=title))


def _cut_title(words: BundleWording, length: int) -> BundleWording:
    return _titled(words, cut(words.worst.title, length))
