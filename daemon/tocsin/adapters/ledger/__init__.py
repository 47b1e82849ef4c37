"""The ledger: the durable record, on SQLite now, on the same SQLAlchemy Core code for PostgreSQL later.

`opening` makes, checks or sets aside the file, `migrate` brings an older one up to date, `lock` keeps a second daemon
out. `tables` says what is kept, `codec` and `rows` turn values into it and back. `ledger` is the port: it asks what
stands in `reads`, and hands what stands in `writes` to the `writer`, which commits in groups. No SQL asks the clock.
"""
