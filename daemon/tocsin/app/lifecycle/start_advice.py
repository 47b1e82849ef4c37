"""What `tocsin check` warns of, said once when the daemon has started: a secret that is missing, a phone that is."""

import asyncio
from collections.abc import Iterable
from datetime import datetime

import structlog

from tocsin.app.configuration.check import advice
from tocsin.app.configuration.load import Configuration
from tocsin.domain.problem import Problem

log = structlog.get_logger()


class StartAdvice:
    """Logs the warnings of a config that is in force. With `whole` also whom its chains reach over the next 90 days:
    that takes a while, so only for whoever watches a terminal.
    """

    def __init__(self, reading: Configuration, at: datetime, *, whole: bool) -> None:
        self._reading = reading
        self._at = at
        self._whole = whole

    async def run(self) -> None:
        """Until cancelled, though it is soon said."""
        if self._reading.policy is not None:  # of a refused one the operators hear
            problems = list(self._reading.problems)
            if self._whole:
                problems += await asyncio.to_thread(advice, self._reading, self._at)
            log_advice(problems)
        await asyncio.Event().wait()


def log_advice(problems: Iterable[Problem]) -> None:
    """Log what is not as it should be in a config that counts all the same."""
    for problem in problems:
        log.warning("advice", text=f"{problem.file}:{problem.line}:{problem.column}: {problem.message}")
