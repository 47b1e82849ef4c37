"""What is asked about messages: what was decided, and what became of each."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, func, or_, select

from tocsin.adapters.ledger.reads import Question
from tocsin.adapters.ledger.reads.addresses import outcome_is
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.address_rows import read_attempt, readable_attempts
from tocsin.adapters.ledger.schema.codec import replace_non_characters
from tocsin.adapters.ledger.schema.decoding import RowError, decode, read_instant
from tocsin.adapters.ledger.schema.rows import notification_of, read_notification, suppression_of
from tocsin.adapters.ledger.schema.tables import HELD
from tocsin.domain.delivery import Accepted, Attempt, Bundle, Content, Letter, Receipt, Record
from tocsin.domain.notification import AnswerLink, Kind, Notification
from tocsin.ports.ledger.trouble import Unreadable

_WORDS = (t.contents.c.subject, t.contents.c.text, t.contents.c.html, t.contents.c.language)
_SAME_CONTENT = t.contents.c.digest == t.notifications.c.content
_ATTEMPTS = (
    select(t.attempts).join(t.notifications, t.notifications.c.key == t.attempts.c.key).order_by(t.attempts.c.sequence)
)
_OTHER = t.notifications.alias()
_ARRIVES = (
    select(t.attempts.c.sequence)
    .where(
        t.attempts.c.key == _OTHER.c.key,
        outcome_is(Accepted),
        func.coalesce(t.attempts.c.receipt, "") != Receipt.UNDELIVERED.value,
    )
    .exists()
)
_OUT = select(t.notifications.c.key).where(
    t.pending,
    t.notifications.c.kind.in_((Kind.PAGE.value, Kind.OPERATOR.value)),
    select(_OTHER.c.id)
    .where(
        _OTHER.c.incident == t.notifications.c.incident,
        _OTHER.c.episode == t.notifications.c.episode,
        _OTHER.c.kind == t.notifications.c.kind,
        _OTHER.c.at == t.notifications.c.at,
        _OTHER.c.state == "accepted",
        or_(_OTHER.c.to == t.notifications.c.to, t.notifications.c.kind == Kind.OPERATOR.value),
        _ARRIVES,
    )
    .exists(),
)
"""The pages, each to one person, and notices, each to all operators, of which a provider took another letter and has
not said that it was not delivered (rule 71).
"""


def records(incident: str) -> Question[tuple[Record, ...]]:
    """Everything decided for an incident that can be read, to be sent or held back, in the order decided."""
    return lambda connection: tuple(_records(connection, incident))


def _records(connection: Connection, incident: str) -> Iterator[Record]:
    of_incident = t.notifications.c.incident == incident
    attempts: dict[str, list[Attempt]] = {}
    for row in connection.execute(_ATTEMPTS.where(of_incident)).mappings():
        with suppress(RowError):
            attempts.setdefault(row["key"], []).append(read_attempt(row))
    bundles = _bundles(connection, {tries[-1].bundle for tries in attempts.values() if tries} - {""})
    query = select(t.notifications, *_WORDS).outerjoin(t.contents, _SAME_CONTENT)
    contents: dict[str, Content] = {}
    for row in connection.execute(query.where(of_incident).order_by(t.notifications.c.id)).mappings():
        with suppress(RowError):
            tries = tuple(attempts.get(row["key"], ()))
            record = decode("notifications", row["id"], _record, row, tries, contents)
            pages = bundles.get(tries[-1].bundle, ()) if tries else ()
            others = tuple(page for page in pages if page.key != row["key"])
            yield replace(record, bundled_with=others) if others else record


def _bundles(connection: Connection, ids: set[str]) -> dict[str, tuple[Notification, ...]]:
    """The pages that left in each of these bundles, in their order."""
    pages: dict[str, dict[str, Notification]] = {}
    for id_ in ids:
        of_bundle = select(t.notifications).join(t.attempts, t.attempts.c.key == t.notifications.c.key)
        query = of_bundle.where(t.bundled, t.attempts.c.bundle == id_).order_by(t.attempts.c.sequence)
        for row in connection.execute(query).mappings():
            with suppress(RowError):
                pages.setdefault(id_, {}).setdefault(row["key"], read_notification(row))
    return {id_: tuple(known.values()) for id_, known in pages.items()}


def _record(row: RowMapping, attempts: tuple[Attempt, ...], contents: dict[str, Content]) -> Record:
    if row["state"] == HELD:
        return Record(suppression_of(row))
    return Record(
        decided=notification_of(row),
        content=_content(row, contents),
        attempts=attempts,
        receipt=_last_receipt(attempts),
        state=row["state"],
        settled_at=read_instant(row["settled_at"]) if row["settled_at"] else None,
    )


def _last_receipt(attempts: tuple[Attempt, ...]) -> Receipt | None:
    """What the provider said of the newest attempt that it spoke of."""
    return next((attempt.receipt for attempt in reversed(attempts) if attempt.receipt), None)


def _content(row: RowMapping, contents: dict[str, Content]) -> Content:
    """The words of a row; equal ones are in memory once."""
    digest: str = row["content"]
    if digest not in contents:
        contents[digest] = Content(
            *(replace_non_characters(row[part]) for part in ("text", "subject", "html", "language"))
        )
    return contents[digest]


def find_attempt(attempt: str) -> Question[tuple[tuple[Attempt, Notification], ...]]:
    """An attempt by its id, and the notification it was for; then, of a bundle, all that left with it in the same try:
    their rows lie one after the other, and hold no key twice.
    """
    this = select(t.attempts).where(t.attempts.c.id == attempt)

    def read(connection: Connection) -> tuple[tuple[Attempt, Notification], ...]:
        row = connection.execute(this).mappings().first()
        if row is None:
            return ()
        first = read_attempt(row)
        of_first = select(t.notifications).where(t.notifications.c.key == first.reference)
        notification = connection.execute(of_first).mappings().first()
        if notification is None:
            return ()
        others = _companions(connection, first) if first.bundle else ()
        return ((first, read_notification(notification)), *others)

    return read


def _companions(connection: Connection, attempt: Attempt) -> Iterator[tuple[Attempt, Notification]]:
    """What left in the same try of a bundle, and can be read."""
    of_bundle = select(t.attempts.c.id, t.attempts.c.key).where(t.bundled, t.attempts.c.bundle == attempt.bundle)
    tries: list[dict[str, str]] = []
    for id_, key in connection.execute(of_bundle.order_by(t.attempts.c.sequence)):
        if not tries or key in tries[-1]:
            tries.append({})
        tries[-1][key] = id_
    same = next(one for one in tries if one.get(attempt.reference) == attempt.id)
    ids = [id_ for id_ in same.values() if id_ != attempt.id]
    attempts = connection.execute(select(t.attempts).where(t.attempts.c.id.in_(ids)).order_by(t.attempts.c.sequence))
    of_attempts = select(t.notifications).where(t.notifications.c.key.in_(list(same)))
    rows = {row["key"]: row for row in connection.execute(of_attempts).mappings()}
    for other in readable_attempts(attempts.mappings()):
        with suppress(RowError, KeyError):
            yield other, read_notification(rows[other.reference])


def bundle(id_: str) -> Question[Bundle | None]:
    """A bundle by its id."""
    query = select(t.bundles.c.content, *_WORDS).join(t.contents, t.contents.c.digest == t.bundles.c.content)

    def read(connection: Connection) -> Bundle | None:
        row = connection.execute(query.where(t.bundles.c.id == id_)).mappings().first()
        return Bundle(id_, _content(row, {})) if row else None

    return read


def answer_link(digest: str) -> Question[AnswerLink | None]:
    """Whom a short link is for. One that cannot be read is none."""
    query = select(t.answer_links).where(t.answer_links.c.digest == digest)

    def read(connection: Connection) -> AnswerLink | None:
        row = connection.execute(query).mappings().first()
        if row is None or not isinstance(row["episode"], int):
            return None
        return AnswerLink(
            digest, replace_non_characters(row["incident"]), row["episode"], replace_non_characters(row["person"])
        )

    return read


def attempt_keys(first: str) -> Question[dict[str, str]]:
    """The keys of attempts by their ids, from an id on."""
    query = select(t.attempts.c.id, t.attempts.c.key).where(t.attempts.c.id >= first)
    return lambda connection: {id_: key for id_, key in connection.execute(query).all()}  # noqa: C416 - rows


def unsettled(connection: Connection) -> tuple[Letter, ...]:
    """Every letter that is not settled and can be read, with its attempts, and whether it is out by another channel,
    oldest first.
    """
    letters = [(key, letter) for key, _, letter in pending_letters(connection) if isinstance(letter, Letter)]
    out = set(connection.execute(_OUT).scalars()) if letters else set()
    return tuple(replace(letter, out=True) if key in out else letter for key, letter in letters)


def unreadable_letters(connection: Connection) -> tuple[Unreadable, ...]:
    """The incidents with a letter that is not settled and cannot be read, or an attempt of one; each once."""
    faults: dict[str, Unreadable] = {}
    for _, incident, letter in pending_letters(connection):
        if isinstance(letter, RowError):
            faults.setdefault(incident, Unreadable(incident, str(letter)))
    return tuple(faults.values())


def pending_letters(connection: Connection, incident: str = "") -> Iterator[tuple[str, str, Letter | RowError]]:
    """(key, incident, letter) of what is not settled, oldest first; of one incident, if it is named."""
    wanted = t.pending & (t.notifications.c.incident == incident) if incident else t.pending
    waiting = t.attempts.c.key.in_(select(t.notifications.c.key).where(wanted))  # joined, all attempts would be read
    tried = select(t.attempts).where(waiting).order_by(t.attempts.c.sequence)
    attempts: dict[str, list[Attempt]] = {}
    faults: dict[str, RowError] = {}
    for row in connection.execute(tried).mappings():
        try:
            attempts.setdefault(row["key"], []).append(read_attempt(row))
        except RowError as fault:
            faults[row["key"]] = fault
    query = select(t.notifications, *_WORDS).outerjoin(t.contents, _SAME_CONTENT).where(wanted)
    contents: dict[str, Content] = {}
    for row in connection.execute(query.order_by(t.notifications.c.id)).mappings():
        key = row["key"]
        letter: Letter | RowError | None = faults.get(key)
        if letter is None:
            tries = tuple(attempts.get(key, ()))
            try:
                letter = decode("notifications", row["id"], _letter, row, tries, contents)
            except RowError as fault:
                letter = fault
        yield key, row["incident"], letter


def _letter(row: RowMapping, attempts: tuple[Attempt, ...], contents: dict[str, Content]) -> Letter:
    return Letter(notification_of(row), _content(row, contents), attempts)
