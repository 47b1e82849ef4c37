"""What one message's templates may cost. Everything that a template does is paid for before it is done.

Four purses: *steps* (turns of loops, calls, files), *room* (what is made on the way to the text), *work* (what is
carried out and looked through), and the processor's time, in case something costs more than it pays for. Sizes are
in characters; an item of a list counts as `ITEM` of them. A list that is twice in a list weighs twice, as it is printed
twice: what is compared, sorted or printed is weighed first, with an end.
"""

from collections.abc import ItemsView, KeysView, Mapping, ValuesView
from time import thread_time
from typing import Any

from jinja2 import Undefined
from jinja2.exceptions import SecurityError

STEPS_MOST = 5_000
"""Turns of loops, calls and includes in one rendering."""
OUTPUT_MOST = 256 * 1024
"""Characters that one rendering may make, those on the way included."""
WORK_MOST = 20_000_000
"""What one message's renderings may carry out and look through: characters, and `NODE` for each part of a template."""
NODE = 200
"""What carrying out one part of a template costs, as so many characters looked through."""
SECONDS_MOST = 0.5
"""Seconds of the processor that one message's renderings may take."""
ITEM = 16
WEIGHT_MOST = 4 * OUTPUT_MOST
"""The most that is weighed at once."""
WEIGHING = 10
"""What weighing costs beside looking."""
NESTED_MOST = 40
"""How deep lists may be nested that are compared, sorted or printed."""
BITS_MOST = 64
CLOCK_EVERY = 200_000
"""Work after which the clock is looked at again."""

SEVERAL = (list, tuple, dict, range, KeysView, ValuesView, ItemsView)
"""What holds items. Texts do too; they are told apart nearly everywhere."""

SCALAR = (str, int, float, bool, type(None))


class Budget:
    """What is left of it. One message at a time."""

    def __init__(self) -> None:
        self.begin_message()
        self.begin_text(1)

    def begin_message(self, times: int = 1) -> None:
        """A message that may cost so many `times` what others may."""
        self._work = WORK_MOST * times
        self._looked = self._work
        self._until = thread_time() + SECONDS_MOST * times

    def begin_text(self, times: int) -> None:
        """One rendering for the message that has begun."""
        self._steps, self._room = STEPS_MOST * times, OUTPUT_MOST * times

    def step(self, count: int) -> None:
        """Take turns of a loop, calls or files."""
        self._steps -= count
        if self._steps < 0:
            raise SecurityError("the template takes too many steps")

    def make(self, size: int) -> None:
        """Pay for what is about to be made."""
        self._room -= size
        self._work -= size
        if self._room < 0:
            raise SecurityError("the text becomes too long")

    def look(self, size: int) -> None:
        """Pay for what is about to be looked through or carried out."""
        self._work -= size
        if self._work < 0:
            raise SecurityError("the template takes too long")
        if self._work < self._looked - CLOCK_EVERY:
            self._looked = self._work
            if thread_time() > self._until:
                raise SecurityError("the template takes too long")

    def weigh(self, *values: Any) -> int:
        """What values hold all in all, as if printed. Pays for looking through them, and so never takes long."""
        size = sum(len(value) if isinstance(value, str) else _weight(value, WEIGHT_MOST) for value in values)
        self.look(size * WEIGHING)
        return size

    def text(self, value: Any) -> str:
        """A value as a text, paid for."""
        if isinstance(value, str):
            self.make(len(value))
            return value
        if isinstance(value, SEVERAL):
            self.make(self.weigh(value))
        elif not isinstance(value, (*SCALAR, Undefined)):
            raise TypeError(f"a {type(value).__name__} is no text; write what of it is meant")
        return str(value)


def _weight(value: Any, most: int) -> int:
    """What a value weighs, if that is not more than `most`."""
    total = 0
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        inside = _inside(item)
        total += len(item) if isinstance(item, str) else ITEM * (1 + len(inside))
        if total > most:
            raise SecurityError("a list holds too much")
        if depth > NESTED_MOST:
            raise SecurityError("lists are nested too deep")
        waiting += [(part, depth + 1) for part in inside]
    return total


def _inside(item: Any) -> list[Any]:
    """The items of a list or mapping, or the fields of one of our words."""
    if isinstance(item, Mapping):
        return [*item.keys(), *item.values()]
    if isinstance(item, SEVERAL):
        return list(item)
    if isinstance(item, (*SCALAR, Undefined)):
        return []
    return [getattr(item, name) for name in getattr(type(item), "__slots__", ()) if hasattr(item, name)]


def number(value: Any) -> Any:
    """A number, unless it is too large to be reckoned with."""
    if isinstance(value, int) and value.bit_length() > BITS_MOST:
        raise SecurityError("a number is too large")
    return value


def size_of(value: Any) -> int:
    """What a text or list takes by itself, whatever its items weigh."""
    return len(value) if isinstance(value, str) else ITEM * (1 + len(value))


def key(value: Any) -> Any:
    """What may be a key, or name an item: a text or a number."""
    if isinstance(value, SCALAR):
        return value
    raise unfit(value, "key; a text or a number is")


def unfit(value: Any, for_what: str) -> TypeError:
    """The error of a value that is "no number". Of a name that is not defined it is that it is not."""
    if isinstance(value, Undefined):
        str(value)
    return TypeError(f"a {type(value).__name__} is no {for_what}")
