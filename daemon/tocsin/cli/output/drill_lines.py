"""A drill in words: a line for each message while it runs, and the report at its end.

Decides what is told in which order. Must not ask the ledger.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from tocsin.app.incidents.drill import DrillMessage, DrillState
from tocsin.cli.output.terminal.line import Line, Mark, marked, severity_mark
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


class LiveLines:
    """What is new at each look: each message once when it is known how it went, receipts, and answers."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._told: set[tuple[str, str]] = set()

    def lines(self, state: DrillState) -> Iterator[str]:
        """What has happened since the last look, in time order."""
        new = [event for event in self._events(state) if event[1] not in self._told]
        for at, key, words in sorted(new):
            self._told.add(key)
            yield Line(f"{at:%H:%M:%S}  ", words, hang=10)

    def _events(self, state: DrillState) -> Iterator[tuple[datetime, tuple[str, str], str]]:
        for message in state.messages:
            headline, at = _message(message, self._policy), message.notification.at
            last = message.record.attempts[-1] if message.record.attempts else None
            key = message.notification.key
            if last and last.ended_at and last.outcome:
                words = f"{headline}  {_outcome(message)}, {_seconds(at, last.ended_at)}"
                yield last.ended_at, (key, str(last.number)), words
            if message.receipt_at and message.record.receipt:
                words = f"{headline}  {message.record.receipt}, {_seconds(at, message.receipt_at)}"
                yield message.receipt_at, (key, message.record.receipt), words
        for reply in state.replies:
            words = f"{_person(reply.person, self._policy)} answered {reply.answer} {reply.way}"
            yield reply.at, (reply.person, reply.at.isoformat()), words
        for suppression in state.unpaged:
            yield suppression.at, ("held", suppression.key), f"a page was not sent: {_why(suppression)}"


def report(state: DrillState, policy: Policy, ended_at: datetime) -> Iterator[str]:
    """The whole report."""
    incident = state.history.incident
    if incident is None or not state.history.started_at:
        yield f"{state.incident}: the daemon did not see it; its log may say why"
        return
    began_at = state.history.started_at
    lasted = brief(ended_at - began_at)
    yield f"REPORT OF THE DRILL {state.incident}"
    severity = marked(policy.severity(incident.severity).title, severity_mark(policy.severity_rank(incident.severity)))
    yield Line(severity, f" ({incident.severity}), {utc(began_at)}, {lasted}")
    yield from ("", "WHO GOT WHAT, WHEN  (seconds after it was decided)", *_table(state.messages, policy, began_at))
    yield from ("", "WHO ANSWERED", *_answers(state, policy))
    yield from ("", "WHAT FAILED", *(list(_failures(state, policy)) or ["  nothing"]))
    if not state.closed:
        yield from ("", f"Its end was not told yet. If it is still open: tocsin resolve {state.incident}")


def _table(messages: Sequence[DrillMessage], policy: Policy, began_at: datetime) -> Iterator[str]:
    """A row for each message; of many, those that went well and ask for nothing are counted."""
    folded = len(messages) >= FOLDED_FROM
    shown = [message for message in messages if not (folded and _quiet(message))]
    rows: list[tuple[str, ...]] = [("at", "kind", "to", "via", "tried", "accepted", "receipt", "answered")]
    rows += [_row(message, policy, began_at) for message in shown]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    for kind in (Kind.UPDATE, Kind.CLOSING):
        quiet = [message for message in messages if folded and _quiet(message) and message.notification.kind is kind]
        if quiet:
            slowest = max(_after(message.notification.at, message.accepted_at) for message in quiet)
            yield f"  and {len(quiet)} {kind.value}s accepted, the slowest after {slowest:.1f}"


def _row(message: DrillMessage, policy: Policy, began_at: datetime) -> tuple[str, ...]:
    at = message.notification.at
    receipt = "-"
    if message.receipt_at and message.record.receipt:
        receipt = f"{message.record.receipt} {_after(at, message.receipt_at):.1f}"
    return (
        f"+{brief(at - began_at)}",
        str(message.notification.kind).replace("_", "-"),
        _person(message.notification.to, policy),
        message.notification.via.value,
        f"{_after(at, message.tried_at):.1f}" if message.tried_at else "-",
        f"{_after(at, message.accepted_at):.1f}" if message.accepted_at else "no",
        receipt,
        f"{_after(at, message.replied_at):.1f}" if message.replied_at else "-",
    )


def _answers(state: DrillState, policy: Policy) -> Iterator[str]:
    """Each role: who took it, how long after they were first paged, and how."""
    for name, role in state.history.roles.items():
        if name not in state.acceptances:
            if role.needed:
                yield Line(f"  {_role(name, policy)}: ", marked("nobody", Mark.ALARM))
            continue
        person, at = state.acceptances[name]
        paged_at = min((when for who, when in role.first_pages if who == person), default=None)
        way = next((reply.way for reply in reversed(state.replies) if reply.person == person and reply.at <= at), "")
        after = f"{_seconds(paged_at, at)} after the page" if paged_at else ""
        yield f"  {_role(name, policy)}: {', '.join(filter(None, (_person(person, policy), after, way)))}"
    for person, since in state.history.responders:
        theirs = [reply.at for reply in state.replies if reply.person == person]
        answered_at = next((at for at in theirs if at >= since), None)
        answer = f"{_seconds(since, answered_at)} after the page" if answered_at else "no answer"
        words = answer if answered_at else marked(answer, Mark.ALARM)
        yield Line(f"  responder: {_person(person, policy)}, ", words)
    if not state.history.roles and not state.history.responders:
        yield "  nobody was asked: this severity pages nobody"


def _failures(state: DrillState, policy: Policy) -> Iterator[str]:
    """Addresses that do not work, messages that never arrived, pages that nobody could get."""
    lines: set[str] = set()
    for message in state.messages:
        if message.arrived or not message.wanted:
            continue
        address = message.record.attempts[-1].address if message.record.attempts else ""
        who = f"{_person(message.notification.to, policy)} by {message.notification.via.value}"
        line = Line(f"  {who}{f' ({address})' if address else ''}: ", marked(_outcome(message), Mark.ALARM))
        if line not in lines:
            lines.add(line)
            yield line
    for suppression in state.unpaged:
        yield Line("  ", marked(f"a page was not sent: {_why(suppression)}", Mark.ALARM))


def _outcome(message: DrillMessage) -> str:
    """How its newest try ended, in the provider's words."""
    if message.record.receipt is Receipt.UNDELIVERED:
        return "accepted, but not delivered"
    if not message.record.attempts:
        return "never left"
    return outcome_sentence(message.record.attempts[-1].outcome, DETAIL_MOST)


def _message(message: DrillMessage, policy: Policy) -> str:
    kind = str(message.notification.kind).replace("_", "-")
    return f"{kind:<10}  {_person(message.notification.to, policy)}  {message.notification.via.value}"


def _quiet(message: DrillMessage) -> bool:
    return message.arrived and message.notification.kind in (Kind.UPDATE, Kind.CLOSING)


def _why(suppression: Suppression) -> str:
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
