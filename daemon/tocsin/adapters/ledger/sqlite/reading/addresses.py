"""What `check` asks a ledger in a file about addresses."""

from collections.abc import Mapping

from tocsin.adapters.ledger.schema.address_rows import newest_proofs, opt_outs_of, refusals_of
from tocsin.adapters.ledger.schema.incident_rows import Rows
from tocsin.adapters.ledger.sqlite.file_reader import FileReader
from tocsin.domain.arrival import OptOut
from tocsin.domain.delivery import Attempt, Proof, ProvedBy
from tocsin.domain.people import Channel


class FileAddresses(FileReader):
    """A port AddressRecords."""

    async def refusals(self) -> tuple[Attempt, ...]:
        """The newest attempt at each address that was taken or refused for good, where it was refused."""
        query = """
            SELECT * FROM attempts WHERE sequence IN (
                SELECT max(sequence) FROM attempts
                WHERE (outcome LIKE '{"is": "Accepted"%' OR outcome LIKE '{"is": "Refused"%')
                AND outcome NOT LIKE '%"fault": "message"%' GROUP BY via, address
            ) ORDER BY sequence
        """
        return await self.read_named(refusals_of, query)

    async def opt_outs(self) -> tuple[OptOut, ...]:
        """Every address that wants nothing more, in the order they said so."""
        return await self.read_named(opt_outs_of, "SELECT * FROM opt_outs ORDER BY id")

    async def proofs(self) -> Mapping[tuple[Channel, str], Proof]:
        """When each address last proved to work."""
        query = """
            SELECT 'sms', 'receipt', address, max(receipt_at) FROM attempts
            WHERE via = 'sms' AND receipt = 'delivered' GROUP BY address
            UNION ALL SELECT 'sms', 'answer', who, max(at) FROM arrivals WHERE kind = 'sms' GROUP BY who
            UNION ALL SELECT 'email', 'accepted', address, max(ended_at) FROM attempts
            WHERE via = 'email' AND outcome LIKE '{"is": "Accepted"%' GROUP BY address
        """
        return await self.read(_proofs, query)


def _proofs(rows: Rows) -> dict[tuple[Channel, str], Proof]:
    return newest_proofs((Channel(via), ProvedBy(by), [(address, at)]) for via, by, address, at in rows)
