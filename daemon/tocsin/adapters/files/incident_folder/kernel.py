"""The kernel's own word (inotify, Linux): whoever waits for it sleeps until something changes.

It must not know what follows from a change, nor which directory the path should lead to.
"""

from collections.abc import Generator
from itertools import islice
from pathlib import Path

from asyncinotify import Event, Inotify, Mask

NAMES_READ = 1000
"""For how many of the longest names there is room in one reading of what the kernel has to say."""
EVENTS_GATHERED = 1000
"""After how many events it speaks although more are there: somebody may write for hours, quicker than it reads."""
_WANTED = Mask.CREATE | Mask.MODIFY | Mask.ATTRIB | Mask.CLOSE_WRITE | Mask.MOVE | Mask.DELETE
_ITSELF = Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.ONLYDIR


def kernel_changes(folder: Path, seconds: float) -> Generator[frozenset[str] | None]:
    """The names of what changed in the directory that the path leads to now, gathered as they are said; none once the
    watch has begun, and after so many `seconds` without a word. None: anything may have changed, since more did than
    the kernel keeps, or the directory itself was moved. It ends with the directory, and blocks. Raises OSError where
    the kernel cannot do this, or not for one folder more.
    """
    with Inotify(cache_size=NAMES_READ) as inotify:
        inotify.add_watch(folder, _WANTED | _ITSELF)
        events: list[Event] = []
        while not any(Mask.IGNORED in event.mask for event in events):
            yield _names(events)
            inotify.sync_timeout = seconds
            first = inotify.sync_get()
            inotify.sync_timeout = 0
            events = [first, *islice(inotify, EVENTS_GATHERED)] if first else []


def _names(events: list[Event]) -> frozenset[str] | None:
    if any(event.name is None for event in events):  # the folder itself, or an overflow
        return None
    return frozenset(str(event.name) for event in events)
