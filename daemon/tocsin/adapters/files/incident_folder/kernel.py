"""The kernel's own word (inotify, Linux): whoever waits for it sleeps until something changes.

It must not know what follows from a change, nor which directory the path should lead to.
"""

from collections.abc import Generator
from itertools import islice
from pathlib import Path
from time import monotonic

from asyncinotify import Event, Inotify, Mask

NAMES_READ = 1000
"""For how many of the longest names there is room in one reading of what the kernel has to say."""
EVENTS_GATHERED = 1000
"""After how many events it speaks although more are there: somebody may write for hours, quicker than it reads."""
WRITTEN_WITHIN = 0.02
"""Seconds that a file which is being written has to be closed before it is named all the same: else a script that
writes it line by line would be read in the midst of it, and half of it would say who is paged first.
"""
_GOES_ON = Mask.CREATE | Mask.MODIFY
_WANTED = _GOES_ON | Mask.ATTRIB | Mask.CLOSE_WRITE | Mask.MOVE | Mask.DELETE
_ITSELF = Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.ONLYDIR


def kernel_changes(folder: Path, seconds: float) -> Generator[frozenset[str] | None]:
    """The names of what changed in the directory that the path leads to now, as they are said, and of what is being
    written once it is closed or has had its time; none once the watch has begun, and after so many `seconds` without a
    word. None: anything may have changed, since more did than the kernel keeps, or the directory itself was moved. It
    ends with the directory, and blocks. Raises OSError where the kernel cannot do this, or not for one folder more.
    """
    with Inotify(cache_size=NAMES_READ) as inotify:
        inotify.add_watch(folder, _WANTED | _ITSELF)
        events: list[Event] = []
        writing: dict[str, float] = {}
        yield frozenset()
        while not any(Mask.IGNORED in event.mask for event in events):
            until = min(writing.values(), default=None)
            inotify.sync_timeout = seconds if until is None else max(0.0, until - monotonic())
            first = inotify.sync_get()
            inotify.sync_timeout = 0
            events = [first, *islice(inotify, EVENTS_GATHERED)] if first else []
            names = _names(events, writing, monotonic())
            if names is None or names or not (events or until):
                yield names


def _names(events: list[Event], writing: dict[str, float], now: float) -> frozenset[str] | None:
    """What is to be named; `writing` keeps what has time to be closed, and until when."""
    if any(event.name is None for event in events):  # the folder itself, or an overflow
        return None
    names = set()
    for event in events:
        name = str(event.name)
        if event.mask & _GOES_ON:
            writing.setdefault(name, now + WRITTEN_WITHIN)
        else:
            names.add(name)
            writing.pop(name, None)
    late = [name for name, until in writing.items() if until <= now]
    for name in late:
        del writing[name]
    return frozenset(names.union(late))
