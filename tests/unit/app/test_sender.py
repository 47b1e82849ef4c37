"""The sender on virtual time: order, attempts written before and after, retries, next channels, receipts, and its end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tocsin.app.delivery.message import message
from tocsin.app.delivery.parcels.delivery import Delivery
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.app.delivery.transports import Transports
from tocsin.app.state.incident_state import ChannelFailed
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import (
    Accepted,
    Attempt,
    Deferred,
    Fate,
    Fault,
    Outcome,
    Receipt,
    Refused,
    Uncertain,
    numbered_attempt,
)
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import NOBODY, Kind, Notification, Reason
from tocsin.domain.people import MAIN, Channel
from tocsin.formats.settings.settings import Settings

from tests.builders.active_config import settings
from tests.builders.daemon_parts import PAY, DaemonParts, letter, page_to
from tests.builders.policies import paging_policy
from tests.fakes.clock import StillClock
from tests.fakes.loop import VirtualClock, run_virtually

SMS, EMAIL = Channel.SMS, Channel.EMAIL
Story = Callable[[DaemonParts], Awaitable[None]]


def live(story: Story, seconds: float = 1.0) -> DaemonParts:
    """Let the sender run while something happens, and so long after it."""

    async def life(clock: VirtualClock) -> DaemonParts:
        parts = DaemonParts(clock)
        parts.declare()
        running = asyncio.create_task(parts.sender.run())
        await story(parts)
        await asyncio.sleep(seconds)
        running.cancel()
        return parts

    parts: DaemonParts = run_virtually(life)
    return parts


def page(parts: DaemonParts, via: Channel = SMS, person: str = "ana") -> Notification:
    """A page that is wanted now."""
    roles = "incident_commander" if person == "chen" else "technical_lead"
    return page_to(person, parts.clock.now(), via, roles)


def update(parts: DaemonParts, to: str = "eve", group: str = "execs", external: bool = False) -> Notification:
    """An update of now."""
    key = f"pay/1/update/{to}/{parts.clock.now():%H%M%S}/email"
    now = parts.clock.now()
    return Notification(key, "pay", 1, Kind.UPDATE, Reason.DECLARED, now, to, EMAIL, group=group, external=external)


def failed_events(parts: DaemonParts) -> list[ChannelFailed]:
    """The pages that went to look for another channel."""
    return [event for event in parts.incidents.state("pay").events if isinstance(event, ChannelFailed)]


def seconds(attempts: list[Attempt]) -> list[int]:
    """When attempts began, since the first."""
    return [round((attempt.started_at - attempts[0].started_at).total_seconds()) for attempt in attempts]


def test_an_attempt_is_written_before_it_leaves_and_after_it_ended() -> None:
    """P2: the ledger knows of a message before the provider does, and then what became of it."""
    known: list[int] = []

    async def story(parts: DaemonParts) -> None:
        parts.email._decide = lambda _message: known.append(len(parts.ledger.pages.attempts))
        await parts.enqueue(page(parts, EMAIL))

    parts = live(story)
    assert known == [1]
    attempt = parts.ledger.pages.attempts[0]
    assert (attempt.number, attempt.address, attempt.via) == (1, "ana@example.com", EMAIL)
    assert attempt.outcome == Accepted("M1")
    assert attempt.ended_at is not None
    assert parts.ledger.pages.states[attempt.reference][0] == "accepted"


def test_the_message_is_the_letter_addressed_by_the_config_in_force() -> None:
    """A changed address counts at once (rule 8), and the name is the person's."""

    async def story(parts: DaemonParts) -> None:
        people = parts.config.policy.people
        moved = replace(people["ana"], email="ana@example.net", name="Ana Souza")
        parts.config.replace(replace(parts.config.policy, people={**people, "ana": moved}), parts.config.settings)
        await parts.enqueue(page(parts, EMAIL))

    message = live(story).email.tries[0]
    assert (message.address, message.name, message.person) == ("ana@example.net", "Ana Souza", "ana")
    assert (
        message.content == letter(Notification("", "", 0, Kind.PAGE, Reason.DECLARED, message.at, "ana", EMAIL)).content
    )
    assert (message.incident, message.episode, message.kind, message.via) == ("pay", 1, "page", EMAIL)
    assert message.reference.startswith("pay/1/page/ana/")
    assert message.attempt == numbered_attempt(1)


@pytest.mark.parametrize(("kind", "valid_for"), [(Kind.PAGE, timedelta(hours=1)), (Kind.CLOSING, None)])
def test_only_a_page_grows_old_at_the_provider(kind: Kind, valid_for: timedelta | None) -> None:
    """A provider may keep a page for an hour; what else is told is kept as long as the provider likes."""

    async def story(parts: DaemonParts) -> None:
        await parts.enqueue(replace(page(parts), kind=kind))

    assert live(story).sms.tries[0].valid_for == valid_for


def test_a_page_nobody_wants_any_more_never_leaves() -> None:
    """Answered before its attempt: it is settled as unwanted, and no provider hears of it."""

    async def story(parts: DaemonParts) -> None:
        notification = page(parts)
        parts.incidents.state("pay").note([Answered(parts.clock.now(), "ana", Answer.OK)])
        parts.declare()
        await parts.enqueue(notification)

    parts = live(story)
    assert parts.sms.tries == []
    assert [state for state, _ in parts.ledger.pages.states.values()] == ["unwanted"]
    assert not parts.incidents.has_unsettled("pay")


def test_a_page_answered_between_two_attempts_is_tried_no_more() -> None:
    """It is asked before every attempt, not only before the first."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(Deferred("busy"), times=9)
        await parts.enqueue(page(parts))
        await asyncio.sleep(1)
        parts.incidents.state("pay").note([Answered(parts.clock.now(), "ana", Answer.OK)])
        parts.declare()

    parts = live(story, 120)
    assert len(parts.sms.tries) == 1
    assert [state for state, _ in parts.ledger.pages.states.values()] == ["unwanted"]


def test_an_older_update_is_superseded() -> None:
    """A newer update of its group exists: it never leaves, and the ledger says why."""

    async def story(parts: DaemonParts) -> None:
        notification = replace(update(parts), at=parts.clock.now() - timedelta(minutes=1))
        await parts.enqueue(notification)

    parts = live(story)
    assert parts.email.tries == []
    assert [state for state, _ in parts.ledger.pages.states.values()] == ["superseded"]


def test_whoever_left_the_config_gets_nothing() -> None:
    """P9: no address, no message; a page looks for no other channel of somebody who is not there."""

    async def story(parts: DaemonParts) -> None:
        await parts.enqueue(page(parts, person="zoe"))

    parts = live(story)
    assert parts.sms.tries == []
    assert [state for state, _ in parts.ledger.pages.states.values()] == ["unwanted"]


def test_pages_go_first_updates_last() -> None:
    """Among what waits for a channel: pages, then the rest, then updates, each in the order it came."""

    async def story(parts: DaemonParts) -> None:
        parts.email._takes = 5.0
        busy = [replace(update(parts), key=f"busy/{number}") for number in range(8)]
        await parts.enqueue(*busy)
        await asyncio.sleep(0.1)
        closing = replace(page(parts, EMAIL), kind=Kind.CLOSING, key="closing")
        first, second = (replace(page(parts, EMAIL), key=f"page/{number}") for number in (1, 2))
        await parts.enqueue(replace(update(parts), key="update"), closing, first, second)

    parts = live(story, 60)
    order = [message.reference for message in parts.email.tries if not message.reference.startswith("busy")]
    assert order == ["page/1", "page/2", "closing", "update"]


def test_the_worse_severity_goes_first_and_waits_only_for_what_is_under_way() -> None:
    """Rule 48: among pages the worse severity first, then the earlier instant; the last to come is the next to leave
    where its incident is the worst, however many wait.
    """

    async def story(parts: DaemonParts) -> None:
        parts.email._takes = 5.0
        policy = parts.config.policy
        severities = {**policy.severities, "sev2": replace(policy.severities["sev1"], name="sev2")}
        parts.config.replace(replace(policy, severities=severities), parts.config.settings)
        parts.declare(Incident("minor", "Slow search", "sev2"))
        mild = replace(page(parts, EMAIL), incident="minor", at=parts.clock.now() + timedelta(seconds=1))
        await parts.enqueue(*(replace(mild, key=f"minor/{number}") for number in range(40)))
        await asyncio.sleep(1)
        later = replace(mild, at=mild.at + timedelta(seconds=1), key="minor/later")
        earlier = replace(mild, at=mild.at - timedelta(seconds=1), key="minor/earlier")
        await parts.enqueue(later, earlier, replace(page(parts, EMAIL), key="grave"))

    parts = live(story, 80)
    order = [message.reference for message in parts.email.tries]
    assert order[4:6] == ["grave", "minor/earlier"]
    assert order[-1] == "minor/later"


def test_so_many_at_once_and_no_more() -> None:
    """A relay gets as many messages at once as its channel's traits say."""
    under_way: list[int] = []

    async def story(parts: DaemonParts) -> None:
        parts.email._takes = 10.0
        await parts.enqueue(*(replace(page(parts, EMAIL), key=f"page/{number}") for number in range(20)))
        await asyncio.sleep(1)
        under_way.append(len(parts.email.tries))

    live(story)
    assert under_way == [EMAIL.traits.at_once]


def test_a_temporary_failure_is_tried_again_and_goes_elsewhere_in_time() -> None:
    """Rule 37: the next channel within 30 s of the first attempt, once, while retries go on by the waits of rule 35."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(Deferred("busy"), times=5)
        await parts.enqueue(page(parts))

    parts = live(story, 120)
    assert failed_events(parts) == [ChannelFailed(failed_events(parts)[0].page, refused=False)]
    assert len(parts.sms.tries) == 6
    assert [attempt.possible_duplicate for attempt in parts.ledger.pages.attempts] == [""] * len(parts.sms.tries)


@pytest.mark.parametrize(
    ("outcome", "refused"),
    [(Refused("no such number", "21211"), True), (Deferred("login failed", "20003", Fault.PROVIDER), False)],
)
def test_what_no_retry_cures_goes_elsewhere_at_once(outcome: Outcome, refused: bool) -> None:
    """A refused address and a provider that only the config can mend: the page's next channel is asked for at once."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(outcome)
        await parts.enqueue(page(parts))

    parts = live(story)
    assert [event.refused for event in failed_events(parts)] == [refused]
    causes = [notice.cause for notice in parts.notices.take()]
    assert causes == (["address-refused:ana's number"] if refused else ["provider-refuses:SMS:20003"])


def test_a_refused_update_is_noted_and_tried_no_more() -> None:
    """The address is refused for the episode, by whatever kind of message it was found out."""

    async def story(parts: DaemonParts) -> None:
        parts.email.next(Refused("no such mailbox", "550"))
        await parts.enqueue(update(parts))

    parts = live(story, 3600)
    assert len(parts.email.tries) == 1
    assert [event.refused for event in failed_events(parts)] == [True]
    assert [state for state, _ in parts.ledger.pages.states.values()] == ["refused"]


def test_an_update_that_is_deferred_asks_for_no_other_channel() -> None:
    """Only a page may go by a channel that nobody chose for it."""

    async def story(parts: DaemonParts) -> None:
        parts.email.next(Deferred("greylisted"), times=2)
        await parts.enqueue(update(parts))

    assert failed_events(live(story, 100)) == []


def test_words_for_operators_never_become_events() -> None:
    """What is outside the plan belongs to no incident's history."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(Refused("no", "21211"))
        await parts.enqueue(replace(page(parts), kind=Kind.OPERATOR, incident="-"))

    parts = live(story)
    assert parts.incidents.state("-").events == []


def test_a_page_that_hangs_goes_elsewhere_while_it_hangs() -> None:
    """Rule 37 counts from when the attempt began, not from when it ended."""

    async def story(parts: DaemonParts) -> None:
        parts.sms._takes = 120.0
        await parts.enqueue(page(parts))
        await asyncio.sleep(26)
        assert len(failed_events(parts)) == 1

    assert len(failed_events(live(story, 200))) == 1


def test_a_page_that_waits_for_its_turn_goes_elsewhere_in_time() -> None:
    """Rule 70: the span runs from the page's instant, also while sixteen others are on their way before it."""

    async def story(parts: DaemonParts) -> None:
        parts.sms._takes = 600.0
        await parts.enqueue(*(replace(page(parts), key=f"a{number}") for number in range(40)))
        await asyncio.sleep(24.9)
        assert failed_events(parts) == []

    assert len(failed_events(live(story, 0.2))) == 40


def test_nobody_waits_for_a_provider_that_has_just_hung() -> None:
    """Rule 70: pages behind a try that ran into its deadline go elsewhere at once, and so do those that come after it."""

    async def story(parts: DaemonParts) -> None:
        parts.email._takes = 10.0
        parts.email.next(Deferred("no answer within 10 s"), times=40)
        await parts.enqueue(*(replace(page(parts, EMAIL), key=f"a{number}") for number in range(20)))
        await asyncio.sleep(9.9)
        assert failed_events(parts) == []
        await asyncio.sleep(0.2)
        behind = len(failed_events(parts))
        await parts.enqueue(replace(page(parts, EMAIL), key="b"))
        await asyncio.sleep(0.1)
        assert (behind, len(failed_events(parts))) == (20, 21)

    live(story)


def test_an_accepted_page_goes_nowhere_else() -> None:
    """With a receipt in time the page is done; nobody is paged twice for nothing."""

    async def story(parts: DaemonParts) -> None:
        await parts.enqueue(page(parts))

    parts = live(story, 600)
    assert failed_events(parts) == []
    assert parts.ledger.pages.attempts[0].receipt is Receipt.DELIVERED


def test_an_uncertain_sms_is_looked_up_before_any_second_copy() -> None:
    """Rule 40: at 1, 3, 7 and 15 s; when the provider surely has it not, it goes once more, and says why it may be one
    too many.
    """

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(Uncertain("the answer did not come"), arrives=False)
        await parts.enqueue(page(parts))

    parts = live(story, 20)
    attempts = parts.ledger.pages.attempts
    assert seconds(attempts) == [0, 15]
    assert [attempt.possible_duplicate for attempt in attempts] == ["", "the answer did not come"]


def test_an_uncertain_sms_that_the_provider_has_is_accepted() -> None:
    """Found by its reference: no second copy, and the first attempt's end is written anew."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(Uncertain("the answer did not come"), arrives=True)
        await parts.enqueue(page(parts))

    parts = live(story, 600)
    assert len(parts.sms.tries) == 1
    assert parts.ledger.pages.attempts[0].outcome == Accepted("M1")
    assert [state for state, _ in parts.ledger.pages.states.values()] == ["accepted"]


def test_an_uncertain_mail_goes_again_after_half_a_minute_under_the_same_reference() -> None:
    """Rule 40: a relay cannot be asked; the copy bears the same reference, hence the same Message-ID, and is marked."""

    async def story(parts: DaemonParts) -> None:
        parts.email.next(Uncertain("lost in DATA"))
        await parts.enqueue(page(parts, EMAIL))

    parts = live(story, 60)
    assert seconds(parts.ledger.pages.attempts) == [0, 30]
    assert len({message.reference for message in parts.email.tries}) == 1
    assert parts.ledger.pages.attempts[1].possible_duplicate == "lost in DATA"


def test_an_attempt_without_an_end_is_of_unknown_fate() -> None:
    """After a kill: it is looked up like any uncertain one, never sent again blindly (rule 40)."""

    async def story(parts: DaemonParts) -> None:
        notification = page(parts)
        begun = Attempt("1", notification.key, 1, SMS, "+14155550101", parts.clock.now())
        await parts.ledger.record("pay", (), [letter(notification)], ())
        parts.ledger.pages.attempts.append(begun)
        parts.sender.enqueue([replace(letter(notification), attempts=(begun,))])
        await asyncio.sleep(0.5)
        assert parts.sms.tries == []

    parts = live(story, 20)
    assert len(parts.sms.tries) == 1
    assert isinstance(parts.ledger.pages.attempts[0].outcome, Uncertain)
    assert parts.ledger.pages.attempts[1].possible_duplicate == "killed during the send"


def test_a_letter_given_twice_is_sent_once() -> None:
    """The key names one intended message (P3)."""

    async def story(parts: DaemonParts) -> None:
        notification = page(parts)
        await parts.enqueue(notification)
        parts.sender.enqueue([letter(notification)])

    assert len(live(story).sms.tries) == 1


def test_a_full_ledger_lets_two_copies_of_a_page_out_and_no_update() -> None:
    """Rule 44: pages from memory, at most two a process, each marked; anything else waits until it can be written."""

    async def story(parts: DaemonParts) -> None:
        parts.ledger.trouble = "no space left"
        parts.sms.next(Deferred("busy"), times=3)
        parts.email.next(Uncertain("lost"), times=9)
        await parts.enqueue(page(parts, EMAIL), recorded=False)
        await parts.enqueue(update(parts), recorded=False)

    parts = live(story, 300)
    assert [message.kind for message in parts.email.tries] == ["page", "page"]
    assert all(message.attempt == "" for message in parts.email.tries)


def test_what_left_from_memory_is_written_down_when_the_ledger_is_back() -> None:
    """Its attempts with their ends and marks, then how it was settled; and it goes no more."""

    async def story(parts: DaemonParts) -> None:
        notification = page(parts, EMAIL)
        parts.ledger.trouble = "no space left"
        await parts.enqueue(notification, recorded=False)
        await asyncio.sleep(5)
        parts.ledger.trouble = ""
        await parts.enqueue(notification)

    parts = live(story, 60)
    assert len(parts.email.tries) == 1
    attempt = parts.ledger.pages.attempts[0]
    assert (attempt.outcome, attempt.possible_duplicate) == (Accepted("M1"), "the ledger could not be written")
    assert [state for state, _ in parts.ledger.pages.states.values()] == ["accepted"]
    assert not parts.incidents.has_unsettled("pay")


def test_a_notice_to_operators_leaves_from_memory_and_is_written_down_later() -> None:
    """Rule 71: while the ledger cannot be written operators hear of it all the same, once, marked; it is recorded once
    the ledger is back, and nothing goes on trying.
    """
    keys: list[str] = []

    async def story(parts: DaemonParts) -> None:
        now = parts.clock.now()
        key = f"-/0/operator/{now:%H%M%S}/ana/email"
        notice = Notification(key, NOBODY, 0, Kind.OPERATOR, Reason.TROUBLE, now, "ana", EMAIL)
        keys.append(key)
        parts.ledger.trouble = "no space left"
        await parts.enqueue(notice, recorded=False)
        await asyncio.sleep(60)
        assert [message.kind for message in parts.email.tries] == ["operator"]
        assert not parts.ledger.pages.letters
        parts.ledger.trouble = ""

    parts = live(story, 10)
    assert len(parts.email.tries) == 1
    (attempt,) = parts.ledger.pages.attempts
    assert (attempt.reference, attempt.possible_duplicate) == (keys[0], "the ledger could not be written")
    assert parts.ledger.pages.states[keys[0]][0] == "accepted"
    assert not parts.sender.open


def test_a_notice_of_uncertain_fate_leaves_memory_once() -> None:
    """Rule 71: a notice that may have left is not said again and again while the ledger cannot be written."""

    async def story(parts: DaemonParts) -> None:
        parts.ledger.trouble = "no space left"
        parts.email.next(Uncertain("lost"), times=9)
        now = parts.clock.now()
        notice = Notification("-/0/operator/1", NOBODY, 0, Kind.OPERATOR, Reason.TROUBLE, now, "ana", EMAIL)
        await parts.enqueue(notice, recorded=False)

    assert len(live(story, 300).email.tries) == 1


def test_no_receipt_for_three_minutes_goes_elsewhere_once() -> None:
    """Rule 34: the provider is asked a last time, then the page's next channel is asked for; the page itself is done."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.set_receipt("M1", Receipt.SENT)
        await parts.enqueue(page(parts))
        await asyncio.sleep(179)
        assert failed_events(parts) == []

    parts = live(story, 600)
    assert [event.refused for event in failed_events(parts)] == [False]
    assert len(parts.sms.tries) == 1
    assert [state for state, _ in parts.ledger.pages.states.values()] == ["accepted"]


def test_an_answer_within_the_three_minutes_ends_the_wait() -> None:
    """Whoever answered has read it: nothing more goes out, and the provider is not asked."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.set_receipt("M1", Receipt.SENT)
        await parts.enqueue(page(parts))
        await asyncio.sleep(60)
        parts.incidents.state("pay").note([Answered(parts.clock.now(), "ana", Answer.OK)])
        parts.declare()

    parts = live(story, 600)
    assert failed_events(parts) == []
    assert parts.ledger.pages.attempts[0].receipt is None


@pytest.mark.parametrize(
    ("fate", "events"),
    [
        (Fate(Receipt.DELIVERED), []),
        (Fate(Receipt.UNDELIVERED), [False]),
        (Fate(Receipt.UNDELIVERED, Refused("unknown number", "30005")), [True]),
    ],
)
def test_a_receipt_is_acted_on_when_it_comes(fate: Fate, events: list[bool]) -> None:
    """Delivered ends the wait, undelivered asks for the next channel at once, a dead number is refused as well."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.set_receipt("M1", Receipt.SENT)
        await parts.enqueue(page(parts))
        await asyncio.sleep(1)
        assert parts.sender.on_receipt(parts.ledger.pages.attempts[0], fate)

    parts = live(story)
    assert [event.refused for event in failed_events(parts)] == events
    assert not parts.sender.on_receipt(parts.ledger.pages.attempts[0], fate), "it is settled by then"


def test_receipts_are_waited_for_only_where_they_are_given() -> None:
    """A relay's acceptance is the receipt (rule 34): the page is settled at once."""

    async def story(parts: DaemonParts) -> None:
        await parts.enqueue(page(parts, EMAIL))
        await asyncio.sleep(0.1)
        assert not parts.sender.open

    live(story)


def test_pages_that_await_a_receipt_are_named() -> None:
    """While they wait and are wanted; neither updates nor what is settled."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.set_receipt("M1", Receipt.SENT)
        await parts.enqueue(page(parts))
        await parts.enqueue(update(parts))
        await asyncio.sleep(1)
        assert [parcel.kind for parcel in parts.sender.awaiting()] == [Kind.PAGE]
        parts.declare(replace(PAY, status=Status.RESOLVED))
        assert parts.sender.awaiting() == ()

    live(story)


def test_draining_begins_nothing_new_and_waits_for_what_is_under_way() -> None:
    """SIGTERM: the attempt under way is written down with its end, the next in line is left for the next start."""
    drained: list[bool] = []

    async def story(parts: DaemonParts) -> None:
        parts.email._takes = 5.0
        await parts.enqueue(*(replace(page(parts, EMAIL), key=f"page/{number}") for number in range(20)))
        await asyncio.sleep(1)
        drained.append(await parts.sender.drain(30))

    parts = live(story, 60)
    assert drained == [True]
    ended = [attempt.outcome for attempt in parts.ledger.pages.attempts if attempt.outcome]
    assert len(parts.email.tries) == len(ended)
    assert len(ended) <= 2 * EMAIL.traits.at_once


def test_a_drain_that_takes_too_long_says_so() -> None:
    """It waits no longer than it was told to."""
    drained: list[tuple[bool, datetime]] = []

    async def story(parts: DaemonParts) -> None:
        parts.email._takes = 300.0
        await parts.enqueue(page(parts, EMAIL))
        await asyncio.sleep(1)
        drained.append((await parts.sender.drain(30), parts.clock.now()))

    parts = live(story)
    assert [done for done, _ in drained] == [False]
    assert round((drained[0][1] - parts.ledger.pages.attempts[0].started_at).total_seconds()) == 31


def test_retries_that_were_set_do_not_come_during_a_drain() -> None:
    """A timer that rings while draining begins no attempt."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(Deferred("busy"), times=9)
        await parts.enqueue(page(parts))
        await asyncio.sleep(1)
        await parts.sender.drain(30)

    assert len(live(story, 600).sms.tries) == 1


def test_a_sender_that_is_stuck_is_seen_from_outside() -> None:
    """The mark for the health check stands still once a step has been under way for over two minutes."""
    marks: list[timedelta] = []

    async def story(parts: DaemonParts) -> None:
        marks.append(parts.clock.now() - parts.sender.alive_at)
        parts.email._takes = 900.0
        await parts.enqueue(page(parts, EMAIL))
        for wait in (119, 3):
            await asyncio.sleep(wait)
            marks.append(parts.clock.now() - parts.sender.alive_at)

    live(story)
    assert [round(mark.total_seconds()) for mark in marks] == [0, 0, 122]


def test_a_new_config_takes_other_transports() -> None:
    """What the settings say from now on carries the next message; what is replaced is closed a minute later."""
    from tests.fakes.transport import MemoryTransport

    async def life(clock: VirtualClock) -> tuple[bool, bool, int]:
        parts = DaemonParts(clock)
        made: list[MemoryTransport] = []

        def make(_settings: object) -> dict[Channel, dict[str, MemoryTransport]]:
            made.append(MemoryTransport())
            return {via: {MAIN: made[-1]} for via in Channel}

        transports = type(parts.transports)(parts.config.settings, make)
        running = asyncio.create_task(transports.run())
        transports.apply(settings(replies={"by": "poll"}))
        assert len(made) == 1, "nothing that transports are made from has changed"
        transports.apply(settings(email={"sender": "other@example.com"}))
        assert transports.get(EMAIL, MAIN) is made[1]
        transports.apply(settings(email={"sender": "other@example.com"}))
        assert len(made) == 2, "the same settings again change nothing"
        await asyncio.sleep(59)
        early = made[0].closed
        await asyncio.sleep(2)
        running.cancel()
        await transports.close()
        return early, made[0].closed and made[1].closed, len(made)

    assert run_virtually(life) == (False, True, 2)


def test_transports_follow_the_public_address_only_where_receipts_come_to_it() -> None:
    """An SMS provider that calls back is told the new address; one that is asked does not care."""
    first, second = "https://one.example.com", "https://two.example.com"
    for by, expected in (("webhook", 2), ("poll", 1)):
        made: list[object] = []

        def make(new: Settings, made: list[object] = made) -> dict[Channel, Any]:
            made.append(new)
            return {}

        transports = Transports(settings(replies={"by": by}, public_url=first), make)
        transports.apply(settings(replies={"by": by}, public_url=second))
        assert len(made) == expected


def test_the_policy_is_the_one_in_force_when_the_attempt_begins() -> None:
    """Between two attempts the phone number changed: the second goes to the new one."""

    async def story(parts: DaemonParts) -> None:
        parts.sms.next(Deferred("busy"))
        await parts.enqueue(page(parts))
        await asyncio.sleep(1)
        policy = paging_policy()
        people = {**policy.people, "ana": replace(policy.people["ana"], phone="+14155550199")}
        parts.config.replace(replace(policy, people=people), parts.config.settings)

    parts = live(story, 5)
    assert [message.address for message in parts.sms.tries] == ["+14155550101", "+14155550199"]


def test_asking_for_receipts_holds_up_no_page() -> None:
    """A provider that hangs when it is asked what became of pages still gets the next page at once."""
    sent: list[int] = []

    async def story(parts: DaemonParts) -> None:
        async def hangs(_provider_id: str) -> Fate:
            await asyncio.sleep(600)
            return Fate(Receipt.UNKNOWN)

        parts.sms.fate = hangs  # type: ignore[method-assign]  # a provider that takes its time
        await parts.enqueue(*(replace(page(parts), key=f"page/{number}") for number in range(40)))
        await asyncio.sleep(185)
        await parts.enqueue(replace(page(parts), key="new"))
        await asyncio.sleep(1)
        sent.append(len(parts.sms.tries))

    live(story)
    assert sent == [41]


def test_a_receipt_that_comes_while_the_message_is_under_way_is_not_lost() -> None:
    """A provider may tell of a message before it has answered us: it is acted on right after the attempt."""

    async def story(parts: DaemonParts) -> None:
        parts.sms._takes = 5.0
        parts.sms.set_receipt("M1", Receipt.SENT)
        await parts.enqueue(page(parts))
        await asyncio.sleep(1)
        assert parts.sender.on_receipt(parts.ledger.pages.attempts[0], Fate(Receipt.UNDELIVERED, provider_id="M1"))

    assert [event.refused for event in failed_events(live(story, 10))] == [False]


def test_a_receipt_of_a_letter_that_was_never_tried_is_not_ours() -> None:
    """Nothing under way and no attempt: there is nothing to apply it to."""

    async def story(parts: DaemonParts) -> None:
        parts.email._takes = 60.0
        await parts.enqueue(*(replace(page(parts, EMAIL), key=f"page/{number}") for number in range(9)))
        await asyncio.sleep(0.1)
        unknown = Attempt("99", "page/8", 1, EMAIL, "ana@example.com", parts.clock.now())
        assert not parts.sender.on_receipt(unknown, Fate(Receipt.DELIVERED))

    live(story)


def test_a_letter_is_settled_at_the_instant_of_its_end() -> None:
    """The ledger says when, also after a slow provider."""

    async def story(parts: DaemonParts) -> None:
        parts.email._takes = 20.0
        await parts.enqueue(page(parts, EMAIL))

    parts = live(story, 30)
    ended_at = parts.ledger.pages.attempts[0].ended_at
    assert [at for _, at in parts.ledger.pages.states.values()] == [ended_at]


async def test_a_message_goes_to_the_address_of_its_attempt() -> None:
    """What was written down is what is sent, whatever the config says meanwhile."""
    parts = DaemonParts(StillClock())
    notification = page(parts)
    attempt = Attempt("7", notification.key, 1, SMS, "+14155550111", parts.clock.now())
    made = message(Parcel([Delivery(letter(notification))]), attempt, parts.context)
    assert (made.address, made.attempt) == ("+14155550111", "7")


def asked(parts: DaemonParts) -> list[Notification]:
    """The pages whose receipt is waited for."""
    return [parcel.lead.notification for parcel in parts.sender.awaiting()]


def test_a_page_answered_meanwhile_is_not_asked_for() -> None:
    """Between listing the pages that wait and asking for one, its reader may have answered."""
    questions: list[str] = []

    async def story(parts: DaemonParts) -> None:
        async def answers_meanwhile(provider_id: str) -> Fate:
            questions.append(provider_id)
            await asyncio.sleep(2)
            parts.incidents.state("pay").note([Answered(parts.clock.now(), "ana", Answer.OK)])
            parts.declare()
            return Fate(Receipt.SENT)

        await parts.enqueue(*(replace(page(parts), key=f"page/{number}") for number in range(6)))
        await asyncio.sleep(1)
        assert len(asked(parts)) == 6
        parts.sms.fate = answers_meanwhile  # type: ignore[method-assign]  # the world goes on
        await parts.receipts.ask()

    live(story)
    assert len(questions) == 4, "as many as are asked at once"


async def test_a_late_word_about_a_notice_to_operators_is_no_event() -> None:
    """Settled long ago and outside the plan: it belongs to no incident's history."""
    parts = DaemonParts(StillClock())
    notice = replace(page(parts), kind=Kind.OPERATOR, incident="-", to="olga")
    await parts.ledger.record("-", (), [letter(notice)], ())
    attempt = await parts.ledger.begin_attempt(notice.key, SMS, "+14155550106", parts.clock.now())
    await parts.ledger.end_attempt(attempt, Accepted("SM1"), parts.clock.now())
    arrival = Arrival(ArrivalKind.RECEIPT, "SM1:undelivered", str(attempt.id), "undelivered 30005", parts.clock.now())
    assert await parts.receipts.judge(arrival) == "refused"
    assert parts.incidents.state("-").events == []
    assert [notice.cause for notice in parts.notices.take()] == ["address-refused:olga's number"]
