"""What came in, asked of a stand-in for Twilio that fails on demand."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.adapters.twilio import transport as twilio
from tocsin.adapters.twilio.http import ProviderTime
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Accepted, Deferred, Fault, Uncertain

from tests.fakes.clock import StillClock
from tests.fakes.twilio_server import StandIn
from tests.unit.adapters.test_twilio import ANA, SENDER, now, sending, text

MINUTE = timedelta(minutes=1)


async def test_what_came_in() -> None:
    """Only messages to our number, none of our own, oldest first, as they were written and over several pages."""
    async with StandIn() as server, sending(server) as transport:
        await transport.send(text())
        server.inbound(ANA, "+15005550007", "to somebody else")
        said = ["ok K7", "支払い «да»", "", "half a pair \ud800", *(f"note {number}" for number in range(120))]
        sids = [server.inbound(ANA, SENDER, body) for body in said]
        found = await transport.inbox(now() - MINUTE)
        assert isinstance(found, tuple)
        assert sorted((each.ref, each.who, each.body) for each in found) == [
            (sid, ANA, body) for sid, body in sorted(zip(sids, said, strict=True))
        ]
        assert {each.kind for each in found} == {ArrivalKind.SMS}
        assert sorted(found, key=lambda each: each.at) == list(found)


async def test_what_came_in_within_one_second() -> None:
    """Twilio tells seconds: an `ok` and the `pass` behind it are judged in the order in which they were sent."""
    async with StandIn() as server, sending(server) as transport:
        at = now().timestamp() // 1
        sids = [server.inbound(ANA, SENDER, body) for body in ("ok K7", "note on it", "pass K7")]
        for message in server.created:
            message.at = at
        found = await transport.inbox(now() - MINUTE)
        assert isinstance(found, tuple)
        assert [each.ref for each in found] == sids


async def test_by_a_messaging_service() -> None:
    """Whatever number of the service it came to; what we sent did not come in."""
    async with StandIn() as server, sending(server, sender="", messaging_service_sid="MG1") as transport:
        await transport.send(text())
        sid = server.inbound(ANA, "+15005550007", "ok")
        found = await transport.inbox(now() - MINUTE)
        assert isinstance(found, tuple)
        assert [each.ref for each in found] == [sid]
        assert isinstance(found[0], Arrival)


async def test_senders_by_the_number_they_write_to() -> None:
    """The longest prefix that fits says who sends; what came in to each of them is ours, to another number is not; and
    an SMS is found in the list whichever sent it (rules 40, 42).
    """
    senders = {"+1": "+15005550007", "+1415": "+15005550008", "+49": "Acme"}
    async with StandIn() as server, sending(server, senders=senders) as transport:
        for to, sender in ((ANA, "+15005550008"), ("+16505550101", "+15005550007"), ("+33612345678", SENDER)):
            message = replace(text(), address=to)
            assert isinstance(await transport.send(message), Accepted)
            assert (server.sent[-1].to, server.sent[-1].sender) == (to, sender)
            assert isinstance(await transport.find(message, now() - MINUTE), Accepted)
        ours = {server.inbound(ANA, to, "ok") for to in (SENDER, "+15005550007", "+15005550008")}
        server.inbound(ANA, "+15005550009", "to somebody else")
        found = await transport.inbox(now() - MINUTE)
        assert isinstance(found, tuple)
        assert {arrival.ref for arrival in found} == ours


async def test_no_more_pages_than_needed() -> None:
    """A page that is wholly from before ends the question: the newest come first."""
    async with StandIn() as server, sending(server) as transport:
        for _ in range(300):
            server.inbound(ANA, SENDER, "old")
        for message in server.created:
            message.at -= 3600
        sid = server.inbound(ANA, SENDER, "new")
        server.requests.clear()
        found = await transport.inbox(now() - MINUTE)
        assert isinstance(found, tuple)
        assert [each.ref for each in found] == [sid]
        assert len(server.requests) == 2


async def test_since_when() -> None:
    """What came in at that very instant counts, what came in before does not, and what has no instant is none."""
    async with StandIn() as server, sending(server) as transport:
        since = now().replace(microsecond=0) - MINUTE
        sids = [server.inbound(ANA, SENDER, "ok") for _ in range(3)]
        for message, seconds in zip(server.created, (-1, 0, 1), strict=True):
            message.at = since.timestamp() + seconds
        arrivals = await transport.inbox(since)
        assert isinstance(arrivals, tuple)
        assert [arrival.ref for arrival in arrivals] == sids[1:]
        assert arrivals[0].at == since


async def test_twilios_day_is_not_ours() -> None:
    """Twilio gives whole days, which may begin at another hour than ours: nothing of the last minutes is missed."""
    async with StandIn() as server, sending(server) as transport:
        at = now()
        server.day_begins = timedelta(hours=at.hour, minutes=at.minute + 30)
        sid = server.inbound(ANA, SENDER, "ok")
        arrivals = await transport.inbox(at - MINUTE)
        assert isinstance(arrivals, tuple)
        assert [arrival.ref for arrival in arrivals] == [sid]
        assert "DateSent>" in server.requests[-1][2]


async def test_a_flood_has_an_end() -> None:
    """However many came in, a bounded number of pages is read at once, the newest messages first."""
    async with StandIn() as server, sending(server) as transport:
        for _ in range(twilio.PAGE * (twilio.INBOX_PAGES + 2)):
            newest = server.inbound(ANA, SENDER, "spam")
        arrivals = await transport.inbox(now() - MINUTE)
        assert isinstance(arrivals, tuple)
        assert len(arrivals) == twilio.PAGE * twilio.INBOX_PAGES
        assert newest in {arrival.ref for arrival in arrivals}
        assert len(server.requests) == twilio.INBOX_PAGES


async def test_a_page_in_the_middle_that_fails() -> None:
    """Half a list is no list: what was not read must be asked for again."""
    async with StandIn() as server, sending(server) as transport:
        for _ in range(120):
            server.inbound(ANA, SENDER, "ok")
        server.next("list", "")
        server.next("list", "503")
        assert isinstance(await transport.inbox(now() - MINUTE), Deferred)
        arrivals = await transport.inbox(now() - MINUTE)
        assert isinstance(arrivals, tuple)
        assert len(arrivals) == 120


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ("503", Deferred("Twilio answered 503 when asked for what came in", "503")),
        (
            "429 7",
            Deferred("Twilio answered 429 when asked for what came in", "429", retry_after=timedelta(seconds=7)),
        ),
        ("401", Deferred("Twilio answered 401 when asked for what came in", "401", Fault.PROVIDER)),
        ("404", Deferred("Twilio answered 404 when asked for what came in", "404", Fault.PROVIDER)),
    ],
)
async def test_no_list(fault: str, failure: Deferred) -> None:
    """Why it could not be had, and whether only the config can cure that."""
    async with StandIn() as server, sending(server) as transport:
        server.inbound(ANA, SENDER, "ok")
        server.next("list", fault)
        assert await transport.inbox(now() - MINUTE) == failure
        assert await transport.inbox(now() - MINUTE)


async def test_nobody_there() -> None:
    """A cut line and a transport that was let go are failures as well, and raise nothing."""
    async with StandIn() as server:
        async with sending(server) as transport:
            server.always("list", "drop")
            assert isinstance(await transport.inbox(now() - MINUTE), Deferred)
        gone = server.url
    async with StandIn() as server, sending(server, api_url=gone) as transport:
        assert isinstance(await transport.inbox(now() - MINUTE), Deferred)


AHEAD = [timedelta(minutes=15), timedelta(hours=-1), timedelta(days=3), timedelta(days=-400)]


@pytest.mark.parametrize("ahead", AHEAD)
async def test_another_clock_hides_no_answer(ahead: timedelta) -> None:
    """Rule 60: what came in since an instant of ours is found, and nothing older, with instants by our clock; what the
    first answer tells of the skew counts for it already.
    """
    clock = StillClock(now() + ahead)
    async with StandIn() as server, sending(server, clock=clock) as transport:
        for sid, age in ((server.inbound(ANA, SENDER, f"ok {age}"), age) for age in (600, 60, 0)):
            message = next(message for message in server.created if message.sid == sid)
            message.at -= age
        assert transport.skew is None
        for _ in range(2):
            arrivals = await transport.inbox(clock.now() - 2 * MINUTE)
            assert isinstance(arrivals, tuple)
            assert [arrival.body for arrival in arrivals] == ["ok 60", "ok 0"]
            assert abs(arrivals[-1].at - clock.now()) < timedelta(seconds=3)
        assert transport.skew is not None
        assert abs(transport.skew + ahead) < timedelta(seconds=3)


async def test_a_second_or_two_are_no_skew() -> None:
    """Instants are given as Twilio says them while the clocks agree."""
    clock = StillClock(now() + timedelta(seconds=3))
    async with StandIn() as server, sending(server, clock=clock) as transport:
        server.inbound(ANA, SENDER, "ok")
        at = int(server.created[0].at)
        for _ in range(2):
            arrivals = await transport.inbox(clock.now() - MINUTE)
            assert isinstance(arrivals, tuple)
            assert arrivals[0].at.timestamp() == at


@pytest.mark.parametrize("ahead", AHEAD)
async def test_another_clock_hides_no_message_of_ours(ahead: timedelta) -> None:
    """Rules 40, 60: an uncertain send is found in the list, one of ten minutes before is not taken for it."""
    clock = StillClock(now() + ahead)
    async with StandIn() as server, sending(server, clock=clock) as transport:
        server.next("create", "drop", 2)
        assert isinstance(await transport.send(text(1)), Uncertain)
        server.created[0].at -= 600
        assert isinstance(await transport.find(text(2), clock.now()), Deferred)
        assert isinstance(await transport.send(text(2)), Uncertain)
        assert await transport.find(text(2), clock.now()) == Accepted(server.created[1].sid)


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Mon, 23 Nov 2026 11:00:00 GMT", timedelta(hours=1, seconds=-1)),
        ("Mon, 23 Nov 2026 12:00:00 +0200", timedelta(seconds=-1)),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_date_of_an_answer_tells_the_skew(date: str, skew: timedelta | None) -> None:
    """Rule 60: it was written to the second, somewhere between the question and its end."""
    clock = StillClock()
    asked_at = clock.now()
    clock.go(timedelta(seconds=3))
    time = ProviderTime(clock)
    time.heard(date, asked_at)
    assert time.skew == skew


async def test_only_twilios_own_answers_tell_the_time() -> None:
    """Rule 60: what something in between says is not believed; a refusal of Twilio's is."""
    async with StandIn() as server, sending(server) as transport:
        server.next("create", "500")
        assert isinstance(await transport.send(text(1)), Uncertain)
        assert transport.skew is None
        server.next("create", "code 21610")
        await transport.send(text(2))
        assert transport.skew is not None
