"""The clock follows the wall without ever jumping."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.adapters.clock import SystemClock

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


@pytest.mark.parametrize("jump", [3600.0, -3600.0, -START, 4e8])
def test_a_jump_moves_it_by_no_more_than_a_second_a_minute(jump: float) -> None:
    """An hour ahead, an hour back, 1970 and far ahead neither fire nor hold a page."""
    machine = Machine()
    clock = SystemClock(machine.boottime, machine.wall)
    before = clock.now()
    machine.jump = jump
    assert abs(clock.now() - before) < timedelta(milliseconds=1)
    machine.boot += 60
    assert abs(clock.now() - before - timedelta(seconds=60)) <= timedelta(seconds=1.001)


def test_a_wall_clock_that_was_wrong_is_reached_in_the_end() -> None:
    """A minute of difference is made good within an hour."""
    machine = Machine()
    clock = SystemClock(machine.boottime, machine.wall)
    machine.jump = 60.0
    for _ in range(61):
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
