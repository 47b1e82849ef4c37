"""What became of messages that were decided as one, in a few words for people.

It says equal things once; it must not know why the messages were decided.
"""

from collections import Counter
from collections.abc import Sequence

from tocsin.domain.delivery import Accepted, Attempt, Deferred, Record, Uncertain
from tocsin.text.cleaning import clean, cut, one_line
from tocsin.wording.report.outcome import outcome_word, provider_answer

DETAIL_LIMIT = 80
"""The longest answer of a provider that is shown, in characters."""
_STATES = {
    "superseded": "superseded by a newer one",
    "unwanted": "no longer wanted",
    "opted_out": "not sent: they want nothing there",
}


def outcomes(records: Sequence[Record]) -> str:
    """`accepted`; where messages fared differently, each channel or how many of them."""
    words = [outcome(record) for record in records]
    if len(set(words)) == 1:
        return words[0]
    readers = {record.decided.to for record in records}
    if len(readers) == 1:
        pairs = zip(records, words, strict=True)
        return ", ".join(f"{record.notification.via} {word}" for record, word in pairs)
    return ", ".join(f"{count} {word}" for word, count in Counter(words).most_common())


def outcome(record: Record) -> str:
    """How its newest try ended, what the provider said later, and whether there may be a second copy."""
    if not record.attempts:
        return "not sent yet" if record.state == "pending" else _STATES.get(record.state, record.state)
    last = record.attempts[-1]
    words = _last_outcome(last, record.state)
    if record.receipt and record.receipt.final:
        words = f"{words}, {record.receipt}"
    copies = dict.fromkeys(attempt.possible_duplicate for attempt in record.attempts if attempt.possible_duplicate)
    return f"{words}, possible duplicate ({'; '.join(map(_short, copies))})" if copies else words


def _last_outcome(last: Attempt, state: str) -> str:
    """How a try ended, and what follows while the message is not settled."""
    going_on = state == "pending"
    word = outcome_word(last.outcome)
    match last.outcome:
        case Accepted() if last.number > 1:
            word = f"{word} at try {last.number}"
        case Deferred():
            word = f"retrying after try {last.number}" if going_on else _STATES.get(state, "given up")
        case Uncertain() if going_on:
            word = f"{word}, being looked into"
        case None if not going_on:
            word = "of uncertain fate"
    answer = provider_answer(last.outcome, DETAIL_LIMIT)
    return f"{word} ({answer})" if answer else word


def _short(text: str) -> str:
    return cut(one_line(clean(text)), DETAIL_LIMIT)
