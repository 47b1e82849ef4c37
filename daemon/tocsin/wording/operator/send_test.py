"""A test message to one person, as plain words that templates put in order, and how its SMS fits one segment.

It says who writes, that it is a test, who sent it, and that nothing is to be done. Must not know templates.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.domain.delivery import Content
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import Policy
from tocsin.text.gsm import cut, fold, segments
from tocsin.wording.language.language import Language
from tocsin.wording.language.times import clock, moment
from tocsin.wording.message import one_segment

KIND = "test"
"""What the templates' names begin with."""
NAME_MOST = 12
"""Letters of a name where there is no room for more."""
PLAIN = "a test. Nothing is wrong, and there is nothing to do."


@dataclass(frozen=True, slots=True)
class SendTestWording:
    """Everything the templates of a test may say. Empty means there is nothing to say.

    `sender` is who sent it, and `sent` when: by SMS as short as can be. `begins` is how a page begins. `answers` tells
    whether an SMS can be answered: then the carrier's words HELP and STOP do something, too.
    """

    organisation: str
    person: str
    name: str
    sender: str
    sent: str
    begins: str
    answers: bool
    reply_to: str = ""
    drill: bool = False
    language: str = "en"
    direction: str = "ltr"
    kind: str = KIND

    def fitted(self, render: Callable[["SendTestWording"], str]) -> str:
        """The text that `render` makes of it, in one segment: when it was sent gives way first, then how a page begins,
        then names are cut.
        """
        texts = [fold(" ".join(render(words).split())) for words in _ever_less(self)]
        return next((text for text in texts if segments(text) == 1), cut(texts[-1], 1))

    def builtin(self, via: Channel) -> Content:
        """What is sent where no template gives a text."""
        text = f"{self.organisation or 'tocsin'}: {PLAIN}"
        return Content(cut(fold(text), 1)) if via.traits.short else Content(f"{text}\n", text)


def send_test_wording(
    person: Person, policy: Policy, sender: str, via: Channel, now: datetime, answers: bool, language: Language
) -> SendTestWording:
    """The words of a test to this person. `answers`: an SMS to them can be answered."""
    worst = next((severity.name.upper() for severity in policy.severities.values() if severity.page), "")
    short = via.traits.short
    return SendTestWording(
        organisation=policy.organisation,
        person=person.id,
        name=person.name,
        sender=sender,
        sent=clock(now, person.timezone, now, language) if short else moment(now, person.timezone, language),
        begins=f"{policy.organisation} {worst}".strip() if worst else "",
        answers=answers and short,
        reply_to=policy.reply_to,
        language=language.code,
        direction=language.direction,
    )


def _ever_less(words: SendTestWording) -> Iterator[SendTestWording]:
    """The words, then with less and less around what must stay."""
    yield words
    words = replace(words, sent="")
    yield words
    words = replace(words, begins="")
    yield words
    words = replace(words, organisation=one_segment.cut(words.organisation, NAME_MOST))
    yield replace(words, sender=one_segment.cut(words.sender, NAME_MOST))
    yield replace(words, sender="")
