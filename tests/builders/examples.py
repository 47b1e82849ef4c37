"""How many examples a law is tried with: all of them in `make faults`, a part in every run of the tests. Each run draws
others, so what one run leaves out the next ones try.
"""

import os

ALL = os.environ.get("EXAMPLES") == "all"


def some(count: int) -> int:
    """Of so many examples those that this run tries."""
    return count if ALL else max(5, count // 3)
