"""Rules 38 and 39: what a provider denies for one recipient while it takes messages for others."""

import asyncio
from datetime import datetime, timedelta

import pytest
from tocsin.app.delivery.provider_health import ProviderHealth
from tocsin.app.state.notices import Notices
from tocsin.domain.delivery import Accepted, Attempt, Deferred, Fault, Message, Outcome, Refused
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.people import Channel

from tests.builders.daemon_parts import DaemonParts, page_to
from tests.fakes.clock import StillClock
from tests.fakes.loop import VirtualClock, run_virtually
from tests.fakes.transport import MemoryTransport
from tests.unit.app.test_providers import word

EMAIL, SMS = Channel.EMAIL, Channel.SMS
DENIED = Deferred("554 5.7.1 Relay access denied", "554", Fault.PROVIDER, recipient=True)
NO_COUNTRY = Deferred("no permission for the region", "21408", Fault.PROVIDER, recipient=True)
NO_LOGIN = Deferred("535 authentication failed", "535", Fault.PROVIDER)
T0 = StillClock().now()


def tried(outcome: Outcome, to: str = "ana", after: float = 0.0, via: Channel = EMAIL) -> Attempt:
    at = T0 + timedelta(seconds=after)
    return Attempt("1", f"to {to}", 1, via, f"{to}@example.com", at, outcome, at)


def told(notices: Notices) -> list[Trouble]:
    return [notice.trouble for notice in notices.take()]


@pytest.mark.parametrize(("via", "denied", "act"), [(EMAIL, DENIED, "email.username"), (SMS, NO_COUNTRY, "21408")])
def test_a_denial_stays_open_until_that_recipient_is_taken(via: Channel, denied: Deferred, act: str) -> None:
    """Rule 39: told at the first failure with what helps, however soon somebody else is taken; and truly, that others
    are taken; over once that recipient is.
    """
    notices = Notices(StillClock())
    health = ProviderHealth(via, notices)
    health.on_attempt(tried(denied, "ana", 0, via))
    assert health.unwell
    for second in range(3):
        health.on_attempt(tried(Accepted(), "bo", second, via))
    assert not health.unwell
    (notice,) = notices.take()
    assert notice.trouble is Trouble.RECIPIENT_DENIED
    assert act in notice.text
    assert "takes messages for others, but none for ana@example.com" in notice.text
    notices.take_recovered()
    health.on_attempt(tried(Accepted(), "bo", 3, via))
    assert not notices.take_recovered()
    health.on_attempt(tried(Accepted(), "ana", 4, via))
    (recovery,) = notices.take_recovered()
    assert recovery.trouble is Trouble.RECIPIENT_DENIED


def test_a_denial_right_after_somebody_was_taken_is_told_as_that() -> None:
    """Rule 39: nobody reads that mails do not leave of a relay that has just taken one; until a second is denied."""
    notices = Notices(StillClock())
    health = ProviderHealth(EMAIL, notices)
    health.on_attempt(tried(Accepted(), "bo"))
    health.on_attempt(tried(DENIED, "ana", 1))
    assert told(notices) == [Trouble.RECIPIENT_DENIED]
    health.on_attempt(tried(DENIED, "bo", 2))
    assert told(notices) == [Trouble.PROVIDER_REFUSES]


def test_who_denies_everybody_is_told_as_that() -> None:
    """Rule 39: two in a row within the time in which notices are gathered are one notice, of the channel; also where
    the last mail was taken long ago.
    """
    notices = Notices(StillClock())
    health = ProviderHealth(EMAIL, notices)
    health.on_attempt(tried(Accepted(), "bo"))
    health.on_attempt(tried(DENIED, "ana", 1))
    health.on_attempt(tried(DENIED, "bo", 2))
    assert told(notices) == [Trouble.PROVIDER_REFUSES]
    other = Notices(StillClock())
    health = ProviderHealth(EMAIL, other)
    health.on_attempt(tried(Accepted(), "bo"))
    health.on_attempt(tried(DENIED, "ana", 301))
    assert told(other) == [Trouble.PROVIDER_REFUSES]


def test_what_holds_for_everybody_is_over_with_the_next_that_is_taken() -> None:
    """Rule 39: a login that works again works for all."""
    notices = Notices(StillClock())
    health = ProviderHealth(EMAIL, notices)
    health.on_attempt(tried(NO_LOGIN, "ana"))
    health.on_attempt(tried(Accepted(), "bo", 1))
    assert told(notices) == []


def test_a_known_denial_makes_nobody_sick_and_a_refusal_ends_it() -> None:
    """Rules 38, 49: what it goes on denying for one recipient says nothing of the others."""
    health = ProviderHealth(EMAIL, Notices(StillClock()))
    health.on_attempt(tried(DENIED, "ana"))
    health.on_attempt(tried(Accepted(), "bo"))
    for _ in range(5):
        health.on_attempt(tried(DENIED, "ana"))
        assert not health.unwell
    assert health.denied == {"ana@example.com"}
    health.on_attempt(tried(Refused("550 5.1.1 no such user", "550"), "ana"))
    assert not health.denied
    health.on_attempt(tried(DENIED, "ana"))
    assert health.unwell


def test_others_that_are_taken_do_not_hurry_what_is_denied() -> None:
    """Rules 35, 38: a page that is denied for one is tried at its own times, however many mails the relay takes
    meanwhile; it goes by the other channel, and operators hear of it once.
    """

    def denies_ana(message: Message) -> Outcome | None:
        return DENIED if message.address == "ana@example.com" else None

    async def life(clock: VirtualClock) -> tuple[DaemonParts, datetime]:
        parts = DaemonParts(clock)
        parts.email = MemoryTransport(blind=True, decide=denies_ana)
        parts.by_channel[EMAIL]["main"] = parts.email
        parts.declare()
        running = asyncio.create_task(parts.sender.run())
        await parts.enqueue(page_to("ana", clock.now(), EMAIL))
        for _ in range(66):
            await asyncio.sleep(3)
            await parts.enqueue(word(parts))
        running.cancel()
        return parts, clock.now()

    parts, _ = run_virtually(life)
    to_ana = [message for message in parts.email.tries if message.address == "ana@example.com"]
    assert 5 <= len(to_ana) <= 9
    assert told(parts.notices) == [Trouble.RECIPIENT_DENIED]


@pytest.mark.parametrize(
    ("via", "kept", "wrong"),
    [
        (EMAIL, Refused("550 5.1.1 no such user", "550", Fault.MESSAGE), True),
        (EMAIL, Refused("552 5.3.4 too big", "552", Fault.MESSAGE), False),
        (EMAIL, Refused("550 5.1.1 no such user", "550"), False),
        (EMAIL, Refused("no SMTPUTF8", "", Fault.MESSAGE), False),
        (EMAIL, DENIED, False),
        (SMS, Refused("no phone", "21214", Fault.MESSAGE), True),
        (SMS, Refused("too long", "21617", Fault.MESSAGE), False),
        (SMS, Refused("what", "99999", Fault.MESSAGE), False),
    ],
)
def test_that_a_provider_refuses_wrongly_is_known_after_a_restart(via: Channel, kept: Outcome, wrong: bool) -> None:
    """Rule 38: from what was taken back, for 15 minutes, unless it took a page since; so nobody is marked by it, and
    messages go to another one.
    """
    now, minute = T0 + timedelta(minutes=14), timedelta(minutes=1)
    for later, since, expected in (
        (timedelta(0), (), wrong),
        (2 * minute, (), False),
        (timedelta(0), (tried(Accepted(), "bo", 1, via),), False),
    ):
        health = ProviderHealth(via, Notices(StillClock()))
        health.recall([tried(kept, "ana", 0, via), *since], now + later)
        assert (health.unwell, health.refuses_wrongly) == (expected, expected)
