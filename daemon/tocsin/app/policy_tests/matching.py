"""Which messages belong to which entry of an `exactly` list: each entry has its own, each message its entry.

What a message must be like is the expectation's. An entry stands for one instant: with channels
for one message by each, without for all messages of that reader (or group) then.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from tocsin.domain.notification import Notification
from tocsin.domain.people import Channel
from tocsin.formats.policy_test.expectations import MessagePattern

Bundle = tuple[int, ...]
"""Positions of the messages that an entry would take at one instant."""


def assign(
    wanted: Sequence[MessagePattern], messages: Sequence[tuple[timedelta, Notification]]
) -> tuple[list[MessagePattern], list[Notification]]:
    """The entries that have no message of their own, and the messages that have no entry, each in order.

    Entries with channels choose first: they ask for less. Those that can only be met in one way are met so.
    """
    units = [(index, via) for index, pattern in enumerate(wanted) for via in pattern.via or (None,)]
    free = set(range(len(messages)))
    missing: set[int] = set()
    for strict in (True, False):
        chosen = [unit for unit in units if (unit[1] is not None) is strict]
        options = [list(_bundles(wanted[index], via, messages, free)) for index, via in chosen]
        taken = _matched(options)
        for number, (index, _) in enumerate(chosen):
            own = [position for position in taken.get(number, ()) if position in free]
            free -= set(own)
            if not own:
                missing.add(index)
    return [wanted[index] for index in sorted(missing)], [messages[position][1] for position in sorted(free)]


def _bundles(
    wanted: MessagePattern, via: Channel | None, messages: Sequence[tuple[timedelta, Notification]], free: set[int]
) -> Iterator[Bundle]:
    """What an entry could take, by instant."""
    positions: dict[tuple[timedelta, str], list[int]] = {}
    for position in sorted(free):
        after, notification = messages[position]
        if wanted.when.holds(after) and wanted.suits(notification) and via in (None, notification.via):
            positions.setdefault((after, wanted.group or notification.to), []).append(position)
    return (tuple(bundle) for bundle in positions.values())


def _matched(options: Sequence[Sequence[Bundle]]) -> dict[int, Bundle]:
    """As many of them as possible with a bundle of their own (augmenting paths)."""
    owner: dict[Bundle, int] = {}

    def place(number: int, tried: set[Bundle]) -> bool:
        for bundle in options[number]:
            if bundle not in tried:
                tried.add(bundle)
                if bundle not in owner or place(owner[bundle], tried):
                    owner[bundle] = number
                    return True
        return False

    for number in range(len(options)):
        place(number, set())
    return {number: bundle for bundle, number in owner.items()}
