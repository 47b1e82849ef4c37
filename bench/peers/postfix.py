"""Postfix's `smtp-source`: the most that a sink takes, as a limit for everybody."""

import subprocess
import time

from bench.processes import end
from bench.sinks import Sink, program, seconds_for

MAIL = 5_700
"""Bytes of a mail, as many as a page of ours has."""


def is_installed() -> bool:
    """Whether it can be run here."""
    return program("smtp-source") is not None


def mails_a_second(sink: Sink, count: int, sessions: int = 8) -> float:
    """Mails a second of the generator over kept sessions, until the sink has them."""
    given = ["-d", "-s", str(sessions), "-m", str(count), "-l", str(MAIL), "-f", "a@example.com", "-t", "b@example.com"]
    before, began = sink.taken(), time.monotonic()
    generator = subprocess.Popen([str(program("smtp-source")), *given, f"127.0.0.1:{sink.port}"])
    try:
        return count / seconds_for(sink, before + count, began)
    finally:
        end(generator)
