"""Folders that seldom change (config, templates), told apart by a fingerprint of names, sizes and times.

Compared every few seconds it needs no inotify, which some file systems have not.
"""

import os
from collections.abc import Iterable
from pathlib import Path

ENTRIES_MOST = 10_000
"""Entries looked at for one fingerprint; what lies beyond changes unseen until a reload is asked for."""


Fingerprint = frozenset[tuple[str, int, int, int]]
"""Every file with its time (ns), size and inode. That of several folders is the union of theirs."""


def fingerprint(folders: Iterable[Path]) -> Fingerprint:
    """Equal as long as no file below these folders was added, removed, written or replaced. Hidden names don't count.
    It blocks, and never raises: what cannot be read is as if it were not there.
    """
    entries: set[tuple[str, int, int, int]] = set()
    for folder in folders:
        for root, inside, names in os.walk(folder, followlinks=False):
            inside[:] = [name for name in inside if not name.startswith(".")]
            for name in names:
                if name.startswith(".") or name.endswith("~"):
                    continue
                path = Path(root, name)
                try:
                    status = path.stat()
                except OSError:
                    continue
                entries.add((str(path), status.st_mtime_ns, status.st_size, status.st_ino))
                if len(entries) >= ENTRIES_MOST:
                    return frozenset(entries)
    return frozenset(entries)
