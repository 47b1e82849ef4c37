"""How log lines look: one JSON object a line, or words for whoever watches a terminal.

It must not know what is worth a line, nor how lines leave. No line at INFO or above holds a phone number or a mail
address: people are named by id, and what looks like an address is cut out here, whoever wrote it.
"""

import logging
import os
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Protocol

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from tocsin.app.lifecycle.log_words import TextShape, not_for_people

LOST = "log lines lost"
"""The event that says how many lines nobody will read (rule 61)."""
_ADDRESS = re.compile(r"\+\d{6,15}\b|[^\s<>\"'@:;,]+@[^\s<>\"'@:;,]+\.[^\s<>\"'@:;,]+")
_LOUD = ("twilio", "aiohttp", "asyncio", "watchfiles", "alembic", "sqlalchemy")


class LogForm(StrEnum):
    """How lines look."""

    TEXT = "text"
    JSON = "json"


class LineOutput(Protocol):
    """Takes lines, without ever blocking or raising."""

    def write(self, data: bytes, /) -> int:
        """Take a line."""
        ...


def without_addresses(_logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
    """Cut phone numbers and mail addresses out of every text of a line above DEBUG."""
    if method != "debug":
        for key, value in line.items():
            if isinstance(value, str) and ("@" in value or "+" in value):
                line[key] = _ADDRESS.sub("[address]", value)
    return line


def event_first(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Begin each line with when, how grave and what."""
    return {key: line[key] for key in ("timestamp", "level", "event") if key in line} | dict(line)


def lost_line(form: LogForm, lines: int) -> str:
    """The line that says how many were lost."""
    line: EventDict = {"event": LOST, "lines": lines}
    for step in _steps(form):
        line = step(None, "warning", line)  # type: ignore[assignment] # the last step gives the text
    return f"{line}\n"


def start_logging(output: LineOutput, form: LogForm, before: Sequence[Processor] = ()) -> None:
    """Send structlog's and the libraries' lines to `output`. Called once, by `tocsin run` and `tocsin web`. Steps
    `before` see each of our own lines first.
    """
    steps = [*_steps(form)]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *before, *steps],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_names: _Lines(output),
        cache_logger_on_first_use=True,
    )
    lines = _Library(output)
    lines.setFormatter(structlog.stdlib.ProcessorFormatter(processor=steps[-1], foreign_pre_chain=steps[:-1]))
    logging.basicConfig(handlers=[lines], level=logging.INFO, force=True)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)


def _steps(form: LogForm) -> Iterator[Processor]:
    """From an event and its fields to the text of its line."""
    yield structlog.processors.add_log_level
    yield structlog.processors.format_exc_info
    yield without_addresses
    if form is LogForm.TEXT:
        yield structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
        yield TextShape(_here())
    else:
        yield structlog.processors.TimeStamper(fmt="iso", utc=True)
        yield not_for_people
        yield event_first
        yield structlog.processors.JSONRenderer(ensure_ascii=False)


def _here() -> str:
    """The folder that people stand in; empty where it is gone."""
    try:
        return os.getcwd()  # noqa: PTH109 - a text to be looked for in others
    except OSError:
        return ""


class _Lines:
    """Where structlog's lines end: no lock and no flush stand between a line and its output."""

    def __init__(self, output: LineOutput) -> None:
        self._output = output

    def msg(self, message: str) -> None:
        """Put a line out."""
        self._output.write(_bytes_of(message))

    log = debug = info = warning = error = critical = exception = msg


class _Library(logging.Handler):
    """Where the lines of libraries end."""

    def __init__(self, output: LineOutput) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Put a line out. One that a library cannot word itself is told with where it was written."""
        try:
            line = self.format(record)
        except (TypeError, ValueError, LookupError):
            line = f"a line of {record.name} cannot be worded: {record.pathname}:{record.lineno}"
        self._output.write(_bytes_of(line))


def _bytes_of(message: str) -> bytes:
    """A line as it goes out. What is no text (half of a pair of surrogates) is written as its number."""
    return f"{message}\n".encode(errors="backslashreplace")
