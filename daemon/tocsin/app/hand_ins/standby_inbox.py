"""The inbox of a machine that does not lead (P8): what is let in there is recorded as the very arrival that it would be
on the leader, which judges it; then the entry goes.

Who is signed in stands in the ledger. A typed code only the leader knows, so it goes on in the seal that it came in.
"""

from collections.abc import Sequence
from datetime import datetime

from tocsin.app.arrivals.gate import EntryRefused, Gate
from tocsin.app.sign_in.typed_code import sealed_code
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.open_sessions import OpenSessions
from tocsin.app.state.sign_in_codes import SignInCodes
from tocsin.domain.arrival import Arrival, CodeEntry
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import SessionLedger

NO_KEY = "without TOCSIN_WEB__SIGNING_KEY a code can be typed only where the machine that leads serves the pages"


class StandbyGate(Gate):
    """Judges files of the inbox by the config of this machine, and the sessions that the ledger knows."""

    def __init__(self, clock: Clock, config: ActiveConfig, ledger: SessionLedger) -> None:
        self._known = OpenSessions()
        super().__init__(clock, config, self._known, SignInCodes())
        self._active_config = config
        self._ledger = ledger

    async def refresh(self) -> None:
        """Ask the ledger who is signed in. Raises LedgerError."""
        self._known.renew(await self._ledger.sessions())

    def _typed(self, entry: CodeEntry, at: datetime) -> Arrival | EntryRefused:
        keys = self._active_config.reply_routes.keys
        return sealed_code(entry, at, keys) if keys else EntryRefused("a code", NO_KEY)


class JudgedElsewhere:
    """Whoever leads looks by itself at what is recorded."""

    async def look(self) -> None:
        """It is another machine's to judge."""

    async def hear(self, arrivals: Sequence[Arrival]) -> None:
        """It is another machine's to judge."""

    def poke(self) -> None:
        """It is another machine's to hear."""
