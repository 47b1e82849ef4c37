"""Review drafts as files: `reviews/<id>.md`, whole or not at all, and never over what somebody has written.

It decides which file a draft goes to: the id's own while nobody has edited it, else the next free `-2`, `-3`. Each
ends with a mark of its text, by which an edit is told. It must not know what a draft says.
"""

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

DRAFTS_MOST = 50
"""Drafts of one incident; a reopened incident makes a new one each time."""
_MARK = re.compile(r"\n<!-- tocsin draft ([0-9a-f]{16}) -->\n\Z")


class Drafts:
    """The folder of reviews."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, incident: str) -> bool:
        """Whether there is a draft of this incident, edited or not."""
        return (self._folder / f"{incident}.md").exists()

    def put(self, incident: str, text: str) -> str:
        """Write a draft; the name of its file. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        body = text.rstrip("\n") + "\n"
        data = f"{body}\n<!-- tocsin draft {_mark(body)} -->\n".encode()
        for number in range(1, DRAFTS_MOST + 1):
            path = self._folder / (f"{incident}.md" if number == 1 else f"{incident}-{number}.md")
            if _untouched(path) or number == DRAFTS_MOST:
                _write(path, data)
                return path.name
        raise AssertionError("the last name is always taken")


def _untouched(path: Path) -> bool:
    """Whether nobody has written here: no file, or a draft that still is as it was written."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return True
    mark = _MARK.search(text)
    return mark is not None and mark[1] == _mark(text[: mark.start()])


def _mark(body: str) -> str:
    return hashlib.blake2b(body.encode(), digest_size=8).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Under a hidden name first, flushed, then by rename."""
    hidden = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with hidden.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        hidden.rename(path)
    finally:
        with suppress(OSError):
            hidden.unlink(missing_ok=True)
