"""What the files of this machine's folder held last, in a file of its own, so that it outlives the process.

One line of JSON a file, the newest line of an incident counts; a line that cannot be read is passed over. Losing it
loses no version: what a file says is then compared with the ledger alone. Everything here blocks.
"""

import json
import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tocsin.adapters.files.whole_file import write_whole
from tocsin.ports.folder import RememberedFile

NAME = "folder-memory"
"""Its name beside the inbox."""
MODE = 0o600
REWRITTEN_FROM = 1000
"""Lines from which on it is written anew at a start, if fewer than half of them count."""


class FileFolderMemory:
    """A port FolderMemory: the memory of one folder of incidents, kept at `path`."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._path = path
        self._folder = str(folder)

    def load(self) -> Mapping[str, RememberedFile]:
        """What is remembered, by incident; nothing where there is no such file, or it cannot be read."""
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError:
            return {}
        files: dict[str, RememberedFile] = {}
        for line in lines:
            with suppress(ValueError, KeyError, TypeError, zlib.error):
                values = json.loads(line)
                if values["folder"] == self._folder:
                    file = _file(values)
                    files[file.incident] = file
        if len(lines) >= REWRITTEN_FROM and len(files) < len(lines) / 2:
            with suppress(OSError):
                write_whole(self._path, b"".join(map(self._line, files.values())), MODE)
        return files

    def note(self, files: Sequence[RememberedFile]) -> str:
        """Remember these; empty, or why that cannot be."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            with os.fdopen(os.open(self._path, flags, MODE), "ab+") as opened:
                torn = opened.tell() and os.pread(opened.fileno(), 1, opened.tell() - 1) != b"\n"
                opened.write((b"\n" if torn else b"") + b"".join(map(self._line, files)))
        except OSError as fault:
            return f"{self._path} cannot be written: {(fault.strerror or str(fault)).lower()}"
        return ""

    def _line(self, file: RememberedFile) -> bytes:
        data = b64encode(zlib.compress(file.data)).decode()
        names = {"folder": self._folder, "incident": file.incident, "name": file.name, "digest": file.digest}
        return json.dumps({**names, "data": data, "held": list(file.held), "gone": file.gone}).encode() + b"\n"


def _file(values: Any) -> RememberedFile:
    """Raises ValueError, KeyError, TypeError or zlib.error."""
    name, incident, digest, held = values["name"], values["incident"], values["digest"], tuple(values["held"])
    if not all(isinstance(text, str) for text in (name, incident, digest, *held)):
        raise TypeError("it is no line of ours")
    data = zlib.decompress(b64decode(values["data"], validate=True))
    return RememberedFile(name, incident, digest, data, held, values["gone"] is True)
