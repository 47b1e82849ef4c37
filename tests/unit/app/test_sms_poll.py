"""The provider asked for what came in: how far back, what counts once, and when operators hear that it fails."""

import asyncio
from datetime import datetime, timedelta

import pytest
from tocsin.app.delivery.transports import Transports
from tocsin.app.replies.sms_poll import BACK_MOST, FIRST_BACK, IDLE, OVERLAP, SmsPoll
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Deferred, Fault
from tocsin.domain.facts import Coded
from tocsin.domain.people import MAIN, Channel
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.active_config import active_config, polled, settings
from tests.builders.policies import small_policy
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger
from tests.fakes.transport import MemoryTransport

TEN_SECONDS = timedelta(seconds=10)


class Inbox:
    """A provider's list of what came in."""

    def __init__(self, name: str = MAIN, ledger: MemoryLedger | None = None) -> None:
        self.name = name
        self.clock, self.ledger = StillClock(), ledger or MemoryLedger()
        self.asked: list[datetime] = []
        self.lies: list[Arrival] = []
        self.trouble: Deferred | None = None
        self.broken = False
        self.settings = polled()
        self.begin()

    def begin(self) -> None:
        """The daemon starts. A fallback has no secret."""
        sms = MemoryTransport(polled=self)
        self.notices = Notices(self.clock)
        by_name = {MAIN: sms} if self.name == MAIN else {MAIN: MemoryTransport(), self.name: sms}
        account = {"transport": "twilio", "sender": "+15005550107", "account_sid": "AC" + "1" * 32}
        accounts = polled().model_dump()["sms"] | {"auth_token": ["secret"], "fallbacks": {self.name: account}}
        in_force = (
            self.settings if self.name == MAIN else settings(sms=accounts, replies={"by": "poll", "every": "10s"})
        )
        transports = Transports(in_force, lambda _settings: {Channel.SMS: by_name, Channel.EMAIL: {}})
        config = active_config(small_policy(), in_force)
        self.poll = SmsPoll(self.clock, self.ledger, config, transports, self.notices, self.name)

    async def inbox(self, since: datetime) -> tuple[Arrival, ...] | Deferred:
        self.asked.append(since)
        if self.broken:
            raise RuntimeError("Session is closed")
        return self.trouble or tuple(each for each in self.lies if each.at >= since)

    async def ask(self) -> int:
        """Ask once; how many are kept in all."""
        await self.poll.ask(self)
        return len(await self.ledger.unjudged_arrivals())

    def comes(self, ref: str) -> None:
        self.lies.append(Arrival(ArrivalKind.SMS, ref, "+14155550101", "ok", self.clock.now()))


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


async def test_what_came_in_is_kept_once(inbox: Inbox) -> None:
    """However often it is listed, and however else it came in."""
    inbox.comes("SM1")
    assert await inbox.ask() == 1
    inbox.comes("SM2")
    await inbox.ledger.record_arrival(inbox.lies[1])
    assert await inbox.ask() == 2
    assert await inbox.ask() == 2


async def test_how_far_back(inbox: Inbox) -> None:
    """At first only what is new; then from the last answer, but for a clock that differs; at most half a day."""
    start = inbox.clock.now()
    await inbox.ask()
    inbox.clock.go(timedelta(hours=1))
    await inbox.ask()
    inbox.clock.go(timedelta(days=2))
    await inbox.ask()
    assert inbox.asked == [start - FIRST_BACK, start - OVERLAP, inbox.clock.now() - BACK_MOST]


async def test_a_webhook_is_not_relied_upon(inbox: Inbox) -> None:
    """S4: the provider calls it once; an answer that came while nobody took the call is found within a minute, and what
    was seen by both counts once. The provider is not asked more often than that, nor at all where answers are off.
    """
    account = polled().model_dump()["sms"] | {"auth_token": ["secret"]}
    for by, every in (("webhook", "10s"), ("webhook", "5m"), ("off", "10s")):
        inbox.settings = settings(sms=account, replies={"by": by, "every": every}, public_url="https://x.example")
        inbox.begin()
        inbox.asked.clear()
        running = asyncio.create_task(inbox.poll.run())
        await inbox.poll.asked.wait()
        running.cancel()
        assert len(inbox.asked) == (by == "webhook")
        assert inbox.poll._pause() == (60 if by == "webhook" else IDLE.total_seconds())
    inbox.settings = settings(sms=account, replies={"by": "webhook"}, public_url="https://x.example")
    inbox.begin()
    inbox.comes("SM1")
    await inbox.ledger.record_arrival(inbox.lies[0])
    inbox.comes("SM2")
    assert await inbox.ask() == 2
    inbox.trouble = Deferred("Twilio answered 401", "401", Fault.PROVIDER)
    await inbox.ask()
    (notice,) = inbox.notices.take()
    assert notice.text.endswith("; what the webhook brings still counts")


async def test_an_account_without_its_secret_is_told_as_that_and_not_as_well() -> None:
    """Rule 39: which variable to set, at which of two accounts; that the other one answers is not its end."""
    inbox = Inbox("s2")
    inbox.trouble = Deferred("Twilio answered 401 when asked for what came in", "401", Fault.PROVIDER)
    await inbox.ask()
    (notice,) = inbox.notices.take()
    assert notice.headline == 'Answers by SMS to "s2" do not come in'
    assert notice.text.startswith("set TOCSIN_SMS__FALLBACKS__S2__AUTH_TOKEN, which is missing (")
    inbox.notices.cured(notice.trouble, 'SMS to "main"', "asked again")
    (over,) = inbox.notices.take_recovered()
    assert not inbox.notices.was_told(over.subject)
    inbox.trouble = None
    await inbox.ask()
    assert [over.headline for over in inbox.notices.take_recovered()] == ['Answers by SMS to "s2" come in again']


async def test_what_came_while_the_provider_did_not_answer(inbox: Inbox) -> None:
    """It is asked for when the provider is back, also where no message was ever known."""
    inbox.trouble = Deferred("Twilio answered 503")
    await inbox.ask()
    inbox.comes("SM1")
    inbox.clock.go(timedelta(hours=1))
    await inbox.ask()
    inbox.trouble = None
    assert await inbox.ask() == 1


async def test_what_came_while_the_daemon_was_down(inbox: Inbox) -> None:
    """From the newest message known; without one, from the oldest page that may be answered."""
    coded = Coded(inbox.clock.now(), "ana", "+14155550101", "K7")
    await inbox.ledger.record("pay", [coded], [], [])
    inbox.clock.go(timedelta(minutes=20))
    inbox.comes("SM1")
    inbox.clock.go(timedelta(minutes=20))
    inbox.begin()
    assert await inbox.ask() == 1
    newest = inbox.clock.now() - timedelta(minutes=20)
    inbox.begin()
    await inbox.ask()
    assert inbox.asked == [coded.at, newest - OVERLAP]


async def test_a_clock_that_was_ahead(inbox: Inbox) -> None:
    """Rule 59: a message from the future does not hide what came before it, also while the daemon was down."""
    inbox.clock.go(timedelta(hours=3))
    inbox.comes("SM1")
    await inbox.ask()
    inbox.clock.go(-timedelta(hours=3))
    inbox.comes("SM2")
    inbox.clock.go(timedelta(minutes=30))
    inbox.begin()
    assert await inbox.ask() == 2


async def test_three_failures_are_told(inbox: Inbox) -> None:
    """The third in a row, once; an answer in between begins anew. A fault of the client's is a failure like any."""
    inbox.broken = True
    for _ in range(2):
        await inbox.ask()
    inbox.broken = False
    await inbox.ask()
    assert inbox.notices.take() == ()
    inbox.trouble = Deferred("Twilio answered 503")
    for _ in range(5):
        await inbox.ask()
    assert [notice.cause for notice in inbox.notices.take()] == ["answers-unread:SMS"]


async def test_what_only_the_config_cures_is_told_at_once(inbox: Inbox) -> None:
    """As rule 39 has it."""
    inbox.trouble = Deferred("Twilio answered 401", "401", Fault.PROVIDER)
    await inbox.ask()
    assert [notice.cause for notice in inbox.notices.take()] == ["answers-unread:SMS"]


async def test_failures_are_met_with_patience(inbox: Inbox) -> None:
    """Each waits twice as long, up to a minute, or as long as the provider wishes; then as ever."""
    waits = []
    inbox.trouble = Deferred("Twilio answered 503")
    for _ in range(5):
        await inbox.ask()
        waits.append(inbox.poll.pause(TEN_SECONDS).total_seconds())
    inbox.trouble = Deferred("slow down", retry_after=timedelta(minutes=3))
    await inbox.ask()
    waits.append(inbox.poll.pause(TEN_SECONDS).total_seconds())
    inbox.trouble = None
    await inbox.ask()
    assert [*waits, inbox.poll.pause(TEN_SECONDS).total_seconds()] == [20, 40, 60, 60, 60, 180, 10]


async def test_trouble_in_the_middle_loses_nothing(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the ledger fails between two messages of one list, the next question lists both again, and keeps each once."""
    inbox.comes("SM1")
    inbox.comes("SM2")
    keep = inbox.ledger.record_arrival

    async def fail_after_first(arrival: Arrival) -> None:
        if arrival.ref == "SM2":
            raise LedgerError("locked")
        await keep(arrival)

    monkeypatch.setattr(inbox.ledger, "record_arrival", fail_after_first)
    with pytest.raises(LedgerError):
        await inbox.ask()
    monkeypatch.undo()
    inbox.clock.go(timedelta(hours=2))
    assert await inbox.ask() == 2


async def test_a_message_that_is_listed_late_is_not_missed(inbox: Inbox) -> None:
    """The provider may list a message minutes after it came, behind others that are newer: the questions overlap."""
    inbox.comes("SM1")
    late = Arrival(ArrivalKind.SMS, "SM0", "+14155550101", "ok", inbox.clock.now())
    inbox.clock.go(timedelta(minutes=5))
    inbox.comes("SM2")
    assert await inbox.ask() == 2
    inbox.clock.go(timedelta(minutes=4))
    inbox.lies.insert(0, late)
    assert await inbox.ask() == 3


async def test_what_comes_while_the_answer_is_on_its_way(inbox: Inbox) -> None:
    """The next question begins from when the one before was asked, not from when it was answered."""
    slow = inbox.inbox

    async def answer_slowly(since: datetime) -> tuple[Arrival, ...] | Deferred:
        arrivals = await slow(since)
        inbox.clock.go(timedelta(minutes=30))
        return arrivals

    inbox.inbox = answer_slowly  # type: ignore[method-assign]  # a provider that takes its time
    start = inbox.clock.now()
    await inbox.ask()
    await inbox.ask()
    assert inbox.asked[1] == start - OVERLAP


async def test_operators_hear_what_does_not_come_in(inbox: Inbox) -> None:
    """What to do, and how to answer meanwhile."""
    inbox.trouble = Deferred("Twilio answered 401", "401", Fault.PROVIDER)
    await inbox.ask()
    (notice,) = inbox.notices.take()
    assert notice.text == (
        "are sms.account_sid and TOCSIN_SMS__AUTH_TOKEN, or TOCSIN_SMS__API_KEY with TOCSIN_SMS__API_SECRET, right? "
        "(answers by SMS cannot be asked for: Twilio answered 401); acknowledge by link, command or file meanwhile"
    )


@pytest.mark.parametrize("trouble", [False, True])
async def test_a_start_knows_when_the_provider_was_asked(inbox: Inbox, trouble: bool) -> None:
    """Rule 62: after the first question, whatever came of it."""
    inbox.broken = trouble
    running = asyncio.create_task(inbox.poll.run())
    await asyncio.wait_for(inbox.poll.asked.wait(), 5)
    assert len(inbox.asked) == 1
    running.cancel()


async def test_each_account_is_asked_by_itself() -> None:
    """Rules 42, 49: what another account got last says nothing of this one, from which an answer to an older page may
    still have to be fetched; operators hear which one cannot be asked.
    """
    inbox = Inbox("second")
    paged_at = inbox.clock.now() - timedelta(hours=2)
    await inbox.ledger.record("pay", [Coded(paged_at, "ana", "+14155550101", "K7")], (), ())
    await inbox.ledger.record_arrival(
        Arrival(ArrivalKind.SMS, "SM1", "+14155550102", "ok", inbox.clock.now() - timedelta(minutes=1))
    )
    await inbox.ask()
    assert inbox.asked == [paged_at]
    inbox.trouble = Deferred("401", "401", Fault.PROVIDER)
    await inbox.ask()
    (notice,) = inbox.notices.take()
    assert 'answers by SMS cannot be asked for at "second": 401' in notice.text
    assert notice.about == 'SMS to "second"'
