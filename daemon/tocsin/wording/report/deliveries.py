"""What became of messages, in words: what was sent, to whom, by which channels, and how each try ended.

Messages decided together are told together: a page's channels, a group's readers. Must not know why they were decided.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tocsin.domain.delivery import Accepted, Attempt, Deferred, Receipt, Refused, Uncertain
from tocsin.domain.notification import Kind, Notification, in_one
from tocsin.domain.policy import Policy
from tocsin.text.markdown import Run, Runs, joined, quoted, runs

NAMED_MOST = 6
"""Up to how many deliveries of one update or closing are told one by one; of more, those that went well are counted."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was decided, its tries, what the provider said of it last, and how it was settled."""

    notification: Notification
    attempts: tuple[Attempt, ...] = ()
    receipt: Receipt | None = None
    state: str = "pending"

    @property
    def accepted(self) -> bool:
        """Whether it went as it should."""
        went = bool(self.attempts) and isinstance(self.attempts[-1].outcome, Accepted)
        return went and self.receipt is not Receipt.UNDELIVERED and not self.attempts[-1].possible_duplicate


def told(sent: Iterable[Sent], policy: Policy) -> Iterator[tuple[datetime, Runs]]:
    """The instant and the words of everything sent."""
    for found in in_one(sent, lambda each: each.notification):
        first = found[0].notification
        yield first.at, runs(*_what(first, policy), ": ", _fates(found, policy))


def _what(each: Notification, policy: Policy) -> Sequence[str | Run | Runs]:
    """What it was, and who it was for."""
    roles = joined(", ", (quoted(policy.role_title(role)) for role in each.roles))
    position = f", level {each.level}, round {each.round}" if each.level is not None else ""
    reason = f" ({each.reason.value.replace('_', ' ')}{position})"
    to = quoted(policy.person_name(each.to))
    match each.kind:
        case Kind.UPDATE:
            return "Update to ", quoted(policy.group_title(each.group or "")), reason
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


def _fates(found: Sequence[Sent], policy: Policy) -> Runs:
    """How each delivery went; of many, those that did not go well."""
    shared = found[0].notification.kind in (Kind.UPDATE, Kind.CLOSING)
    if not shared or len(found) <= NAMED_MOST:
        return joined("; ", (_fate(each, policy, named=shared) for each in found))
    counted = Counter("accepted" if each.accepted else "not plainly accepted" for each in found)
    well = f"{counted['accepted']} of {len(found)} messages accepted"
    return joined("; ", [well, *(_fate(each, policy, named=True) for each in found if not each.accepted)])


def _fate(each: Sent, policy: Policy, *, named: bool) -> Runs:
    via = each.notification.via.traits.word
    reader = runs(quoted(policy.person_name(each.notification.to)), " by ") if named else ()
    return runs(reader, f"{via} ", _outcome(each))


def _outcome(each: Sent) -> Runs:
    """How the newest try ended, after how many, and what the provider said later."""
    if not each.attempts:
        return runs("waiting to be sent") if each.state == "pending" else runs("not sent (", quoted(each.state), ")")
    last = each.attempts[-1]
    at = f" {last.ended_at:%H:%M:%S}" if last.ended_at else ""
    tries = f" at try {last.number}" if last.number > 1 else ""
    match last.outcome:
        case Accepted():
            ended = runs(f"accepted{at}{tries}")
        case Deferred(detail=detail, code=code):
            ended = runs(f"put off{at}{tries}", _because(code, detail))
        case Refused(detail=detail, code=code):
            ended = runs(f"refused{at}{tries}", _because(code, detail))
        case Uncertain(detail=detail, code=code):
            ended = runs(f"uncertain{at}{tries}", _because(code, detail))
        case None:
            ended = runs("on its way")
    later = f", {each.receipt.value}" if each.receipt in (Receipt.DELIVERED, Receipt.UNDELIVERED) else ""
    duplicate = quoted(last.possible_duplicate)
    return runs(ended, later, runs(", possibly a second copy (", duplicate, ")") if last.possible_duplicate else ())


def _because(code: str, detail: str) -> Runs:
    words = quoted(detail if code in detail else f"{code} {detail}")
    return runs(" (", words, ")") if words.text else ()
