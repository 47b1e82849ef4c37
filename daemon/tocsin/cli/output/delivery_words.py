"""What became of messages that were decided as one, in a few words for people.

It says equal things once; it must not know why the messages were decided.
"""

from collections import Counter
from collections.abc import Sequence

from tocsin.domain.delivery import Accepted, Deferred, Record, Uncertain
from tocsin.text.cleaning import clean, cut, one_line
from tocsin.wording.report.outcome import (
    outcome_word,
    passed_over,
    provider_answer,
    provider_of,
    receipt_words,
    try_number,
)

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
    """How its newest try ended, by which provider if there was another, what the provider said later, and whether there
    may be a second copy.
    """
    if record.room_at:
        return "waits for room"
    if not record.attempts:
        return "not sent yet" if record.state == "pending" else _STATES.get(record.state, record.state)
    words = _last_outcome(record)
    if receipt := receipt_words(record):
        words = f"{words}, {clean(receipt)}"
    copies = dict.fromkeys(attempt.possible_duplicate for attempt in record.attempts if attempt.possible_duplicate)
    return f"{words}, possible duplicate ({'; '.join(map(_short, copies))})" if copies else words


def _last_outcome(record: Record) -> str:
    """How a try ended, and what follows while the message is not settled."""
    going_on, outcome, number = record.state == "pending", record.attempts[-1].outcome, try_number(record.attempts)
    word, provider = outcome_word(outcome), provider_of(record.attempts)
    match outcome:
        case Accepted() if number > 1:
            word = f"{word} at try {number}"
        case Deferred():
            word = f"retrying after try {number}" if going_on else _STATES.get(record.state, "given up")
        case Uncertain() if going_on:
            word = f"{word}, being looked into"
        case None if not going_on:
            word = "of uncertain fate"
    answer = provider_answer(outcome, DETAIL_LIMIT)
    if provider and answer:
        answer = f"{provider}: {answer}"
    elif provider:
        word = f"{word} by {provider}"
    others = [
        ", ".join(filter(None, (f"{name}: {outcome_word(ended)}", provider_answer(ended, DETAIL_LIMIT))))
        for name, ended in (passed_over(record.attempts) if provider else {}).items()
    ]
    details = "; ".join(filter(None, (answer, *others)))
    return f"{word} ({details})" if details else word


def _short(text: str) -> str:
    return cut(one_line(clean(text)), DETAIL_LIMIT)
