"""How log lines look: one JSON object a line on stderr, or key=value where a person watches.

It must not know what is worth a line. No line at INFO or above holds a phone number or a mail address: people are
named by id, and what looks like an address is cut out here, whoever wrote it.
"""

import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_ADDRESS = re.compile(r"\+\d{6,15}\b|[^\s<>\"'@:;,]+@[^\s<>\"'@:;,]+\.[^\s<>\"'@:;,]+")
_LOUD = ("twilio", "aiohttp", "asyncio", "watchfiles", "alembic", "sqlalchemy")


def without_addresses(_logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
    """Cut phone numbers and mail addresses out of every text of a line above DEBUG."""
    if method != "debug":
        for key, value in line.items():
            if isinstance(value, str):
                line[key] = _ADDRESS.sub("[address]", value)
    return line


def event_first(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Begin each line with when, how grave and what."""
    return {key: line[key] for key in ("timestamp", "level", "event") if key in line} | dict(line)


def start_logging(stream: TextIO | None = None) -> None:
    """Send structlog's and the libraries' lines to `stream` (default stderr). Called once, by `tocsin run`."""
    stream = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_addresses,
        event_first,
    ]
    shape: Processor = (
        structlog.processors.KeyValueRenderer()
        if stream.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, shape],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    lines = logging.StreamHandler(stream)
    lines.setFormatter(structlog.stdlib.ProcessorFormatter(processor=shape, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[lines], level=logging.INFO, force=True)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
