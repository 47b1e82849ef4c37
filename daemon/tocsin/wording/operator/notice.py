"""What is told to the people who run tocsin, as plain words that templates put in order: what is wrong, where and since
when, what tocsin does meanwhile, what to do; and how its SMS fits one segment.

By email all of it, by SMS the headlines and the first sentence. Must not know who is told, nor when, nor templates.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.domain.delivery import Content
from tocsin.domain.operator_notice import OperatorNotice, OperatorWord, Recovery, Trouble
from tocsin.domain.people import Channel
from tocsin.text import gsm, times
from tocsin.wording.language.language import Language
from tocsin.wording.language.times import clock, dated
from tocsin.wording.message.one_segment import cut, cut_words, longest
from tocsin.wording.operator.advice import ADVICE

KIND = "operator"
"""What the templates' names begin with."""
MOST = 100
"""Notices in one email; the rest are counted."""
HEADLINES_MOST = 3
"""Headlines in one line; the rest are counted."""
DETAIL_MOST = 1_500
"""Letters of one notice by email; the log has all of it."""
HOST_MOST, ORGANISATION_MOST = 20, 12
"""Letters of names by SMS."""
SENTENCE_LEAST, SENTENCE_SHORTEST = 60, 6
"""Letters of the first trouble's sentence that go before other headlines by SMS, and fewer than which say nothing."""
PAGE = "docs/operators.md"
FIRST = frozenset(
    {
        Trouble.PAGE_LOST,
        Trouble.NOBODY_ON_CALL,
        Trouble.INCIDENT_STUCK,
        Trouble.INCIDENT_SET_ASIDE,
        Trouble.REOPENINGS_HELD,
    }
)
"""Behind these somebody may wait for help that nobody was asked for: they come first."""


@dataclass(frozen=True, slots=True)
class TroubleWording:
    """One kind of trouble, or that it is `over`. `since` is when it began, or ended; what does not last just happened
    then. `lasted` is for how long. `details` are what is known of each, in English; `section` is its part of the page.
    """

    headline: str
    over: bool
    lasts: bool
    since: str
    lasted: str
    details: tuple[str, ...]
    meanwhile: str
    act: str
    section: str


@dataclass(frozen=True, slots=True)
class OperatorWording:
    """Everything the templates of a notice may say. Empty means there is nothing to say.

    `headline` is the gravest; `headlines` are those that have room in a line, `more` how many have none. `troubles` is
    all of it, by kind, `left_out` how many notices have no room even there. `revision` is of the config, `page` where
    more is to be read. By SMS: `sentence` is as much as fits of what is known of the first, `since` when it began or
    ended, `others` are other headlines, `unnamed` how many troubles have none there. `tallies` are all headlines, each
    with how many notices it stands for.
    """

    host: str
    headline: str
    headlines: tuple[str, ...]
    over: bool
    lasts: bool
    since: str
    section: str
    troubles: tuple[TroubleWording, ...]
    tallies: tuple[tuple[str, int], ...]
    sentence: str
    organisation: str = ""
    reply_to: str = ""
    revision: str = ""
    more: int = 0
    left_out: int = 0
    others: tuple[str, ...] = ()
    unnamed: int = 0
    page: str = PAGE
    drill: bool = False
    language: str = "en"
    direction: str = "ltr"
    kind: str = KIND

    def fitted(self, render: Callable[["OperatorWording"], str]) -> str:
        """The text that `render` makes of it, in one segment: as many other headlines as leave room for the beginning
        of the first trouble's sentence, then as much of that as fits.
        """

        def text(words: OperatorWording) -> str:
            return gsm.fold(" ".join(render(words).split()))

        def fits(words: OperatorWording) -> bool:
            return gsm.segments(text(words)) == 1

        host, organisation = self.host.partition(".")[0][:HOST_MOST], cut_words(self.organisation, ORGANISATION_MOST)
        brief, sentence = (
            replace(self, host=host, organisation=organisation, sentence=""),
            " ".join(self.sentence.split()),
        )
        least = sentence if len(sentence) <= SENTENCE_LEAST else "x" * SENTENCE_LEAST
        named = brief
        for shown in range(len(self.tallies) - 1, -1, -1):
            named = _naming(brief, shown)
            if fits(replace(named, sentence=least)):
                break
        shortest = min(SENTENCE_SHORTEST, len(sentence))
        fitting = longest(
            lambda most: replace(named, sentence=_beginning(sentence, most)), len(sentence), shortest, fits
        )
        return gsm.cut(text(fitting or named), 1)

    def builtin(self, via: Channel) -> Content:
        """What is sent where no template gives a text."""
        if via.traits.short:
            return Content(gsm.cut(gsm.fold(f"tocsin {self.host}: {self.headline}: {self.sentence}"), 1))
        parts = ["\n- ".join((f"{trouble.headline}.", *trouble.details)) for trouble in self.troubles]
        return Content("\n\n".join((f"On {self.host}.", *parts)) + "\n", f"tocsin on {self.host}: {self.headline}")


def operator_wording(
    told: Sequence[OperatorWord],
    host: str,
    organisation: str,
    revision: str,
    zone: str,
    now: datetime,
    language: Language,
) -> OperatorWording:
    """The words for these, the graver ones first. `zone` is the reader's."""
    told = sorted(told, key=lambda word: (word.minor, word.trouble not in FIRST))
    tallies: dict[str, int] = {}
    for group in _groups(told):
        for word in group:
            headline = _headline(word, language)
            tallies[headline] = tallies.get(headline, 0) + 1
    first, headlines = told[0], list(tallies)
    at = first.since if isinstance(first, OperatorNotice) else first.until
    return OperatorWording(
        host=host,
        organisation=organisation,
        revision=revision,
        headline=headlines[0],
        headlines=tuple(headlines[:HEADLINES_MOST]),
        more=max(len(headlines) - HEADLINES_MOST, 0),
        over=isinstance(first, Recovery),
        lasts=first.trouble.lasts or isinstance(first, Recovery),
        since=clock(at, zone, now, language) if at else "",
        section=first.trouble.value,
        troubles=tuple(_trouble(group, zone, now, language) for group in _groups(told[:MOST])),
        tallies=tuple(tallies.items()),
        left_out=max(len(told) - MOST, 0),
        sentence=first.text,
        language=language.code,
        direction=language.direction,
    )


def _trouble(group: Sequence[OperatorWord], zone: str, now: datetime, language: Language) -> TroubleWording:
    """All that is told of one kind."""
    first, headlines = group[0], list(dict.fromkeys(_headline(word, language) for word in group))
    more = len(headlines) - HEADLINES_MOST
    named = "; ".join(headlines[:HEADLINES_MOST])
    since = min((word.since for word in group if word.since), default=None)
    over, lasted = isinstance(first, Recovery), ""
    if isinstance(first, Recovery):
        lasted = times.brief(first.until - since) if since else ""
        since = first.until
    advice = None if over else ADVICE[first.trouble]
    return TroubleWording(
        headline=language.count(
            "{headlines}; and {number} more", "{headlines}; and {number} more", more, headlines=named
        )
        if more > 0
        else named,
        over=over,
        lasts=over or first.trouble.lasts,
        since=dated(since, zone, language, now) if since else "",
        lasted=lasted,
        details=tuple("\n  ".join(cut(word.text, DETAIL_MOST).splitlines()) for word in group),
        meanwhile=language.say(advice.meanwhile) if advice else "",
        act=language.say(advice.act) if advice else "",
        section=first.trouble.value,
    )


def _headline(word: OperatorWord, language: Language) -> str:
    """What is wrong, or that it is over, in a few words."""
    trouble = word.trouble
    return language.say(trouble.headline if isinstance(word, OperatorNotice) else trouble.recovered, about=word.called)


def _groups(told: Sequence[OperatorWord]) -> list[list[OperatorWord]]:
    """Those of one kind together, in the order in which the kinds come up."""
    groups: dict[tuple[Trouble, bool], list[OperatorWord]] = {}
    for word in told:
        groups.setdefault((word.trouble, isinstance(word, Recovery)), []).append(word)
    return list(groups.values())


def _naming(words: OperatorWording, shown: int) -> OperatorWording:
    """With so many other headlines, and how many troubles have none there."""
    others = tuple(headline for headline, _ in words.tallies[1 : shown + 1])
    alike, unnamed = words.tallies[0][1] - 1, sum(count for _, count in words.tallies[shown + 1 :])
    return replace(words, others=others, unnamed=alike + unnamed)


def _beginning(sentence: str, length: int) -> str:
    """So much of a sentence; one that is cut ends in three dots."""
    return sentence if length >= len(sentence) else f"{sentence[: max(length - 3, 0)].rstrip(' ;,:')}..."
