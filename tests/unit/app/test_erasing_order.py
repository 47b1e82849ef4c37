"""In which order a person is forgotten, and what keeps it from its end (P7)."""

from collections.abc import Sequence
from typing import cast

import pytest
from tocsin.app.engine.pruning import Pruning, Unattended
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.ports.ledger.upkeep import Calm, Erasure, IncidentStates, LeftOut, PruningLedger

ANA = Erasure("ana")


class Ledger:
    """Incidents of which some cannot be changed."""

    def __init__(self, broken: Sequence[str] = ()) -> None:
        self.broken, self.done = broken, list[str]()

    async def incident_states(self, after: str, most: int) -> IncidentStates:
        """Two pages."""
        if after:
            return IncidentStates({"e": None, "f": None}, None)
        return IncidentStates({"-": None, "a": LeftOut.OPEN, "b": None, "c": None, "d": None}, "d")

    async def erase_messages(self, incident: str, erasure: Erasure, calm: Calm) -> bool:
        """They stand in none but that of c."""
        self.done.append(f"{incident} messages")
        return incident == "c"

    async def erase_facts(self, incident: str, erasure: Erasure) -> bool:
        """They stand in all but those of c."""
        if incident in self.broken:
            raise LedgerError("UNIQUE constraint failed")
        self.done.append(f"{incident} facts")
        return incident != "c"

    async def erase_elsewhere(self, erasure: Erasure, calm: Calm) -> None:
        """It comes last."""
        self.done.append("elsewhere")


class Busy(Unattended):
    """Somebody works on d, and is about to on e."""

    def __init__(self) -> None:
        self.held = ""

    def may_go(self, incident: str) -> bool:
        """Not d."""
        return incident != "d"

    def begin(self, incident: str) -> bool:
        """Not e."""
        self.held = incident
        return incident != "e"

    def end(self, *, gone: bool) -> None:
        """It may be looked at again, and is there."""
        assert self.held
        assert not gone
        self.held = ""


def erasing(ledger: Ledger, permit: Unattended | None = None) -> Pruning:
    return Pruning(cast("PruningLedger", ledger), permit or Unattended())


async def test_messages_come_before_the_facts_and_an_open_incident_never() -> None:
    """Facts say under which name somebody stands, so they go last. Nobody else looks at an incident meanwhile."""
    ledger = Ledger()
    assert await erasing(ledger).erase(ANA) == 5
    assert ledger.done == [
        "- messages",
        *(f"{id_} {what}" for id_ in "bcdef" for what in ("messages", "facts")),
        "elsewhere",
    ]
    ledger, busy = Ledger(), Busy()
    assert await erasing(ledger, busy).erase(ANA) == 3
    assert [name for name in ledger.done if name[0] in "de"] == ["e messages", "elsewhere"]


async def test_one_incident_that_cannot_be_changed_keeps_no_other_from_it() -> None:
    """It is named at the end; all else is done, sessions and what came in too."""
    ledger = Ledger(broken=["b", "d"])
    with pytest.raises(LedgerError, match=r"b: UNIQUE constraint failed; d: UNIQUE"):
        await erasing(ledger).erase(ANA)
    assert ledger.done[-1] == "elsewhere"
    assert "f facts" in ledger.done


async def test_a_ledger_that_takes_nothing_is_not_asked_for_each_incident() -> None:
    """Two in a row that cannot be changed: it is the ledger."""
    ledger = Ledger(broken=["d", "e"])
    with pytest.raises(LedgerError):
        await erasing(ledger).erase(ANA)
    assert "elsewhere" not in ledger.done
    assert "f messages" not in ledger.done
