"""The durable record on SQLite, written in SQLAlchemy Core so that PostgreSQL can take the same code.

`opening` makes, checks or sets aside the file, `migrate` brings an older one up to date, `lock` keeps a second daemon
out. `schema` says what is kept, and turns values into it and back. `ledger` is the port: it asks the
questions of `reads`, and hands the statements of `writes` to the `writer`, which commits in groups; `keeping` is what
it is as a file. No SQL asks the clock.
"""
