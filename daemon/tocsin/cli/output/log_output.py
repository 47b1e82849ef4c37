"""Where the lines of a long-running command go: to stderr, by a thread of their own (rule 61)."""

import atexit
import io
import os
import sys
from functools import partial

from tocsin.adapters.log_stream import LogStream
from tocsin.app.lifecycle.inbox_reminder import InboxReminder
from tocsin.app.lifecycle.logs import LogForm, lost_line, start_logging

LAST_WORDS = 1.0
"""Seconds at the very end for lines that still wait: a reader that is stuck must not keep the process."""


def open_log(form: str | None = None, inbox: str = "") -> tuple[LogStream, bool]:
    """Begin logging; the stream, and whether its lines are words for people. From here on whatever is written to
    `sys.stderr` goes the same way, tracebacks too, so that nothing in this process can block on it. Without a `form` a
    terminal gets words, everything else JSON. `inbox` is an address that is shown again with each incident.
    """
    _fill_standard_streams()
    chosen = LogForm(form or ("text" if os.isatty(2) else "json"))
    stream = LogStream(2, partial(lost_line, chosen))
    sys.stderr = io.TextIOWrapper(stream, "utf-8", "backslashreplace", line_buffering=True)
    start_logging(stream, chosen, [InboxReminder(inbox)] if inbox else ())
    atexit.register(stream.drain, LAST_WORDS)
    return stream, chosen is LogForm.TEXT


def _fill_standard_streams() -> None:
    """Open /dev/null for standard streams that are closed, or the next file opened (the ledger) would be one."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
