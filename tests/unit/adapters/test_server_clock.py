"""The database's clock, carried on by the machine's steady one (R60)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.adapters.server_clock import CERTAIN, ServerClock

START = 1_800_000_000.0
SECOND = timedelta(seconds=1)


class Machine:
    """A machine and a database, whose clocks differ; each can be put somewhere."""

    def __init__(self, *, ahead: float = 0.0) -> None:
        self.boot = 1000.0
        self.ahead = ahead
        self.server_ahead = 0.0
        self.clock = ServerClock(self.boottime, self.wall)

    def boottime(self) -> float:
        return self.boot

    def wall(self) -> float:
        return START + self.boot + self.ahead

    def server(self) -> datetime:
        return datetime.fromtimestamp(START + self.boot + self.server_ahead, UTC)

    def asks(self, there: float = 0.0, back: float = 0.0, *, sets: bool = False) -> None:
        """Ask the database for its clock; the way there and back takes so long."""
        began = self.boot
        self.boot += there
        at = self.server()
        self.boot += back
        (self.clock.set if sets else self.clock.follow)(at, began)

    def off(self) -> float:
        """By how many seconds it is ahead of the database's clock."""
        return (self.clock.now() - self.server()).total_seconds()


def test_before_the_database_is_heard_it_is_the_machines() -> None:
    """A start without the database has no other; nothing is said of a difference then."""
    machine = Machine(ahead=-500)
    machine.boot += 60
    assert abs(machine.clock.now().timestamp() - machine.wall()) < 0.001
    assert machine.clock.step() == timedelta(0)
    assert machine.clock.machine_ahead() is None


@pytest.mark.parametrize("ahead", [0.0, 7.0, -7.0, 3600.0, -86400.0, -START])
def test_it_is_the_databases_once_that_is_heard(ahead: float) -> None:
    """R60: however wrong the machine's clock is; that is told, and is no step."""
    machine = Machine(ahead=ahead)
    machine.asks()
    assert abs(machine.off()) < 0.001
    assert machine.clock.step() == timedelta(0)
    differs = machine.clock.machine_ahead()
    assert differs is not None
    assert abs(differs.total_seconds() - ahead) < 0.001
    machine.ahead += 1000
    machine.boot += 30
    assert abs(machine.off()) < 0.001
    assert machine.clock.step() == timedelta(0)


def test_while_the_database_is_away_it_runs_on() -> None:
    """By the machine's steady clock, also through a sleep of days; what the wall clock does meanwhile is no matter."""
    machine = Machine(ahead=-40)
    machine.asks()
    machine.boot += 3 * 86400
    machine.ahead = 1e6
    assert abs(machine.off()) < 0.001


@pytest.mark.parametrize("way", [(0.0, 0.4), (0.4, 0.0), (0.1, 0.2)])
def test_how_long_the_answer_took_is_reckoned_with(way: tuple[float, float]) -> None:
    """The answer was true somewhere between question and answer: it is off by half of that at most."""
    machine = Machine(ahead=100)
    machine.asks(*way)
    assert abs(machine.off()) <= sum(way) / 2 + 0.001


def test_an_answer_that_took_long_tells_nothing_new() -> None:
    """Else a renewal that waited for two seconds would put the clock back by one. The first one counts all the same."""
    machine = Machine(ahead=100)
    machine.asks(0, 3)
    assert abs(machine.off()) < 1.6
    machine.asks()
    before = machine.off()
    machine.asks(0, CERTAIN + 1)
    machine.boot += 600
    assert abs(machine.off() - before) < 1.6
    machine.asks()
    machine.asks(0, CERTAIN + 1)
    assert machine.clock.step() == timedelta(0)


def test_a_step_of_the_databases_clock_is_moved_to_when_told() -> None:
    """Rule 60: a fail-over to a server whose clock differs by an hour neither fires nor holds a page."""
    machine = Machine()
    machine.asks()
    before = machine.clock.now()
    machine.server_ahead = 3600
    machine.boot += 3
    machine.asks()
    assert abs(machine.clock.now() - before - 3 * SECOND) < timedelta(milliseconds=1)
    assert abs(machine.clock.step().total_seconds() - 3600) < 0.001
    machine.clock.move(machine.clock.step())
    assert abs(machine.off()) < 0.001


def test_a_small_difference_is_followed_slowly() -> None:
    """By no more than a second a minute: that is no step."""
    machine = Machine()
    machine.asks()
    machine.server_ahead = 5
    machine.asks()
    assert abs(machine.off() + 5) < 0.001
    assert machine.clock.step() == timedelta(0)
    for _ in range(6):
        machine.boot += 60
        machine.clock.now()
    assert abs(machine.off()) < 0.001


def test_a_standby_goes_on_from_there_at_once() -> None:
    """Nothing runs by it yet: what a former leader has moved already is not moved once more by who takes over."""
    machine = Machine()
    machine.asks(sets=True)
    machine.server_ahead = -7200
    machine.asks(sets=True)
    assert abs(machine.off()) < 0.001
    assert machine.clock.step() == timedelta(0)


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(-1e6, 1e6), st.floats(0, 5), st.floats(-1e9, 1e9)), max_size=20))
def test_it_never_goes_backwards(hearings: list[tuple[float, float, float, float]]) -> None:
    """Whatever the database says, and the machine's clock does, while the daemon runs by it."""
    machine = Machine(ahead=12345)
    machine.asks()
    last = machine.clock.now()
    for passes, server_ahead, way, ahead in hearings:
        machine.boot += passes
        machine.server_ahead, machine.ahead = server_ahead, ahead
        machine.asks(way / 3, way)
        now = machine.clock.now()
        assert now >= last
        last = now


def test_the_real_one_reads_the_machines_clocks() -> None:
    """With nothing given it begins at the machine's own time."""
    assert abs(ServerClock().now() - datetime.now(UTC)) < 5 * SECOND
