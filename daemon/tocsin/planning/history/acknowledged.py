"""What stands under `acknowledged` in the versions of a file: from when each entry counts, and which of them speak of
the episode that goes on (rules 15, 60, 68). What an entry that counts accepts is decided in `answers`.

People date by their clocks and a recorded instant is moved with ours, so the two meet in one place, `counts_from`.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from tocsin.domain.facts import Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Acknowledgment, Incident
from tocsin.planning.history.answers import apply_dated_ok
from tocsin.planning.history.fast_replace import replace

Entries = dict[Acknowledgment, datetime]
"""Each entry that a file ever had, and from when it counts; of a bare name written anew the newest time."""
_UNDATED = datetime.min.replace(tzinfo=UTC)


def new_acknowledgments(old: Incident | None, seen: Seen) -> tuple[Acknowledgment, ...]:
    """The entries of this version that the one before had not, or not as often."""
    if not seen.incident.acknowledged:
        return ()
    there = Counter(old.acknowledged if old else ())
    fresh = []
    for entry in seen.incident.acknowledged:
        if there[entry] > 0:
            there[entry] -= 1
        else:
            fresh.append(entry)
    return tuple(fresh)


def counts_from(entry: Acknowledgment, seen: Seen) -> datetime:
    """From when an entry that came with this version counts: a bare name from its first sight, `{by, at}` from `at`, a
    future one from now (rule 15). What people dated is as old beside the recorded as it was when it was seen: it moves
    with a clock that was put right since (rule 60).
    """
    first_seen = seen.at - seen.moved
    return min(entry.at or first_seen, first_seen) + seen.moved


def with_entries(known: Entries, entries: Iterable[Acknowledgment], seen: Seen) -> Entries:
    """These, and the entries that came with this version."""
    added = {entry: counts_from(entry, seen) for entry in entries}
    return {**known, **added} if added else known


def reopened(history: History, entries: Iterable[Acknowledgment], seen: Seen) -> History:
    """The history of an episode that a reopening began. At its first sight an entry accepts without a page if it came
    with this version, of a name that was not there before or dated after the end: no page lies between that it could
    have been dated before by mistake. Every other name stood there before.
    """
    before, end = history.acknowledged_ever, history.reopened_after or seen.at

    def accepts(entry: Acknowledgment) -> bool:
        new_name = all(entry.by != other.by for other in before)
        return new_name or (_is_newer(entry, seen, before) and counts_from(entry, seen) > end)

    accepting = tuple(entry for entry in entries if accepts(entry))
    stood = with_entries(before, (entry for entry in entries if entry not in accepting), seen)
    return replace(
        history,
        acknowledged_before=stood,
        acknowledged_ever=with_entries(stood, accepting, seen),
        first_sight=tuple(dict.fromkeys(entry.by for entry in accepting)),
    )


def apply_acknowledgments(history: History, entries: Iterable[Acknowledgment], seen: Seen) -> History:
    """The history after the entries that came with a version. `{by, at}` that was taken out and put back has counted
    already. One that is dated before the end which the reopening took back was dated by another clock, since it is
    newer than what stood there then: it counts from its first sight (rule 68).
    """
    for entry in entries:
        if not _is_newer(entry, seen, history.acknowledged_before):
            history = replace(history, ineffective_acks=(*history.ineffective_acks, (entry.by, seen.at)))
        elif entry.at is None or entry not in history.acknowledged_ever:
            end = history.reopened_after if history.resolved_at is None else None
            at = counts_from(entry, seen)
            counts = at if end is None or at > end else seen.at
            history = apply_dated_ok(history, entry.by, counts, seen.at, seen.moved)
        history = replace(history, acknowledged_ever=with_entries(history.acknowledged_ever, (entry,), seen))
    return history


def _is_newer(entry: Acknowledgment, seen: Seen, before: Entries) -> bool:
    """Whether an entry is `{by, at}` newer than all of that name before a reopening, or of another name. Of recorded
    instants that were all put at one (rule 59) people's own dates tell the order.
    """
    known = [(at, other.at or _UNDATED) for other, at in before.items() if other.by == entry.by]
    return not known or (entry.at is not None and (counts_from(entry, seen), entry.at) > max(known))
