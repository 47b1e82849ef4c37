"""The clock follows the wall without ever jumping, unless it is told to."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.adapters.clock import SystemClock, WallClock

START = 1_800_000_000.0


class Machine:
    """A machine whose two clocks can be moved."""

    def __init__(self) -> None:
        self.boot = 1000.0
        self.jump = 0.0

    def boottime(self) -> float:
        return self.boot

    def wall(self) -> float:
        return START + self.boot + self.jump


def test_it_starts_at_the_wall_clock_and_runs_with_it() -> None:
    """Without jumps it says what the wall clock says, in UTC."""
    machine = Machine()
    clock = SystemClock(machine.boottime, machine.wall)
    machine.boot += 3600
    assert clock.now() == datetime.fromtimestamp(machine.wall(), UTC)


@pytest.mark.parametrize("jump", [3600.0, -3600.0, -START, 4e8, 11.0])
def test_a_step_moves_it_only_when_it_is_told_to(jump: float) -> None:
    """Rule 60: an hour ahead, an hour back, 1970 and far ahead neither fire nor hold a page; it says how far the step was,
    and follows at once when what is recorded has been moved.
    """
    machine = Machine()
    clock = SystemClock(machine.boottime, machine.wall)
    before = clock.now()
    machine.jump = jump
    machine.boot += 60
    assert abs(clock.now() - before - timedelta(seconds=60)) < timedelta(milliseconds=1)
    step = clock.step()
    assert abs(step - timedelta(seconds=jump)) < timedelta(milliseconds=1)
    clock.move(step)
    assert abs(clock.now().timestamp() - machine.wall()) < 0.001
    assert clock.step() == timedelta(0)


@pytest.mark.parametrize("drift", [9.0, -9.0])
def test_a_clock_that_drifts_is_followed_slowly(drift: float) -> None:
    """Rule 60: by no more than a second a minute, until it is reached; that is no step."""
    machine = Machine()
    clock = SystemClock(machine.boottime, machine.wall)
    before = clock.now()
    machine.jump = drift
    assert clock.step() == timedelta(0)
    machine.boot += 60
    assert abs(abs(clock.now() - before - timedelta(seconds=60)) - timedelta(seconds=1)) < timedelta(milliseconds=1)
    for _ in range(9):
        machine.boot += 60
        clock.now()
    assert abs(clock.now().timestamp() - machine.wall()) < 0.01


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(-1e9, 1e9)), max_size=20))
def test_it_never_goes_backwards(moves: list[tuple[float, float]]) -> None:
    """Whatever the wall clock does, instants only grow."""
    machine = Machine()
    clock = SystemClock(machine.boottime, machine.wall)
    last = clock.now()
    for passes, jump in moves:
        machine.boot += passes
        machine.jump = jump
        now = clock.now()
        assert now >= last
        last = now


def test_the_real_clock_is_the_machines() -> None:
    """With nothing given it reads the machine's own clocks."""
    assert abs(SystemClock().now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_wall_clock_is_read_anew_each_time() -> None:
    """Rule 60: a process that decides nothing by spans goes by it as it is."""
    assert abs(WallClock().now() - datetime.now(UTC)) < timedelta(seconds=5)
