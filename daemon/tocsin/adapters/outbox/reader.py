"""The outbox folder read back, for the web side's inbox: only regular files of bounded size are looked at."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tocsin.adapters.files.safe_open import read_regular
from tocsin.adapters.outbox import file as outbox_file
from tocsin.adapters.outbox.file import OutboxFile
from tocsin.wording.message.email import opaque_name

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
        aged = sorted(((age, name) for name in names if (age := outbox_file.order(name))), reverse=True)[:most]
        files: dict[str, OutboxFile | None] = {}
        for _, name in aged:
            files[name] = self._known[name] if name in self._known else self._read(name)
        self._known = files
        return _named(tuple(file for file in files.values() if file))

    def html(self, name: str) -> str | None:
        """The HTML of one message; None where there is no such message, or it has none."""
        data = self._bytes(name) if outbox_file.order(name) and name.endswith(".eml") else None
        return outbox_file.html_of(data) if data else None

    def _read(self, name: str) -> OutboxFile | None:
        data = self._bytes(name)
        return outbox_file.read(name, data) if data else None

    def _bytes(self, name: str) -> bytes | None:
        with suppress(OSError):
            data = read_regular(self._folder / name, FILE_MOST + 1)
            return data if len(data) <= FILE_MOST else None
        return None


def _named(files: tuple[OutboxFile, ...]) -> tuple[OutboxFile, ...]:
    """The files, each with the ids of its incidents; one that only outsiders heard of has its opaque name alone."""
    ids = {opaque_name(incident): incident for file in files for incident in file.incidents}
    named = (tuple(ids.get(incident, incident) for incident in file.incidents) for file in files)
    return tuple(
        replace(file, incident=incidents[0] if incidents else file.incident, incidents=incidents)
        for file, incidents in zip(files, named, strict=True)
    )
