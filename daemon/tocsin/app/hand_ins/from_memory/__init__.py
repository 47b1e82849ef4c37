"""Pages that left while the ledger was away: handed in by the machine that sent them, and judged by who leads."""
