"""The ledger: the durable record, on SQLite now, on the same SQLAlchemy Core code for PostgreSQL later.

`tables` says what is kept, `writer` commits in groups, `ledger` is the port, `records` the reading side for people,
`lock` keeps a second daemon out, `migrations` bring an older file up to date. No SQL asks the clock.
"""
