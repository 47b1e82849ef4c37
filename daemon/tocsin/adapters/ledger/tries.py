"""Tries: the questions about single tries: one by its id, and the addresses that were refused for good."""

from collections.abc import Callable

from sqlalchemy import Connection, func, or_, select

from tocsin.adapters.ledger import tables as t
from tocsin.adapters.ledger.rows import attempt_of, notification_of
from tocsin.domain.delivery import Accepted, Attempt, Refused
from tocsin.domain.notification import Notification


def tried(attempt: int) -> Callable[[Connection], tuple[Attempt, Notification] | None]:
    """A try by its id, and what it was a try of."""
    one = select(t.attempts).where(t.attempts.c.id == attempt)

    def read(connection: Connection) -> tuple[Attempt, Notification] | None:
        row = connection.execute(one).mappings().first()
        if row is None:
            return None
        of = connection.execute(select(t.notifications).where(t.notifications.c.key == row["key"])).mappings().one()
        return attempt_of(row), notification_of(of)

    return read


def refusals(connection: Connection) -> tuple[Attempt, ...]:
    """The newest try at each address that was taken or refused for good, where it was refused."""
    this = t.attempts.c
    tells = or_(
        *(this.outcome.startswith(f'{{"is": "{each.__name__}"', autoescape=True) for each in (Accepted, Refused))
    )
    newest = select(func.max(this.id)).where(tells).group_by(this.via, this.address)
    rows = connection.execute(select(t.attempts).where(this.id.in_(newest)).order_by(this.id)).mappings()
    return tuple(attempt for attempt in map(attempt_of, rows) if isinstance(attempt.outcome, Refused))
