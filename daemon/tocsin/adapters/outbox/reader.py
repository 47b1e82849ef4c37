"""The inbox: the outbox folder, read. It decides which files are looked at: only regular ones of bounded size.

It must not know how messages are shown.
"""

import os
from contextlib import suppress
from pathlib import Path

from tocsin.adapters.files.safe_open import read_regular
from tocsin.adapters.outbox import file as delivered
from tocsin.adapters.outbox.file import OutboxFile

FILE_MOST = 2 * 1024 * 1024
"""Octets of a message's file."""


class OutboxReader:
    """The messages in a folder. Files never change once they are there, so each is read once while it is among the
    newest. Every question blocks.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, OutboxFile | None] = {}

    def mark(self) -> str:
        """Changes whenever the folder does."""
        try:
            status = self._folder.stat()
        except OSError:
            return ""
        return f"{status.st_ino}-{status.st_mtime_ns}"

    def newest(self, most: int) -> tuple[OutboxFile, ...]:
        """The newest messages, newest first; what is none of ours is left out."""
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - names only, of which there may be many
        except OSError:
            return ()
        aged = sorted(((age, name) for name in names if (age := delivered.order(name))), reverse=True)[:most]
        known, found = self._known, {}
        for _, name in aged:
            found[name] = known[name] if name in known else self._read(name)
        self._known = found
        return tuple(each for each in found.values() if each)

    def html(self, name: str) -> str | None:
        """The HTML of one message; None where there is no such message, or it has none."""
        data = self._bytes(name) if delivered.order(name) and name.endswith(".eml") else None
        return delivered.html_of(data) if data else None

    def _read(self, name: str) -> OutboxFile | None:
        data = self._bytes(name)
        return delivered.read(name, data) if data else None

    def _bytes(self, name: str) -> bytes | None:
        with suppress(OSError):
            data = read_regular(self._folder / name, FILE_MOST + 1)
            return data if len(data) <= FILE_MOST else None
        return None
