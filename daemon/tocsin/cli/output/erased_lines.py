"""What `tocsin prune --person` shows: line by line what would read otherwise, and what was left out and why."""

from collections.abc import Iterable, Iterator

from tocsin.app.engine.pruning import Named
from tocsin.domain.notification import NOBODY
from tocsin.ports.ledger.upkeep import Replaced
from tocsin.text.cleaning import clean, shown

BUSY = "could not be changed just now: say it again, and see the daemon's log"
"""Why a person stands in an incident still that should have been changed."""


def erased_lines(named: Named) -> Iterator[str]:
    """One incident: each change once, however many versions and messages have it."""
    yield _title(named.incident)
    places: dict[str, list[Replaced]] = {}
    for one in dict.fromkeys(named.replaced):
        places.setdefault(one.place, []).append(one)
    for place, changes in places.items():
        yield f"  {shown(place)}"
        for one in changes:
            yield from (f"  - {line}" for line in clean(one.before).splitlines())
            yield from (f"  + {line}" for line in clean(one.after).splitlines())


def left_out_lines(named: Iterable[Named], person: str) -> Iterator[str]:
    """What names them still, and why."""
    for one in named:
        yield f"left out: {_title(one.incident)} {one.left_out or BUSY}, and names {person}"


def _title(incident: str) -> str:
    return {"": "what belongs to no incident", NOBODY: "messages about no incident"}.get(incident, shown(incident))
