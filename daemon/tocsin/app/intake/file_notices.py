"""What operators hear of incident files: one notice a file, one for files that vanish together, and never a flood.

Must not know when a notice is due; the intake says that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tocsin.domain.incident import Incident
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.problem import Problem
from tocsin.ports.folder import MarkTrouble
from tocsin.text.times import utc

NAMED_LIMIT = 5
"""How many files or problems one notice names; the rest are counted."""
HELD_LIMIT = 50
"""How many incidents that were held are named; the rest are counted."""
NOTICES_LIMIT = 20
"""How many notices one look at the folder brings; the rest are counted in the last."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Files of open incidents have been gone for 10 s together: of which, and the notice that says so."""

    incidents: tuple[str, ...]
    notice: OperatorNotice


def wrong(
    name: str, problems: Sequence[Problem], known: Incident | None, *, minor: bool, unread: bool
) -> OperatorNotice:
    """What is wrong with a file, nothing of which could be used if it is `unread`. `known` is the incident that goes on
    regardless of it.
    """
    lines = [str(problem) for problem in problems[:NAMED_LIMIT]]
    if len(problems) > NAMED_LIMIT:
        lines.append(f"and {len(problems) - NAMED_LIMIT} more problems in this file")
    if known and not known.unreadable:
        state = "is resolved, and stays so" if known.resolved else "goes on as it last could be read"
        lines.append(f"incident {known.id} {state}")
    codes = sorted({problem.code for problem in problems})
    trouble = Trouble.FILE_UNREADABLE if unread else Trouble.FILE_FAULTY
    return OperatorNotice(trouble, "\n".join(lines), about=name, aspect=",".join(codes), minor=minor)


def vanished(names: Sequence[str]) -> OperatorNotice:
    """Files of open incidents have vanished: one notice, however many they are."""
    shown = ", ".join(names[:NAMED_LIMIT])
    if len(names) == 1:
        sentence = f"{shown} has vanished; its incident stays open: put the file back, or use tocsin resolve"
        return OperatorNotice(Trouble.FILE_VANISHED, sentence, about=shown)
    more = f" and {len(names) - NAMED_LIMIT} more" if len(names) > NAMED_LIMIT else ""
    subject = f"{len(names)} incident files have vanished ({shown}{more})"
    sentence = f"{subject}; their incidents stay open: put the files back"
    return OperatorNotice(Trouble.FILE_VANISHED, f"{sentence}, or use tocsin resolve", about=f"{shown}{more}")


def gone(name: str, incident: str) -> OperatorNotice:
    """A file that was never readable has gone."""
    text = f"{name} was never readable and is gone now; its pages have ended"
    return OperatorNotice(Trouble.UNREAD_FILE_GONE, text, about=name, aspect=incident)


def stale(name: str) -> OperatorNotice:
    """A file holds an old version of a pruned incident."""
    text = f"{name}: this is an old version of an incident that was closed long ago and pruned; nobody is paged for it"
    return OperatorNotice(Trouble.FILE_FAULTY, f"{text}; if it is on again, declare it under another name", about=name)


def few(troubles: Sequence[OperatorNotice]) -> tuple[OperatorNotice, ...]:
    """At most so many notices, the grave ones first."""
    if len(troubles) <= NOTICES_LIMIT:
        return tuple(troubles)
    ordered = sorted(troubles, key=lambda trouble: trouble.minor)
    rest = ordered[NOTICES_LIMIT - 1 :]
    sentence = f"{len(rest)} more incident files have problems; run tocsin check to see them"
    minor = all(notice.minor for notice in rest)
    more = OperatorNotice(Trouble.FILE_FAULTY, sentence, about="more incident files", minor=minor)
    return (*ordered[: NOTICES_LIMIT - 1], more)


def held(incidents: Sequence[str]) -> OperatorNotice:
    """Resolved incidents whose files went back to older contents together: whether that is meant."""
    names = sorted(incidents)
    shown = ", ".join(names[:HELD_LIMIT])
    more = f" and {len(names) - HELD_LIMIT} more" if len(names) > HELD_LIMIT else ""
    fault = f"the files of {len(names)} resolved incidents went back to older contents at once, as by git checkout"
    text = f"{fault}: {shown}{more}; nobody is paged for them: is it meant that they reopen?"
    return OperatorNotice(Trouble.REOPENINGS_HELD, text, aspect=",".join(names))


NONE_HELD = "each file that was held says that it is resolved again, was edited further, or is gone"
"""What is said when the last hold is over."""


def unlisted(why: str, since: datetime) -> OperatorNotice:
    """The folder cannot be read."""
    return OperatorNotice(Trouble.FOLDER_UNREADABLE, why, since=since)


def hangs(folder: str, since: datetime) -> OperatorNotice:
    """Whoever asks the folder gets no answer."""
    text = (
        f"the incident folder {folder} has not answered since {utc(since)}; "
        f"see whether its disk or server is alive (ls {folder})"
    )
    return OperatorNotice(Trouble.FOLDER_UNREADABLE, text, since=since)


def unmarked(why: MarkTrouble) -> OperatorNotice:
    """The folder cannot be marked as watched."""
    return OperatorNotice(Trouble.FOLDER_SHARED if why.shared else Trouble.FOLDER_UNMARKED, why.text)


def folder_back(folder: str) -> str:
    """What is said when the folder can be read again."""
    return f"the incident folder {folder} can be read again; what was written there meanwhile counts from now on"
