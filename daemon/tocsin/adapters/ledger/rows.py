"""Rows: notifications, attempts and suppressions as table rows, and back."""

import hashlib
from typing import Any

from sqlalchemy import RowMapping

from tocsin.adapters.ledger.codec import read_outcome, storable
from tocsin.adapters.ledger.tables import HELD, PENDING, read_instant, written
from tocsin.domain.delivery import Attempt, Content, Receipt
from tocsin.domain.notification import Kind, Notification, Reason, Suppression, Why
from tocsin.domain.people import Channel


def digest_of(content: Content) -> str:
    """The name under which equal words are kept once."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (content.subject, content.text, content.html):
        digest.update(f"{len(part)}\0{part}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def content_row(digest: str, content: Content) -> dict[str, Any]:
    """Words as a row."""
    parts = {"subject": content.subject, "text": content.text, "html": content.html}
    return {"digest": digest, **{name: storable(part) for name, part in parts.items()}}


def notification_row(each: Notification, content: str) -> dict[str, Any]:
    """A notification that is to be sent, with the digest of its words."""
    return {
        "key": each.key,
        "incident": each.incident,
        "episode": each.episode,
        "kind": each.kind.value,
        "reason": each.reason.value,
        "at": written(each.at),
        "to": each.to,
        "via": each.via.value,
        "roles": ",".join(each.roles),
        "level": each.level,
        "round": each.round,
        "group": each.group,
        "external": each.external,
        "next_update_at": written(each.next_update_at) if each.next_update_at else None,
        "rule": each.rule,
        "revision": each.revision,
        "content": content,
        "state": PENDING,
        "settled_at": None,
        "detail": "",
    }


def held_row(each: Suppression) -> dict[str, Any]:
    """A message that was decided not to be sent; `reason` then says why not."""
    return {
        "key": each.key,
        "incident": each.incident,
        "episode": each.episode,
        "kind": each.kind.value,
        "reason": each.why.value,
        "at": written(each.at),
        "to": each.to,
        "via": "",
        "roles": "",
        "level": None,
        "round": None,
        "group": None,
        "external": False,
        "next_update_at": None,
        "rule": each.rule,
        "revision": each.revision,
        "content": None,
        "state": HELD,
        "settled_at": written(each.at),
        "detail": each.detail,
    }


def notification_of(row: RowMapping) -> Notification:
    """A notification as it came out of the ledger."""
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


def held_of(row: RowMapping) -> Suppression:
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


def attempt_of(row: RowMapping) -> Attempt:
    """A try as it came out of the ledger."""
    return Attempt(
        id=row["id"],
        reference=row["key"],
        number=row["number"],
        via=Channel(row["via"]),
        address=row["address"],
        started_at=read_instant(row["started_at"]),
        outcome=read_outcome(row["outcome"]) if row["outcome"] else None,
        ended_at=read_instant(row["ended_at"]) if row["ended_at"] else None,
        possible_duplicate=row["possible_duplicate"],
        receipt=Receipt(row["receipt"]) if row["receipt"] else None,
    )
