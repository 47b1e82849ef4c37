"""What outsiders were told, for programs: JSON, and Atom (RFC 4287).

Both hold what the public page holds, no more. Incidents go by a name that tells nothing of their id.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any
from uuid import UUID, uuid5

from tocsin.wording.report.public.updates import PublicUpdate
from tocsin.wording.report.public.view import PublicView

UPDATES_MOST = 200
"""Updates of one incident that a feed holds, the newest."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a feed changed in which nothing is."""
ATOM, JSON = "application/atom+xml", "application/json"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who tells it: the organisation's name and whom to write to, empty where the config has none; and where the web
    side is reached, so that addresses are whole ("" where that is not known).
    """

    organisation: str
    reply_to: str
    public_url: str

    @property
    def title(self) -> str:
        """What a feed is called."""
        return f"Incidents · {self.organisation}" if self.organisation else "Incidents"

    def address(self, path: str) -> str:
        """The address of a page."""
        return self.public_url + path


Entry = tuple[PublicView, str]
"""An incident, and the path of its page."""


def json_list(publisher: Publisher, entries: Sequence[Entry], page: str) -> str:
    """All of them as one document."""
    incidents = [_incident(publisher, *entry) for entry in entries]
    return _document({**_about(publisher), "url": publisher.address(page), "incidents": incidents})


def json_one(publisher: Publisher, entry: Entry) -> str:
    """One of them."""
    return _document({**_about(publisher), **_incident(publisher, *entry)})


def atom_list(publisher: Publisher, entries: Sequence[Entry], page: str, feed: str) -> str:
    """A feed with an entry an incident, which changes whenever outsiders are told more of it."""
    return _feed(
        publisher,
        str(uuid5(UUID(int=0), f"tocsin incidents\0{publisher.public_url or publisher.organisation}")),
        publisher.title,
        (page, feed),
        max((view.latest.at for view, _ in entries), default=NEVER),
        (
            _entry(_name(view), view.title, view.latest, view.began_at, publisher.address(path), _newest(view))
            for view, path in sorted(entries, key=lambda entry: entry[0].latest.at, reverse=True)
        ),
    )


def atom_one(publisher: Publisher, entry: Entry, feed: str) -> str:
    """A feed of one incident with an entry an update."""
    view, path = entry
    name = _name(view)
    return _feed(
        publisher,
        str(uuid5(name, "feed")),
        f"{view.title} · {publisher.organisation}" if publisher.organisation else view.title,
        (path, feed),
        view.latest.at,
        (
            _entry(
                uuid5(name, update.at.isoformat()),
                view.title,
                update,
                update.at,
                publisher.address(path),
                [update],
            )
            for update in _newest(view)
        ),
    )


def _about(publisher: Publisher) -> dict[str, Any]:
    return {"organisation": publisher.organisation or None, "support": publisher.reply_to or None}


def _incident(publisher: Publisher, view: PublicView, path: str) -> dict[str, Any]:
    updates = _newest(view)
    return {
        "id": f"urn:uuid:{_name(view)}",
        "url": publisher.address(path),
        "title": view.title,
        "status": view.status.value,
        "impact": view.impact or None,
        "since": _instant_or_none(view.since),
        "first_told_at": _instant(view.began_at),
        "next_update": _instant_or_none(view.next_update_at),
        "eta": _instant_or_none(view.eta),
        "resolved_at": _instant_or_none(view.resolved_at),
        "updates": [
            {
                "at": _instant(update.at),
                "status": update.status.value,
                "texts": [*update.changes, *update.words],
                "impact": update.impact or None,
            }
            for update in updates
        ],
        "left_out": len(view.updates) - len(updates),
    }


def _name(view: PublicView) -> UUID:
    """What names the incident for ever."""
    return UUID(hex=view.key, version=5)


def _newest(view: PublicView) -> tuple[PublicUpdate, ...]:
    """The newest updates, newest first."""
    return view.updates[: -UPDATES_MOST - 1 : -1]


def _feed(
    publisher: Publisher, name: str, title: str, paths: tuple[str, str], updated: datetime, entries: Iterator[str]
) -> str:
    page, feed = (escape(publisher.address(path)) for path in paths)
    email = f"<email>{_text(publisher.reply_to)}</email>" if publisher.reply_to else ""
    return "\n".join(
        (
            '<?xml version="1.0" encoding="utf-8"?>',
            '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
            f"<id>urn:uuid:{name}</id>",
            f"<title>{_text(title)}</title>",
            f"<updated>{_instant(updated)}</updated>",
            f"<author><name>{_text(publisher.organisation or 'Incidents')}</name>{email}</author>",
            f'<link rel="alternate" type="text/html" href="{page}"/>',
            f'<link rel="self" type="{ATOM}" href="{feed}"/>',
            *entries,
            "</feed>\n",
        )
    )


def _entry(
    name: UUID, title: str, newest: PublicUpdate, began_at: datetime, url: str, told: Sequence[PublicUpdate]
) -> str:
    paragraphs = "".join(line for update in told for line in _paragraphs(update))
    return "\n".join(
        (
            "<entry>",
            f"<id>urn:uuid:{name}</id>",
            f"<title>{_text(title)}</title>",
            f"<published>{_instant(began_at)}</published>",
            f"<updated>{_instant(newest.at)}</updated>",
            f'<category term="{newest.status.value}"/>',
            f'<link rel="alternate" type="text/html" href="{escape(url)}"/>',
            f'<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{paragraphs}</div></content>',
            "</entry>",
        )
    )


def _paragraphs(update: PublicUpdate) -> Iterator[str]:
    yield f"<p><strong>{update.at:%a} {update.at.day} {update.at:%b}, {update.at:%H:%M} UTC</strong></p>"
    for words in (*update.changes, *update.words):
        yield f"<p>{_text(words)}</p>"
    if update.impact:
        yield f"<p>Impact: {_text(update.impact)}</p>"


def _text(text: str) -> str:
    """A text as XML holds it."""
    return escape(_NO_XML.sub("", text))


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _instant_or_none(at: datetime | None) -> str | None:
    return _instant(at) if at else None


def _document(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=2) + "\n"
