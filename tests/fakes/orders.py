"""How a test talks to a fake that runs as its own process: a line of JSON each way, and what such a process wrote."""

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any


def say(answer: dict[str, Any]) -> None:
    """One line on standard output, at once."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


async def orders() -> AsyncIterator[dict[str, Any]]:
    """The lines of standard input, until it ends."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, "")

    threading.Thread(target=read, daemon=True).start()
    while line := await lines.get():
        yield json.loads(line)


def written(log: Path) -> list[dict[str, Any]]:
    """What another process has written so far, a line of JSON each.

    It may be in the midst of a line: that one has not been written yet.
    """
    return [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
