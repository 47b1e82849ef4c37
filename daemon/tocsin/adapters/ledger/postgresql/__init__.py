"""The ledger on a server of PostgreSQL, which several machines may share."""
