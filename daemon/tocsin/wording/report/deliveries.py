"""What became of messages, in words: what was sent, to whom, by which channels, and how each try ended.

Messages decided together are told together: a page's channels, a group's readers. Must not know why they were decided.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from tocsin.domain.delivery import Accepted, Receipt, Record
from tocsin.domain.notification import Kind, Notification, in_one
from tocsin.domain.policy import Policy
from tocsin.text.markdown import Run, Runs, joined, quoted, runs
from tocsin.text.times import seconds_of_day
from tocsin.wording.report.outcome import (
    outcome_word,
    passed_over,
    provider_answer,
    provider_of,
    receipt_words,
    try_number,
)

_STATES = {"opted_out": "that address wants nothing more"}
"""How messages were settled, where the word alone does not say it."""
NAMED_MOST = 6
"""Up to how many deliveries of one update or closing are told one by one; of more, those that went well are counted."""


def of_messages(records: Iterable[Record]) -> list[Record]:
    """The records of what was decided to be sent."""
    return [record for record in records if isinstance(record.decided, Notification)]


def went_well(record: Record) -> bool:
    """Whether a message was accepted, once, and no receipt says that it did not arrive."""
    accepted = bool(record.attempts) and isinstance(record.attempts[-1].outcome, Accepted)
    return accepted and record.receipt is not Receipt.UNDELIVERED and not record.attempts[-1].possible_duplicate


def deliveries(records: Iterable[Record], policy: Policy, zone: str = "UTC") -> Iterator[tuple[datetime, Runs]]:
    """The instant and the words of every message of `records`; times in the words are those of `zone`."""
    for message in in_one(of_messages(records), lambda record: record.notification):
        first = message[0].notification
        yield first.at, runs(*_title(first, policy), ": ", _outcomes(message, policy, zone))


def _title(notification: Notification, policy: Policy) -> Sequence[str | Run | Runs]:
    """What it was, and who it was for."""
    roles = joined(", ", (quoted(policy.role_title(role)) for role in notification.roles))
    position = f", level {notification.level}, round {notification.round}" if notification.level is not None else ""
    reason = f" ({notification.reason.value.replace('_', ' ')}{position})"
    to = quoted(policy.person_name(notification.to))
    match notification.kind:
        case Kind.UPDATE:
            return "Update to ", quoted(policy.group_title(notification.group or "")), reason
        case Kind.CLOSING:
            return ("Closing message",)
        case Kind.PAGE:
            return "Page to ", to, " as " if roles else "", roles, reason
        case Kind.STAND_DOWN:
            return "Stand-down to ", to, " as " if roles else "", roles, reason
        case Kind.REMINDER:
            return "Reminder that an update is due, to ", to
        case Kind.VERIFY:
            return "Request to confirm health, to ", to
        case Kind.REVIEW:
            return "Request to finish the review, to ", to
        case Kind.OPERATOR:
            return "Notice to ", to
        case Kind.ANSWER:
            return "Answer to ", to
        case Kind.SIGN_IN:
            return "Code to sign in, to ", to


def _outcomes(records: Sequence[Record], policy: Policy, zone: str) -> Runs:
    """How each delivery went; of many, those that did not go well."""
    shared = records[0].notification.kind in (Kind.UPDATE, Kind.CLOSING)
    if not shared or len(records) <= NAMED_MOST:
        return joined("; ", (_delivery(record, policy, zone, named=shared) for record in records))
    others = [record for record in records if not went_well(record)]
    accepted = f"{len(records) - len(others)} of {len(records)} messages accepted"
    return joined("; ", [accepted, *(_delivery(record, policy, zone, named=True) for record in others)])


def _delivery(record: Record, policy: Policy, zone: str, *, named: bool) -> Runs:
    via = record.notification.via.traits.word
    reader = runs(quoted(policy.person_name(record.notification.to)), " by ") if named else ()
    return runs(reader, f"{via} ", _outcome(record, zone))


def _outcome(record: Record, zone: str) -> Runs:
    """How the newest try ended, after how many, by which provider if there was another, in what company, and what the
    provider said later.
    """
    if record.room_at:
        return runs(f"waiting for room at the address, until {seconds_of_day(record.room_at, zone)} at the latest")
    if not record.attempts:
        pending = record.state == "pending"
        why = quoted(_STATES.get(record.state, record.state))
        return runs("waiting to be sent") if pending else runs("not sent (", why, ")")
    last = record.attempts[-1]
    at = f" {seconds_of_day(last.ended_at, zone)}" if last.ended_at else ""
    number = try_number(record.attempts)
    at_try = f" at try {number}" if number > 1 else ""
    word = outcome_word(last.outcome)
    answer = provider_answer(last.outcome)
    provider = provider_of(record.attempts)
    ended = runs(
        f"{word}{at}{at_try}" if last.outcome else word,
        runs(" by ", quoted(provider)) if provider else (),
        runs(" (", quoted(answer), ")") if answer else (),
        *(_passed_over(record) if provider else ()),
        _company(record),
    )
    receipt = runs(", ", quoted(said)) if (said := receipt_words(record)) else ()
    duplicate = quoted(last.possible_duplicate)
    return runs(ended, receipt, runs(", possibly a second copy (", duplicate, ")") if last.possible_duplicate else ())


def _passed_over(record: Record) -> Iterator[Runs]:
    """The providers that did not carry it, and what each said."""
    for name, outcome in passed_over(record.attempts).items():
        answer = provider_answer(outcome)
        said = runs(" (", quoted(answer), ")") if answer else ()
        yield runs(", after ", quoted(name), f" {outcome_word(outcome)}", said)


def _company(record: Record) -> str:
    """That it left with others as one message; which ones `tocsin explain` tells."""
    others = len(record.bundled_with)
    return f", in one message with {others} other page{'s' if others > 1 else ''}" if others else ""
