"""A drill in words: a line for each message while it runs, and the report at its end.

Decides what is told in which order. Must not ask the ledger.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from tocsin.app.incidents.drill import DrillMessage, DrillState
from tocsin.domain.delivery import Receipt
from tocsin.domain.notification import Kind, Suppression
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import clean, one_line
from tocsin.text.times import brief, utc
from tocsin.wording.report.outcome import outcome_sentence

DETAIL_MOST = 100
"""Characters of a provider's answer."""
FOLDED_FROM = 12
"""From so many messages on, updates and closings that went well are counted instead of listed."""


class Live:
    """What is new at each look: each message once when it is known how it went, receipts, and answers."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._said: set[tuple[str, str]] = set()

    def lines(self, found: DrillState) -> Iterator[str]:
        """What has happened since the last look, in time order."""
        new = [event for event in self._events(found) if event[1] not in self._said]
        for at, key, said in sorted(new):
            self._said.add(key)
            yield f"{at:%H:%M:%S}  {said}"

    def _events(self, found: DrillState) -> Iterator[tuple[datetime, tuple[str, str], str]]:
        for each in found.messages:
            last = each.record.attempts[-1] if each.record.attempts else None
            key = each.notification.key
            if last and last.ended_at and last.outcome:
                told = (
                    f"{_message(each, self._policy)}  {_outcome(each)}, {_seconds(each.notification.at, last.ended_at)}"
                )
                yield last.ended_at, (key, str(last.number)), told
            if each.receipt_at and each.record.receipt:
                told = f"{_message(each, self._policy)}  {each.record.receipt}"
                yield (
                    each.receipt_at,
                    (key, each.record.receipt),
                    f"{told}, {_seconds(each.notification.at, each.receipt_at)}",
                )
        for reply in found.replies:
            told = f"{_person(reply.person, self._policy)} answered {reply.answer} {reply.way}"
            yield reply.at, (reply.person, reply.at.isoformat()), told
        for suppression in found.unpaged:
            yield suppression.at, ("held", suppression.key), f"a page was not sent: {_held_back(suppression)}"


def report(found: DrillState, policy: Policy, ended_at: datetime) -> Iterator[str]:
    """The whole report."""
    incident = found.history.incident
    if incident is None or not found.history.started_at:
        yield f"{found.incident}: the daemon did not see it; its log may say why"
        return
    began_at = found.history.started_at
    lasted = brief(ended_at - began_at)
    yield f"REPORT OF THE DRILL {found.incident}"
    yield f"{policy.severity(incident.severity).title} ({incident.severity}), {utc(began_at)}, {lasted}"
    yield from ("", "WHO GOT WHAT, WHEN  (seconds after it was decided)", *_table(found.messages, policy, began_at))
    yield from ("", "WHO ANSWERED", *_answers(found, policy))
    yield from ("", "WHAT FAILED", *(list(_failures(found, policy)) or ["  nothing"]))
    if not found.closed:
        yield from ("", f"Its end was not told yet. If it is still open: tocsin resolve {found.incident}")


def _table(messages: Sequence[DrillMessage], policy: Policy, began_at: datetime) -> Iterator[str]:
    """A row for each message; of many, those that went well and ask for nothing are counted."""
    folded = len(messages) >= FOLDED_FROM
    shown = [each for each in messages if not (folded and _quiet(each))]
    rows: list[tuple[str, ...]] = [("at", "kind", "to", "via", "tried", "accepted", "receipt", "answered")]
    rows += [_row(each, policy, began_at) for each in shown]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    for kind in (Kind.UPDATE, Kind.CLOSING):
        quiet = [each for each in messages if folded and _quiet(each) and each.notification.kind is kind]
        if quiet:
            slowest = max(_after(each.notification.at, each.accepted_at) for each in quiet)
            yield f"  and {len(quiet)} {kind.value}s accepted, the slowest after {slowest:.1f}"


def _row(each: DrillMessage, policy: Policy, began_at: datetime) -> tuple[str, ...]:
    at = each.notification.at
    receipt = "-"
    if each.receipt_at and each.record.receipt:
        receipt = f"{each.record.receipt} {_after(at, each.receipt_at):.1f}"
    return (
        f"+{brief(at - began_at)}",
        str(each.notification.kind).replace("_", "-"),
        _person(each.notification.to, policy),
        each.notification.via.value,
        f"{_after(at, each.tried_at):.1f}" if each.tried_at else "-",
        f"{_after(at, each.accepted_at):.1f}" if each.accepted_at else "no",
        receipt,
        f"{_after(at, each.replied_at):.1f}" if each.replied_at else "-",
    )


def _answers(found: DrillState, policy: Policy) -> Iterator[str]:
    """Each role: who took it, how long after they were first paged, and how."""
    for name, role in found.history.roles.items():
        if name not in found.acceptances:
            if role.needed:
                yield f"  {_role(name, policy)}: nobody"
            continue
        person, at = found.acceptances[name]
        asked = min((when for who, when in role.first_pages if who == person), default=None)
        way = next((reply.way for reply in reversed(found.replies) if reply.person == person and reply.at <= at), "")
        after = f"{_seconds(asked, at)} after the page" if asked else ""
        yield f"  {_role(name, policy)}: {', '.join(filter(None, (_person(person, policy), after, way)))}"
    for person, since in found.history.responders:
        answered_at = next((each.at for each in found.replies if each.person == person and each.at >= since), None)
        said = f"{_seconds(since, answered_at)} after the page" if answered_at else "no answer"
        yield f"  responder: {_person(person, policy)}, {said}"
    if not found.history.roles and not found.history.responders:
        yield "  nobody was asked: this severity pages nobody"


def _failures(found: DrillState, policy: Policy) -> Iterator[str]:
    """Addresses that do not work, messages that never arrived, pages that nobody could get."""
    told: set[str] = set()
    for each in found.messages:
        if each.arrived or not each.wanted:
            continue
        address = each.record.attempts[-1].address if each.record.attempts else ""
        who = f"{_person(each.notification.to, policy)} by {each.notification.via.value}"
        line = f"  {who}{f' ({address})' if address else ''}: {_outcome(each)}"
        if line not in told:
            told.add(line)
            yield line
    for suppression in found.unpaged:
        yield f"  a page was not sent: {_held_back(suppression)}"


def _outcome(each: DrillMessage) -> str:
    """How its newest try ended, in the provider's words."""
    if each.record.receipt is Receipt.UNDELIVERED:
        return "accepted, but not delivered"
    if not each.record.attempts:
        return "never left"
    return outcome_sentence(each.record.attempts[-1].outcome, DETAIL_MOST)


def _message(each: DrillMessage, policy: Policy) -> str:
    kind = str(each.notification.kind).replace("_", "-")
    return f"{kind:<10}  {_person(each.notification.to, policy)}  {each.notification.via.value}"


def _quiet(each: DrillMessage) -> bool:
    return each.arrived and each.notification.kind in (Kind.UPDATE, Kind.CLOSING)


def _held_back(suppression: Suppression) -> str:
    return one_line(clean(suppression.detail)) or suppression.why.value.replace("_", " ")


def _person(person: str, policy: Policy) -> str:
    return one_line(clean(policy.person_name(person)))


def _role(name: str, policy: Policy) -> str:
    return one_line(clean(policy.role_title(name)))


def _after(start: datetime, end: datetime | None) -> float:
    return max(0.0, (end - start).total_seconds()) if end else 0.0


def _seconds(start: datetime, end: datetime) -> str:
    return f"{_after(start, end):.1f} s"


def asked_first(names: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Who will hear at once: kind, reader and channels, a line each."""
    for kind, who, channels in names:
        yield f"  {kind:<8} {who} by {channels}"
