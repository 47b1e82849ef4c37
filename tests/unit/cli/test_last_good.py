"""The last good config, for a command that asks its ledger about incidents alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.app.configuration.load import Configuration
from tocsin.cli import whole_ledger
from tocsin.cli.ledger_access import LedgerAccess
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.ports.ledger.trouble import LedgerError

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Whole:
    """A whole ledger that cannot be asked now."""

    def __init__(self) -> None:
        self.is_closed = False

    async def last_good_config(self) -> None:
        raise LedgerError("disk I/O error")

    async def close(self) -> None:
        self.is_closed = True


async def test_the_whole_ledger_is_opened_for_it_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 43: only the whole knows it; whatever is said there, it is closed again, and what was open stays so."""
    whole, reader = Whole(), Whole()

    async def open_ledger(_address: LedgerAddress, _tell: object) -> LedgerAccess[Whole]:
        return LedgerAccess(whole)

    monkeypatch.setattr(whole_ledger, "open_ledger", open_ledger)
    refused = Configuration(None, None, (), LedgerAddress(Path("tocsin.db")))
    with pytest.raises(LedgerError, match="disk I/O error"):
        await whole_ledger.last_good(refused, reader, Path("config"), T0, print)
    assert (whole.is_closed, reader.is_closed) == (True, False)
