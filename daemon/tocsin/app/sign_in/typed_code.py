"""A code that somebody typed: it is looked at by the daemon that made it, and never recorded. What was typed on another
machine goes to that one in the seal under which the web side left it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tocsin.app.reply_options import seals
from tocsin.app.state.sign_in_codes import SignInCodes
from tocsin.domain.arrival import CODE_RIGHT, CODE_SEALED, CODE_WRONG, Arrival, ArrivalKind, CodeEntry
from tocsin.formats.inbox.entries import read_entry, write_entry


def tried_code(codes: SignInCodes, entry: CodeEntry, at: datetime, now: datetime) -> Arrival:
    """Whether it was right, and of which session its person is to be, or how often they may try again."""
    tried = codes.try_code(entry.ref, entry.request, entry.code, entry.proof, now)
    found = f"{CODE_RIGHT} {entry.session}" if tried.right else f"{CODE_WRONG} {tried.left}"
    return Arrival(ArrivalKind.CODE, entry.ref, tried.person, found, at)


def sealed_code(entry: CodeEntry, at: datetime, keys: Sequence[str]) -> Arrival:
    """A code that another machine is to look at. There is a key."""
    assert keys, "what nobody can seal goes no further"
    body = write_entry(seals.sealed(entry, keys)).decode()
    return Arrival(ArrivalKind.CODE, entry.ref, "", f"{CODE_SEALED} {body}", at)


def opened_code(codes: SignInCodes, arrival: Arrival, keys: Sequence[str], now: datetime) -> Arrival:
    """The same with what was found of it; what cannot be opened is a code that was not right."""
    entry = read_entry(arrival.body.partition(" ")[2].encode())
    if not isinstance(entry, CodeEntry):
        return replace(arrival, body=f"{CODE_WRONG} 0")
    opened = seals.opened(entry, keys)
    assert isinstance(opened, CodeEntry), "a seal makes nothing else of it"
    return tried_code(codes, opened, arrival.at, now)
