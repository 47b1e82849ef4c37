"""Kept: many who look at once cost as much as one."""

import asyncio

from tocsin.web.http import cache
from tocsin.web.http.cache import BriefCache

from tests.fakes.loop import VirtualClock, run_virtually


def test_one_question_for_all_who_wait() -> None:
    """Whoever asks meanwhile, or a moment later, gets the same answer; once it is old it is found anew."""
    asked = 0

    async def find() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.005)
        return asked

    async def life(_clock: VirtualClock) -> None:
        answers: BriefCache[int] = BriefCache(1)
        assert await asyncio.gather(*(answers.get("a", find) for _ in range(50))) == [1] * 50
        await asyncio.sleep(cache.AT_LEAST - 0.1)
        assert await answers.get("a", find) == 1
        await asyncio.sleep(0.2)
        assert await answers.get("a", find) == 2
        assert await answers.get("b", find) == 3
        assert await answers.get("a", find) == 4, "only one answer is kept"

    run_virtually(life)


def test_what_took_long_stands_long() -> None:
    """Ten times as long as the answer took: many who look at once cost as much as one."""
    asked = 0

    async def find() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(3)
        return asked

    async def life(_clock: VirtualClock) -> None:
        answers: BriefCache[int] = BriefCache(1)
        assert await answers.get("a", find) == 1
        await asyncio.sleep(29)
        assert await answers.get("a", find) == 1
        await asyncio.sleep(2)
        assert await answers.get("a", find) == 2

    run_virtually(life)


async def test_a_fault_is_told_to_all_and_not_kept() -> None:
    """A question that fails fails for everybody who waited, and is asked again by the next; one who leaves harms none."""
    faults = [ValueError("away")]

    async def find() -> str:
        await asyncio.sleep(0.005)
        if faults:
            raise faults.pop()
        return "here"

    answers: BriefCache[str] = BriefCache(5)
    waiting = [asyncio.create_task(answers.get("a", find)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in found] == [asyncio.CancelledError, ValueError, ValueError]
    assert await answers.get("a", find) == "here"
