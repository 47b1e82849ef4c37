"""What became of messages that were decided as one, in a few words for people.

It says equal things once; it must not know why the messages were decided.
"""

from collections import Counter
from collections.abc import Sequence

from tocsin.domain.delivery import Accepted, Attempt, Deferred, Receipt, Record, Refused, Uncertain
from tocsin.domain.notification import Notification
from tocsin.text.cleaning import clean, cut, one_line

DETAIL_LIMIT = 80
"""The longest answer of a provider that is shown, in characters."""
_STATES = {"superseded": "superseded by a newer one", "unwanted": "no longer wanted"}


def fates(records: Sequence[Record]) -> str:
    """`accepted`; where messages fared differently, each channel or how many of them."""
    said = [fate(each) for each in records]
    if len(set(said)) == 1:
        return said[0]
    readers = {each.decided.to for each in records}
    if len(readers) == 1:
        pairs = zip(records, said, strict=True)
        return ", ".join(f"{each.decided.via} {how}" for each, how in pairs if isinstance(each.decided, Notification))
    return ", ".join(f"{count} {how}" for how, count in Counter(said).most_common())


def fate(record: Record) -> str:
    """How its newest try ended, what the provider said later, and whether there may be a second copy."""
    if not record.attempts:
        return "not sent yet" if record.state == "pending" else _STATES.get(record.state, record.state)
    last = record.attempts[-1]
    said = _outcome(last, record.state)
    if record.receipt in (Receipt.DELIVERED, Receipt.UNDELIVERED):
        said = f"{said}, {record.receipt}"
    copies = dict.fromkeys(each.possible_duplicate for each in record.attempts if each.possible_duplicate)
    return f"{said}, possible duplicate ({'; '.join(map(_short, copies))})" if copies else said


def _outcome(last: Attempt, state: str) -> str:
    going_on = state == "pending"
    match last.outcome:
        case Accepted():
            return "accepted" if last.number == 1 else f"accepted at try {last.number}"
        case Deferred(detail=detail, code=code):
            how = f"retrying after try {last.number}" if going_on else _STATES.get(state, "given up")
            return f"{how}{_because(code, detail)}"
        case Refused(detail=detail, code=code):
            return f"refused{_because(code, detail)}"
        case Uncertain(detail=detail, code=code):
            return f"uncertain{', being looked into' if going_on else ''}{_because(code, detail)}"
        case None:
            return "on its way" if going_on else "of uncertain fate"


def _because(code: str, detail: str) -> str:
    words = _short(detail if code in detail else f"{code} {detail}")
    return f" ({words})" if words else ""


def _short(text: str) -> str:
    return cut(one_line(clean(text)), DETAIL_LIMIT)
