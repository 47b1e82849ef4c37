"""Fates: what became of messages, as Markdown: what was sent, to whom, by which channels, and how each try ended.

Messages decided together are told together: a page's channels, a group's readers. Must not know why they were decided.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tocsin.domain.delivery import Accepted, Attempt, Deferred, Receipt, Refused, Uncertain
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.policy import Policy
from tocsin.text.markdown import inline

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


def told(sent: Iterable[Sent], policy: Policy) -> Iterator[tuple[datetime, str]]:
    """The instant and the words of everything sent."""
    together: dict[tuple[object, ...], list[Sent]] = {}
    for each in sent:
        about = each.notification
        reader = about.group if about.kind is Kind.UPDATE else None if about.kind is Kind.CLOSING else about.to
        together.setdefault((about.at, about.kind, about.reason, reader), []).append(each)
    for found in together.values():
        first = found[0].notification
        yield first.at, f"{_what(first, policy)}: {_fates(found, policy)}"


def _what(each: Notification, policy: Policy) -> str:
    """What it was, and who it was for."""
    roles = ", ".join(inline(policy.role_title(role)) for role in each.roles)
    position = f", level {each.level}, round {each.round}" if each.level is not None else ""
    reason = f" ({each.reason.value.replace('_', ' ')}{position})"
    to = inline(policy.person_name(each.to))
    match each.kind:
        case Kind.UPDATE:
            return f"Update to {inline(policy.group_title(each.group or ''))}{reason}"
        case Kind.CLOSING:
            return "Closing message"
        case Kind.PAGE:
            return f"Page to {to}{f' as {roles}' if roles else ''}{reason}"
        case Kind.STAND_DOWN:
            return f"Stand-down to {to}{f' as {roles}' if roles else ''}{reason}"
        case Kind.REMINDER:
            return f"Reminder that an update is due, to {to}"
        case Kind.VERIFY:
            return f"Request to confirm health, to {to}"
        case Kind.REVIEW:
            return f"Request to finish the review, to {to}"
        case Kind.OPERATOR:
            return f"Notice to {to}"
        case Kind.ANSWER:
            return f"Answer to {to}"


def _fates(found: Sequence[Sent], policy: Policy) -> str:
    """How each delivery went; of many, those that did not go well."""
    shared = found[0].notification.kind in (Kind.UPDATE, Kind.CLOSING)
    if not shared or len(found) <= NAMED_MOST:
        return "; ".join(_fate(each, policy, named=shared) for each in found)
    counted = Counter("accepted" if each.accepted else "not plainly accepted" for each in found)
    well = f"{counted['accepted']} of {len(found)} messages accepted"
    return "; ".join([well, *(_fate(each, policy, named=True) for each in found if not each.accepted)])


def _fate(each: Sent, policy: Policy, *, named: bool) -> str:
    via = "SMS" if each.notification.via.value == "sms" else "email"
    reader = f"{inline(policy.person_name(each.notification.to))} by {via}" if named else via
    return f"{reader} {_outcome(each)}"


def _outcome(each: Sent) -> str:
    """How the newest try ended, after how many, and what the provider said later."""
    if not each.attempts:
        return "waiting to be sent" if each.state == "pending" else f"not sent ({inline(each.state)})"
    last = each.attempts[-1]
    at = f" {last.ended_at:%H:%M:%S}" if last.ended_at else ""
    tries = f" at try {last.number}" if last.number > 1 else ""
    match last.outcome:
        case Accepted():
            said = f"accepted{at}{tries}"
        case Deferred(detail=detail, code=code):
            said = f"put off{at}{tries}{_because(code, detail)}"
        case Refused(detail=detail, code=code):
            said = f"refused{at}{tries}{_because(code, detail)}"
        case Uncertain(detail=detail, code=code):
            said = f"uncertain{at}{tries}{_because(code, detail)}"
        case None:
            said = "on its way"
    later = f", {each.receipt.value}" if each.receipt in (Receipt.DELIVERED, Receipt.UNDELIVERED) else ""
    copies = f", possibly a second copy ({inline(last.possible_duplicate)})" if last.possible_duplicate else ""
    return f"{said}{later}{copies}"


def _because(code: str, detail: str) -> str:
    words = inline(detail if code in detail else f"{code} {detail}")
    return f" ({words})" if words else ""
