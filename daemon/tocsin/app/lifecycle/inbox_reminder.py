"""Where the messages can be read, said again after the first ones of each incident (`make run`)."""

import asyncio

import structlog
from structlog.typing import EventDict, WrappedLogger

from tocsin.domain.notification import NOBODY

REMINDS_AFTER = 1.5
"""Seconds after an incident's first message: by then the others have left too."""

log = structlog.get_logger()


class InboxReminder:
    """A step of each line: after the first messages of an incident it says where they can be read."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._incidents: set[str] = set()

    def __call__(self, _logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        """The line as it is."""
        incident = str(line.get("incident", ""))
        if line.get("event") == "tried" and incident not in self._incidents | {NOBODY}:
            self._incidents.add(incident)
            asyncio.get_running_loop().call_later(REMINDS_AFTER, self._remind)
        return line

    def _remind(self) -> None:
        log.info("inbox", address=self._address)
