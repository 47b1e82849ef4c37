"""Which incident somebody means who writes an id, or the start of one (P7): the exact id wins, then open incidents,
then all. What fits several is never guessed.
"""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.formats.incident.glance import IncidentGlance, glance
from tocsin.ports.ledger.recorded import RecordedIncidents
from tocsin.text.cleaning import cut
from tocsin.text.names import quotable

LISTED_MOST = 12
"""How many incidents are listed of which any may be meant."""
TITLE_MOST = 44
"""Characters of a title in that list."""
BESIDE_MOST = 76
"""Characters of an id and its title side by side."""
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}-")
"""How an id begins that tocsin made."""


class AmbiguousIncidentError(Exception):
    """Any of several incidents may be meant; the text lists them."""


@dataclass(frozen=True, slots=True)
class NamedIncidents:
    """All incidents that there are, by the folder (None: it does not count here) and by the ledger, if there is one."""

    files: IncidentFiles | None
    ledger: RecordedIncidents | None

    async def meant(self, written: str) -> str:
        """The id that is meant; what was written itself where no incident begins so. Raises AmbiguousIncidentError,
        LedgerError, FileError.
        """
        on_disk = self.files.ids() if self.files else []
        if written in on_disk:
            return written
        recorded = frozenset(await self.ledger.incidents()) if self.ledger else frozenset()
        begun = sorted(id_ for id_ in {*on_disk, *recorded} if id_.casefold().startswith(written.casefold()))
        if written in recorded or not begun:
            return written
        if len(begun) == 1:
            return begun[0]
        unfinished = await self.ledger.unfinished() if self.ledger else {}
        glances = await self._glances([id_ for id_ in begun if id_ in unfinished or id_ not in recorded])
        open_ones = [id_ for id_, one in glances.items() if not one.resolved]
        fit = sorted(open_ones or begun, reverse=True)
        if len(fit) == 1:
            return fit[0]
        shown = fit[:LISTED_MOST]
        lines = _listed(shown, await self._glances(shown))
        more = [f"  and {len(fit) - len(shown)} more"] if len(fit) > len(shown) else []
        what = f'"{quotable(written)}" begins the ids of {len(fit)}{" open" if open_ones else ""} incidents'
        raise AmbiguousIncidentError("\n".join([f"{what}; write more of the one you mean:", *lines, *more]))

    async def hint(self, written: str) -> str:
        """An incident that may be meant by what is no start of an id: `; did you mean "x"?`, or nothing."""
        known = {*(self.files.ids() if self.files else ()), *(await self.ledger.incidents() if self.ledger else ())}
        return meant_perhaps(written, known)

    async def _glances(self, ids: Sequence[str]) -> dict[str, IncidentGlance]:
        """Each as the ledger knows it, else as its file says."""
        versions = await self.ledger.newest_versions(ids) if self.ledger else {}
        glances = {
            id_: IncidentGlance(version.title, version.severity, version.resolved) for id_, version in versions.items()
        }
        return {id_: glances.get(id_) or self._of_file(id_) for id_ in ids}

    def _of_file(self, incident: str) -> IncidentGlance:
        name = self.files.find(incident) if self.files else None
        data = self.files.read(name) if self.files and name else None
        return IncidentGlance() if data is None else glance(data)


def meant_perhaps(written: str, known: Collection[str]) -> str:
    """Of the ids that are known, one that may be meant: `; did you mean "x"?`, or nothing."""
    word = written[:80].lower()
    keys: dict[str, str] = {}
    for id_ in sorted(known):  # of several the last one, which is the newest where ids begin with their day
        name = _DATED.sub("", id_)
        keys |= dict.fromkeys((key.lower() for key in (id_, name, id_[: len(word)], name[: len(word)])), id_)
    holds = sorted(id_ for id_ in known if word in id_.lower())
    near = difflib.get_close_matches(word, keys, n=1)
    meant = keys[near[0]] if near else holds[-1] if holds else ""
    return f'; did you mean "{meant}"?' if meant else ""


def _listed(ids: Sequence[str], glances: Mapping[str, IncidentGlance]) -> list[str]:
    """A line for each; where an id and its title don't fit side by side on 80 columns, two for each."""
    wide = max(map(len, ids))
    ends = {id_: f"{one.severity.upper()} {cut(one.title, TITLE_MOST)}".rstrip() for id_, one in glances.items()}
    if wide + max(map(len, ends.values())) > BESIDE_MOST:
        return [line for id_ in ids for line in (f"  {id_}", f"      {ends[id_]}") if line.strip()]
    return [f"  {id_:<{wide}}  {ends[id_]}".rstrip() for id_ in ids]
