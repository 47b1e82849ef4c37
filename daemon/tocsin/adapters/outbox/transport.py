"""Messages as files in a folder: the default that needs no account.

A message becomes a file that appears whole or not at all, and the written file is the receipt (rule 34). What becomes
of the files is their reader's.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.files.rights import make_private, mode_in
from tocsin.adapters.files.safe_open import NotRegularError, read_regular
from tocsin.adapters.files.whole_file import sync, sync_folder, temporary_file
from tocsin.domain.delivery import NOT_LEADING, Accepted, Deferred, Fate, Message, Outcome, Receipt, Uncertain
from tocsin.domain.people import Channel
from tocsin.ports.clock import Clock
from tocsin.ports.fence import NO_FENCE, Fence, FenceOfTry
from tocsin.ports.transport import CutShortError
from tocsin.text import gsm
from tocsin.text.contacts import by_prefix
from tocsin.wording.message.email import Letterhead

LOOKS_BACK = timedelta(seconds=2)
"""How much earlier than its try a file may be named and still be that try's; names hold whole seconds."""
THREADS = 4
"""How many messages are written at once. They wait for the disk, and a folder that hangs keeps them for ever."""
ANSWERS_WITHIN, ENDS_WITHIN = 30.0, 5.0
"""Seconds for the folder to take a message, and how much longer it gets when we are told to stop."""
NAME_MOST = 100
"""Characters of a person in a file's name."""

_UNSUITABLE = re.compile(r"[^A-Za-z0-9@.+_-]")
_NAME = re.compile(r"(\d{8}T\d{6}Z)-(\d+)-[a-z]+-.*\.(?:eml|json)")
_STAMP = "%Y%m%dT%H%M%SZ"


class Outbox:
    """A port Transport for both channels. The senders are what messages say they come from: a mailbox, a number, and
    other numbers by how the reader's begins. The folder is private: messages carry the links that answer for people.
    """

    receipts = False
    polled = None
    warmed = None
    skew = None

    def __init__(
        self,
        *,
        folder: Path,
        email_sender: str,
        sms_sender: str,
        sms_senders: Mapping[str, str] | None = None,
        clock: Clock,
        fence: Fence = NO_FENCE,
    ) -> None:
        self._fence = fence
        self._folder = folder
        self._letterhead = Letterhead(email_sender)
        self._sms_sender = sms_sender
        self._sms_senders = sms_senders or {}
        self._clock = clock
        self._next = 0
        self._counting = Lock()
        self._threads = DiskThreads("outbox", THREADS)

    async def send(self, message: Message) -> Outcome:
        """Write the message's file; Deferred when the disk does not take it, Uncertain when it does not answer."""
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(self._threads, self._write, message, self._clock.now())
        try:
            await asyncio.wait((writing,), timeout=ANSWERS_WITHIN)
        except asyncio.CancelledError:
            # so that nothing is written after we are said to have stopped
            await asyncio.wait((writing,), timeout=ENDS_WITHIN)
            if writing.done():
                raise CutShortError(writing.result()) from None
            raise
        return writing.result() if writing.done() else Uncertain("the outbox folder does not answer")

    async def find(self, message: Message, since: datetime) -> Outcome:
        """Accepted when a file written since then is this very message."""
        loop = asyncio.get_running_loop()
        finding = loop.run_in_executor(self._threads, self._find, message, since - LOOKS_BACK)
        await asyncio.wait((finding,), timeout=ANSWERS_WITHIN)
        return finding.result() if finding.done() else Uncertain("the outbox folder does not answer")

    async def fate(self, provider_id: str) -> Fate:
        """A file that was written has arrived, even if somebody has taken it away since."""
        return Fate(Receipt.DELIVERED if provider_id else Receipt.UNKNOWN)

    async def answers(self) -> bool:
        """A folder asks nobody."""
        return True

    async def close(self) -> None:
        """Nothing is held."""

    def _write(self, message: Message, now: datetime) -> Outcome:
        """Under a hidden name first, flushed, then by rename if the fence lets it: whoever watches the folder never
        sees half a file.
        """
        try:
            name = _name(message, now, self._number())
            with temporary_file(self._folder / name, mode_in(self._folder)) as (temporary, opened):
                opened.write(self._bytes(message))
                sync(opened)
                if not FenceOfTry(self._fence, message.attempt).holds():
                    return NOT_LEADING
                temporary.rename(self._folder / name)
            sync_folder(self._folder)
        except OSError as trouble:
            return Deferred(f"the outbox cannot be written: {trouble.strerror}", code=str(trouble.errno or ""))
        return Accepted(name)

    def _number(self) -> int:
        """A number that no file here has had: it goes on where the newest of the folder stopped."""
        with self._counting:
            make_private(self._folder)
            if not self._next:
                names = (_NAME.fullmatch(path.name) for path in self._folder.iterdir())
                self._next = 1 + max((int(name[2]) for name in names if name), default=0)
            number, self._next = self._next, self._next + 1
            return number

    def _bytes(self, message: Message) -> bytes:
        if message.via is Channel.EMAIL:
            return self._letterhead.compose(message)
        body = message.content.text
        sheet = {
            "to": message.address,
            "from": by_prefix(message.address, self._sms_senders) or self._sms_sender,
            "body": body,
            "segments": gsm.segments(body),
            "incident": message.incident,
            **({"incidents": list(message.incidents)} if message.incidents else {}),
            "kind": message.kind,
        }
        return (json.dumps(sheet, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")

    def _find(self, message: Message, since: datetime) -> Outcome:
        data, oldest = self._bytes(message), since.strftime(_STAMP)
        person = _person(message)
        try:
            for path in self._folder.iterdir():
                match = _NAME.fullmatch(path.name)
                if match is None or match[1] < oldest or f"-{message.via}-{person}." not in path.name:
                    continue
                if _holds(path, data):
                    return Accepted(path.name)
        except FileNotFoundError:
            return Deferred("the outbox does not hold it")
        except OSError as trouble:
            return Deferred(f"the outbox cannot be read: {trouble.strerror}", code=str(trouble.errno or ""))
        return Deferred("the outbox does not hold it")


def _holds(path: Path, data: bytes) -> bool:
    """Whether a file is these very bytes; somebody else's FIFO or device under such a name is not waited for."""
    try:
        return read_regular(path, len(data) + 1) == data
    except NotRegularError:
        return False


def _name(message: Message, now: datetime, number: int) -> str:
    suffix = "eml" if message.via is Channel.EMAIL else "json"
    return f"{now.strftime(_STAMP)}-{number}-{message.via}-{_person(message)}.{suffix}"


def _person(message: Message) -> str:
    """Who it is for, in characters that suit a file's name."""
    return _UNSUITABLE.sub("_", message.person)[:NAME_MOST]
