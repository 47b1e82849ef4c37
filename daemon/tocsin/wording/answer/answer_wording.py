"""What an answer to an SMS is about, as plain words that its template puts in order, and how it fits one segment.

The template says each answer by its name. Must not know which answer is right, nor templates.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from tocsin.domain.delivery import Content
from tocsin.domain.people import Channel
from tocsin.text import cleaning
from tocsin.text.gsm import fold, segments
from tocsin.wording.message import one_segment

KIND = "answer"
"""What the template's name begins with."""
TITLES = (60, 40, 24, 12)
"""Characters that a title may have, the most first; fewer where the rest would not fit."""
TITLES_BESIDE_BRIDGE = 2
"""Lengths of a title that are tried before where people meet is left out: whoever accepted knows the title."""
TITLES_BESIDE_HOLDERS = 2
"""The same before roles are left out of a list of them."""
LISTED = (30, 16, 8, 0)
"""The same in a list of several; at last only their codes."""
ID_MOST, ORGANISATION_MOST = 24, 12
"""Letters of an incident's id that stand for a title of which nothing can be shown; and of a name in front."""
ROLES = (48, 24)
"""Letters of roles where there is no room for more, the most first."""
LAST, STANDS = "last", "stands"
"""What may be said behind an answer: that it is the last for a while; that the reader's next `ok` has to stand."""
BUILT_IN = "Your SMS was read. How things stand now: tocsin status, or the incident's page."
"""What is sent where not even the shipped template gives a text: whatever was meant, it is true."""


@dataclass(frozen=True, slots=True)
class AnswerWording:
    """Everything the template of an answer may say, which goes by `answer`. Empty means there is nothing to say.

    `title`, `tag` and `code` are of the incident, or of the worst of `count`, which `tally` counts by severity: `2
    SEV1, 7 SEV3`. `roles` and `holder` are names in words, `phone` is the holder's where they are to be called,
    `holders` are pairs of role and name, of which
    `unlisted` have no room; `bridge` is where people
    meet. `word` is what people write (`ok`), `everything` what answers all (`ok all`). `codes` lists what is open, each
    with its code. `others` and `nobody` are in how many somebody else is asked, and in how many nobody. What is said
    behind it is in `after`, other answers by their names.
    """

    answer: str
    drill: bool = False
    title: str = ""
    tag: str = ""
    code: str = ""
    roles: str = ""
    holder: str = ""
    phone: str = ""
    holders: tuple[tuple[str, str], ...] = ()
    unlisted: int = 0
    at: str = ""
    bridge: str = ""
    status: str = ""
    next: str = ""
    word: str = ""
    everything: str = ""
    needs_code: bool = False
    open: tuple[tuple[str, str], ...] = ()
    codes: str = ""
    count: int = 0
    tally: str = ""
    drills: int = 0
    held: int = 0
    others: int = 0
    nobody: int = 0
    waiting: int = 0
    lost: int = 0
    id: str = ""
    organisation: str = ""
    after: tuple[str, ...] = ()
    language: str = "en"
    direction: str = "ltr"
    kind: str = KIND

    def fitted(self, render: Callable[["AnswerWording"], str]) -> str:
        """The text that `render` makes of it, in one segment: titles give way first, then what is least missed. What is
        said behind it is never cut.
        """
        behind = [render(AnswerWording(name, language=self.language, direction=self.direction)) for name in self.after]

        def text(body: str) -> str:
            return fold(" ".join(" ".join((body, *behind)).split())).replace("....", "...")

        def whole(words: AnswerWording) -> str:
            return text(render(words))

        def fits(words: AnswerWording) -> bool:
            return segments(whole(words)) == 1

        words = signed = replace(self, organisation=one_segment.cut_words(self.organisation, ORGANISATION_MOST))
        for named in (signed, replace(signed, organisation="")):
            for words in _ever_less(named):
                if fits(words):
                    return whole(words)
            fewer = one_segment.longest(partial(_listing, named), len(self.open) - 1, 1, fits)
            if fewer is not None:
                return whole(fewer)
        body = render(words)
        cut = one_segment.longest(
            lambda most: text(cleaning.cut(body, most)), len(body), 1, lambda it: segments(it) == 1
        )
        return cut or text("")

    def builtin(self, _via: Channel) -> Content:
        """What is sent where no template gives a text."""
        return Content(BUILT_IN)


def _ever_less(words: AnswerWording) -> Iterator[AnswerWording]:
    """The words, then with less and less around what must stay."""
    if words.open:
        yield from (_listing(words, len(words.open), most) for most in LISTED)
        return
    if words.bridge:
        yield from islice(_titled(words), TITLES_BESIDE_BRIDGE)
        words = replace(words, bridge="")
    if words.holders:
        yield from _with_fewer_holders(words)
    yield from _titled(words)
    if not words.count:
        latin = cleaning.cut(one_segment.latin(words.title), TITLES[-1])
        words = replace(
            words, title=latin or cleaning.cut(words.id, ID_MOST), holder=cleaning.cut(words.holder, ID_MOST)
        )
        yield words
        yield from (replace(words, roles=cleaning.cut(words.roles, most)) for most in ROLES)
        return
    for fewer in (words, replace(words, others=0, nobody=0, held=0)):
        yield from _titled(fewer)
        yield replace(fewer, title=cleaning.cut(one_segment.latin(words.title), TITLES[-1]))
        yield replace(fewer, title="")
        yield replace(fewer, title="", tally="")
        yield replace(fewer, title="", tally="", tag="")


def _with_fewer_holders(words: AnswerWording) -> Iterator[AnswerWording]:
    """With fewer and fewer of the roles, as long as one is left, beside as much of a title as tells which it is."""
    titled = tuple(islice(_titled(words), TITLES_BESIDE_HOLDERS))
    yield from titled
    for left in range(len(words.holders) - 1, 0, -1):
        yield replace(titled[-1], holders=words.holders[:left], unlisted=len(words.holders) - left)


def _titled(words: AnswerWording) -> Iterator[AnswerWording]:
    """The words with a title that is shorter and shorter."""
    title = fold(cleaning.one_line(cleaning.clean(words.title))) or words.id
    yield from (replace(words, title=cleaning.cut(title, most)) for most in TITLES)


def _listing(words: AnswerWording, number: int, most: int = 0) -> AnswerWording:
    """With so many of the codes, the worst first, each with so much of its title; of the rest how many they are."""
    titles = [(code, cleaning.cut(fold(cleaning.one_line(title)), most)) for code, title in words.open[:number]]
    codes = "; ".join(f"{code} {title}" for code, title in titles) if most else " ".join(code for code, _ in titles)
    more = len(words.open) - number
    return replace(words, codes=f"{codes} +{more}" if more else codes)
