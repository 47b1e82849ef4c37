"""The sender's small parts: a letter on its way, the log of attempts, the queue, a provider's health, refused addresses."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.adapters.twilio.responses import fate
from tocsin.app.delivery.lanes import rank
from tocsin.app.delivery.parcels.attempt_log import AttemptLog
from tocsin.app.delivery.parcels.delivery import Delivery
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.app.delivery.parcels.queue import SendQueue
from tocsin.app.delivery.provider_health import ProviderHealth
from tocsin.app.delivery.refusals.refusal_notice import refusal_notice
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.delivery import (
    NOT_LEADING,
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
from tocsin.domain.notification import Kind
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.people import Channel
from tocsin.wording.delivery.answer_words import undelivered_cure

from tests.builders.daemon_parts import DaemonParts, letter, page_to
from tests.builders.instants import T0
from tests.builders.policies import paging_policy
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger
from tests.fakes.loop import VirtualClock, run_virtually

SMS, EMAIL = Channel.SMS, Channel.EMAIL
PAGE = page_to("ana", T0)
SECOND = timedelta(seconds=1)


def attempt(number: int, outcome: Outcome | None = None, id_: str = "", **changes: object) -> Attempt:
    """An attempt at the page; without an id the ledger does not know of it."""
    at = T0 + number * SECOND
    made = Attempt(id_, PAGE.key, number, SMS, "+14155550101", at, outcome=outcome, ended_at=at if outcome else None)
    return replace(made, **changes)  # type: ignore[arg-type]  # a table of fields


async def written(*attempts: Attempt, **changes: object) -> tuple[Delivery, MemoryLedger, AttemptLog]:
    """A delivery whose letter the ledger has."""
    ledger = MemoryLedger()
    await ledger.record("pay", (), [letter(PAGE)], ())
    delivery = Delivery(letter(PAGE), attempts=list(attempts), **changes)  # type: ignore[arg-type]  # a table of fields
    return delivery, ledger, AttemptLog(ledger, Incidents(Agenda()))


async def test_an_attempt_begins_in_the_ledger() -> None:
    """With its number, its address and why an earlier copy may have left."""
    delivery, ledger, log = await written(possible_duplicate="lost in DATA")
    (begun,) = await log.begin(Parcel([delivery]), "+14155550101", T0)
    assert begun == ledger.pages.attempts[0]
    assert begun == Attempt(
        numbered_attempt(1), PAGE.key, 1, SMS, "+14155550101", T0, possible_duplicate="lost in DATA"
    )


async def test_pages_begin_without_the_ledger_twice_at_most() -> None:
    """Rule 44: copies that left or may have left count; one that surely did not leave does not."""
    left = [attempt(1, Deferred("busy")), attempt(2, Accepted("M1")), attempt(3, Uncertain("lost"))]
    for attempts, goes in ((left[:1], True), (left[:2], True), (left, False)):
        delivery, ledger, log = await written(*attempts)
        ledger.trouble = "disk full"
        begun = await log.begin(Parcel([delivery]), "+14155550101", T0)
        assert [(one.id, one.number) for one in begun] == [("", len(attempts) + 1)] * goes
        assert [one.possible_duplicate for one in begun] == ["the ledger could not be written"] * goes


async def test_nothing_else_begins_without_the_ledger() -> None:
    """An update that cannot be written down waits."""
    ledger = MemoryLedger()
    ledger.trouble = "disk full"
    update = Delivery(letter(replace(PAGE, kind=Kind.UPDATE)))
    assert await AttemptLog(ledger, Incidents(Agenda())).begin(Parcel([update]), "+14155550101", T0) == ()


async def test_a_letter_the_ledger_does_not_know_cannot_be_written_down() -> None:
    """Its attempts wait in memory until the letter is recorded."""
    delivery, ledger, log = await written()
    delivery.recorded = False
    (begun,) = await log.begin(Parcel([delivery]), "+14155550101", T0)
    assert begun.id == ""
    assert ledger.pages.attempts == []
    assert not await log.save_pending(Parcel([delivery]))


async def test_what_the_ledger_lacks_is_given_when_it_is_back() -> None:
    """Attempts from memory are begun and ended, then the letter is settled, and nothing is given twice."""
    first, second = attempt(1, Accepted("M1")), attempt(2, Refused("no"))
    delivery, ledger, log = await written(first, second)
    delivery.mark_unsaved(first)
    delivery.mark_unsaved(second)
    delivery.state, delivery.settled_at = "accepted", T0
    ledger.trouble = "disk full"
    assert not await log.save_pending(Parcel([delivery]))
    assert len(delivery.unsaved) == 2
    ledger.trouble = ""
    assert await log.save_pending(Parcel([delivery]))
    assert [known.outcome for known in ledger.pages.attempts] == [Accepted("M1"), Refused("no")]
    assert ledger.pages.states == {PAGE.key: ("accepted", T0)}
    assert delivery.unsaved == []
    assert [known.id for known in delivery.attempts] == [numbered_attempt(1), numbered_attempt(2)]
    assert await log.save_pending(Parcel([delivery]))
    assert len(ledger.pages.attempts) == 2


async def test_half_of_it_written_is_not_begun_again() -> None:
    """Trouble after the beginnings: the next time only the ends are written."""
    first = attempt(1, Accepted("M1"))
    delivery, ledger, log = await written(first)
    delivery.mark_unsaved(first)
    begin = ledger.begin_attempt

    async def then_trouble(*arguments: object, provider: str = "") -> Attempt:
        begun = await begin(*arguments, provider=provider)  # type: ignore[arg-type]  # as they came
        ledger.trouble = "disk full"
        return begun

    ledger.begin_attempt = then_trouble  # type: ignore[method-assign]  # the disk fills up in between
    assert not await log.save_pending(Parcel([delivery]))
    ledger.begin_attempt, ledger.trouble = begin, ""  # type: ignore[method-assign]
    assert await log.save_pending(Parcel([delivery]))
    assert len(ledger.pages.attempts) == 1
    assert ledger.pages.attempts[0].outcome == Accepted("M1")


async def test_a_receipt_is_noted_only_where_the_attempt_is_known() -> None:
    """Trouble loses only the note; an attempt from memory has no row."""
    delivery, ledger, log = await written()
    (begun,) = await log.begin(Parcel([delivery]), "+14155550101", T0)
    assert begun
    await log.receipt([attempt(1)], Fate(Receipt.DELIVERED), T0)
    assert ledger.pages.attempts[0].receipt is None
    ledger.trouble = "disk full"
    await log.receipt([begun], Fate(Receipt.DELIVERED), T0)
    ledger.trouble = ""
    await log.receipt([begun], Fate(Receipt.SENT), T0)
    assert ledger.pages.attempts[0].receipt is Receipt.SENT


def test_the_newest_end_of_an_attempt_is_what_is_saved() -> None:
    """What was to be told before counts no more."""
    delivery = Delivery(letter(PAGE))
    delivery.mark_unsaved(attempt(1, Uncertain("lost")))
    delivery.mark_unsaved(attempt(2, Deferred("busy")))
    delivery.mark_unsaved(attempt(1, Accepted("M1")))
    assert [(known.number, known.outcome) for known in delivery.unsaved] == [
        (2, Deferred("busy")),
        (1, Accepted("M1")),
    ]


def test_receipts_are_seen_in_the_attempts_they_are_about() -> None:
    """By their number; one that changes how the attempt ended is to be saved, one that does not is not."""
    delivery = Delivery(letter(PAGE), attempts=[attempt(1, Uncertain("lost"), "1"), attempt(2, Accepted("M2"), "2")])
    delivery.receipts += [(1, Fate(Receipt.SENT, provider_id="M1")), (2, Fate(Receipt.DELIVERED))]
    delivery.apply_receipts(T0 + SECOND)
    assert [known.outcome for known in delivery.attempts] == [Accepted("M1"), Accepted("M2")]
    assert [known.receipt for known in delivery.attempts] == [Receipt.SENT, Receipt.DELIVERED]
    assert [known.number for known in delivery.unsaved] == [1]
    assert delivery.receipts == []


def test_how_a_letter_stands() -> None:
    """By the attempt that was accepted, else by the newest; without any it stands nowhere."""
    delivery = Delivery(letter(PAGE))
    assert delivery.standing_outcome is None
    delivery.attempts += [attempt(1, Accepted("M1")), attempt(2, Refused("no"))]
    assert delivery.standing_outcome == Accepted("M1")
    assert delivery.copies == 1
    assert Parcel([delivery], due_at=T0).late(T0 + SECOND) == SECOND


@pytest.mark.parametrize(
    ("kind", "expected"), [(Kind.PAGE, 0), (Kind.CLOSING, 1), (Kind.OPERATOR, 1), (Kind.ANSWER, 1), (Kind.UPDATE, 2)]
)
def test_ranks(kind: Kind, expected: int) -> None:
    """Pages go first, updates last, everything else between them."""
    assert rank(replace(PAGE, kind=kind), DaemonParts(StillClock()).context)[0] == expected


def test_the_queue_works_by_rank_then_age_and_no_more_at_once_than_its_width() -> None:
    """What came first goes first among equals; a timer puts its item in when it rings."""

    async def life(_clock: VirtualClock) -> tuple[list[str], int]:
        done, under_way, most = list[str](), list[str](), list[int]()

        async def work(item: str) -> None:
            under_way.append(item)
            most.append(len(under_way))
            await asyncio.sleep(1)
            under_way.remove(item)
            done.append(item)

        queue: SendQueue[str] = SendQueue("sms", 2, work)
        queue.later(timedelta(seconds=0.5), (0, 0, 0.0), "page later")
        for kind, item in ((2, "update"), (1, "closing"), (0, "page 1"), (0, "page 2")):
            queue.put((kind, 0, 0.0), item)
        running = asyncio.create_task(queue.run())
        await asyncio.sleep(10)
        running.cancel()
        return done, max(most)

    assert run_virtually(life) == (["page 1", "page 2", "page later", "closing", "update"], 2)


def test_what_gives_its_place_up_holds_up_nothing() -> None:
    """The next one is taken although what is left to do with it goes on; a drain waits for that all the same."""

    async def life(clock: VirtualClock) -> tuple[list[tuple[str, float]], bool, float]:
        start, began = clock.now(), list[tuple[str, float]]()

        async def work(item: str) -> None:
            began.append((item, (clock.now() - start).total_seconds()))
            await asyncio.sleep(1)
            queue.leave_place(item)
            queue.leave_place(item)
            await asyncio.sleep(9)

        queue: SendQueue[str] = SendQueue("sms", 1, work)
        for item in ("first", "second", "third"):
            queue.put((0, 0, 0.0), item)
        running = asyncio.create_task(queue.run())
        await asyncio.sleep(2.5)
        drained = await queue.drain(30)
        running.cancel()
        return began, drained, (clock.now() - start).total_seconds()

    assert run_virtually(life) == ([("first", 0.0), ("second", 1.0), ("third", 2.0)], True, 12.0)


def test_a_queue_that_drains_takes_nothing_more() -> None:
    """What is under way ends; what waits, and what a timer would put in, is left. An idle one is drained at once."""

    async def life(clock: VirtualClock) -> tuple[bool, bool, list[str], float]:
        done: list[str] = []

        async def work(item: str) -> None:
            await asyncio.sleep(5)
            done.append(item)

        queue: SendQueue[str] = SendQueue("sms", 1, work)
        idle = await SendQueue("email", 1, work).drain(0.1)
        for item in ("first", "second"):
            queue.put((0, 0, 0.0), item)
        queue.later(timedelta(seconds=2), (0, 0, 0.0), "third")
        running = asyncio.create_task(queue.run())
        await asyncio.sleep(1)
        start = clock.now()
        drained = await queue.drain(30)
        took = (clock.now() - start).total_seconds()
        await asyncio.sleep(60)
        running.cancel()
        return idle, drained, done, took

    assert run_virtually(life) == (True, True, ["first"], 4.0)


def tried(outcome: Outcome, reference: str = "k", took: float = 1.0) -> Attempt:
    """A try of a message that ended so."""
    return Attempt("1", reference, 1, EMAIL, "ana@example.com", T0, outcome, T0 + timedelta(seconds=took))


def test_a_busy_relay_that_takes_all_at_the_second_try_is_well() -> None:
    """Rule 39, D25: "421 too many connections" to the first tries of ten mails; each is taken when it comes again."""
    notices = Notices(StillClock())
    health = ProviderHealth(EMAIL, notices)
    for number in range(10):
        health.on_attempt(tried(Deferred("421 too many connections", "421"), f"mail{number}"))
    for number in range(10):
        health.on_attempt(tried(Accepted(), f"mail{number}"))
    assert notices.take() == ()


def test_what_the_fence_stopped_says_nothing_of_the_provider() -> None:
    """Rule 53: a machine that does not lead sends nothing, however often; the provider was not even asked."""
    notices = Notices(StillClock())
    health = ProviderHealth(EMAIL, notices)
    for number in range(9):
        health.on_attempt(tried(NOT_LEADING, f"mail{number}"))
    assert (notices.take(), health.unwell, health.failed_at) == ((), False, None)


@pytest.mark.parametrize("outcome", [Deferred("421 closing", "421"), Uncertain("lost in DATA")])
def test_three_messages_that_fail_again_are_three_failures(outcome: Outcome) -> None:
    """Rule 39: counted by message; one of unknown fate counts at its first try, a busy server at the second."""
    notices = Notices(StillClock())
    health = ProviderHealth(EMAIL, notices)
    rounds = 1 if isinstance(outcome, Uncertain) else 2
    fails = [f"mail{number}" for _ in range(rounds) for number in range(3)]
    for reference in fails[:-1]:
        health.on_attempt(tried(outcome, reference))
    assert notices.take() == ()
    health.on_attempt(tried(outcome, fails[-1]))
    assert [notice.trouble for notice in notices.take()] == [Trouble.PROVIDER_REFUSES]


def test_a_relay_that_hangs_is_told_at_the_third_message() -> None:
    """Rules 39, 70: a try that ran into its deadline counts at once, and nobody waits for it for half a minute."""
    notices, clock = Notices(StillClock()), T0 + timedelta(seconds=10)
    health = ProviderHealth(EMAIL, notices)
    assert not health.hangs(clock)
    for number in range(3):
        assert notices.take() == ()
        health.on_attempt(tried(Deferred("no answer within 10 s"), f"mail{number}", 10))
    assert len(notices.take()) == 1
    assert health.hangs(clock + timedelta(seconds=29))
    assert not health.hangs(clock + timedelta(seconds=30))
    health.on_attempt(tried(Accepted()))
    assert not health.hangs(clock)


def test_what_was_taken_begins_the_count_anew() -> None:
    """Rule 39: three in a row; and a provider that fails again after it was well is told again, an hour later."""
    clock = StillClock()
    notices = Notices(clock)
    health = ProviderHealth(EMAIL, notices)
    lost = Uncertain("lost in DATA")
    for reference in ("a", "b"):
        health.on_attempt(tried(lost, reference))
    health.on_attempt(tried(Accepted(), "c"))
    for reference in ("d", "e"):
        health.on_attempt(tried(lost, reference))
    assert notices.take() == ()
    health.on_attempt(tried(lost, "f"))
    assert len(notices.take()) == 1
    health.on_attempt(tried(Accepted(), "c"))
    clock.go(timedelta(hours=2))
    for reference in ("d", "e", "f"):
        health.on_attempt(tried(lost, reference))
    assert len(notices.take()) == 1


def test_a_provider_is_unwell_after_a_failure_of_its_own_until_it_takes_something() -> None:
    """At the first one that is its fault; an address that it refuses makes it neither unwell nor well."""
    health = ProviderHealth(EMAIL, Notices(StillClock()), "backup")
    assert (health.name, health.unwell, health.failed_at) == ("backup", False, None)
    health.on_attempt(tried(Refused("550 5.1.1 no such user", "550")))
    assert not health.unwell
    health.on_attempt(tried(Deferred("authentication failed", "535", Fault.PROVIDER), took=2))
    assert (health.unwell, health.failed_at) == (True, T0 + 2 * SECOND)
    health.on_attempt(tried(Refused("550 5.1.1 no such user", "550")))
    assert health.unwell
    health.on_attempt(tried(Accepted("q1")))
    assert not health.unwell


def test_a_provider_is_unwell_after_three_tries_in_a_row_that_time_may_cure() -> None:
    """Of one message or of several; whatever the provider answered for begins the row anew."""
    health = ProviderHealth(EMAIL, Notices(StillClock()))
    busy, lost = Deferred("421 busy", "421"), Uncertain("lost in DATA")
    for outcome in (busy, lost, Accepted(), busy, lost, Refused("no", fault=Fault.MESSAGE), lost, busy):
        health.on_attempt(tried(outcome))
        assert not health.unwell
    health.on_attempt(tried(busy, "another"))
    assert health.unwell


def test_a_quick_no_does_not_end_a_hang() -> None:
    """Rule 70: only what was taken does."""
    health = ProviderHealth(EMAIL, Notices(StillClock()))
    health.on_attempt(tried(Deferred("no answer within 5 s"), took=5))
    health.on_attempt(tried(Deferred("421 busy", "421"), "other"))
    assert health.hangs(T0 + timedelta(seconds=6))


def heard(health: ProviderHealth, number: str, said: Fate, at: timedelta = SECOND) -> bool:
    """The provider said this of an SMS to a number. Whether refusals were wrong for all that."""
    return health.on_receipt([(attempt(1, Accepted("SM1"), address=number), PAGE)], said, T0 + at) is not None


def gone(code: str) -> Fate:
    """The provider's last word on a message that was not delivered."""
    return fate("undelivered", code, "SM1")


@pytest.mark.parametrize("code", ["30002", "30024", "30032", "30034"])
def test_a_receipt_that_blames_the_account_or_the_sender_is_told_at_once(code: str) -> None:
    """Rule 39, D9: one is enough, with what to do; and it is over only when that number is reached again."""
    notices = Notices(StillClock())
    health = ProviderHealth(SMS, notices)
    heard(health, "+14155550101", gone(code))
    (notice,) = notices.take()
    assert (notice.trouble, f"({code})" in notice.text) == (Trouble.SMS_UNDELIVERED, True)
    assert undelivered_cure(code) in notice.text
    heard(health, "+14155550102", Fate(Receipt.DELIVERED))
    assert notices.take_recovered() == ()
    heard(health, "+14155550101", Fate(Receipt.DELIVERED))
    assert [recovery.headline for recovery in notices.take_recovered()] == ["SMS are delivered again"]


def test_three_numbers_in_a_row_without_delivery_are_told() -> None:
    """Rules 38, 39, D9: one phone that is off is no news of the provider, nor a number that does not exist; three are."""
    notices = Notices(StillClock())
    health = ProviderHealth(SMS, notices)
    for number, code in ((1, "30003"), (1, "30003"), (1, "30003"), (2, "30006"), (2, "30008")):
        heard(health, f"+1415555010{number}", gone(code))
    heard(health, "+14155550104", Fate(Receipt.SENT))
    assert notices.take() == ()
    heard(health, "+14155550104", Fate(Receipt.DELIVERED))
    for number in (3, 1):
        heard(health, f"+1415555010{number}", gone("30003"))
    assert notices.take() == ()
    heard(health, "+14155550102", gone("30003"))
    (notice,) = notices.take()
    assert "did not deliver to 3 numbers in a row: the phone is off or out of reach (30003)" in notice.text


def test_one_filtered_message_is_no_news_of_the_provider() -> None:
    """Rule 37: 30007 is this message's fault once; from a second number, with nothing delivered between, the provider's."""
    notices = Notices(StillClock())
    health = ProviderHealth(SMS, notices)
    for _ in range(3):
        heard(health, "+14155550101", gone("30007"))
    heard(health, "+14155550102", Fate(Receipt.DELIVERED))
    heard(health, "+14155550102", gone("30007"))
    assert (notices.take(), health.unwell) == ((), False)
    heard(health, "+14155550101", gone("30007"))
    (notice,) = notices.take()
    assert "a carrier filtered it as unwanted (30007)" in notice.text
    assert health.unwell


@pytest.mark.parametrize("codes", [["30034"], ["30003", "30005", "30008"]])
def test_a_provider_that_does_not_deliver_is_unwell(codes: list[str]) -> None:
    """By its own fault, or to three different numbers; until it delivers something, or has taken something ten minutes
    later: not every receipt is asked for.
    """
    for cured_by in ("delivered", "accepted late"):
        health = ProviderHealth(SMS, Notices(StillClock()))
        for number, code in enumerate(codes):
            heard(health, f"+1415555010{number}", gone(code))
        assert (health.unwell, health.failed_at) == (True, T0 + SECOND)
        health.on_attempt(attempt(1, Accepted("SM9")))
        assert health.unwell
        if cured_by == "delivered":
            heard(health, "+14155550109", Fate(Receipt.DELIVERED))
        else:
            health.on_attempt(attempt(1, Accepted("SM9"), ended_at=T0 + timedelta(minutes=11)))
        assert not health.unwell


@pytest.mark.parametrize("via", Channel)
def test_three_failures_in_a_row_are_told_once(via: Channel) -> None:
    """Rule 39: what time may cure is told at the third in a row; the provider answered when it refused an address."""
    notices = Notices(StillClock())
    health = ProviderHealth(via, notices)
    busy = Deferred("421 too busy", "421")
    for outcome in (busy, busy, Accepted(), busy, busy, Refused("no"), busy, busy):
        health.on_attempt(tried(outcome))
    assert notices.take() == ()
    health.on_attempt(tried(Uncertain("lost in DATA")))
    (notice,) = notices.take()
    assert notice.cause == f"provider-refuses:{via.traits.word}"
    assert via.traits.provider in notice.text
    assert "lost in DATA" in notice.text
    assert "other channels" in notice.text


def test_of_a_provider_that_was_never_sick_no_again_is_told() -> None:
    """Rules 39, 50: a fallback is new after a restart; how the first one fares is not known yet, and not said."""
    notices, peers = Notices(StillClock()), dict[str, ProviderHealth]()
    for name in ("main", "m2"):
        peers[name] = ProviderHealth(EMAIL, notices, name, peers)
    peers["m2"].on_attempt(tried(Accepted()))
    recovered = {recovery.headline: recovery.text for recovery in notices.take_recovered()}
    assert recovered["Messages by email leave again"] == (
        'the mail server "m2" takes messages; "main" was not tried since tocsin started'
    )


def test_where_messages_go_is_true_of_a_fallback_that_does_not_deliver() -> None:
    """Rules 39, 50: it takes them, and a carrier drops them: both are said, of each provider."""
    notices, peers = Notices(StillClock()), dict[str, ProviderHealth]()
    for name in ("main", "s2"):
        peers[name] = ProviderHealth(SMS, notices, name, peers)
    peers["main"].on_attempt(tried(Deferred("error 20003", "20003", Fault.PROVIDER)))
    unregistered = Fate(Receipt.UNDELIVERED, None, "SM1", "30034", Fault.PROVIDER)
    heard(peers["s2"], "+14155550101", unregistered)
    told = {notice.headline: notice.text for notice in notices.take()}
    assert set(told) == {'the SMS provider "main" is sick', 'SMS by "s2" are not delivered'}
    assert 'messages leave by "s2" meanwhile, which does not deliver them; ' in told['the SMS provider "main" is sick']
    assert told['SMS by "s2" are not delivered'].endswith("pages go by other channels meanwhile")


def test_what_only_the_config_cures_is_told_at_the_first() -> None:
    """Rule 39: a login that fails needs somebody's action now; the notice says where to look, with the code."""
    notices = Notices(StillClock())
    failed = Deferred("authentication failed", "535", Fault.PROVIDER)
    ProviderHealth(EMAIL, notices).on_attempt(tried(failed))
    (notice,) = notices.take()
    assert "authentication failed (535)" in notice.text
    assert "TOCSIN_EMAIL__PASSWORD" in notice.text


def test_what_only_the_config_cures_is_news_after_what_time_cures() -> None:
    """Rule 39: no code tells a server without STARTTLS from one that was busy within the hour; its cure does. The code
    is not said twice.
    """
    notices = Notices(StillClock())
    health = ProviderHealth(EMAIL, notices)
    for _ in range(3):
        health.on_attempt(tried(Deferred("451 4.3.0 later", "451")))
    (busy,) = notices.take()
    assert busy.text.count("451") == 1
    health.on_attempt(tried(Deferred("SMTP STARTTLS extension not supported by server.", fault=Fault.PROVIDER)))
    (without,) = notices.take()
    assert "email.security" in without.text


def test_a_refused_address_is_told_with_its_place() -> None:
    """A person's at once and aloud, with the line of the config; a plain address by email only."""
    policy = paging_policy()
    ana = replace(policy.people["ana"], place="people.yaml:3")
    policy = replace(policy, people={**policy.people, "ana": ana})
    notice = refusal_notice(PAGE, Refused("no such number", "21211"), policy)
    assert notice.cause == "address-refused:ana's number"
    assert "ana cannot be reached by SMS any more" in notice.text
    assert notice.text.endswith("(people.yaml:3)")
    assert not notice.minor
    plain = replace(PAGE, to="status@lists.example.com", via=EMAIL, kind=Kind.UPDATE)
    assert refusal_notice(plain, Refused("no such mailbox", "550"), policy).minor


def test_a_drain_waits_for_the_slowest() -> None:
    """One of two that are under way has ended: the other is still waited for."""

    async def life(clock: VirtualClock) -> tuple[bool, float]:
        async def work(seconds: float) -> None:
            await asyncio.sleep(seconds)

        queue: SendQueue[float] = SendQueue("sms", 2, work)
        queue.put((0, 0, 0.0), 3.0)
        queue.put((0, 0, 0.0), 9.0)
        running = asyncio.create_task(queue.run())
        await asyncio.sleep(4)
        start = clock.now()
        drained = await queue.drain(30)
        running.cancel()
        return drained, (clock.now() - start).total_seconds()

    assert run_virtually(life) == (True, 5.0)


def test_a_provider_that_stays_sick_is_told_once() -> None:
    """Not again each hour: the operators know."""
    clock = StillClock()
    notices = Notices(clock)
    health = ProviderHealth(SMS, notices)
    for _ in range(200):
        health.on_attempt(tried(Deferred("busy")))
        clock.go(timedelta(minutes=1))
    assert len(notices.take()) == 1
