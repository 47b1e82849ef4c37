"""The message with a code (P8): after pages, without room, put together as it leaves, and never once nobody knows the
code any more.
"""

import random
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tocsin.app.delivery.lanes import rank
from tocsin.app.sign_in.judge import SignIns
from tocsin.app.state.open_sessions import OpenSessions
from tocsin.app.state.sign_in_codes import browser_digest
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Accepted, Content, Deferred, Message
from tocsin.domain.notification import SIGN_IN_CODE, Kind
from tocsin.domain.people import Channel
from tocsin.text.gsm import fold, segments

from tests.builders.daemon_parts import DaemonParts, shipped_words
from tests.unit.app.test_sender import live, page

PROOF = "what a browser proves itself by"


def sign_ins(parts: DaemonParts, renderer: Any = None) -> SignIns:
    words = renderer or shipped_words()
    return SignIns(parts.clock, parts.ledger, parts.context, OpenSessions(), parts.sender, words, random.Random(2))


def asked(parts: DaemonParts, ref: str = "asked00001", via: Channel = Channel.SMS) -> Arrival:
    body = f"{via.value} {browser_digest(PROOF)} name"
    return Arrival(ArrivalKind.SIGN_IN, ref, "ana", body, parts.clock.now())


def code_in(message: Message) -> str:
    (code,) = set(re.findall("[0-9]{6}", message.content.text))
    return code


def codes(parts: DaemonParts, via: Channel = Channel.SMS) -> list[Message]:
    return [message for message in parts.sent(via) if message.kind == Kind.SIGN_IN.value]


def test_a_code_leaves_and_only_its_place_is_kept() -> None:
    """What the ledger keeps says where a code was; once it has left, its hash alone is known, and it still counts."""

    async def story(parts: DaemonParts) -> None:
        assert await sign_ins(parts).ask(asked(parts)) == "sent"

    parts = live(story)
    (message,) = codes(parts)
    code = code_in(message)
    assert (message.address, message.valid_for) == (parts.config.policy.people["ana"].phone, timedelta(minutes=5))
    (letter,) = [one for one in parts.ledger.pages.letters.values() if one.notification.kind is Kind.SIGN_IN]
    assert SIGN_IN_CODE in letter.content.text
    assert code not in repr(parts.ledger.pages)
    assert parts.state_of(letter.notification) == "accepted"
    known = parts.context.sign_in_codes
    assert not known.may_leave(letter.notification.key, parts.clock.now())
    assert code not in repr(vars(known))
    assert known.try_code("try1", "asked00001", code, PROOF, parts.clock.now()).right


def test_a_try_that_failed_is_repeated_with_the_same_code() -> None:
    """As long as it is good; then nothing leaves any more."""

    async def story(parts: DaemonParts) -> None:
        parts.email.next(Deferred("greylisted"), times=200)
        await sign_ins(parts).ask(asked(parts, via=Channel.EMAIL))

    parts = live(story, 1200)
    tries = codes(parts, Channel.EMAIL)
    assert len(tries) > 1
    assert len({code_in(message) for message in tries}) == 1
    attempts = [one for one in parts.ledger.pages.attempts if "sign_in" in one.reference]
    assert attempts[-1].started_at - attempts[0].started_at < timedelta(minutes=5)
    assert [state for key, (state, _) in parts.ledger.pages.states.items() if "sign_in" in key] == ["unwanted"]


def test_a_code_that_a_restart_has_forgotten_is_not_sent() -> None:
    """Its message would say nothing: it is settled, and whoever waits asks anew."""

    async def story(parts: DaemonParts) -> None:
        letter = sign_ins(parts)._letter("asked00001", parts.config.policy.people["ana"], Channel.SMS)
        await parts.ledger.record("-", (), [letter], ())
        parts.sender.enqueue([letter])

    parts = live(story)
    assert codes(parts) == []
    assert [state for state, _ in parts.ledger.pages.states.values()] == ["unwanted"]


def test_pages_go_first() -> None:
    """P8: a code waits behind them, and takes none of their room."""

    async def story(parts: DaemonParts) -> None:
        letter = sign_ins(parts)._letter("asked00001", parts.config.policy.people["ana"], Channel.SMS)
        assert rank(page(parts), parts.context) < rank(letter.notification, parts.context)
        parts.sms._takes = 1.0
        for number in range(3):
            await sign_ins(parts).ask(asked(parts, f"asked0000{number}"))
        await parts.enqueue(page(parts))

    parts = live(story, 10)
    assert len(codes(parts)) == 3
    assert [message.kind for message in parts.sent(Channel.SMS)].count("page") == 1
    assert isinstance(parts.ledger.pages.attempts[-1].outcome, Accepted)


def test_a_template_without_the_code_is_not_used() -> None:
    """The built-in text goes instead: whoever waits for a code gets it."""

    class Mute:
        def render_own(self, *_: object) -> Content:
            return Content("Hello", "Hello", "<p>Hello</p>")

    async def story(parts: DaemonParts) -> None:
        await sign_ins(parts, Mute()).ask(asked(parts))
        await sign_ins(parts, Mute()).ask(asked(parts, "asked00002", Channel.EMAIL))

    parts = live(story)
    for via in Channel:
        (message,) = codes(parts, via)
        assert "is your code to sign in. It is good for 5 minutes." in message.content.text
        assert code_in(message)


def test_who_wants_no_sms_is_written_to() -> None:
    """Rule 51: a number that answered STOP gets no code either."""

    async def story(parts: DaemonParts) -> None:
        policy = parts.config.policy
        ana = replace(policy.people["ana"], stopped=(Channel.SMS,))
        parts.config.replace(replace(policy, people={**policy.people, "ana": ana}), parts.config.settings)
        await sign_ins(parts).ask(asked(parts))

    parts = live(story)
    assert [len(codes(parts, via)) for via in (Channel.SMS, Channel.EMAIL)] == [0, 1]


SMS = {
    "en": "{code} is your code to sign in. It is good for 5 minutes. Not asked for? Tell it to nobody.",
    "de": "{code} ist Ihr Code zum Anmelden. Er gilt 5 Minuten. Nicht angefordert? Niemandem sagen.",
    "fr": "{code} est votre code de connexion. Il est valable 5 minutes. Pas demandé ? Ne le dites à personne.",
    "es": "{code} es su codigo para entrar. Vale 5 minutos. ¿No lo pidio? No se lo diga a nadie.",
    "pt": "{code} é o seu codigo para entrar. Vale por 5 minutos. Nao pediu? Nao o diga a ninguém.",
}


@pytest.mark.parametrize("language", SMS)
def test_its_words(language: str) -> None:
    """One segment by SMS in each language; the mail says the same, and when it was asked for."""

    async def story(parts: DaemonParts) -> None:
        policy = parts.config.policy
        ana = replace(policy.people["ana"], language=language)
        parts.config.replace(replace(policy, people={**policy.people, "ana": ana}), parts.config.settings)
        await sign_ins(parts).ask(asked(parts))
        await sign_ins(parts).ask(asked(parts, "asked00002", Channel.EMAIL))

    parts = live(story)
    (sms,), (mail,) = codes(parts), codes(parts, Channel.EMAIL)
    assert sms.content.text == SMS[language].format(code=code_in(sms))
    assert segments(sms.content.text) == 1
    first, *others = mail.content.text.split("\n\n")
    assert SMS[language].split(". ")[0].format(code=code_in(mail)) in fold(first)
    assert "10:00 UTC" in others[-1]
