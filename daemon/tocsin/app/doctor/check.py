"""One thing that was looked at, and how it is; what was found in all (P7).

`ok` is None where it was not tried: no secret, no rights, nothing to look at. A check that holds may have a `cure` all
the same: it will not hold for long, or not everywhere.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from tocsin.domain.people import Channel

WITH_SECRETS = "run it as root with the daemon's: CREDENTIALS_DIRECTORY=/etc/credstore tocsin doctor"
"""How somebody without secrets comes by them on an installed server."""

Threads = Callable[[str], Executor]
"""Makes a thread of one's own for what may hang, by the name of that."""
Resolve = Callable[[str], Awaitable[tuple[str, ...] | str]]
"""The addresses of a host as this machine finds them, or why there are none, as what is said of it."""


@dataclass(frozen=True, slots=True)
class Check:
    """`code` is a stable hyphenated word, `target` what was looked at, `cure` what to do."""

    code: str
    target: str
    ok: bool | None
    message: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class ProvenAddress:
    """When an address of a person last proved to work, and by what (a receipt, an answer, an accepted mail). `at` and
    `by` are None for one that never did, as far as the ledger goes.
    """

    person: str
    via: Channel
    at: datetime | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was found; the checks in groups, each with what it is called. `people_known`: a ledger told of them."""

    groups: Sequence[tuple[str, Sequence[Check]]]
    people: Sequence[ProvenAddress]
    people_known: bool = True

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check, in the order of the groups."""
        return tuple(check for _, checks in self.groups for check in checks)

    @property
    def ok(self) -> bool:
        """Whether nothing was found that fails."""
        return all(check.ok is not False for check in self.checks)


def not_tried(codes: Iterable[str], target: str, why: str, cure: str = "") -> list[Check]:
    """Checks that could not be made, all for one reason."""
    return [Check(code, target, None, f"not tried: {why}", cure) for code in codes]
