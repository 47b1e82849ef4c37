"""A folder in memory: what a test puts in is what a scan gives."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence

from tocsin.formats.incident.file_name import is_incident_file
from tocsin.formats.incident.read import digest
from tocsin.ports.folder import Listed, MarkTrouble, RememberedFile
from tocsin.text.decoding import FILE_LIMIT

from tests.fakes.loop import StillHangsError


class FakeFolder:
    """`ports.Folder` without a disk. `away` is why it cannot be listed, `hangs` is set while nobody gets an answer."""

    threads = None

    def __init__(self) -> None:
        self.files: dict[str, Listed] = {}
        self.away = ""
        self.hangs: asyncio.Event | None = None
        self.renewed = 0
        self.mark_trouble: MarkTrouble | None = None
        self._poked = asyncio.Event()
        self._changed: set[str] = set()

    def write(self, name: str, content: str | bytes) -> None:
        """Put a file in, or replace it."""
        data = (content.encode() if isinstance(content, str) else content)[: FILE_LIMIT + 1]
        trouble = "" if len(data) <= FILE_LIMIT else f"{name} is over {FILE_LIMIT // 1024} KiB; only the start is read"
        self.files[name] = Listed(name, data, digest(data), trouble)
        self.say(name)

    def remove(self, name: str) -> None:
        """Take a file away."""
        del self.files[name]
        self.say(name)

    def obstruct(self, name: str, trouble: str, *, is_file: bool = False) -> None:
        """Put something in that cannot be read: no file at all, or one without the right to read it."""
        self.files[name] = Listed(name, b"" if is_file else None, "", trouble)
        self.say(name)

    def scan(self) -> Sequence[Listed] | str:
        """Every file that counts, by name."""
        if self.hangs:
            raise StillHangsError(self.hangs)
        return self.away or [self.files[name] for name in sorted(self.files) if is_incident_file(name)]

    def look_at(self, names: Collection[str]) -> Mapping[str, Listed] | None:
        """Those of these that count."""
        if self.hangs:
            raise StillHangsError(self.hangs)
        return (
            None
            if self.away
            else {name: self.files[name] for name in names if name in self.files and is_incident_file(name)}
        )

    def hang(self) -> None:
        """From now on whoever asks gets no answer."""
        self.hangs = asyncio.Event()

    def answer(self) -> None:
        """It answers again, those who asked meanwhile too."""
        assert self.hangs is not None
        self.hangs.set()
        self.hangs = None

    def replace(self) -> None:
        """Another folder stands in its place, and answers; those who asked before get no answer ever."""
        self.hangs = None

    def renew(self) -> MarkTrouble | None:
        """Count it."""
        self.renewed += self.mark_trouble is None
        return self.mark_trouble

    async def pokes(self) -> AsyncGenerator[frozenset[str], None]:
        """One poke for whatever was put in or taken away since the last one, with the names."""
        while True:
            await self._poked.wait()
            self._poked.clear()
            names = frozenset(self._changed)
            self._changed.clear()
            yield names

    def say(self, *names: str) -> None:
        """Poke with these names, whatever happened."""
        self._changed.update(names)
        self._poked.set()


class FakeFolderMemory:
    """`ports.FolderMemory` that outlives whoever used it."""

    def __init__(self) -> None:
        self.files: dict[str, RememberedFile] = {}

    def load(self) -> Mapping[str, RememberedFile]:
        """All of it."""
        return dict(self.files)

    def note(self, files: Sequence[RememberedFile]) -> str:
        """By incident."""
        self.files |= {file.incident: file for file in files}
        return ""
