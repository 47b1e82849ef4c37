"""The process of its own in which a command has configs judged, so that none keeps it for ever.

Decides when that process begins: it needs other libraries than the command, and a second of a second core is free.
"""

import atexit
from collections.abc import Callable
from functools import cache

from tocsin.adapters.bounded_child import RESTS_AFTER, BoundedChild

HAVE_NONE = frozenset({"run", "web", "init", "schema", "drill"})
"""The commands that have no config judged so, or that stay: nothing is to stay beside them for one config, and for many
all that judging may need is prepared first.
"""


@cache
def bounded_child() -> BoundedChild:
    """Where this process has configs judged."""
    return BoundedChild()


def ready_child(prepare: Callable[[], object] = lambda: None) -> BoundedChild:
    """The same, made ready while there is one thread and nothing is open: for a process that begins others later. It
    begins with `prepare`, beside whatever we do, and goes once it has had nothing to do for a minute.
    """
    child = bounded_child()
    child.keep_ready(prepare, RESTS_AFTER)
    return child


def begin_judging(command: str) -> None:
    """Begin the process that will judge this command's config, before the command's own libraries are imported: both
    import side by side. It ends with the command, which waits for that: what is left to process 1 of a container stays
    there, dead, where that waits for nobody.
    """
    if command not in HAVE_NONE:
        bounded_child().keep_ready(_prepare_for_one)
        atexit.register(bounded_child().abandon)


def judge_many() -> None:
    """The same for a command that has configs judged again and again: nothing is left to be done anew for each."""
    from tocsin.app.configuration.judge import prepare_judging

    bounded_child().close()
    bounded_child().keep_ready(prepare_judging)


def _prepare_for_one() -> None:
    """What nearly every config needs to be judged."""
    from tocsin.app.configuration.judge import prepare_judging

    prepare_judging(for_many=False)
