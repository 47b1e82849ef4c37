"""What the C library keeps of memory that nobody uses any more is given back to the system.

After a storm its heap is full of holes, where the words of letters were that have left: a fifth of what the process
holds. It gives back by itself only what lies at the end.
"""

import ctypes
from collections.abc import Callable


def give_back() -> None:
    """Give back what is free, wherever it lies; other threads have the interpreter meanwhile. Nothing where the C
    library knows no such call (it is glibc's).
    """
    if _trim is not None:
        _trim(0)


def _found() -> Callable[[int], int] | None:
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    found: Callable[[int], int] = trim
    return found


_trim = _found()
