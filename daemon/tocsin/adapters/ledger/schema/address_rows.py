"""Rows about addresses as values, whichever way they were asked for: attempts, who wants nothing more, and when an
address proved to work. One that cannot be read is left out (rule 63).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Protocol

from tocsin.adapters.ledger.schema.decoding import RowError, decode, read_instant
from tocsin.adapters.ledger.schema.outcome_codec import read_outcome
from tocsin.domain.arrival import OptOut
from tocsin.domain.delivery import Attempt, Proof, ProvedBy, Receipt, Refused
from tocsin.domain.people import Channel


class NamedRow(Protocol):
    """A row whose columns are known by their names."""

    def __getitem__(self, column: str, /) -> Any:
        """The value of a column."""
        ...


def attempt_of(row: NamedRow) -> Attempt:
    """An attempt as it came out of the ledger."""
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
        provider=row["provider"],
        bundle=row["bundle"],
        receipt_code=row["receipt_code"],
    )


def read_attempt(row: NamedRow) -> Attempt:
    """An attempt as it came out of the ledger. Raises RowError."""
    return decode("attempts", row["sequence"], attempt_of, row)


def readable_attempts(rows: Iterable[NamedRow]) -> Iterator[Attempt]:
    """Those of the attempts that can be read."""
    for row in rows:
        with suppress(RowError):
            yield read_attempt(row)


def refusals_of(rows: Iterable[NamedRow]) -> tuple[Attempt, ...]:
    """Those of the attempts that were refused for good."""
    return tuple(attempt for attempt in readable_attempts(rows) if isinstance(attempt.outcome, Refused))


def opt_outs_of(rows: Iterable[NamedRow]) -> tuple[OptOut, ...]:
    """Who wants nothing more."""
    return tuple(opted for row in rows if (opted := _opt_out(row)) is not None)


def _opt_out(row: NamedRow) -> OptOut | None:
    with suppress(ValueError, TypeError):
        return OptOut(Channel(row["via"]), row["address"], read_instant(row["at"]), row["ref"])
    return None


def newest_proofs(
    proofs: Iterable[tuple[Channel, ProvedBy, Iterable[Sequence[Any]]]],
) -> dict[tuple[Channel, str], Proof]:
    """When each address last proved to work: by rows (address, at) of a channel, and what those prove by."""
    newest: dict[tuple[Channel, str], Proof] = {}
    for via, by, rows in proofs:
        for address, at in rows:
            with suppress(ValueError, TypeError):
                proof = Proof(read_instant(at), by)
                newest[via, address] = max(newest.get((via, address), proof), proof, key=lambda known: known.at)
    return newest
