"""A person is taken out of closed incidents: their name, their addresses, what they wrote and what was written to them.

An incident is changed whole in one transaction, and stays a story: everywhere in it one other name stands for theirs.
"""

import html
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as tolerant_insert

from tocsin.adapters.ledger.reads import Question
from tocsin.adapters.ledger.removal.pruning import drop_unused, is_finished
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.configs import unpack_config
from tocsin.adapters.ledger.schema.rows import content_row, digest_of
from tocsin.domain.delivery import Content
from tocsin.domain.facts import Noted, Seen
from tocsin.domain.notification import NOBODY
from tocsin.ports.ledger.upkeep import ERASED, Erasure, FinishedIncidents

BY = "by"
"""The key of an entry that says who wrote it."""
WRITTEN = ("text", "public")
"""The keys of an entry that hold what they wrote."""
KEPT = frozenset({"id", "digest", "severity", "status", "revision", "is", "ref", "reason", "alerts", "code"})
"""The keys whose values are no words of anybody's."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")
SHORTEST = 12
"""Characters of something written from which on it is looked for in the words of messages."""

Row = Mapping[str, Any]


class ErasureCall(NamedTuple):
    """One incident, and who is taken out of it."""

    incident: str
    erasure: Erasure


@dataclass(frozen=True)
class _Eraser:
    """Takes a person out of values. `name` is what stands for them."""

    erasure: Erasure
    name: str

    @cached_property
    def _known_by(self) -> re.Pattern[str]:
        words = sorted(self.erasure.words, key=len, reverse=True) or [self.erasure.person]
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)

    def text(self, text: str) -> str:
        """A text without their name and addresses; their id only where it stands as it is written in the config."""
        without = self._known_by.sub(self.name, text)
        return re.sub(rf"(?<![\w@.]){re.escape(self.erasure.person)}(?![\w@])", self.name, without)

    def is_theirs(self, value: object) -> bool:
        """Whether a value names them."""
        return isinstance(value, str) and (value == self.erasure.person or bool(self._known_by.fullmatch(value)))

    def value(self, value: Any) -> Any:
        """A value of JSON without them; of an entry that they wrote nothing but that they did."""
        if isinstance(value, str):
            return value if _INSTANT.match(value) else self.text(value)
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if isinstance(value, dict):
            wrote = self.is_theirs(value.get(BY))
            return {
                key: one if key in KEPT else ERASED if wrote and key in WRITTEN and one else self.value(one)
                for key, one in value.items()
            }
        return value


def erase(connection: Connection, calls: Sequence[ErasureCall]) -> list[bool]:
    """The person is in none of these any more; whether they were in each."""
    return [_erase(connection, *call) for call in calls]


def _erase(connection: Connection, incident: str, erasure: Erasure) -> bool:
    if not is_finished(connection, incident):
        return False
    facts = connection.execute(_FACTS, {"of": incident}).all()
    eraser = _Eraser(erasure, _free_name([body for _, _, body in facts]))
    written = list(_written(facts, eraser))
    changed = _erase_facts(connection, facts, eraser)
    changed += _erase_messages(connection, incident, eraser, written)
    links = t.answer_links.c
    connection.execute(delete(t.answer_links).where(links.incident == incident, links.person == erasure.person))
    if changed:
        connection.execute(update(t.incidents).where(t.incidents.c.id == incident).values(data=None))
    return changed > 0


_FACTS = (
    select(t.facts.c.id, t.facts.c.kind, t.facts.c.body)
    .where(t.facts.c.incident == bindparam("of"))
    .order_by(t.facts.c.sequence)
)
_CHANGE_FACT = update(t.facts).where(t.facts.c.id == bindparam("this"))


def _free_name(bodies: Sequence[str]) -> str:
    """What stands for them: another name for everybody who was taken out of an incident."""
    for number in range(1, len(bodies) + 2):
        name = f"somebody ({ERASED})" if number == 1 else f"somebody ({ERASED} {number})"
        if not any(f'"{name}"' in body for body in bodies):
            return name
    raise AssertionError("there is a name more than there are facts")


def _written(facts: Sequence[Any], eraser: _Eraser) -> Iterator[str]:
    """What they wrote, as it may stand in messages."""
    for _, kind, body in facts:
        fields = _read(body)
        entries = [fields] if kind == Noted.__name__ else []
        if kind == Seen.__name__ and isinstance(version := fields.get("incident"), dict):
            entries += [*version.get("updates", ()), *version.get("timeline", ())]
        for entry in entries:
            if isinstance(entry, dict) and eraser.is_theirs(entry.get(BY, entry.get("person"))):
                for key in WRITTEN:
                    text = entry.get(key)
                    if isinstance(text, str) and len(text) >= SHORTEST:
                        yield text


def _read(body: str) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _erase_facts(connection: Connection, facts: Sequence[Any], eraser: _Eraser) -> int:
    changes = []
    for row, kind, body in facts:
        fields = _read(body)
        if kind == Noted.__name__ and eraser.is_theirs(fields.get("person")):
            fields["text"] = ERASED
        erased = json.dumps(eraser.value(fields), ensure_ascii=False, separators=(",", ":"))
        if fields and json.loads(erased) != _read(body):
            changes.append({"this": row, "body": erased})
    if changes:
        connection.execute(_CHANGE_FACT, changes)
    return len(changes)


def _erase_messages(connection: Connection, incident: str, eraser: _Eraser, written: Sequence[str]) -> int:
    theirs_alone = [t.notifications.c.to == eraser.erasure.person] if incident == NOBODY else []
    rows = connection.execute(_MESSAGES.where(*theirs_alone), {"of": incident}).mappings().all()
    changed = 0
    contents: dict[tuple[str, bool], str] = {}
    for row in rows:
        theirs = eraser.is_theirs(row["to"])
        values: dict[str, Any] = {"detail": eraser.text(row["detail"]), "to": eraser.name if theirs else row["to"]}
        values["key"] = "/".join(eraser.name if eraser.is_theirs(part) else part for part in row["key"].split("/"))
        if row["content"]:
            place = row["content"], theirs
            if place not in contents:
                contents[place] = _erased_content(connection, row["content"], eraser, written, whole=theirs)
            values["content"] = contents[place]
        if values != {name: row[name] for name in values}:
            connection.execute(update(t.notifications).where(t.notifications.c.id == row["id"]).values(values))
            changed += 1
        if theirs or values["key"] != row["key"]:
            _erase_tries(connection, row["key"], values["key"], eraser, written)
    drop_unused(connection, {digest for digest, _ in contents})
    return changed


_MESSAGES = select(t.notifications).where(t.notifications.c.incident == bindparam("of"), ~t.pending)


def _erase_tries(connection: Connection, key: str, name: str, eraser: _Eraser, written: Sequence[str]) -> None:
    """Those of a message to them: where it went, and what a provider said of that."""
    tries = t.attempts.c
    for row, bundle, outcome in connection.execute(
        select(tries.id, tries.bundle, tries.outcome).where(tries.key == key)
    ).all():
        said = outcome and json.dumps(eraser.value(_read(outcome)))
        values = {"key": name, "address": ERASED, "outcome": said}
        connection.execute(update(t.attempts).where(tries.id == row).values(values))
        if bundle:
            before = connection.execute(select(t.bundles.c.content).where(t.bundles.c.id == bundle)).scalar_one()
            after = _erased_content(connection, before, eraser, written, whole=True)
            connection.execute(update(t.bundles).where(t.bundles.c.id == bundle).values(content=after))
            drop_unused(connection, {before})


def _erased_content(
    connection: Connection, digest: str, eraser: _Eraser, written: Sequence[str], *, whole: bool
) -> str:
    """The digest of words without the person; of those that were written to them nothing is left."""
    row = connection.execute(select(t.contents).where(t.contents.c.digest == digest)).mappings().one()
    before = Content(row["text"], row["subject"], row["html"], row["language"])

    def without(text: str) -> str:
        for one in written:
            for form in {one, html.escape(one), html.escape(one, quote=False)}:
                text = text.replace(form, ERASED)
        return eraser.text(text)

    texts = [ERASED if text and whole else without(text) for text in (before.text, before.subject, before.html)]
    after = Content(texts[0], texts[1], texts[2], before.language)
    if after == before:
        return digest
    new = digest_of(after)
    connection.execute(tolerant_insert(t.contents).on_conflict_do_nothing(), content_row(new, after))
    return new


def erase_elsewhere(connection: Connection, erasures: Sequence[Erasure]) -> list[int]:
    """What belongs to no incident: judged arrivals from them say nothing any more, and they are signed out."""
    return [_erase_elsewhere(connection, erasure) for erasure in erasures]


def _erase_elsewhere(connection: Connection, erasure: Erasure) -> int:
    arrivals, names = t.arrivals.c, [erasure.person, *erasure.words]
    theirs = arrivals.result.is_not(None), func.lower(arrivals.who).in_([name.lower() for name in names])
    _forget_configs(connection, erasure)
    number = connection.execute(update(t.arrivals).where(*theirs).values(who=ERASED, body="", words=None)).rowcount
    return number + connection.execute(delete(t.sessions).where(t.sessions.c.person == erasure.person)).rowcount


def _forget_configs(connection: Connection, erasure: Erasure) -> None:
    """Former configs that name them keep their files no more; the one that came into force last is in force."""
    newest = connection.execute(select(func.max(t.configs.c.id))).scalar()
    kept = select(t.configs.c.id, t.configs.c.files).where(t.configs.c.files.is_not(None), t.configs.c.id != newest)
    for row, value in connection.execute(kept).all():
        files: Mapping[str, bytes] = {}
        with suppress(ValueError, TypeError, zlib.error):
            files, _ = unpack_config(value)
        text = b"\n".join(files.values()).decode("utf-8", "replace").casefold()
        if any(word.casefold() in text for word in erasure.words):
            connection.execute(update(t.configs).where(t.configs.c.id == row).values(files=None))


def finished_of(after: str, most: int) -> Question[FinishedIncidents]:
    """The finished ones among so many incidents with ids behind `after`, those about none first."""
    ids = t.incidents.c.id
    some = select(ids, t.incidents.c.finished).where(ids > after).order_by(ids).limit(most)

    def read(connection: Connection) -> FinishedIncidents:
        rows = connection.execute(some).all()
        names = [id_ for id_, finished in rows if finished]
        last = rows[-1][0] if len(rows) == most else None
        return FinishedIncidents(names if after else [NOBODY, *names], last)

    return read
