"""What the C library keeps of memory that nobody uses any more: little to begin with, and given back to the system.

After a storm its heaps are full of holes, where the words of letters were that have left: a fifth of what the process
holds. It gives back by itself only what lies at the end of each.
"""

import ctypes
from collections.abc import Callable

_ARENA_MAX = -8
"""M_ARENA_MAX of mallopt(3)."""
HEAPS = 2
"""Heaps for all threads together. Else each of the first sixteen has one of its own, with holes of its own, so that
they need not wait for each other; but they wait for Python's lock anyway.
"""


def share_heaps() -> None:
    """Threads that begin from now on share heaps. Nothing where the C library knows no such call (it is glibc's)."""
    if (mallopt := _found("mallopt", ctypes.c_int, ctypes.c_int)) is not None:
        mallopt(_ARENA_MAX, HEAPS)


def give_back() -> None:
    """Give back what is free, wherever it lies; other threads have the interpreter meanwhile. Nothing where the C
    library knows no such call.
    """
    if _trim is not None:
        _trim(0)


def _found(name: str, *takes: type[ctypes.c_int | ctypes.c_size_t]) -> Callable[..., int] | None:
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError):
        return None
    function.argtypes, function.restype = takes, ctypes.c_int
    found: Callable[..., int] = function
    return found


_trim = _found("malloc_trim", ctypes.c_size_t)
