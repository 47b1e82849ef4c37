"""Polling: trouble with the ledger is waited out, a fault of ours is not, and the pauses are those asked for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs
from tocsin.app.arrivals import inbound
from tocsin.app.arrivals.inbound import Arrivals
from tocsin.app.delivery.transports import Transports
from tocsin.app.replies import polling, sms_poll
from tocsin.app.replies.sms_poll import SmsPoll
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.people import MAIN, Channel
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.active_config import active_config, polled, settings
from tests.builders.policies import small_policy
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger
from tests.fakes.transport import MemoryTransport


class Questions:
    """Counts the questions; each goes as the list says, and the last one is waited for for ever."""

    def __init__(self, fates: Sequence[Exception | None]) -> None:
        self._fates = list(fates)
        self.asked = 0

    async def __call__(self) -> None:
        self.asked += 1
        fate = self._fates.pop(0)
        if fate:
            raise fate


async def test_trouble_is_logged_and_asked_again() -> None:
    """A ledger that is in trouble is asked again after the next pause, and each trouble is a line in the log."""
    ask = Questions([LedgerError("disk full"), None, LedgerError("locked"), RuntimeError("a mistake")])
    with capture_logs() as lines, pytest.raises(RuntimeError, match="a mistake"):
        await polling.poll(ask, lambda: 0.0)
    assert ask.asked == 4
    assert [(line["event"], line["log_level"], line["trouble"]) for line in lines] == [
        ("ledger trouble", "warning", "disk full"),
        ("ledger trouble", "warning", "locked"),
    ]


async def test_news_are_waited_for_after_the_pause() -> None:
    """Nobody is asked before there is news, and news that come close together are asked for once."""
    order, news = [], asyncio.Event()

    async def ask() -> None:
        order.append("asked")

    async def heard() -> None:
        order.append("waits")
        await news.wait()

    polls = asyncio.create_task(polling.poll(ask, lambda: 0.001, at_once=True, news=heard))
    await asyncio.sleep(0.05)
    assert order == ["asked", "waits"]
    news.set()
    await asyncio.sleep(0.05)
    polls.cancel()
    assert order[2:6] == ["asked", "waits", "asked", "waits"]


@pytest.mark.parametrize(("at_once", "asked_before"), [(False, [0, 1, 2]), (True, [1, 2, 3])])
async def test_when_it_is_asked(at_once: bool, asked_before: list[int]) -> None:
    """The first question comes after a pause, or at once; each pause is as long as it is wished to be then."""
    ask = Questions([LedgerError("disk full"), None, None])
    pauses, before = [0.0, 0.0, 3600.0], []

    def pause() -> float:
        before.append(ask.asked)
        return pauses[len(before) - 1]

    polling_task = asyncio.create_task(polling.poll(ask, pause, at_once=at_once))
    await asyncio.sleep(0.1)
    assert before == asked_before
    assert ask.asked == asked_before[-1]
    polling_task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await polling_task


@contextlib.asynccontextmanager
async def running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """The work goes on meanwhile."""
    task = asyncio.create_task(work)
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def until(happened: Callable[[], bool]) -> None:
    """Wait for it; nothing here takes a second, where nothing else runs."""
    async with asyncio.timeout(60):
        while not happened():  # noqa: ASYNC110 - the loops tell nobody
            await asyncio.sleep(0.005)


async def test_arrivals_outlive_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came in is judged although the ledger was in trouble before."""
    monkeypatch.setattr(inbound, "ASKS_EVERY", 0.01)
    ledger, judged = MemoryLedger(), list[str]()

    async def judge(arrival: Arrival) -> str:
        judged.append(arrival.ref)
        return "acted"

    await ledger.record_arrival(Arrival(ArrivalKind.SMS, "SM1", "+14155550101", "ok", StillClock().now()))
    ledger.trouble = "disk full"
    with capture_logs() as lines:
        async with running(Arrivals(ledger, {ArrivalKind.SMS: judge}, Notices(StillClock())).run()):
            await until(lambda: len(lines) > 1)
            ledger.trouble = ""
            await until(lambda: bool(judged))
    assert judged == ["SM1"]


async def test_the_provider_is_asked_at_once_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider is asked as soon as the daemon runs, again after trouble with the ledger, and when it is wished for
    only later.
    """
    monkeypatch.setattr(sms_poll, "IDLE", timedelta(milliseconds=10))
    ledger, questions = MemoryLedger(), list[datetime]()

    class Inbox:
        """A provider's list of what came in: always empty."""

        async def inbox(self, since: datetime) -> tuple[Arrival, ...]:
            questions.append(since)
            return ()

    clock, config, provider = StillClock(), active_config(small_policy()), MemoryTransport(polled=Inbox())
    transports = Transports(settings(), lambda _settings: {via: {MAIN: provider} for via in Channel})
    poll = SmsPoll(clock, ledger, config, transports, Notices(clock))
    ledger.trouble = "disk full"
    with capture_logs() as lines:
        async with running(poll.run()):
            await asyncio.sleep(0.05)
            assert lines == []
            config.replace(config.policy, polled("1s"))
            await until(lambda: len(lines) > 1)
            assert questions == []
            ledger.trouble = ""
            await until(lambda: len(questions) > 1)
    config.replace(config.policy, polled("1h"))
    again = SmsPoll(clock, ledger, config, transports, Notices(clock))
    questions.clear()
    async with running(again.run()):
        await until(lambda: bool(questions))
