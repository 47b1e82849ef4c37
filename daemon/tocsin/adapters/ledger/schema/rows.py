"""Notifications, attempts and suppressions as table rows, and back. A row that cannot be read is a RowError."""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from tocsin.adapters.ledger.schema.codec import replace_non_characters, write_fact
from tocsin.adapters.ledger.schema.decoding import decode, read_instant, write_instant
from tocsin.adapters.ledger.schema.outcome_codec import write_outcome
from tocsin.adapters.ledger.schema.tables import HELD, PENDING
from tocsin.domain.delivery import CERTAINTY, Attempt, Content, Outcome
from tocsin.domain.facts import Fact
from tocsin.domain.notification import AnswerLink, Kind, Notification, Reason, Suppression, Why
from tocsin.domain.people import Channel


def digest_of(content: Content) -> str:
    """The name under which equal words are kept once; that of English ones is as it was before words had a language."""
    digest = hashlib.blake2b(digest_size=16)
    language = () if content.language == Content("").language else (content.language,)
    for part in (content.subject, content.text, content.html, *language):
        digest.update(f"{len(part)}\0{part}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def content_row(digest: str, content: Content) -> dict[str, Any]:
    """Words as a row."""
    parts = {"subject": content.subject, "text": content.text, "html": content.html, "language": content.language}
    return {"digest": digest, **{name: replace_non_characters(part) for name, part in parts.items()}}


def link_row(link: AnswerLink) -> dict[str, Any]:
    """A short link as a row."""
    names = {"incident": link.incident, "person": link.person}
    named = {name: replace_non_characters(text) for name, text in names.items()}
    return {"digest": link.digest, "episode": link.episode, **named}


def notification_row(notification: Notification, content: str) -> dict[str, Any]:
    """A notification that is to be sent, with the digest of its words."""
    return {
        "key": notification.key,
        "incident": notification.incident,
        "episode": notification.episode,
        "kind": notification.kind.value,
        "reason": notification.reason.value,
        "at": write_instant(notification.at),
        "to": notification.to,
        "via": notification.via.value,
        "roles": ",".join(notification.roles),
        "level": notification.level,
        "round": notification.round,
        "group": notification.group,
        "external": notification.external,
        "next_update_at": write_instant(notification.next_update_at) if notification.next_update_at else None,
        "rule": notification.rule,
        "revision": notification.revision,
        "content": content,
        "state": PENDING,
        "settled_at": None,
        "detail": "",
    }


def suppression_row(suppression: Suppression) -> dict[str, Any]:
    """A message that was decided not to be sent; `reason` then says why not."""
    return {
        "key": suppression.key,
        "incident": suppression.incident,
        "episode": suppression.episode,
        "kind": suppression.kind.value,
        "reason": suppression.why.value,
        "at": write_instant(suppression.at),
        "to": suppression.to,
        "via": "",
        "roles": "",
        "level": None,
        "round": None,
        "group": None,
        "external": False,
        "next_update_at": None,
        "rule": suppression.rule,
        "revision": suppression.revision,
        "content": None,
        "state": HELD,
        "settled_at": write_instant(suppression.at),
        "detail": suppression.detail,
    }


def fact_row(incident: str, fact: Fact) -> dict[str, Any]:
    """A fact of an incident."""
    return {"incident": incident, "at": write_instant(fact.at), "kind": type(fact).__name__, "body": write_fact(fact)}


def attempt_row(attempt: Attempt) -> dict[str, Any]:
    """An attempt that begins."""
    return {
        "id": attempt.id,
        "key": attempt.reference,
        "via": attempt.via.value,
        "address": attempt.address,
        "started_at": write_instant(attempt.started_at),
        "possible_duplicate": attempt.possible_duplicate,
        "provider": attempt.provider,
        "bundle": attempt.bundle,
    }


def end_row(attempt: Attempt, outcome: Outcome, at: datetime) -> dict[str, Any]:
    """How an attempt ended, and how much that says."""
    certainty, ended_at = CERTAINTY[type(outcome)], write_instant(at)
    return {"this": attempt.id, "certainty": certainty, "outcome": write_outcome(outcome), "ended_at": ended_at}


def settled_row(key: str, state: str, at: datetime) -> dict[str, Any]:
    """How a notification was settled."""
    return {"this": key, "state": state, "settled_at": write_instant(at)}


def notification_of(row: RowMapping) -> Notification:
    """A notification as it came out of the ledger. Raises ValueError for what cannot be one."""
    f"{row['to']}{row['roles']}{row['group']}{row['rule']}".encode()  # no text holds what is no character
    return Notification(
        key=row["key"],
        incident=row["incident"],
        episode=row["episode"],
        kind=Kind(row["kind"]),
        reason=Reason(row["reason"]),
        at=read_instant(row["at"]),
        to=row["to"],
        via=Channel(row["via"]),
        roles=tuple(row["roles"].split(",")) if row["roles"] else (),
        level=row["level"],
        round=row["round"],
        group=row["group"],
        external=row["external"],
        next_update_at=read_instant(row["next_update_at"]) if row["next_update_at"] else None,
        rule=row["rule"],
        revision=row["revision"],
    )


def suppression_of(row: RowMapping) -> Suppression:
    """A message that was decided not to be sent, as it came out of the ledger."""
    return Suppression(
        key=row["key"],
        incident=row["incident"],
        episode=row["episode"],
        kind=Kind(row["kind"]),
        why=Why(row["reason"]),
        at=read_instant(row["at"]),
        to=row["to"],
        detail=row["detail"],
        rule=row["rule"],
        revision=row["revision"],
    )


def read_notification(row: RowMapping) -> Notification:
    """A notification as it came out of the ledger. Raises RowError."""
    return decode("notifications", row["id"], notification_of, row)
