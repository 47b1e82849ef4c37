"""The code by which somebody signs in, as plain words that templates put in order, and how its SMS fits one segment.

By SMS the last line is for the browser, which then offers the code for typing; it goes where it fits. Must not know
templates, nor the code itself: something of its length stands in its place.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.domain.delivery import Content
from tocsin.domain.notification import SIGN_IN_CODE
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import Policy
from tocsin.text.gsm import cut, fold, segments
from tocsin.wording.language.language import Language
from tocsin.wording.language.times import clock
from tocsin.wording.message import one_segment

KIND = "sign_in"
"""What the templates' names begin with."""
ORGANISATION_MOST = 12
PLAIN = "is your code to sign in. It is good for 5 minutes. Tell it to nobody."


@dataclass(frozen=True, slots=True)
class SignInWording:
    """Everything the templates of a code may say. Empty means there is nothing to say.

    `host` is where it is to be typed, `asked` when somebody asked for it.
    """

    organisation: str
    code: str
    person: str
    name: str
    host: str
    asked: str
    reply_to: str = ""
    drill: bool = False
    language: str = "en"
    direction: str = "ltr"
    kind: str = KIND

    def fitted(self, render: Callable[["SignInWording"], str]) -> str:
        """The text that `render` makes of it, in one segment, with a last line for the browser where that fits. The
        code is in it, whatever else gives way.
        """
        short = replace(self, organisation=one_segment.cut_words(self.organisation, ORGANISATION_MOST))
        for words in (short, replace(short, organisation="")):
            text = fold(" ".join(render(words).split()))
            for_browser = f"{text}\n@{self.host} #{self.code}"
            if self.host and segments(for_browser) == 1 and self.code in text:
                return for_browser
            if segments(text) == 1 and self.code in text:
                return text
        return self.builtin(Channel.SMS).text

    def builtin(self, via: Channel) -> Content:
        """What is sent where no template gives a text."""
        if via.traits.short:
            return Content(cut(fold(f"{self.code} {PLAIN}"), 1))
        who = self.organisation or "tocsin"
        return Content(f"{who}: {self.code} {PLAIN}\n", f"{who}: your code to sign in")


def sign_in_wording(
    person: Person, policy: Policy, host: str, via: Channel, now: datetime, language: Language
) -> SignInWording:
    """The words of a code for this person, who reads them by this channel and types it at `host`; empty: nobody knows
    where that is.
    """
    return SignInWording(
        organisation=policy.organisation,
        code=SIGN_IN_CODE,
        person=person.id,
        name=person.name,
        host=host if via.traits.short else "",
        asked=clock(now, person.timezone, now, language),
        reply_to=policy.reply_to,
        language=language.code,
        direction=language.direction,
    )


SIGN_INS = (
    SignInWording("Example", SIGN_IN_CODE, "ana", "Ana Souza", "pager.example.com", "11:00 CET", "it@example.com"),
    SignInWording("", SIGN_IN_CODE, "ana", "Ana Souza", "", "11:00 CET"),
)
"""Samples, to try the templates with."""
