"""Pages that wait for room, as another process reckons it from what the ledger has."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tocsin.app.incidents.waiting_pages import with_room
from tocsin.domain.delivery import Accepted, Bundle, Content, Deferred, Letter
from tocsin.domain.facts import Seen
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel, Limit

from tests.builders.instants import MINUTE, T0
from tests.builders.policies import shipped_policy
from tests.fakes.ledger import MemoryLedger

POLICY = shipped_policy()
DEE = POLICY.people["dee"]
LIMITS = {Channel.SMS: Limit(2, timedelta(minutes=2)), Channel.EMAIL: Limit(3, MINUTE)}
SOON = T0 + timedelta(seconds=10)


class Limits:
    """Of a config."""

    def of(self, via: Channel) -> Limit:
        return LIMITS[via]


async def page(
    ledger: MemoryLedger,
    incident: str,
    at: datetime | None,
    via: Channel = Channel.SMS,
    to: str = "dee",
    *,
    severity: str = "sev3",
    drill: bool = False,
) -> Notification:
    """A page of an incident of its own, first tried at that instant, or not yet."""
    wanted = Notification(f"{incident}/{via}/{to}", incident, 1, Kind.PAGE, Reason.DECLARED, at or SOON, to, via)
    seen = Seen(T0, Incident(incident, incident, severity, drill=drill), "d")
    await ledger.record(incident, [seen], [Letter(wanted, Content("words"))], ())
    if at:
        attempt = await ledger.begin_attempt(wanted.key, via, POLICY.people[to].address(via), at)
        await ledger.end_attempt(attempt, Accepted("SM1"), at)
    return wanted


async def room_at(ledger: MemoryLedger, incident: str = "new", now: datetime = SOON) -> list[datetime | None]:
    records = await with_room(await ledger.records(incident), ledger, POLICY, Limits(), now)
    return [record.room_at for record in records]


async def test_a_page_waits_until_its_address_has_room() -> None:
    """Rule 45: `burst` went at once, one more goes each `every`; what comes meanwhile waits, and no longer than that."""
    ledger = MemoryLedger()
    await page(ledger, "a", T0)
    await page(ledger, "new", None)
    assert await room_at(ledger) == [None]
    await page(ledger, "b", T0)
    assert await room_at(ledger) == [T0 + 2 * MINUTE]
    assert await room_at(ledger, now=T0 + 2 * MINUTE) == [None]
    assert await room_at(ledger, "a") == [None]


@pytest.mark.parametrize(
    "elsewhere", [{"via": Channel.EMAIL}, {"to": "eli"}, {"drill": True}], ids=["channel", "person", "drill"]
)
async def test_each_address_has_a_room_of_its_own(elsewhere: dict[str, object]) -> None:
    """Rule 47: and drills have one beside it."""
    ledger = MemoryLedger()
    for name in "abc":
        await page(ledger, name, T0, **elsewhere)  # type: ignore[arg-type]
    await page(ledger, "new", None)
    assert await room_at(ledger) == [None]
    await page(ledger, "newer", None, **elsewhere)  # type: ignore[arg-type]
    assert (await room_at(ledger, "newer"))[0] is not None


async def test_a_bundle_and_a_second_try_take_one() -> None:
    """Rule 47: many pages in one message are one; so is a page that was tried twice."""
    ledger = MemoryLedger()
    pages = [await page(ledger, name, None) for name in "abc"]
    keys = [wanted.key for wanted in pages]
    bundle = Bundle("b", Content("3 pages"))
    for seconds in (0, 2):
        at = T0 + timedelta(seconds=seconds)
        for attempt in await ledger.begin_bundle(bundle, keys, Channel.SMS, DEE.phone, at, {}):
            await ledger.end_attempt(attempt, Deferred("busy"), at)
    await page(ledger, "new", None)
    assert await room_at(ledger) == [None]
    await page(ledger, "d", T0 + timedelta(seconds=5))
    assert await room_at(ledger) == [T0 + 2 * MINUTE]


async def test_a_worse_page_that_went_takes_none() -> None:
    """Rule 46: what was let through for its severity leaves the room as it was."""
    ledger = MemoryLedger()
    for name in "ab":
        await page(ledger, name, T0)
    await page(ledger, "worse", T0 + timedelta(seconds=1), severity="sev1")
    await page(ledger, "new", None)
    assert await room_at(ledger) == [T0 + 2 * MINUTE]


async def test_only_untried_pages_wait() -> None:
    """An update, and a page that is tried or settled, wait for something else."""
    ledger = MemoryLedger()
    for name in "ab":
        await page(ledger, name, T0)
    wanted = await page(ledger, "new", None)
    for key, kind in (("update", Kind.UPDATE), ("settled", Kind.PAGE)):
        await ledger.record("new", (), [Letter(replace(wanted, key=key, kind=kind), Content("words"))], ())
    await ledger.settle("settled", "unwanted", SOON)
    assert await room_at(ledger) == [T0 + 2 * MINUTE, None, None]
    await ledger.begin_attempt(wanted.key, Channel.SMS, DEE.phone, SOON)
    assert await room_at(ledger) == [None, None, None]


async def test_what_needs_no_room_does_not_wait() -> None:
    """Rules 45, 46: a later page of an incident whose first one went alone, and one worse than all that went."""
    ledger = MemoryLedger()
    for name in "ab":
        await page(ledger, name, T0)
    wanted = await page(ledger, "a", None)
    await ledger.record("a", (), [Letter(replace(wanted, key="later"), Content("words"))], ())
    assert await room_at(ledger, "a") == [None, None]
    await page(ledger, "worst", None, severity="sev1")
    assert await room_at(ledger, "worst") == [None]
    await page(ledger, "new", None)
    assert await room_at(ledger) == [T0 + 2 * MINUTE]
