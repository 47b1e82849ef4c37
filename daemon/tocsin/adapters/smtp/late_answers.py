"""Mails that a relay has taken whole without answering for them, and what it says of them in the end (rules 40, 70).

RFC 5321 gives a relay ten minutes for the answer to the dot. A try does not wait so long, but its connection is
listened to on. It must not know how a mail is sent, nor when it is sent again.
"""

import asyncio

from tocsin.adapters.smtp.connection import RelayConnection
from tocsin.domain.delivery import Accepted, Deferred, Outcome, Refused, Uncertain

ANSWERED_WITHIN = 600.0
"""Seconds for which an answer is listened for after the try has ended."""
LISTENED_TO_MOST = 20
"""Connections that are listened to at once; the oldest gives way."""
SLOW_AFTER = 2
"""So many mails in a row without an answer in time make a slow relay: then it is waited for, not sent again."""


class LateAnswers:
    """Tries whose answer has not come yet, by the mail's reference."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, asyncio.Task[Outcome]]] = []
        self._in_a_row = 0

    @property
    def slow(self) -> bool:
        """Whether the relay has taken the last mails without answering for any in time."""
        return self._in_a_row >= SLOW_AFTER

    def note_answer(self) -> None:
        """A mail was answered for in time."""
        self._in_a_row = 0

    def listen(self, reference: str, delivery: asyncio.Task[Outcome], connection: RelayConnection) -> None:
        """A mail was taken and not answered for: listen on, for the rest of its ten minutes."""
        self._in_a_row += 1
        end = asyncio.get_running_loop().call_later(ANSWERED_WITHIN, delivery.cancel)

        def close(_delivery: asyncio.Task[Outcome]) -> None:
            end.cancel()
            connection.close()

        delivery.add_done_callback(close)
        self._waiting.append((reference, delivery))
        if len(self._waiting) > LISTENED_TO_MOST:
            self._waiting.pop(0)[1].cancel()

    def make_room(self) -> None:
        """The relay takes no more connections: the oldest that is listened to gives way to the next mail."""
        oldest = next((delivery for _, delivery in self._waiting if not delivery.done()), None)
        if oldest is not None:
            oldest.cancel()

    def find(self, reference: str) -> Outcome | None:
        """What the relay has said of a mail since: Accepted once it took any copy, Deferred if it turned them down. An
        Uncertain that is `pending` while a slow relay may still answer; None when nothing is known.
        """
        copies = [delivery for name, delivery in self._waiting if name == reference]
        ended = [delivery.result() for delivery in copies if delivery.done() and not delivery.cancelled()]
        pending = any(not delivery.done() for delivery in copies)
        accepted = next((outcome for outcome in ended if isinstance(outcome, Accepted)), None)
        if accepted is not None or not pending:
            self._waiting = [entry for entry in self._waiting if entry[0] != reference]
        if accepted is not None:
            return accepted
        if pending:
            return Uncertain("the relay has the mail and has not answered yet", pending=True) if self.slow else None
        turned_down = next((outcome for outcome in ended if isinstance(outcome, (Refused, Deferred))), None)
        return Deferred(turned_down.detail, turned_down.code) if turned_down and len(ended) == len(copies) else None

    async def close(self) -> None:
        """Listen no more."""
        waiting, self._waiting = [delivery for _, delivery in self._waiting], []
        for delivery in waiting:
            delivery.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
