"""When to look at a folder again: at each change that is told (house rule 4: a poke is a hint, no more).

It survives the folder's removal and its replacement, and a kernel that does not say what changes: then it pokes each
second. It must not know what files say.
"""

import stat
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from threading import Event

from tocsin.formats.incident.file_name import is_incident_file

if sys.platform == "linux":
    from tocsin.adapters.files.incident_folder.kernel import kernel_changes as changes_in
else:
    from tocsin.adapters.files.incident_folder.portable import portable_changes as changes_in

POLL_EVERY = timedelta(seconds=1)
"""How often it is asked whether the path leads to another folder; and a poke comes while none can be watched."""

Poke = Callable[[frozenset[str]], None]
"""Is told the names of what may have changed; none: anything may."""
ANYTHING = frozenset[str]()


def poke_at_changes(folder: Path, poke: Poke, stop: Event) -> None:
    """Poke until told to stop, in a thread of its own: while the folder hangs, there is no poke."""
    while not stop.is_set():
        watched = _root(folder)
        if watched:
            with suppress(OSError, RuntimeError):  # a limit of the kernel's, or a folder that went away meanwhile
                _poke_while(folder, watched, poke, stop)
        poke(ANYTHING)
        if not watched or _root(folder) in {watched, None}:
            stop.wait(POLL_EVERY.total_seconds())


def _poke_while(folder: Path, watched: tuple[int, int], poke: Poke, stop: Event) -> None:
    """Poke while the path leads to this very directory. The first poke comes at once: what changed before the watch
    began was not seen.
    """
    begins = True
    with closing(changes_in(folder, POLL_EVERY.total_seconds())) as changes:
        for names in changes:
            if stop.is_set():
                return
            if names is None or begins:
                begins = False
                poke(ANYTHING)
            elif counting := frozenset(filter(is_incident_file, names)):
                poke(counting)
            if _root(folder) != watched:
                return


def _root(folder: Path) -> tuple[int, int] | None:
    """Which directory the path leads to now."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None
