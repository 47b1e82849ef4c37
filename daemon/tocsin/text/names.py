"""What a text names in the config: a severity, status, service, role or person, as people write them.

Each function gives the config's own name, or raises ValueError with a sentence that says what was meant perhaps. Must
not know in which field or argument the text stands.
"""

from collections.abc import Iterable

from tocsin.domain.incident import Status
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import clean, cut, one_line
from tocsin.text.scalars import closest

QUOTED_LIMIT = 80
"""How much of a wrong value is quoted back, in characters."""
LISTED_LIMIT = 8
"""Up to how many choices are listed."""


_ENGLISH = frozenset(
    {"a", "all", "and", "any", "everybody", "no", "nobody", "none", "null", "off", "on", "they", "yes"}
)
"""Names that a sentence would swallow."""


def as_name(name: str) -> str:
    """A name of the config inside a sentence: quoted where it reads as a word of it ("no is in no chain")."""
    return f'"{name}"' if name.casefold() in _ENGLISH or name.isdecimal() else name


def quotable(text: str) -> str:
    """What was written, fit to be quoted in a problem."""
    return cut(one_line(clean(text)), QUOTED_LIMIT)


def author_name(written: str, policy: Policy) -> str:
    """Who wrote something, by name where a file has their id or address; else what stands there."""
    if written in policy.people:
        return policy.people[written].name
    wanted = written.casefold()
    people = (person for person in policy.people.values() if wanted in (person.id.casefold(), person.email.casefold()))
    return next((person.name for person in people if wanted), written)


def severity_named(written: str, policy: Policy) -> str:
    """A severity, in any case."""
    name = _any_case(written, policy.severities)
    return name or _unknown("severity", written, policy.severities)


def status_named(written: str) -> Status:
    """A status, in any case."""
    try:
        return Status(written.lower())
    except ValueError:
        return Status(_unknown("status", written, list(Status)))


def service_named(written: str, policy: Policy) -> str:
    """A service, as the config writes it."""
    service = policy.services.get(written)
    return service.id if service else _unknown("service", written, policy.services)


def role_named(written: str, policy: Policy) -> str:
    """A role, as the config writes it."""
    return written if written in policy.roles else _unknown("role", written, policy.roles)


def person_named(written: str, policy: Policy) -> str:
    """The id of a person named by id, or by id, full name or email in any case."""
    if written in policy.people:
        return policy.people[written].id
    words = " ".join(written.split()).casefold()
    ids = [
        person.id
        for person in policy.people.values()
        if words and words in {person.id.casefold(), person.name.casefold(), person.email.casefold()}
    ]
    if len(ids) > 1:
        raise ValueError(f'"{quotable(written)}" may be {" or ".join(ids)}; write the id')
    return ids[0] if ids else _unknown("person", written, policy.people)


def _any_case(written: str, names: Iterable[str]) -> str | None:
    """The one name that is this, in whatever case; the exact one first. It is the very string of the config: thousands
    of open incidents share it.
    """
    same = [name for name in names if name.casefold() == written.casefold()]
    exact = (name for name in same if name == written)
    return next(exact, same[0] if len(same) == 1 else None)


def _unknown(kind: str, written: str, names: Iterable[str]) -> str:
    """Say that nothing has this name, and what may be meant."""
    listed = list(names)
    hint = closest(written[:QUOTED_LIMIT], listed)
    if not hint and 0 < len(listed) <= LISTED_LIMIT:
        hint = f"; write one of {', '.join(listed)}"
    raise ValueError(f'unknown {kind} "{quotable(written)}"{hint}')
