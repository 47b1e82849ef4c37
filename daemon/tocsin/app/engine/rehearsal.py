"""Words are tried before the first message needs them, since templates are compiled and catalogues read at their first
use: for the first update to a thousand readers all of them would wait for it. It decides when.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from tocsin.app.engine.isolation import guarded
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.agenda import Agenda
from tocsin.domain.people import Channel

RESTS_FOR = 0.01
"""Seconds between two messages that are tried, so that what comes in has its turn."""


class Rehearses(Protocol):
    """Writes a message of each sort for nobody."""

    def rehearsal(self, channels: Collection[Channel], languages: Collection[str]) -> Iterator[None]:
        """One message a step: it is written when the next step is asked for."""
        ...


class FirstRead(Protocol):
    """Where something may have come in while no daemon ran."""

    async def first_read(self) -> None:
        """Wait until that is known."""
        ...


class Rehearsal:
    """Has each sort of message tried once, in the channels and languages of the config, while no incident is to be
    looked at: a page waits for one of them at most. What waited at the start goes first.
    """

    def __init__(self, agenda: Agenda, config: ActiveConfig, words: Rehearses, sources: Sequence[FirstRead]) -> None:
        self._agenda = agenda
        self._config = config
        self._words = words
        self._sources = sources

    async def run(self) -> None:
        """Until cancelled, though it is soon over."""
        for source in self._sources:
            await source.first_read()
        policy = self._config.policy
        heard = [*(group.via for group in policy.stakeholders.values()), *(p.channels for p in policy.people.values())]
        steps = self._words.rehearsal({via for channels in heard for via in channels}, policy.languages)
        await guarded(self._try_each(steps))  # nobody goes without a page for words that nobody gets
        await asyncio.Event().wait()

    async def _try_each(self, steps: Iterator[None]) -> None:
        for _ in steps:
            await asyncio.sleep(RESTS_FOR)
            await self._agenda.settled()
