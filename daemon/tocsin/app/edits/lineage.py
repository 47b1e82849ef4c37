"""Where the content of a machine's file stands among the versions that the ledger knows of an incident (P9).

A file may lag behind: a clone that was not pulled, a checkout from before. What it says then was said already, and
changes nothing. A file that has held something newer and goes back is an edit like any other. What is compared are
digests, in the order in which they counted: the same content may have counted twice.
"""

from collections.abc import Sequence

from tocsin.app.edits.carried_over import distance
from tocsin.domain.incident import Incident

RecordedVersion = tuple[str, Incident]
"""A version that counted: the digest of the content that brought it, and what has been true since."""


def newest_held(held: Sequence[str], digests: Sequence[str]) -> int:
    """Which of the versions that counted, oldest first, a file has held for sure as the newest; -1: none. `held` are
    the digests of its contents so far, oldest first: each stands for the first version that it can be.
    """
    newest = -1
    for digest in held:
        if digest in digests[newest + 1 :]:
            newest = digests.index(digest, newest + 1)
    return newest


def lags_behind(content: str, held: Sequence[str], digests: Sequence[str]) -> bool:
    """Whether a file that now holds `content` catches up with what counted long ago: it has held nothing newer."""
    return content in digests[max(0, newest_held(held, digests)) :]


def came_from(before: Incident | None, now: Incident, newer: Sequence[Incident]) -> Incident | None:
    """The version that a save was made of: the one that the file had before, unless one that counted since is nearer to
    what it says now, as a pull brings several commits at once, and a command writes the newest version with its edit.
    None: there is none.
    """
    bases = [*([before] if before else []), *newer]
    return min(bases, key=lambda base: distance(base, now)) if bases else None
