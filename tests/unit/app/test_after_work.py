"""Memory is given back after much work, and at no other time."""

from tocsin.app.engine.after_work import WORK, AfterWork


class Machine:
    """Whose processor was used for so many seconds, and whose memory was given back so often."""

    def __init__(self) -> None:
        self.used = 0.0
        self.given_back = 0

    def give_back(self) -> None:
        """Count."""
        self.given_back += 1


async def given_back(*spent: float) -> list[int]:
    """How often after each look, of which the seconds of the processor before it are given."""
    machine, counts = Machine(), list[int]()
    part = AfterWork(machine.give_back, lambda: machine.used)
    for seconds in spent:
        machine.used += seconds
        await part.look()
        counts.append(machine.given_back)
    return counts


async def test_it_is_given_back_once_after_work() -> None:
    """At the first look after it, and after the next work again; work that comes little by little counts as well."""
    busy, little = WORK + 0.1, WORK * 0.4
    assert await given_back(busy, 0, little, 0, busy, little, little, little) == [1, 1, 1, 1, 2, 2, 2, 3]


async def test_nothing_is_given_back_without_work() -> None:
    """A daemon that rests leaves it."""
    assert await given_back(*[0.001] * 100) == [0] * 100
