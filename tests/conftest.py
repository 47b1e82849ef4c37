"""What all tests share: plain log lines; Hypothesis without a clock of its own (machines differ), the same examples each
time in CI; one PostgreSQL for all tests of a worker.
"""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from tocsin.cli.judging import bounded_child

from tests.builders.examples import some
from tests.fakes.postgres import Database, Server, postgres

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)  # else a traceback is drawn with every variable in it, which takes seconds
settings.register_profile("here", deadline=None, max_examples=some(100))
settings.register_profile("ci", deadline=None, max_examples=some(100), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

LONG = ("acceptance", "attacks", "browser", "cluster", "simulation")
"""Folders whose tests take seconds each: they come first, or a few of them would run alone in the end."""
WORKERS = 4
"""How many `make test` has; each begins with a stretch of the list of its own. They keep two cores busy while some wait;
one more costs fifteen seconds of the processor before its first test (it reads all tests, and begins a database).
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every stretch begins with its share of the long ones; what one file holds stays together, and so do the files that
    read the whole source.
    """
    places = list(dict.fromkeys(map(_place, items)))
    long, short = ([place for place in places if (place.parent.name in LONG) is is_long] for is_long in (True, False))
    dealt = [place for number in range(WORKERS) for place in (*long[number::WORKERS], *short[number::WORKERS])]
    order = {place: number for number, place in enumerate(dealt)}
    items.sort(key=lambda item: order[_place(item)])


def _place(item: pytest.Item) -> Path:
    return item.path.parent if item.path.parent.name == "house" else item.path


gc.disable()  # until all tests are collected: none of it is garbage


def pytest_collection_finish() -> None:
    """Eleven thousand tests are no garbage: to look through them again and again took a second each time, which tests
    with a bound on their own time of the processor then lacked. What tests leave is looked through less often.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(autouse=True)
def plain_log() -> Iterator[None]:
    """A test that sets the log up as the daemon does leaves it as it was: else every traceback after it is drawn."""
    before = structlog.get_config()
    yield
    if structlog.get_config() != before:
        structlog.configure(**before)


@pytest.fixture(scope="session", autouse=True)
def ended_child() -> Iterator[None]:
    """What commands had judged here, beside threads, was in a process that is kept: it ends with the tests, not after."""
    yield
    bounded_child().close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """PostgreSQL 18, from the wheel. Who stops it starts it again."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server_15() -> Iterator[Server]:
    """The oldest that counts, where Debian's is installed; its databases compare texts as English does."""
    with postgres(15) as server:
        server.locale = "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
        yield server


@pytest.fixture
def database(postgres_server: Server) -> Iterator[Database]:
    """An empty database on it."""
    with postgres_server.database() as database:
        yield database
