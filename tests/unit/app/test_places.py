"""What is in hand before it can leave, and who of that leaves next (rule 48)."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from tocsin.app.delivery.lanes import IN_HAND
from tocsin.app.delivery.parcels.places import Places, Rank
from tocsin.app.delivery.parcels.queue import SendQueue
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel

from tests.builders.daemon_parts import DaemonParts, page_to
from tests.fakes.loop import VirtualClock, run_virtually

EMAIL = Channel.EMAIL
PAGE, UPDATE = (0, 0, 0.0), (2, 0, 0.0)


def test_whoever_ranks_lowest_gets_the_next_place() -> None:
    """Among equals whoever came first."""

    async def life(_clock: VirtualClock) -> list[str]:
        places, order = Places(1), list[str]()

        async def leave(name: str, rank: Rank) -> None:
            await places.take(rank)
            order.append(name)
            await asyncio.sleep(1)
            places.leave()

        ranks = {"under way": UPDATE, "update 1": UPDATE, "update 2": UPDATE, "page": PAGE}
        await asyncio.gather(*(leave(name, rank) for name, rank in ranks.items()))
        assert not places.are_waited_for
        return order

    assert run_virtually(life) == ["under way", "page", "update 1", "update 2"]


def test_who_gives_up_waiting_takes_no_place() -> None:
    """Whether the place was given already, is given in the same moment, or is still waited for."""

    async def life(_clock: VirtualClock) -> None:
        places = Places(1)
        await places.take(PAGE)
        waiting = [asyncio.create_task(places.take(PAGE)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[2].cancel()
        await asyncio.sleep(0)
        waiting[1].cancel()
        places.leave()
        waiting[0].cancel()
        for task in waiting:
            with suppress(asyncio.CancelledError):
                await task
        assert not places.are_waited_for
        await asyncio.wait_for(places.take(PAGE), 1)

    run_virtually(life)


def test_what_waits_to_leave_keeps_no_page_in_the_queue() -> None:
    """What is under way has all the places, so a page waits in the queue; of what is in hand beside it the page passes
    what is milder, as far as there are places.
    """

    async def life(_clock: VirtualClock) -> tuple[list[str], list[str], list[str]]:
        places, taken, left = Places(1), list[str](), list[str]()

        async def work(item: str) -> None:
            taken.append(item)
            await places.take(PAGE if item.startswith("page") else UPDATE)
            await asyncio.sleep(10)
            left.append(item)
            places.leave()
            queue.leave_place(item)

        queue: SendQueue[str] = SendQueue("email", 1, work, places)
        running = asyncio.create_task(queue.run())
        queue.put(UPDATE, "update 1")
        await asyncio.sleep(1)
        queue.put(PAGE, "page 1")
        await asyncio.sleep(1)
        behind_what_is_under_way = list(taken)
        queue.width = 2
        queue.put(UPDATE, "update 2")
        await asyncio.sleep(10)
        queue.put(PAGE, "page 2")
        queue.put(PAGE, "page 3")
        await asyncio.sleep(1)
        in_hand = list(taken)
        await asyncio.sleep(60)
        running.cancel()
        return behind_what_is_under_way, in_hand, left

    behind_what_is_under_way, in_hand, left = run_virtually(life)
    assert behind_what_is_under_way == ["update 1"]
    assert in_hand == ["update 1", "page 1", "update 2", "page 2"]
    assert left == ["update 1", "page 1", "page 2", "page 3", "update 2"]


def test_a_page_is_taken_once_an_update_in_hand_waits_for_its_place() -> None:
    """It came while that was still being written down, when nothing in hand waited to leave."""

    async def life(_clock: VirtualClock) -> list[str]:
        places, taken = Places(1), list[str]()

        async def work(item: str) -> None:
            taken.append(item)
            rank = PAGE if item == "page" else UPDATE
            await asyncio.sleep(1)
            queue.hear_waiting(rank)
            await places.take(rank)
            await asyncio.sleep(100)

        queue: SendQueue[str] = SendQueue("email", 2, work, places)
        running = asyncio.create_task(queue.run())
        queue.put(UPDATE, "under way")
        await asyncio.sleep(2)
        queue.put(UPDATE, "in hand")
        await asyncio.sleep(0.5)
        queue.put(PAGE, "page")
        await asyncio.sleep(0.4)
        assert taken == ["under way", "in hand"]
        await asyncio.sleep(0.2)
        running.cancel()
        return taken

    assert run_virtually(life) == ["under way", "in hand", "page"]


def test_a_page_passes_the_updates_in_hand() -> None:
    """Rule 48: hundreds of updates wait, and some are written down already; a page leaves as soon as one of those under
    way has left.
    """

    async def life(clock: VirtualClock) -> DaemonParts:
        parts = DaemonParts(clock)
        parts.declare()
        parts.email._takes = 0.01
        running = asyncio.create_task(parts.sender.run())
        page = page_to("ana", clock.now(), EMAIL, "technical_lead")
        updates = [replace(page, kind=Kind.UPDATE, key=f"update/{number}", group="execs") for number in range(300)]
        await parts.enqueue(*updates)
        await asyncio.sleep(0.205)
        begun, left = len(parts.ledger.pages.attempts), len(parts.email.tries)
        assert begun - left <= IN_HAND
        assert begun > left
        await parts.enqueue(page)
        await asyncio.sleep(5)
        running.cancel()
        assert len(parts.email.tries) == 301
        assert [message.kind for message in parts.email.tries].index("page") <= left + EMAIL.traits.at_once
        return parts

    run_virtually(life)


def test_what_waits_for_a_slow_relay_is_no_sign_that_it_is_stuck() -> None:
    """A relay that was quick takes a minute for each mail: what is in hand leaves in some ten minutes, each in time."""

    async def life(clock: VirtualClock) -> DaemonParts:
        parts = DaemonParts(clock)
        parts.declare()
        parts.email._takes = 0.01
        running = asyncio.create_task(parts.sender.run())
        page = page_to("ana", clock.now(), EMAIL, "technical_lead")
        await parts.enqueue(
            *(replace(page, kind=Kind.UPDATE, key=f"update/{number}", group="execs") for number in range(100))
        )
        await asyncio.sleep(0.105)
        parts.email._takes = 60.0
        for _ in range(60):
            await asyncio.sleep(10)
            assert parts.sender.alive_at == clock.now()
        running.cancel()
        return parts

    assert len(run_virtually(life).email.tries) > IN_HAND
