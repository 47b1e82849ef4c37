"""A person is taken out of closed incidents: their name, their addresses, what they wrote and what was written to them.

Questions alone, beside the writer: what each row is to say instead. An incident stays a story: everywhere in it one
other name stands for theirs.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, false, or_, select

from tocsin.adapters.ledger.reads import Question
from tocsin.adapters.ledger.reads.incidents import newest_versions
from tocsin.adapters.ledger.removal.forgotten import Forgotten
from tocsin.adapters.ledger.removal.row_changes import RowChanges
from tocsin.adapters.ledger.schema import tables as t
from tocsin.domain.delivery import Content
from tocsin.domain.facts import Seen
from tocsin.domain.notification import NOBODY
from tocsin.ports.ledger.upkeep import ERASED, Erasure, IncidentStates, LeftOut

_FACTS = select(t.facts.c.id, t.facts.c.kind, t.facts.c.body).order_by(t.facts.c.sequence)
_WORDS = (t.contents.c.subject, t.contents.c.text, t.contents.c.html, t.contents.c.language)
_MESSAGES = (
    select(t.notifications, *_WORDS)
    .outerjoin(t.contents, t.contents.c.digest == t.notifications.c.content)
    .where(~t.pending)
    .order_by(t.notifications.c.id)
)


class MessagePage(NamedTuple):
    """Some messages of an incident; `after` is the row behind which the next begin, None: there are no more."""

    changes: RowChanges
    after: int | None


def incident_states(after: str, most: int) -> Question[IncidentStates]:
    """So many incidents with ids behind `after`, those about none first."""
    ids = t.incidents.c.id
    some = select(ids, t.incidents.c.finished).where(ids > after).order_by(ids).limit(most)

    def read(connection: Connection) -> IncidentStates:
        finished = {id_: bool(value) for id_, value in connection.execute(some)}
        waits = select(t.notifications.c.incident).where(t.pending).distinct()
        waiting = set(connection.execute(waits).scalars())
        open_ = [id_ for id_, value in finished.items() if not value]
        resolved = {id_ for id_, version in newest_versions(open_)(connection).items() if version.resolved}
        states: dict[str, LeftOut | None] = {} if after else {NOBODY: None}
        for id_, value in finished.items():
            settled = LeftOut.UNSETTLED if id_ in waiting else None
            states[id_] = settled if value else LeftOut.UNFINISHED if id_ in resolved else LeftOut.OPEN
        return IncidentStates(states, list(finished)[-1] if len(finished) == most else None)

    return read


def facts(incident: str, erasure: Erasure) -> Question[tuple[Forgotten, RowChanges]]:
    """What the facts of an incident are to say instead, all together; and who stands for whom in it."""

    def read(connection: Connection) -> tuple[Forgotten, RowChanges]:
        rows = connection.execute(_FACTS.where(t.facts.c.incident == incident)).all()
        forgotten = Forgotten(erasure)
        entries = [(kind, _read(body)) for _, kind, body in rows]
        written = dict.fromkeys(text for _, fields in entries for text in forgotten.entries_of(fields))
        forgotten = Forgotten(erasure, _free_name([body for _, _, body in rows]), tuple(written))
        changes = RowChanges(incident, len(rows))
        for (row, kind, body), (_, fields) in zip(rows, entries, strict=True):
            _change_fact(changes, forgotten, row, kind, body, fields)
        _change_file(connection, changes, forgotten)
        links = t.answer_links.c
        theirs = select(links.digest, links.person).where(links.incident == incident)
        for digest, person in connection.execute(theirs):
            if forgotten.is_theirs(person):
                changes.add(links.digest, digest, {})
        return forgotten, changes

    return read


def _read(body: str) -> dict[str, Any]:
    """The fields of a fact; none of one that cannot be read."""
    with suppress(ValueError):
        fields = json.loads(body)
        return fields if isinstance(fields, dict) else {}
    return {}


def _free_name(bodies: Sequence[str]) -> str:
    """What stands for them: another name for everybody who was taken out of an incident."""
    for number in range(1, len(bodies) + 2):
        name = f"somebody ({ERASED})" if number == 1 else f"somebody ({ERASED} {number})"
        if not any(f'"{name}"' in body for body in bodies):
            return name
    raise AssertionError("there is a name more than there are facts")


def _change_fact(
    changes: RowChanges, forgotten: Forgotten, row: int, kind: str, body: str, fields: dict[str, Any]
) -> None:
    after = forgotten.fields(fields)
    if after != fields:
        said = json.dumps(after, ensure_ascii=False, separators=(",", ":"))
        changes.add(t.facts.c.id, row, {"body": said})
        of = "file" if kind == Seen.__name__ else kind
        for place, text, new in _differences(fields, after):
            changes.tell(f"{of}: {place.removeprefix('incident.')}", text, new)
    elif not fields and forgotten.names(body):
        changes.add(t.facts.c.id, row, {"body": "{}"})
        changes.tell(f"{kind}, which cannot be read", body, "")


def _differences(before: Any, after: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Every text that is another one in a value of JSON of the same shape, by the fields that it stands in."""
    if before == after:
        return
    if isinstance(before, str):
        yield place, before, after
    elif isinstance(before, dict):
        for key in before:
            yield from _differences(before[key], after[key], f"{place}.{key}" if place else key)
    else:
        for one, new in zip(before, after, strict=True):
            yield from _differences(one, new, place)


def _change_file(connection: Connection, changes: RowChanges, forgotten: Forgotten) -> None:
    """The last good copy of the file goes where they stand in it, or in what was read of it."""
    incidents = t.incidents.c
    data = connection.execute(select(incidents.data).where(incidents.id == changes.incident)).scalar()
    if data is None:
        return
    text = ""
    with suppress(zlib.error):
        text = zlib.decompress(data).decode("utf-8", "replace")
    if changes.rows or forgotten.names(text):
        changes.add(incidents.id, changes.incident, {"data": None})
        changes.tell("file: the kept copy, which goes", text, forgotten.text(text))


def messages(incident: str, forgotten: Forgotten, after: int, most: int) -> Question[MessagePage]:
    """What the settled messages of an incident are to say instead, so many behind a row."""
    some = _MESSAGES.where(t.notifications.c.incident == incident, t.notifications.c.id > after).limit(most)

    def read(connection: Connection) -> MessagePage:
        rows = connection.execute(some).mappings().all()
        changes = RowChanges("" if incident == NOBODY else incident)
        keys = {row["key"]: _change_message(changes, forgotten, row) for row in rows}
        _change_tries(connection, changes, forgotten, {row["key"]: row for row in rows}, keys)
        return MessagePage(changes, rows[-1]["id"] if len(rows) == most else None)

    return read


def _change_message(changes: RowChanges, forgotten: Forgotten, row: RowMapping) -> str:
    """Its new key: no reader stands in it, and it is like no other."""
    to, kind = row["to"], row["kind"]
    head = f"{row['incident']}/{row['episode']}/{kind}/"
    tail = row["key"].removeprefix(head)
    named = any(forgotten.is_theirs(part) or forgotten.names(part) for part in tail.split("/"))
    values = {"key": f"{head}{ERASED} {row['id']}" if named else row["key"]}
    values["to"] = forgotten.name if forgotten.is_theirs(to) else to
    values["detail"] = forgotten.text(row["detail"])
    changes.tell(f"{kind}, to", to, values["to"])
    changes.tell(f"{kind}, why not sent", row["detail"], values["detail"])
    if row["content"] is not None:
        before = Content(row["text"], row["subject"], row["html"], row["language"])
        after = _without(forgotten, before, whole=forgotten.is_theirs(to))
        changes.tell(f"{kind}, subject", before.subject, after.subject)
        changes.tell(f"{kind}, words", before.text, after.text)
        values["content"] = changes.exchange(row["content"], after)
    if any(values[name] != row[name] for name in values):
        changes.add(t.notifications.c.id, row["id"], values)
    return values["key"]


def _without(forgotten: Forgotten, before: Content, *, whole: bool) -> Content:
    """Words without the person; of those that were written to them nothing. How a mail was laid out goes where its
    words change.
    """
    if whole:
        return Content(ERASED if before.text else "", ERASED if before.subject else "", "", before.language)
    text, subject, html = (forgotten.message(part) for part in (before.text, before.subject, before.html))
    same = (text, subject, html) == (before.text, before.subject, before.html)
    return before if same else Content(text, subject, "", before.language)


def _change_tries(
    connection: Connection,
    changes: RowChanges,
    forgotten: Forgotten,
    rows: dict[str, RowMapping],
    keys: dict[str, str],
) -> None:
    """Where those went that were to them, and what a provider said of it; every try has its message's key."""
    attempts = t.attempts.c
    tries = connection.execute(select(t.attempts).where(attempts.key.in_(rows))).mappings().all()
    bundles = set[str]()
    for one in tries:
        theirs, key = forgotten.is_theirs(rows[one["key"]]["to"]), keys[one["key"]]
        values = {"key": key, "address": one["address"], "outcome": one["outcome"]}
        if theirs:
            there = replace(forgotten.erasure, words=(*forgotten.erasure.words, one["address"]))
            values |= {"address": ERASED, "outcome": _outcome(replace(forgotten, erasure=there), one["outcome"])}
            bundles |= {one["bundle"]} - {""}
            changes.tell("try, address", one["address"], ERASED)
            changes.tell("try, what the provider said", one["outcome"] or "", values["outcome"] or "")
        if any(values[name] != one[name] for name in values):
            changes.add(attempts.id, one["id"], values)
    _change_bundles(connection, changes, forgotten, bundles)


def _outcome(forgotten: Forgotten, outcome: str | None) -> str | None:
    before = _read(outcome or "")
    after = forgotten.fields(before)
    return json.dumps(after) if after != before else outcome


def _change_bundles(connection: Connection, changes: RowChanges, forgotten: Forgotten, ids: set[str]) -> None:
    """Words that several pages to them left in; they go with the last of those pages that is settled and whose incident
    is finished.
    """
    sent = t.notifications.join(t.attempts, t.attempts.c.key == t.notifications.c.key)
    sent = sent.outerjoin(t.incidents, t.incidents.c.id == t.notifications.c.incident)
    wanted = or_(t.pending, t.incidents.c.finished == false())
    held = select(t.attempts.c.bundle).select_from(sent).where(t.bundled, t.attempts.c.bundle.in_(sorted(ids)), wanted)
    free = ids - set(connection.execute(held).scalars())
    words = select(t.bundles.c.id, t.bundles.c.content, *_WORDS).join(
        t.contents, t.contents.c.digest == t.bundles.c.content
    )
    for row in connection.execute(words.where(t.bundles.c.id.in_(sorted(free)))).mappings():
        before = Content(row["text"], row["subject"], row["html"], row["language"])
        after = _without(forgotten, before, whole=True)
        if after != before:
            changes.add(t.bundles.c.id, row["id"], {"content": changes.exchange(row["content"], after)})
            changes.tell("several pages in one, words", before.text, after.text)
