"""Rules 49 and 50: which provider a message goes to, what goes on to the next one, and what operators hear of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.app.state.incident_state import RefusalWithdrawn
from tocsin.domain.delivery import Accepted, Attempt, Deferred, Fate, Fault, Outcome, Receipt, Refused, Uncertain
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel

from tests.builders.daemon_parts import DaemonParts, letter, page_to
from tests.fakes.loop import VirtualClock, run_virtually
from tests.unit.app.test_sender import failed_events

SMS, EMAIL = Channel.SMS, Channel.EMAIL
BUSY = Deferred("421 too many connections", "421")
DENIED = Deferred("535 authentication failed", "535", Fault.PROVIDER)

Story = Callable[[DaemonParts], Awaitable[None]]


def live(story: Story, seconds: float = 1.0) -> DaemonParts:
    """Two providers for each channel, an incident just declared, and the sender at work."""

    async def life(clock: VirtualClock) -> DaemonParts:
        parts = DaemonParts(clock, with_fallbacks=True)
        parts.declare()
        running = asyncio.create_task(parts.sender.run())
        await story(parts)
        await asyncio.sleep(seconds)
        running.cancel()
        return parts

    return run_virtually(life)


def page(parts: DaemonParts, via: Channel = EMAIL, person: str = "ana") -> Notification:
    return page_to(person, parts.clock.now(), via)


def word(parts: DaemonParts) -> Notification:
    """Something that is no page, and always wanted."""
    number, now = len(parts.ledger.pages.letters), parts.clock.now()
    key = f"pay/1/closing/eve/{number}/email"
    return Notification(key, "pay", 1, Kind.CLOSING, Reason.RESOLVED, now, "eve", EMAIL)


def went(parts: DaemonParts, notification: Notification) -> list[tuple[str, str]]:
    """Each row of it: the provider, and how that ended."""
    attempts = parts.attempts_of(notification)
    return [(attempt.provider, type(attempt.outcome).__name__) for attempt in attempts]


def words(parts: DaemonParts) -> list[str]:
    """The troubles that operators are to hear of."""
    return [f"{notice.headline}: {notice.text}" for notice in parts.notices.take()]


def over(parts: DaemonParts) -> list[str]:
    """What operators are to hear is over, if they were told of it."""
    return [f"{recovery.headline}: {recovery.text}" for recovery in parts.notices.take_recovered()]


async def fall_sick(parts: DaemonParts, via: Channel = EMAIL) -> None:
    """The first provider of that channel has just denied a message."""
    (parts.email if via is EMAIL else parts.sms).next(DENIED)
    await parts.enqueue(word(parts))
    await asyncio.sleep(1)


def test_while_all_is_well_the_first_carries_everything() -> None:
    """Rule 49: the fallback hears nothing of it, and each row names its provider."""

    async def story(parts: DaemonParts) -> None:
        await parts.enqueue(page(parts), page(parts, SMS, "chen"))

    parts = live(story)
    assert (len(parts.email.arrived), len(parts.sms.arrived)) == (1, 1)
    assert not parts.email_backup.tries + parts.sms_backup.tries
    assert {attempt.provider for attempt in parts.ledger.pages.attempts} == {"main"}


@pytest.mark.parametrize("via", Channel)
@pytest.mark.parametrize("failure", [BUSY, DENIED, Refused("554 spam", "554", Fault.MESSAGE)])
def test_what_surely_left_nothing_goes_on_at_once(via: Channel, failure: Outcome) -> None:
    """Rule 49: the page is out by the fallback in the same moment, by no other channel, with a row for each provider."""

    async def story(parts: DaemonParts) -> None:
        (parts.email if via is EMAIL else parts.sms).next(failure)
        parts.notification = page(parts, via)  # type: ignore[attr-defined]
        await parts.enqueue(parts.notification)  # type: ignore[attr-defined]

    parts = live(story, 0.2)
    notification = parts.notification  # type: ignore[attr-defined]
    assert went(parts, notification) == [("main", type(failure).__name__), ("backup", "Accepted")]
    assert [attempt.possible_duplicate for attempt in parts.attempts_of(notification)] == ["", ""]
    assert failed_events(parts) == []


TOO_BIG = Refused("552 5.3.4 message too big", "552", Fault.MESSAGE)


def test_a_page_goes_on_at_the_one_provider_that_has_not_refused_it() -> None:
    """Rules 35, 37, 49: a fallback that greylists, and so counts as sick, is tried again until it takes the page, though
    the first provider does not take this message; nobody hears that the page is lost.
    """

    async def story(parts: DaemonParts) -> None:
        parts.email.next(TOO_BIG)
        parts.email_backup.next(BUSY, times=4)
        wanted.append(page(parts))
        await parts.enqueue(*wanted)

    wanted = list[Notification]()
    parts = live(story, 60)
    assert went(parts, wanted[0]) == [("main", "Refused"), *[("backup", "Deferred")] * 4, ("backup", "Accepted")]
    assert parts.state_of(wanted[0]) == "accepted"
    assert [event.undelivered for event in failed_events(parts)] == [False], "the next channel after 30 s, and no more"
    assert not [told for told in words(parts) if "was refused" in told]


def test_a_page_is_not_given_up_because_the_last_one_asked_refused_it() -> None:
    """Rules 37, 49: another provider only failed in the same try, so it is tried there again."""

    async def story(parts: DaemonParts) -> None:
        await fall_sick(parts)
        parts.email.next(TOO_BIG)
        parts.email_backup.next(DENIED)
        wanted.append(page(parts))
        await parts.enqueue(*wanted)

    wanted = list[Notification]()
    parts = live(story, 90)
    assert went(parts, wanted[0]) == [("backup", "Deferred"), ("main", "Refused"), ("backup", "Accepted")]
    assert [event.undelivered for event in failed_events(parts)] == [False]


def test_what_every_provider_refuses_is_lost_and_told() -> None:
    """Rules 37, 66: once the last one has refused it too the page reached nobody, and operators hear of it."""

    async def story(parts: DaemonParts) -> None:
        parts.email.next(TOO_BIG)
        parts.email_backup.next(BUSY, times=2)
        parts.email_backup.next(TOO_BIG)
        wanted.append(page(parts))
        await parts.enqueue(*wanted)

    wanted = list[Notification]()
    parts = live(story, 60)
    assert parts.state_of(wanted[0]) == "refused"
    assert [event.undelivered for event in failed_events(parts)] == [True]
    (told,) = words(parts)
    assert "the email to ana about pay was refused" in told


def test_what_is_left_of_a_config_refused_it() -> None:
    """Rules 37, 66: the provider that might have taken the page is gone; it is not given up in silence."""

    async def story(parts: DaemonParts) -> None:
        wanted.append(page(parts))
        at = parts.clock.now()
        rows = [("main", TOO_BIG), ("gone", BUSY)]
        await parts.ledger.record("pay", (), [letter(wanted[0])], ())
        for name, outcome in (*rows, ("backup", TOO_BIG), ("gone", BUSY)):
            attempt = await parts.ledger.begin_attempt(wanted[0].key, EMAIL, "ana@example.com", at, provider=name)
            await parts.ledger.end_attempt(attempt, outcome, at)
        parts.sender.enqueue((replace(letter(wanted[0]), attempts=tuple(parts.attempts_of(wanted[0]))),))

    wanted = list[Notification]()
    parts = live(story, 60)
    assert parts.state_of(wanted[0]) == "refused"
    assert any(event.undelivered for event in failed_events(parts))
    (told,) = words(parts)
    assert "the email to ana about pay was refused" in told


def test_a_refused_address_goes_to_no_other_provider() -> None:
    """Rules 37, 49: it is about the address, which is the same there."""

    async def story(parts: DaemonParts) -> None:
        parts.email.next(Refused("550 5.1.1 no such user", "550"))
        await parts.enqueue(page(parts))

    parts = live(story, 30)
    assert not parts.email_backup.tries
    assert [event.refused for event in failed_events(parts)] == [True]


def test_what_nobody_confirmed_is_looked_up_where_it_went() -> None:
    """Rules 40, 49: the provider that may have it is asked, and no second copy leaves by another one before."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(Uncertain("no answer"), arrives=True)
        await parts.enqueue(page(parts, SMS))

    parts = live(story, 5)
    assert len(parts.sms.arrived) == 1
    assert not parts.sms_backup.tries


@pytest.mark.parametrize("via", Channel)
def test_what_is_not_found_goes_on_to_the_next_provider(via: Channel) -> None:
    """Rules 40, 49: after the look-ups, tagged with its cause; not to the one that has just lost it."""

    async def story(parts: DaemonParts) -> None:
        (parts.email if via is EMAIL else parts.sms).next(Uncertain("the connection broke"), times=5, arrives=False)
        parts.notification = page(parts, via)  # type: ignore[attr-defined]
        await parts.enqueue(parts.notification)  # type: ignore[attr-defined]

    parts = live(story, 40)
    assert went(parts, parts.notification) == [("main", "Uncertain"), ("backup", "Accepted")]  # type: ignore[attr-defined]
    first, second = parts.attempts_of(parts.notification)  # type: ignore[attr-defined]
    assert (first.possible_duplicate, second.possible_duplicate) == ("", "the connection broke")


def test_after_a_kill_the_look_up_goes_to_the_provider_of_the_try() -> None:
    """Rule 40: the next process knows from the row whom to ask, also that the config has it no more."""

    async def story(parts: DaemonParts) -> None:
        notification = page(parts, SMS)
        await parts.ledger.record("pay", (), [], ())
        begun = await _begun(parts, notification, "backup")
        assert begun.provider == "backup"

    async def _begun(parts: DaemonParts, notification: Notification, provider: str):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        from tests.builders.daemon_parts import letter

        await parts.ledger.record("pay", (), [letter(notification)], ())
        begun = await parts.ledger.begin_attempt(
            notification.key, SMS, "+14155550101", parts.clock.now(), provider=provider
        )
        await parts.sms_backup.send(_message(parts, notification))
        parts.sender.enqueue([replace(letter(notification), attempts=(begun,))])
        return begun

    parts = live(story, 20)
    assert not parts.sms.tries
    assert len(parts.sms_backup.arrived) == 1
    (attempt,) = parts.ledger.pages.attempts
    assert attempt.outcome == Accepted("M1")


def _message(parts: DaemonParts, notification: Notification):  # type: ignore[no-untyped-def]
    from tocsin.app.delivery.message import message
    from tocsin.app.delivery.parcels.delivery import Delivery
    from tocsin.app.delivery.parcels.parcel import Parcel
    from tocsin.domain.delivery import Attempt

    from tests.builders.daemon_parts import letter

    attempt = Attempt("1", notification.key, 1, SMS, "+14155550101", parts.clock.now())
    return message(Parcel([Delivery(letter(notification))]), attempt, parts.context)


def test_a_try_at_a_provider_that_left_the_config_stays_uncertain() -> None:
    """Nobody can be asked; it does not end the daemon, and leaves once more, tagged."""

    async def story(parts: DaemonParts) -> None:
        from dataclasses import replace

        from tests.builders.daemon_parts import letter

        notification = page(parts, SMS)
        await parts.ledger.record("pay", (), [letter(notification)], ())
        begun = await parts.ledger.begin_attempt(
            notification.key, SMS, "+14155550101", parts.clock.now(), provider="gone"
        )
        parts.sender.enqueue([replace(letter(notification), attempts=(begun,))])

    parts = live(story, 30)
    assert [(one.provider, bool(one.possible_duplicate)) for one in parts.ledger.pages.attempts] == [
        ("gone", False),
        ("main", True),
    ]


def test_a_sick_provider_is_left_out_until_it_takes_something_again() -> None:
    """Rules 49, 50: after a failure of its own everything goes to the fallback, but for one message each 60 s."""

    async def story(parts: DaemonParts) -> None:
        await fall_sick(parts)
        parts.email.next(DENIED, times=2)
        for _ in range(150):
            await parts.enqueue(word(parts))
            await asyncio.sleep(1)

    parts = live(story)
    assert len(parts.email.tries) == 1 + 2 + 0
    assert len(parts.email_backup.arrived) == 151


def test_an_update_finds_out_before_a_page_does() -> None:
    """Rule 50: while one waits, no page is spent on a sick provider."""

    async def story(parts: DaemonParts) -> None:
        await fall_sick(parts)
        await asyncio.sleep(60)
        await parts.enqueue(*(page(parts, person=name) for name in ("ana", "chen")), word(parts))

    parts = live(story)
    assert [message.kind for message in parts.email.tries] == [Kind.CLOSING, Kind.CLOSING]
    assert [message.kind for message in parts.email_backup.tries] == [Kind.CLOSING, Kind.PAGE, Kind.PAGE]


def test_without_an_update_a_page_finds_out_and_is_not_late() -> None:
    """Rule 50: it goes on to the fallback in the same moment."""

    async def story(parts: DaemonParts) -> None:
        await fall_sick(parts)
        await asyncio.sleep(60)
        parts.email.next(DENIED)
        parts.notification = page(parts)  # type: ignore[attr-defined]
        await parts.enqueue(parts.notification)  # type: ignore[attr-defined]

    parts = live(story, 0.2)
    assert went(parts, parts.notification) == [("main", "Deferred"), ("backup", "Accepted")]  # type: ignore[attr-defined]


def test_once_all_are_sick_every_message_tries_them_the_oldest_failure_first() -> None:
    """Rules 49, 50: nobody waits a minute then; the page also goes by its next channel at once."""

    async def story(parts: DaemonParts) -> None:
        await fall_sick(parts)
        parts.email_backup.next(DENIED)
        await parts.enqueue(word(parts))
        await asyncio.sleep(1)
        parts.email.next(DENIED)
        parts.email_backup.next(DENIED)
        parts.notification = page(parts)  # type: ignore[attr-defined]
        await parts.enqueue(parts.notification)  # type: ignore[attr-defined]

    parts = live(story, 0.5)
    assert went(parts, parts.notification) == [("main", "Deferred"), ("backup", "Deferred")]  # type: ignore[attr-defined]
    assert len(failed_events(parts)) == 1


def test_nobody_waits_for_a_provider_that_has_just_hung() -> None:
    """Rules 49, 70: the pages behind the one that ran into the deadline go to the fallback, by no other channel."""

    async def story(parts: DaemonParts) -> None:
        parts.email._takes = 10.0
        parts.email.next(Deferred("did not answer within 10 s"), times=40)
        for person in ("ana", "bo", "chen", "eve"):
            await parts.enqueue(page(parts, person=person))
        await asyncio.sleep(11)
        await parts.enqueue(page(parts, person="dai"))

    parts = live(story, 0.5)
    assert len(parts.email_backup.arrived) >= 4
    assert failed_events(parts) == []


def test_pages_that_an_only_provider_turned_down_leave_when_it_is_well_again() -> None:
    """They wait a minute at a time for it, and not after it took something."""

    async def life(clock: VirtualClock) -> DaemonParts:
        parts = DaemonParts(clock)
        parts.declare()
        running = asyncio.create_task(parts.sender.run())
        parts.email.next(DENIED)
        await parts.enqueue(page(parts))
        await asyncio.sleep(5)
        await parts.enqueue(word(parts))
        await asyncio.sleep(2)
        running.cancel()
        return parts

    parts = run_virtually(life)
    assert [arrived.message.kind for arrived in parts.email.arrived] == [Kind.CLOSING, Kind.PAGE]


def test_operators_hear_of_the_change_and_of_the_return() -> None:
    """Rules 39, 50: which provider is sick and why, what to do, and that messages leave by which other one."""

    async def story(parts: DaemonParts) -> None:
        await fall_sick(parts)
        parts.told = words(parts)  # type: ignore[attr-defined]
        await asyncio.sleep(60)
        await parts.enqueue(word(parts))

    parts = live(story)
    (told,) = parts.told  # type: ignore[attr-defined]
    assert told.startswith('the mail server "main" is sick: ')
    assert "TOCSIN_EMAIL__PASSWORD" in told
    assert ': messages leave by "backup" meanwhile; ' in told, "what calms comes first: an SMS has room for little more"
    assert [word for word in over(parts) if '"main" is well again' in word] == [
        'the mail server "main" is well again: the mail server "main" takes messages again'
    ]


def test_operators_hear_when_nothing_leaves_any_more() -> None:
    """Rule 39: once the fallback fails too, it is the channel that they hear of, and its end."""

    async def story(parts: DaemonParts) -> None:
        await fall_sick(parts)
        words(parts)
        parts.email_backup.next(DENIED)
        parts.email.next(DENIED)
        await parts.enqueue(word(parts))
        await asyncio.sleep(1)
        parts.told = words(parts)  # type: ignore[attr-defined]
        await parts.enqueue(word(parts))

    parts = live(story)
    assert [word.partition(":")[0] for word in parts.told] == ["Messages by email do not leave"]  # type: ignore[attr-defined]
    assert "Messages by email leave again" in {word.partition(":")[0] for word in over(parts)}


SUSPENDED = Deferred("5.7.1 account suspended", "550", Fault.PROVIDER)


def test_each_of_two_sick_providers_is_told_with_its_own_cause() -> None:
    """Rules 39, 50: the second cause is news though the first was told; nothing is told that leaves by a sick one, and
    the same two causes are not told again.
    """

    async def story(parts: DaemonParts) -> None:
        parts.email.next(DENIED, times=4)
        parts.email_backup.next(SUSPENDED, times=4)
        parts.told = []  # type: ignore[attr-defined]
        for _number in range(3):
            await parts.enqueue(word(parts))
            await asyncio.sleep(1)
            parts.told.append(words(parts))  # type: ignore[attr-defined]

    parts = live(story)
    ((told,), *more) = parts.told  # type: ignore[attr-defined]
    assert told.startswith("Messages by email do not leave: ")
    assert all(part in told for part in ("535", "TOCSIN_EMAIL__PASSWORD", "account suspended", '"backup"', '"main"'))
    assert "messages leave by" not in told
    assert more == [[], []]


def test_what_came_up_last_is_told_first_when_nothing_leaves_any_more() -> None:
    """Rule 39: by SMS there is room for one cure, and that of the first was told."""

    async def story(parts: DaemonParts) -> None:
        await fall_sick(parts)
        words(parts)
        parts.email.next(DENIED, times=2)
        parts.email_backup.next(SUSPENDED, times=2)
        for _number in range(2):
            await parts.enqueue(word(parts))
            await asyncio.sleep(1)

    (told,) = words(live(story))
    assert told.index("account suspended") < told.index("authentication failed")


def test_another_cause_of_the_same_provider_is_news_within_the_hour() -> None:
    """Rule 39: the password was mended, now the account is suspended: that needs another action."""

    async def story(parts: DaemonParts) -> None:
        await fall_sick(parts)
        words(parts)
        await asyncio.sleep(61)
        parts.email.next(SUSPENDED)
        await parts.enqueue(word(parts))

    (told,) = words(live(story))
    assert "account suspended" in told
    assert told.startswith('the mail server "main" is sick: messages leave by "backup" meanwhile')


def test_who_is_still_sick_when_the_channel_is_back_is_told() -> None:
    """Rules 39, 50: both were sick and nothing had left yet of that; "main" is well, "backup" is not, and is told."""

    async def story(parts: DaemonParts) -> None:
        parts.email.next(DENIED)
        parts.email_backup.next(SUSPENDED)
        await parts.enqueue(word(parts))
        await asyncio.sleep(0.5)
        await parts.enqueue(word(parts))

    parts = live(story)
    (told,) = words(parts)
    assert told.startswith('the mail server "backup" is sick: messages leave by "main" meanwhile')
    assert "account suspended" in told
    (again,) = [word for word in over(parts) if word.startswith("Messages by email")]
    assert again == (
        'Messages by email leave again: the mail server "main" takes messages again; "backup" is still sick'
    )


def test_three_that_time_may_cure_are_told_too_where_a_fallback_takes_them() -> None:
    """Rules 39, 50: no message fails three times then, and yet the operators hear of the change."""

    async def story(parts: DaemonParts) -> None:
        parts.email.next(BUSY, times=3)
        for _number in range(3):
            await parts.enqueue(word(parts))
            await asyncio.sleep(1)

    (told,) = words(live(story))
    assert told.startswith('the mail server "main" is sick: ')


def test_receipts_are_asked_for_at_the_provider_that_has_the_message() -> None:
    """Rules 42, 50."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(BUSY)
        parts.sms_backup.set_receipt("M1", Receipt.UNDELIVERED)
        await parts.enqueue(page(parts, SMS))
        await asyncio.sleep(1)
        await parts.receipts.ask()

    parts = live(story)
    assert len(failed_events(parts)) == 1


def test_a_receipt_tells_of_its_own_provider() -> None:
    """Rule 38: what one account does not deliver says nothing of the other."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(BUSY)
        notification = page(parts, SMS)
        await parts.enqueue(notification)
        await asyncio.sleep(1)
        taken = parts.attempts_of(notification)[-1]
        await parts.sender.judge_fate(
            [(taken, notification)], Fate(Receipt.UNDELIVERED, code="30034", fault=Fault.PROVIDER)
        )

    (told,) = words(live(story))
    assert "30034" in told


def test_which_provider_is_due() -> None:
    """Rule 50: one message each 60 s, whoever gets it, counted from the last failure or the last such message."""

    async def story(parts: DaemonParts) -> None:
        await fall_sick(parts)
        now, choose = parts.clock.now(), parts.providers.choose
        assert choose(EMAIL, Kind.UPDATE, now).name == "backup"  # type: ignore[union-attr]
        later = now + timedelta(seconds=60)
        assert choose(EMAIL, Kind.PAGE, later, others_wait=True).name == "backup"  # type: ignore[union-attr]
        assert choose(EMAIL, Kind.UPDATE, later, others_wait=True).name == "main"  # type: ignore[union-attr]
        assert choose(EMAIL, Kind.UPDATE, later).name == "backup"  # type: ignore[union-attr]
        assert choose(EMAIL, Kind.PAGE, later + timedelta(seconds=60)).name == "main"  # type: ignore[union-attr]
        assert choose(EMAIL, Kind.PAGE, later, {"backup"}) is None
        assert choose(EMAIL, Kind.PAGE, later, {"main", "backup"}) is None

    live(story)


def test_a_provider_that_refuses_everybody_is_passed_over() -> None:
    """Rules 38, 49: the third address that it refuses in a row goes to the next provider at once, and not once more after
    that; the two before are good again; a fourth goes to the next provider alone.
    """
    unknown = Refused("550 5.1.1 no such user", "550")

    async def story(parts: DaemonParts) -> None:
        parts.email.next(unknown, times=3)
        for wanted in pages:
            wanted = page(parts, person=wanted)
            await parts.enqueue(wanted)
            await asyncio.sleep(0.1)
            sent.append(wanted)
        assert [went(parts, wanted) for wanted in sent] == [
            [("main", "Refused")],
            [("main", "Refused")],
            [("main", "Refused"), ("backup", "Accepted")],
            [("backup", "Accepted")],
        ]
        (told,) = words(parts)
        assert "is email.host the server that sends for you" in told
        assert "backup" in told

    pages, sent = ("ana", "bo", "olga", "chen"), list[Notification]()
    events = live(story).incidents.state("pay").events
    taken_back = [event for event in events if isinstance(event, RefusalWithdrawn)]
    assert [(event.notification.to, event.stand_in) for event in taken_back] == [("ana", True), ("bo", True)]


def test_what_cures_a_fallback_names_its_own_settings() -> None:
    """Rule 39: not those of the first, which is well."""

    async def story(parts: DaemonParts) -> None:
        parts.email.next(DENIED)
        parts.email_backup.next(DENIED)
        await parts.enqueue(word(parts))

    told = words(live(story))
    assert any("TOCSIN_EMAIL__FALLBACKS__BACKUP__PASSWORD and email.fallbacks.backup.username" in line for line in told)


def test_the_first_that_is_taken_after_a_start_frees_the_pages_of_the_process_before() -> None:
    """Rules 48, 50: what the process before had tried in vain waits no longer than what is new."""
    parts_of_page: list[Notification] = []

    async def story(parts: DaemonParts) -> None:
        notification = page(parts)
        parts_of_page.append(notification)
        failed = [
            Attempt(
                str(n),
                notification.key,
                n,
                EMAIL,
                "ana@example.com",
                parts.clock.now(),
                DENIED,
                parts.clock.now(),
                provider=name,
            )
            for n, name in enumerate(["main", "backup"] * 6, 1)
        ]
        await parts.ledger.record("pay", (), [letter(notification)], ())
        parts.sender.enqueue([replace(letter(notification), attempts=tuple(failed))])
        await asyncio.sleep(5)
        await parts.enqueue(word(parts))

    parts = live(story, 2)
    assert [message.person for message in parts.email.tries] == ["eve", "ana"]
