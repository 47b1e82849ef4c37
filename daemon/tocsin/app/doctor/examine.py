"""Everything looked at side by side, none of it waited for beyond the deadline.

Decides how long the whole may take. What does not come to its end in time is told as that; the rest stands.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tocsin.adapters.dns.hosts import addresses_of
from tocsin.adapters.files.disk_threads import in_time
from tocsin.app.doctor.check import Check, Threads

DEADLINE = 15.0
"""Seconds for all of it."""
NAME_WITHIN = 5.0
"""Seconds for a host's name."""


@dataclass(frozen=True, slots=True)
class Examination:
    """One thing to be looked at: what it is called, and how that is done. `code` names its end if it has none."""

    title: str
    code: str
    work: Callable[[], Awaitable[list[Check]]]


async def examine(
    examinations: Sequence[Examination], waits_for: Callable[[Sequence[str]], None], within: float = DEADLINE
) -> list[tuple[str, list[Check]]]:
    """Every examination with what it found. `waits_for` hears what is still under way, whenever that changes."""
    tasks = [asyncio.ensure_future(examination.work()) for examination in examinations]
    end = asyncio.get_running_loop().time() + within
    pending: set[asyncio.Future[list[Check]]] = set(tasks)
    while pending and (left := end - asyncio.get_running_loop().time()) > 0:
        waits_for([examination.title for examination, task in zip(examinations, tasks, strict=True) if not task.done()])
        _, pending = await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
    waits_for(())
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return [
        (examination.title, [_overdue(examination, within)] if task in pending else task.result())
        for examination, task in zip(examinations, tasks, strict=True)
    ]


def _overdue(examination: Examination, within: float) -> Check:
    why = f"{examination.title}: not at its end within {within:.0f} s"
    return Check(examination.code, examination.title, False, why, "run it again; see what it waits for")


async def resolve(threads: Threads, host: str) -> tuple[str, ...] | str:
    """The addresses of a host, or why there are none, as what is said of it."""
    found = await in_time(NAME_WITHIN, threads(f"name of {host}"), addresses_of, host)
    return f"is not found (no answer within {NAME_WITHIN:.0f} s)" if found is None else found
