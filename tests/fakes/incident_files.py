"""The folder of incident files as commands write it, on a folder in memory that the daemon's watch reads too."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tocsin.adapters.files.incident_writer import FileError, IncidentFiles
from tocsin.formats.incident.file_name import incident_id, is_incident_file

from tests.fakes.folder import FakeFolder
from tests.fakes.loop import StillHangsError


class MemoryIncidentFiles(IncidentFiles):
    """Like the real one, at once and without locks. `trouble` is why nothing can be written; `between` is called before
    each write, as somebody else would come between the look and the write.
    """

    def __init__(self, folder: FakeFolder) -> None:
        super().__init__(Path("incidents"))
        self._memory = folder
        self.trouble = ""
        self.between: Callable[[], Any] = lambda: None
        self.writes = 0

    def names(self) -> list[str]:
        """Those that count."""
        if self._memory.hangs:
            raise StillHangsError(self._memory.hangs)
        return sorted(name for name in self._memory.files if is_incident_file(name))

    def find(self, incident: str) -> str | None:
        """By its id."""
        return next((name for name in self.names() if incident_id(name) == incident), None)

    def read(self, name: str) -> bytes | None:
        """Its bytes."""
        file = self._memory.files.get(name)
        return file.data if file else None

    def create(self, name: str, data: bytes) -> bool:
        """Unless it is there."""
        if name in self._memory.files:
            return False
        self._write(name, data)
        return True

    def change(self, name: str, edit: Callable[[bytes], bytes | None]) -> bool:
        """Again, if it changed meanwhile."""
        while (before := self.read(name)) is not None and (after := edit(before)) is not None:
            self.between()
            if self.read(name) == before:
                self._write(name, after)
                return True
        return False

    def put(self, name: str, data: bytes, aside: datetime | None = None) -> str:
        """Whatever is there; that is kept as `.NAME.unread`."""
        copy = ""
        if aside and name in self._memory.files:
            copy = f".{name}.unread"
            self._memory.files[copy] = self._memory.files[name]
        self._write(name, data)
        return copy

    def create_unless(self, name: str, data: bytes, moot: Callable[[Sequence[str]], bool]) -> bool:
        """Unless it is there, or moot."""
        return not moot(self.names()) and self.create(name, data)

    def _write(self, name: str, data: bytes) -> None:
        if self.trouble:
            raise FileError(self.trouble)
        self.writes += 1
        self._memory.write(name, data)
